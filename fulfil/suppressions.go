package fulfil

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"slices"

	"elekt.no/innsyn/privacy"
)

// suppressionStore keeps the company's own list of whom it doesn't send to.
type suppressionStore interface {
	Suppress(ctx context.Context, recipient string, address []byte, purpose string) error
	Unsuppress(ctx context.Context, recipient string, address []byte, purpose string) error
	Suppressed(ctx context.Context, recipient string, address []byte, purpose string) (bool, error)
}

// smsList is the list of numbers that get no SMS for a purpose, since Sveve keeps
// none. It is looked into before each SMS that has a purpose, and outlives the
// number in the customer record, because a no must: law: GDPR 21(3). A number is
// kept as a keyed hash.
//
// An erasure is a task for a human, where SMS were sent for the purpose: Sveve has
// no call for its logs and for messages that wait there.
type smsList struct {
	all
	store suppressionStore
	key   []byte
	uses  []string // purposes that SMS are sent for
}

const sveveID = "sveve"

// Do carries out a task.
func (l *smsList) Do(ctx context.Context, t Task) (Outcome, error) {
	if t.Action == privacy.ActionErase {
		if !slices.Contains(l.uses, t.Purpose) {
			return settled(privacy.NoteNothingKept), nil
		}
		return byHand(TaskSveve), nil
	}
	number := l.hash(t.Contact.Phone)
	if number == nil {
		return noAddress(), nil
	}
	change := l.store.Suppress
	if t.Action == privacy.ActionAllow {
		change = l.store.Unsuppress
	}
	if err := change(ctx, sveveID, number, t.Purpose); err != nil {
		return Outcome{}, err
	}
	return settled(privacy.NoteOwnStop), nil
}

// allows tells whether a number may get an SMS for a purpose.
func (l *smsList) allows(ctx context.Context, phone, purpose string) (bool, error) {
	on, err := l.store.Suppressed(ctx, sveveID, l.hash(phone), purpose)
	return !on, err
}

// hash is the number on the list: its digits with country code; nil without any.
func (l *smsList) hash(phone string) []byte {
	digits := onlyDigits(phone)
	if digits == "" {
		return nil
	}
	h := hmac.New(sha256.New, l.key)
	h.Write([]byte("sms " + digits)) // a hash never fails to write
	return h.Sum(nil)
}

// sendAbout sends an SMS for a purpose of the catalogue, unless the number has said
// no to it: then it is refused, and nothing is sent. What is about rights, or was
// asked for this minute, has no purpose and goes through send.
func (s *sveve) sendAbout(ctx context.Context, purpose, to, text, ref string) (Outcome, error) {
	ok, err := s.list.allows(ctx, to, purpose)
	if err != nil {
		return Outcome{}, err
	}
	if !ok {
		return Outcome{State: privacy.DeliveryRefused, Note: "suppressed"}, nil
	}
	return s.send(ctx, to, text, ref)
}
