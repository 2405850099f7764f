package views

import (
	"context"

	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/privacy"
)

// StepUp asks for a surer or fresher login, and says why.
type StepUp struct {
	Shell
	What   string            // what it is for, goes on from "Du skal": "se fakturaene dine"; may be empty
	Level  privacy.Assurance // what is needed
	Fresh  bool              // the level is right, but the login is too old
	Logins []Login           // those that reach it
	Kept   bool              // something was typed, and is kept
	Back   string            // where to go instead
	// InApp is an address that the app answers by logging in anew; no login ever
	// starts in a webview. Empty on the web.
	InApp string
}

// Resume comes after a step-up: what was typed stands ready to be sent.
type Resume struct {
	Shell
	Facts  []Fact // what will be sent, for the reader
	Action string // path that the form goes to
	Fields []Hidden
	CSRF   string
	Submit string // what the button says; empty for the ordinary word
	Cancel string // path
}

// LoginFault is a login that came to nothing: cancelled, refused, expired, or
// answered in a way that can't be trusted. Nothing was stored.
type LoginFault struct {
	Shell
	Kind     FaultKind
	Provider string
	Retry    string  // where the same login starts again; empty if there is no use
	Others   []Login // other ways
	Checked  string  // time of day: when the provider was last asked
	Code     string  // reference for whoever writes to us
}

// FaultKind is why a login came to nothing.
type FaultKind string

// The kinds.
const (
	FaultCancelled FaultKind = "cancelled" // the person stopped it
	FaultDown      FaultKind = "down"      // the provider doesn't answer
	FaultExpired   FaultKind = "expired"   // it took too long, or was used already
	FaultAnswer    FaultKind = "answer"    // the provider's answer doesn't hold
	FaultTooLow    FaultKind = "too_low"   // less sure than what was asked for
	FaultOther     FaultKind = "other"     // another person than the one who is logged in
)

func (f LoginFault) title(ctx context.Context) string {
	switch f.Kind {
	case FaultCancelled:
		return i18n.T(ctx, "login-fault.cancelled")
	case FaultDown:
		return i18n.T(ctx, "login-fault.down", "Name", f.Provider)
	case FaultExpired:
		return i18n.T(ctx, "login-fault.expired")
	case FaultTooLow:
		return i18n.T(ctx, "login-fault.too-low")
	case FaultOther:
		return i18n.T(ctx, "login-fault.other-person")
	}
	return i18n.T(ctx, "login-fault.answer", "Name", f.Provider)
}

func (f LoginFault) text(ctx context.Context) string {
	switch f.Kind {
	case FaultCancelled:
		return i18n.T(ctx, "login-fault.cancelled-text", "Name", f.Provider)
	case FaultDown:
		return i18n.T(ctx, "login-fault.down-text", "Name", f.Provider)
	case FaultExpired:
		return i18n.T(ctx, "login-fault.expired-text")
	case FaultTooLow:
		return i18n.T(ctx, "login-fault.too-low-text", "Name", f.Provider)
	case FaultOther:
		return i18n.T(ctx, "login-fault.other-person-text")
	}
	return i18n.T(ctx, "login-fault.answer-text", "Name", f.Provider)
}

// house says which windows are lit: the door at home when nothing is wrong, half
// the house when one provider is out.
func (f LoginFault) house() House {
	switch f.Kind {
	case FaultCancelled:
		return HouseDoor
	case FaultDown:
		return HouseHalf
	}
	return HouseDark
}

// working are the other ways that answer, by name.
func (f LoginFault) working() []string {
	var out []string
	for _, l := range f.Others {
		if !l.Unavailable {
			out = append(out, l.Name)
		}
	}
	return out
}

// Under13 stops a child before anything is stored. law: personopplysningsloven § 5
type Under13 struct {
	Shell
	Age int // the limit in years
}

// Age asks for a declaration, when the login gave no birth date.
type Age struct {
	Shell
	Age  int // the limit in years
	CSRF string
}

// House is which windows of the house are lit.
type House string

// The houses.
const (
	HouseDark House = "dark" // one window
	HouseDoor House = "door" // only the door
	HouseHalf House = "half" // the left side
	HouseLit  House = "lit"  // all of it
)

// lit is the class of a window or the door.
func (h House) lit(part string) string {
	on := false
	switch h {
	case HouseDark:
		on = part == "upper-left"
	case HouseDoor:
		on = part == "door"
	case HouseHalf:
		on = part == "upper-left" || part == "lower-left"
	case HouseLit:
		on = true
	}
	if on {
		return "house-lit"
	}
	return "house-dark"
}
