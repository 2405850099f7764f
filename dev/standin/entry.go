package standin

import (
	"cmp"
	"slices"
	"time"
)

// Entry is the state in which a recipient has something about a person: a user, a
// device, a place on a list. What no request has touched has no entry.
type Entry struct {
	Recipient string    `json:"recipient"`
	ID        string    `json:"id"` // as users/42
	State     string    `json:"state"`
	At        time.Time `json:"at"`
	Request   int       `json:"request,omitempty"` // id of the request that led to it
}

// States of an entry.
const (
	Deleted      = "deleted"      // the recipient has it no more
	Deauthorized = "deauthorized" // Enode: kept, without access to the devices
	Refused      = "refused"      // Eliq: a consent that isn't given
	Given        = "given"        // Eliq: a consent that is given
	MemberOn     = "member"       // Meta, Google Ads: on an audience
	Removed      = "removed"      // Meta, Google Ads: off an audience; Elhub: no access
	Subscribed   = "subscribed"   // FCM: to a topic
	Unsubscribed = "unsubscribed" // FCM: from a topic
	Revoked      = "revoked"      // a token or a consent that doesn't work any more
	Asked        = "asked"        // Xandr: a copy was asked for
	Granted      = "granted"      // Elhub: access to a metering point
)

type entryKey struct{ recipient, id string }

// State is the state of an entry; empty if no request has touched it.
func (s *Server) State(recipient, id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries[entryKey{recipient, id}].State
}

// Entries lists all of them, in a fixed order.
func (s *Server) Entries() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sorted()
}

// sorted lists the entries. The caller holds s.mu.
func (s *Server) sorted() []Entry {
	var out []Entry
	for _, e := range s.entries {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Entry) int { return cmp.Or(cmp.Compare(a.Recipient, b.Recipient), cmp.Compare(a.ID, b.ID)) })
	return out
}

// state is State for handlers, which hold s.mu.
func (s *Server) state(recipient, id string) string {
	return s.entries[entryKey{recipient, id}].State
}

// put changes an entry. The caller holds s.mu.
func (s *Server) put(c *call, id, state string) {
	name := c.form.name
	s.entries[entryKey{name, id}] = Entry{Recipient: name, ID: id, State: state, At: c.now, Request: c.id}
}
