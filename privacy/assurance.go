package privacy

import "fmt"

// Assurance is how sure a login is of who is there, in the terms of eIDAS
// (Regulation (EU) 910/2014 art. 8). The zero value is nobody.
type Assurance int

// The levels. A claim that is absent counts as the lowest (checklist 21).
const (
	AssuranceNone        Assurance = iota
	AssuranceLow                   // Google, Apple, Vipps remembered in a browser
	AssuranceSubstantial           // BankID biometrics, Vipps confirmed in its app
	AssuranceHigh                  // BankID
)

func (a Assurance) String() string {
	switch a {
	case AssuranceLow:
		return "low"
	case AssuranceSubstantial:
		return "substantial"
	case AssuranceHigh:
		return "high"
	}
	return "none"
}

// ParseAssurance reads "low", "substantial" or "high"; anything else is an error.
func ParseAssurance(s string) (Assurance, error) {
	for _, a := range []Assurance{AssuranceLow, AssuranceSubstantial, AssuranceHigh} {
		if a.String() == s {
			return a, nil
		}
	}
	return AssuranceNone, fmt.Errorf("assurance %q is not low, substantial or high", s)
}

// UnmarshalText lets a level stand in a configuration or catalogue by its name.
func (a *Assurance) UnmarshalText(b []byte) (err error) {
	*a, err = ParseAssurance(string(b))
	return err
}

// MarshalText gives the level's name.
func (a Assurance) MarshalText() ([]byte, error) { return []byte(a.String()), nil }
