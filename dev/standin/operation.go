package standin

import (
	"crypto/rand"
	"fmt"
	"slices"
	"time"
)

// Operation is something that a recipient has accepted and does later. Some tell
// how it went when they are asked; others never do.
type Operation struct {
	ID        string    `json:"id"`
	Recipient string    `json:"recipient"`
	What      string    `json:"what"`
	State     string    `json:"state"`
	At        time.Time `json:"at"`
	Request   int       `json:"request"`

	asked   int
	outcome FaultKind
	effect  func(partly bool)
	detail  audienceChange // of Google Ads
}

// States of an operation.
const (
	OperationRunning = "running"
	OperationDone    = "done"
	OperationPartly  = "partly"
	OperationFailed  = "failed"
)

// Operations lists what was accepted, oldest first.
func (s *Server) Operations() []Operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listOperations()
}

// listOperations copies them. The caller holds s.mu.
func (s *Server) listOperations() []Operation {
	var out []Operation
	for _, o := range s.operations {
		out = append(out, *o)
	}
	return out
}

// accept begins an operation. Its effect comes when it ends: never with
// FaultLater; with FaultPartly it is told to leave something undone. The caller
// holds s.mu.
func (s *Server) accept(c *call, what string, effect func(partly bool)) *Operation {
	o := &Operation{ID: newUUID(), Recipient: c.form.name, What: what, State: OperationRunning, At: c.now, Request: c.id,
		outcome: c.outcome, effect: effect}
	if len(s.operations) >= keepLimit {
		s.operations = slices.Delete(s.operations, 0, keepLimit/2)
	}
	s.operations = append(s.operations, o)
	return o
}

// acceptSilently is for recipients that never tell: it ends at once.
func (s *Server) acceptSilently(c *call, what string, effect func()) {
	o := s.accept(c, what, func(bool) { effect() })
	o.end()
}

// operation finds one that may be asked about. Each question brings it further.
// The caller holds s.mu.
func (s *Server) operation(recipient, id string) (*Operation, bool) {
	i := slices.IndexFunc(s.operations, func(o *Operation) bool { return o.Recipient == recipient && o.ID == id })
	if i < 0 {
		return nil, false
	}
	o := s.operations[i]
	o.asked++
	if o.State == OperationRunning && o.asked > s.options.Polls {
		o.end()
	}
	return o, true
}

func (o *Operation) end() {
	switch o.outcome {
	case FaultLater:
		o.State = OperationFailed
	case FaultPartly:
		o.State = OperationPartly
		o.effect(true)
	default:
		o.State = OperationDone
		o.effect(false)
	}
}

// newUUID makes a random one (version 4).
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
