package fulfil

import "slices"

// identified marks a connector that names people by more than an address: it is
// embedded in it.
type identified struct{}

func (identified) asksIdentifiers() {}

type asksIdentifiers interface{ asksIdentifiers() }

// all are the purposes that the catalogue sends to a recipient, for connectors that
// tell it of each: they are embedded in it.
type all []string

// Purposes are those of the catalogue.
func (a all) Purposes() []string { return a }

// own is the company's own name for the person at a partner: the one on record for
// it, else the id of the app's account.
func (t *Task) own(partner, kind string) string {
	if ids := t.IDs.At(partner, kind); len(ids) > 0 {
		return ids[0]
	}
	return t.IDs.Account
}

// stillNeeded tells whether one of the purposes that share what a recipient has is
// not stopped.
func (t *Task) stillNeeded(purposes []string) bool {
	return slices.ContainsFunc(purposes, func(id string) bool { return id != t.Purpose && !slices.Contains(t.Stopped, id) })
}
