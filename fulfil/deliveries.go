package fulfil

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// Contact is how a recipient knows a person. Fields are empty if the company's
// database has none, or the person has no customer record.
type Contact struct {
	Email string
	Phone string // E.164
}

// Task is one row of the outbox with what a connector needs to carry it out.
type Task struct {
	privacy.Delivery
	Contact Contact
	// IDs are the names under which recipients know the person; empty for connectors
	// that don't ask for them, and for a person without a customer record.
	IDs store.Identifiers
	// Stopped are the purposes that the person has last said no to, as far as this
	// recipient is told of them.
	Stopped []string
	// Kept is what an earlier task about the person gave to Keep and didn't take
	// back: the connector was interrupted before the recipient had it again.
	Kept []string
	// Keep puts on record, before the call that makes the recipient forget it, what
	// it must have again; nothing once it has. Never an address.
	Keep func(ctx context.Context, kept []string) error
}

// Outcome is what came of a task.
type Outcome struct {
	State  privacy.DeliveryState // accepted, confirmed, needs_manual, failed, refused; not_connected without an address
	Status int                   // HTTP status of the last answer, 0 if none came
	Note   string                // short code without personal data
	// RetryAfter is how long the recipient asks to be left alone after a failure.
	RetryAfter time.Duration
	// Handle is the recipient's own name for what it accepted, if it can be asked how
	// that went, and AskAfter when. Never who it is about.
	Handle   string
	AskAfter time.Duration
	// Task is the template of what a human is to do; TaskFault if it is empty.
	Task string
}

// Connector speaks to one recipient. Do is called again, with the same ID, when
// an earlier call's answer got lost: doing it twice must be as doing it once. It
// returns an error only if it was interrupted, through ctx or because Keep failed,
// and says nothing more to the recipient then; what went wrong there is an Outcome.
type Connector interface {
	Purposes() []string // that the recipient is connected for
	Do(ctx context.Context, t Task) (Outcome, error)
}

// contacts finds people in the company's database.
type contacts interface {
	Customer(ctx context.Context, person privacy.PersonRef) (*store.Customer, error)
	Identifiers(ctx context.Context, person privacy.PersonRef) (*store.Identifiers, error)
}

// deliveries brings recipients up to date.
type deliveries struct {
	store      *store.Store
	contacts   contacts
	connectors map[string]Connector
	others     map[string]Connector // for what is not connected: by the recipient's mode
	backoff    Backoff
	call       time.Duration // store.CallTime
	log        *slog.Logger
}

// busyWait is how long a job is put off when another worker holds its pair.
const busyWait = 500 * time.Millisecond

// settleTime is how long the outcome of a call may take to be recorded, also
// when the worker is being stopped.
const settleTime = 5 * time.Second

// bring tells a recipient everything about a person that is to be told now, in
// the order of versions within a purpose. busy means that another worker is at it.
func (b *deliveries) bring(ctx context.Context, args privacy.BringUpToDate) (busy bool, err error) {
	pair, ok, err := b.store.LockPair(ctx, args.Person, args.Recipient)
	if err != nil {
		return false, err
	}
	if !ok {
		return true, nil
	}
	defer func() { err = errors.Join(err, pair.Unlock()) }()
	for {
		d, err := pair.Next(ctx)
		if d == nil || err != nil {
			return false, err
		}
		c := b.connector(d)
		if c == nil {
			if err := pair.Skip(ctx, d, privacy.DeliveryNotConnected, ""); err != nil {
				return false, err
			}
			continue
		}
		// Anew for each row: a wrong link may be taken back in between.
		t, err := b.task(ctx, c, d)
		if err != nil {
			return false, err
		}
		if err := b.send(ctx, pair, c, d, *t); err != nil {
			return false, err
		}
	}
}

// connector is who tells the recipient of a row: a connection of its own, if there
// is one for the purpose, else what its mode comes to. Nil if there is neither.
func (b *deliveries) connector(d *privacy.Delivery) Connector {
	for _, c := range []Connector{b.connectors[d.Recipient], b.others[d.Recipient]} {
		if c != nil && slices.Contains(c.Purposes(), d.Purpose) {
			return c
		}
	}
	return nil
}

// task is a row with what its connector must know of the person, which is nothing
// for a person without a customer record. That the company's database can't be
// asked is an error, and the job is tried again.
func (b *deliveries) task(ctx context.Context, c Connector, d *privacy.Delivery) (*Task, error) {
	t := &Task{Delivery: *d}
	if _, asks := c.(asksIdentifiers); asks {
		ids, err := b.contacts.Identifiers(ctx, d.Person)
		if privacy.KindOf(err) == privacy.NotFound {
			return t, nil
		}
		if err != nil {
			return nil, err
		}
		t.IDs, t.Contact = *ids, Contact{Email: ids.Email, Phone: ids.Phone}
		return t, nil
	}
	customer, err := b.contacts.Customer(ctx, d.Person)
	if privacy.KindOf(err) == privacy.NotFound {
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	t.Contact = Contact{Email: customer.Email, Phone: customer.Phone}
	return t, nil
}

// send makes one attempt at a row and records what came of it.
func (b *deliveries) send(ctx context.Context, pair *store.Pair, c Connector, d *privacy.Delivery, t Task) error {
	stopped, err := pair.Stopped(ctx)
	if err != nil {
		return err
	}
	kept, err := pair.Kept(ctx)
	if err != nil {
		return err
	}
	// Whoever comes after waits for this long, so the call must be over then.
	calling, over := context.WithTimeout(ctx, b.call)
	defer over()
	ok, err := pair.Begin(calling, d)
	if err != nil || !ok {
		return err // not ok: chosen anew in between; the caller looks again
	}
	t.Delivery, t.Stopped, t.Kept, t.Keep = *d, stopped, kept, pair.Keep
	out, stop := c.Do(calling, t)
	if stop != nil && ctx.Err() == nil && calling.Err() != nil {
		out, stop = Outcome{State: privacy.DeliveryFailed, Note: "timeout"}, nil
	}
	r := b.result(d, out)
	if stop != nil { // nothing more is being said: the row is free at once
		r = store.Result{State: privacy.DeliveryQueued, Note: "interrupted"}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	if err := pair.Settle(ctx, d, r); err != nil {
		return errors.Join(stop, err)
	}
	b.say(ctx, "delivery", d, r)
	return stop
}

// result is what an outcome comes to: when a failure is tried again or a human is
// asked, when the recipient is asked how it went, and what a human is to do.
func (b *deliveries) result(d *privacy.Delivery, out Outcome) store.Result {
	now := b.store.Now()
	r := store.Result{State: out.State, Status: out.Status, Note: out.Note, Task: out.Task}
	switch {
	case out.State == privacy.DeliveryAccepted && out.Handle != "":
		r.Handle, r.Poll = out.Handle, now.Add(out.AskAfter)
	case out.State != privacy.DeliveryFailed:
	case now.Sub(later(d.CreatedAt, d.NotBefore)) > giveUpAfter:
		r.State, r.Note = privacy.DeliveryNeedsManual, "gave-up"
	default:
		r.NextAttempt = now.Add(b.backoff.wait(d.Attempts, out.RetryAfter))
	}
	if r.State == privacy.DeliveryNeedsManual && r.Note != privacy.NoteUserLink {
		r.Task, r.Due = or(r.Task, TaskFault), dueOn(d, now)
	}
	return r
}

func (b *deliveries) say(ctx context.Context, what string, d *privacy.Delivery, r store.Result) {
	l := level(r.State)
	if r.Note == privacy.NoteManual || r.Note == privacy.NoteUserLink {
		l = slog.LevelInfo // nothing went wrong
	}
	b.log.Log(ctx, l, what, "delivery", d.ID, "recipient", d.Recipient, "purpose", d.Purpose, "action", string(d.Action),
		"version", d.Version, "attempt", d.Attempts, "state", string(r.State), "status", r.Status, "note", r.Note)
}

// level is how loud a state is said: where a human must act, somebody must hear.
func level(s privacy.DeliveryState) slog.Level {
	if s == privacy.DeliveryNeedsManual || s == privacy.DeliveryRefused {
		return slog.LevelError
	}
	return slog.LevelInfo
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
