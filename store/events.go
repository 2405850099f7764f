package store

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"elekt.no/innsyn/privacy"
)

// EventKind says what happened around a login.
type EventKind string

// The kinds. Reasons are short codes; neither holds personal data.
const (
	EventLogin         EventKind = "login"          // a session began
	EventStepUp        EventKind = "step-up"        // the same person proved themself again
	EventLoginFailed   EventKind = "login-failed"   // reason: the fault
	EventStopped       EventKind = "login-stopped"  // too young; no person
	EventPersonMade    EventKind = "person-made"    //
	EventLoginAdded    EventKind = "login-added"    // a second login of a known person
	EventLoginEnded    EventKind = "login-ended"    // by the person
	EventLogout        EventKind = "logout"         //
	EventSessionEnded  EventKind = "session-ended"  // reason: by-person, other-person, login-ended, all
	EventLinked        EventKind = "linked"         // reason: the evidence
	EventLinkTaken     EventKind = "link-taken"     // the record is another person's
	EventLinkBarred    EventKind = "link-barred"    // the same link was taken back before
	EventLinkEnded     EventKind = "link-ended"     // reason: why
	EventMatchRequest  EventKind = "match-request"  // several records; a request was opened
	EventCodeAsked     EventKind = "code-asked"     //
	EventCodeWrong     EventKind = "code-wrong"     //
	EventCodeExhausted EventKind = "code-exhausted" // too many tries
	EventCodeUsed      EventKind = "code-used"      //
	EventAgeDeclared   EventKind = "age-declared"   //
	EventMerged        EventKind = "merged"         // two persons are one; reason: how it is known
)

// Event is one thing that happened around a login.
type Event struct {
	At       time.Time
	Kind     EventKind
	Reason   string
	Provider string
	Person   privacy.PersonRef // empty if nobody is known
}

// Note records an event outside any other transaction.
func (s *Store) Note(ctx context.Context, e Event) error {
	return s.event(ctx, s.db, e)
}

func (s *Store) event(ctx context.Context, x sqlx.ExecerContext, e Event) error {
	_, err := x.ExecContext(ctx, `INSERT INTO auth_event (at, kind, reason, provider, person_ref) VALUES ($1, $2, $3, $4, nullif($5, ''))`,
		s.Now(), e.Kind, e.Reason, e.Provider, e.Person)
	return wrap(err)
}
