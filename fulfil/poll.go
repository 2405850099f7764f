package fulfil

import (
	"context"
	"errors"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// Poller is a Connector whose recipient takes a task on and carries it out later.
// Poll asks how far it has come: accepted says that it isn't done or couldn't be
// asked, failed that it didn't come about and is to be asked for anew. Errors as of
// Do.
type Poller interface {
	Connector
	Poll(ctx context.Context, t Task, p store.Pending) (Outcome, error)
}

// pollFor is how long a recipient that says how far it has come may take before a
// human asks, and the waits between questions: pollFirst, then twice as long each
// time up to pollMost.
const (
	pollFor   = 72 * time.Hour
	pollFirst = 30 * time.Second
	pollMost  = time.Hour
)

// unasked is the outcome of a question that got no answer: a fault that passes
// leaves the row as it is, anything else a human looks at.
func unasked(a answer) Outcome {
	if a.State == privacy.DeliveryFailed {
		a.State = privacy.DeliveryAccepted
	}
	return a.Outcome
}

// poll asks a recipient how far it has come with what it took on about a person.
// busy means that another worker is telling it something.
func (b *deliveries) poll(ctx context.Context, args privacy.PollDelivery) (busy bool, err error) {
	pair, ok, err := b.store.LockPair(ctx, args.Person, args.Recipient)
	if err != nil {
		return false, err
	}
	if !ok {
		return true, nil
	}
	defer func() { err = errors.Join(err, pair.Unlock()) }()
	rows, err := pair.Pending(ctx)
	if err != nil {
		return false, err
	}
	for _, p := range rows {
		if err := b.ask(ctx, pair, p); err != nil {
			return false, err
		}
	}
	return false, nil
}

func (b *deliveries) ask(ctx context.Context, pair *store.Pair, p store.Pending) error {
	d := &p.Delivery
	out := Outcome{State: privacy.DeliveryAccepted}
	if c, ok := b.connector(d).(Poller); ok { // else its connection was taken away
		t, err := b.task(ctx, c, d)
		if err != nil {
			return err
		}
		asking, over := context.WithTimeout(ctx, b.call)
		defer over()
		if out, err = c.Poll(asking, *t, p); err != nil {
			if ctx.Err() != nil || asking.Err() == nil {
				return err
			}
			out = Outcome{State: privacy.DeliveryAccepted, Note: "timeout"}
		}
	}
	if out.State == privacy.DeliveryAccepted && p.Handle == "" {
		return nil // waits for the app, which says so by itself
	}
	out.Handle = ""
	r := b.result(d, out)
	if now := b.store.Now(); out.State == privacy.DeliveryAccepted {
		if r.Poll = now.Add(pollWait(p.Asked, out.RetryAfter)); now.Sub(p.Since) > pollFor {
			r = b.result(d, Outcome{State: privacy.DeliveryNeedsManual, Status: out.Status, Note: "never-finished"})
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	if err := pair.Asked(ctx, d, r); err != nil {
		return err
	}
	b.say(ctx, "asked", d, r)
	return nil
}

// pollWait is how long to wait after the nth question.
func pollWait(asked int, retryAfter time.Duration) time.Duration {
	return Backoff{First: pollFirst, Most: pollMost, Chance: DefaultBackoff.Chance}.wait(asked+1, retryAfter)
}
