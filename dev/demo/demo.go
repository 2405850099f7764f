// Package demo is the invented company that Innsyn shows itself with: people
// who can log in at the development identity provider, and what the company's
// own database holds of them.
//
// Everything here is made up. Identity numbers come only from the synthetic
// series (month + 80), which can never belong to anybody; a test holds every
// tracked file of the repository to that. E-mail addresses end in example.com,
// telephone numbers begin with +470000, which is never handed out, and the
// addresses lie in streets that don't exist.
//
// A Person is what an identity provider knows: name, birth date, identity
// number, the stable subjects, and how strongly the person can log in. A
// Customer is a row in the company's database. The two are joined on purpose
// in many ways, since the portal must handle all of them: by identity number,
// by telephone number, by customer number, twice, or not at all.
//
// SchemaSQL builds the company database in the schema elekt, owned by a role
// of its own and readable for the role elekt_reader; Load fills it and may be
// run again at any time.
package demo

import (
	"slices"
	"time"
)

// Names of the logins that a person can have.
const (
	BankID = "bankid"
	Vipps  = "vipps"
	Google = "google"
	Apple  = "apple"
)

// Main is the key of the person whom the pictures show.
const Main = "ingrid"

// Person is one demo person as the identity providers know them. Empty fields
// are things that the provider doesn't have.
type Person struct {
	Key        string // short name, used by tests and by the page of test persons
	GivenName  string
	FamilyName string
	BirthDate  string // 2006-01-02
	NationalID string // synthetic, 11 digits

	BankIDAltSub string // BankID's stable personal identifier
	VippsSub     string // UUID, stable per sales unit
	Phone        string // E.164
	Email        string
	Address      Address

	Logins []string // BankID, Vipps, …

	// How the logins behave for this person.
	BankIDBiometrics bool // has only BankID with biometrics: LOA 3 whatever is asked
	BankIDNoNumber   bool // BankID hands out no identity number
	VippsRemembered  bool // is remembered in the browser: Vipps never confirms in the app

	Note string // what this person is good for, in Norwegian, for the page of test persons
}

// Address is a Norwegian postal address.
type Address struct {
	Street     string
	PostalCode string
	City       string
}

// Name is the whole name.
func (p Person) Name() string { return p.GivenName + " " + p.FamilyName }

// Has tells whether the person has the login.
func (p Person) Has(login string) bool { return slices.Contains(p.Logins, login) }

// Born is the birth date at midnight UTC, or the zero time without one.
func (p Person) Born() time.Time {
	t, err := time.Parse(time.DateOnly, p.BirthDate)
	if err != nil {
		return time.Time{}
	}
	return t
}

// ByKey finds a person.
func ByKey(key string) (Person, bool) {
	for _, p := range people {
		if p.Key == key {
			return clone(p), true
		}
	}
	return Person{}, false
}

// People lists every demo person, the main one first.
func People() []Person {
	out := make([]Person, len(people))
	for i, p := range people {
		out[i] = clone(p)
	}
	return out
}

func clone(p Person) Person {
	p.Logins = slices.Clone(p.Logins)
	return p
}
