package privacy

import (
	"errors"
	"fmt"
)

// ErrorKind says what went wrong, coarsely enough that one table can map it to
// an HTTP status.
type ErrorKind int

// The kinds. Anything that is not an *Error is Internal.
const (
	Internal        ErrorKind = iota
	Invalid                   // the request makes no sense as sent
	Unauthenticated           // nobody is logged in, or the session has ended
	StepUp                    // logged in, but not surely or freshly enough
	Forbidden                 // known, and not allowed
	NotFound                  // no such thing, or not this person's
	Conflict                  // the thing has changed since the page was drawn
	Gone                      // was there once: a used code, an expired link
	TooLarge                  // more bytes than the route takes
	RateLimited               // too often; try later
	Unavailable               // a part that we need does not answer
	NotAllowed                // there is such a thing, but not by this method
	Precondition              // what the request says must hold doesn't
)

var kindNames = [...]string{"internal", "invalid", "unauthenticated", "step_up", "forbidden",
	"not_found", "conflict", "gone", "too_large", "rate_limited", "unavailable", "method_not_allowed", "precondition_failed"}

func (k ErrorKind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "internal"
	}
	return kindNames[k]
}

// Error is a fault that a person can be told about. Key is the i18n key of the
// text; Reason is a short code for logs, without personal data; Err, if any, is
// for the log alone.
type Error struct {
	Kind   ErrorKind
	Key    string
	Reason string
	Err    error
	// Needs is the least assurance that would do, for kind StepUp.
	Needs Assurance
}

func (e *Error) Error() string {
	s := e.Kind.String() + ": " + e.Key
	if e.Reason != "" {
		s += " (" + e.Reason + ")"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// ReasonCompanyAway is the reason of an Unavailable that comes from the company's
// own database and not from the portal's.
const ReasonCompanyAway = "company-away"

// Errorf makes an *Error of a kind with an i18n key; the rest, formatted, is for the log.
func Errorf(kind ErrorKind, key, format string, args ...any) *Error {
	return &Error{Kind: kind, Key: key, Err: fmt.Errorf(format, args...)}
}

// KindOf returns the kind of the first *Error in err's chain, or Internal.
func KindOf(err error) ErrorKind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}
