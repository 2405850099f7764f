package privacy

import "time"

// Action is what a recipient is asked to do.
type Action string

// The actions.
const (
	ActionAllow Action = "allow" // the purpose is on (again)
	ActionStop  Action = "stop"  // stop using the data for the purpose
	ActionErase Action = "erase" // delete what rested on the purpose alone
)

// DeliveryState is how far the word to a recipient has come.
type DeliveryState string

// The states. Accepted means received, and is never shown as done.
const (
	DeliveryQueued       DeliveryState = "queued"
	DeliverySent         DeliveryState = "sent" // under way: the attempt is on record, the answer isn't
	DeliveryAccepted     DeliveryState = "accepted"
	DeliveryConfirmed    DeliveryState = "confirmed"
	DeliveryNeedsManual  DeliveryState = "needs_manual"
	DeliveryFailed       DeliveryState = "failed"  // no answer yet; tried again at NextAttempt
	DeliveryRefused      DeliveryState = "refused" // the recipient says no
	DeliveryNotConnected DeliveryState = "not_connected"
	DeliverySuperseded   DeliveryState = "superseded" // a newer choice took its place before it was sent
)

// Delivery is a row of the outbox: one action at one recipient for one version
// of a person's choice. law: GDPR 19
type Delivery struct {
	ID          string // UUID; repeats of an attempt carry the same
	Person      PersonRef
	Recipient   string
	Purpose     string
	Action      Action
	Version     int64
	NotBefore   time.Time
	State       DeliveryState
	Attempts    int
	NextAttempt time.Time // zero if none is planned
	Note        string    // short code: why a state was reached, as no-address or http-503
	CreatedAt   time.Time
	ChangedAt   time.Time
}

// NoteNoAddress is the Note of a delivery that had nobody to be about: the
// recipient knows people by an address, and we have none of this person.
const NoteNoAddress = "no-address"
