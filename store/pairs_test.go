package store_test

import (
	"slices"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

func (o *outbox) lock(st *store.Store) *store.Pair {
	o.t.Helper()
	p, ok, err := st.LockPair(o.t.Context(), o.person, "mailgun")
	if err != nil {
		o.t.Fatal(err)
	}
	if !ok {
		o.t.Fatal("the pair is held by somebody else")
	}
	return p
}

func (o *outbox) unlock(p *store.Pair) {
	o.t.Helper()
	if err := p.Unlock(); err != nil {
		o.t.Fatal(err)
	}
}

func (o *outbox) held(st *store.Store) bool {
	o.t.Helper()
	p, ok, err := st.LockPair(o.t.Context(), o.person, "mailgun")
	if err != nil {
		o.t.Fatal(err)
	}
	if ok {
		o.unlock(p)
	}
	return !ok
}

func (o *outbox) next(p *store.Pair) *privacy.Delivery {
	o.t.Helper()
	d, err := p.Next(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	return d
}

func (o *outbox) begin(p *store.Pair, d *privacy.Delivery) {
	o.t.Helper()
	ok, err := p.Begin(o.t.Context(), d)
	if err != nil {
		o.t.Fatal(err)
	}
	if !ok {
		o.t.Fatal("row is no longer to be sent")
	}
}

func (o *outbox) settle(p *store.Pair, d *privacy.Delivery, r store.Result) {
	o.t.Helper()
	if err := p.Settle(o.t.Context(), d, r); err != nil {
		o.t.Fatal(err)
	}
}

func TestPairIsHeldByOneNode(t *testing.T) {
	o := newOutbox(t)
	other := o.node()
	p := o.lock(o.st)
	if !o.held(other) {
		t.Error("two nodes hold the pair")
	}
	if !o.held(o.st) {
		t.Error("two jobs of one node hold the pair")
	}
	another, ok, err := other.LockPair(t.Context(), o.person, "meta")
	if err != nil || !ok {
		t.Fatalf("another recipient is held too: %v", err)
	}
	o.unlock(another)
	o.unlock(p)
	if o.held(other) {
		t.Error("still held after it was let go")
	}
}

func TestPairIsFreeWhenItsHolderDies(t *testing.T) {
	o := newOutbox(t)
	p := o.lock(o.st)
	o.give("newsletter")
	d := o.next(p)
	o.exec(`SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
	if o.held(o.node()) {
		t.Fatal("held by a dead connection")
	}
	if ok, err := p.Begin(t.Context(), d); err == nil {
		t.Fatalf("began (%v) without holding the pair", ok)
	}
	if err := p.Unlock(); err == nil {
		t.Error("letting go of a lost pair went unnoticed")
	}
	o.want("newsletter", "1 allow queued")
}

func TestPairIsLockedAfterAnOutage(t *testing.T) {
	o := newOutbox(t)
	way := o.Outage(t)
	st, err := store.Open(store.Options{URL: way.AppURL, MaxPairs: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	first, second := o.lock(st), o.lock2(st, "meta")
	o.unlock(first)
	o.unlock(second)
	way.Begin(t)
	if _, _, err := st.LockPair(t.Context(), o.person, "mailgun"); err == nil {
		t.Fatal("held without a database")
	}
	way.End(t)
	o.unlock(o.lock(st)) // at the first try, though connections from before are dead
}

func TestNextGoesByVersion(t *testing.T) {
	o := newOutbox(t)
	o.give("newsletter")
	o.give("interest-list")
	o.withdraw("newsletter")
	o.give("partner-offers")
	p := o.lock(o.st)
	var got []int64
	for d := o.next(p); d != nil; d = o.next(p) {
		got = append(got, d.Version)
		o.begin(p, d)
		o.settle(p, d, store.Result{State: privacy.DeliveryConfirmed, Status: 200})
	}
	if want := []int64{2, 3, 4}; !slices.Equal(got, want) {
		t.Errorf("sent %d, want %d", got, want)
	}
	o.now = o.now.Add(privacy.EraseDelay)
	if d := o.next(p); d == nil || d.Action != privacy.ActionErase || d.Version != 3 {
		t.Errorf("a day later: %+v, want the erasure", d)
	}
	o.unlock(p)
}

// A failure holds back what came after it for the same purpose, here the yes after
// an erasure that was due, and nothing else.
func TestFailureHoldsBackItsPurposeOnly(t *testing.T) {
	o := newOutbox(t)
	o.now = time.Now().UTC().Truncate(time.Second)
	o.withdraw("newsletter")
	p := o.lock(o.st)
	done := func(d *privacy.Delivery) {
		t.Helper()
		o.begin(p, d)
		o.settle(p, d, store.Result{State: privacy.DeliveryConfirmed, Status: 200})
	}
	done(o.next(p))
	o.now = o.now.Add(privacy.EraseDelay)
	o.give("newsletter")
	o.withdraw("interest-list")
	d := o.next(p)
	if d == nil || d.Action != privacy.ActionErase {
		t.Fatalf("%+v, want the erasure that was due", d)
	}
	o.begin(p, d)
	again := o.now.Add(time.Hour)
	o.settle(p, d, store.Result{State: privacy.DeliveryFailed, Status: 503, Note: "http-503", NextAttempt: again})
	if want := "mailgun " + again.Format(time.DateTime); !slices.Contains(o.jobs(), want) {
		t.Errorf("jobs %q, want %q", o.jobs(), want)
	}
	if d = o.next(p); d == nil || d.Purpose != "interest-list" {
		t.Fatalf("%+v, want the no to something else", d)
	}
	done(d)
	if d := o.next(p); d != nil {
		t.Fatalf("version %d overtakes one that failed", d.Version)
	}
	o.now = again
	if d = o.next(p); d == nil || d.Version != 1 || d.Attempts != 1 || d.Note != "http-503" {
		t.Fatalf("an hour later: %+v, want the erasure again", d)
	}
	o.begin(p, d)
	if d.Attempts != 2 {
		t.Errorf("%d attempts, want 2", d.Attempts)
	}
	o.settle(p, d, store.Result{State: privacy.DeliveryConfirmed, Status: 200})
	if d = o.next(p); d == nil || d.Version != 2 || d.Action != privacy.ActionAllow {
		t.Fatalf("%+v, want the yes", d)
	}
	o.unlock(p)

	var attempts, ended int
	if err := o.owner.QueryRow(`SELECT count(*), count(ended_at) FROM delivery_attempt a JOIN delivery USING (delivery_id)
		WHERE version = 1 AND action = 'erase' AND (a.status, a.note) IN ((503, 'http-503'), (200, ''))`).Scan(&attempts, &ended); err != nil {
		t.Fatal(err)
	}
	if attempts != 2 || ended != 2 {
		t.Errorf("%d attempts on record, %d ended; want 2, 2", attempts, ended)
	}
}

func TestFailureIsReplacedByANewerChoice(t *testing.T) {
	o := newOutbox(t)
	o.now = time.Now().UTC().Truncate(time.Second)
	o.give("newsletter")
	p := o.lock(o.st)
	d := o.next(p)
	o.begin(p, d)
	o.withdraw("newsletter") // while the call is under way
	o.settle(p, d, store.Result{State: privacy.DeliveryFailed, Status: 503, Note: "http-503", NextAttempt: o.now.Add(time.Hour)})
	if d = o.next(p); d == nil || d.Version != 2 || d.Action != privacy.ActionStop {
		t.Fatalf("next is %+v, want the stop of version 2", d)
	}
	o.unlock(p)
	o.want("newsletter", "1 allow superseded", "2 stop queued", "2 erase queued")
}

func TestBeginSeesAChoiceMadeSinceNext(t *testing.T) {
	o := newOutbox(t)
	o.give("newsletter")
	p := o.lock(o.st)
	d := o.next(p)
	o.withdraw("newsletter")
	if ok, err := p.Begin(t.Context(), d); ok || err != nil {
		t.Fatalf("began what a newer choice replaced: %v, %v", ok, err)
	}
	o.unlock(p)
}

func TestLateAnswerDoesNotOverwriteTheNextHolder(t *testing.T) {
	o := newOutbox(t)
	o.give("newsletter")
	p := o.lock(o.st)
	d := o.next(p)
	o.begin(p, d)
	o.unlock(p) // as if the hold was lost; the row stays as sent
	q := o.lock(o.node())
	o.give("interest-list")
	if early := o.next(q); early != nil {
		t.Fatalf("version %d is sent while an earlier holder may be calling", early.Version)
	}
	o.now = o.now.Add(store.CallTime + 10*time.Second)
	again := o.next(q)
	if again == nil || again.ID != d.ID || again.State != privacy.DeliverySent {
		t.Fatalf("the next holder sees %+v, want the row that was under way", again)
	}
	o.begin(q, again)
	r := o.lock2(o.st, "meta")
	if err := r.Settle(t.Context(), d, store.Result{State: privacy.DeliveryConfirmed}); privacy.KindOf(err) != privacy.Conflict {
		t.Errorf("settling after the takeover: %v, want a conflict", err)
	}
	o.settle(q, again, store.Result{State: privacy.DeliveryNeedsManual, Status: 401, Note: "http-401"})
	o.unlock(q)
	o.unlock(r)
	o.want("newsletter", "1 allow needs_manual")
}

// lock2 gives a pair of another recipient, for a connection that still works.
func (o *outbox) lock2(st *store.Store, recipient string) *store.Pair {
	o.t.Helper()
	p, ok, err := st.LockPair(o.t.Context(), o.person, recipient)
	if err != nil || !ok {
		o.t.Fatalf("pair with %s: %v", recipient, err)
	}
	return p
}

func TestSkippedRowIsSettledWithoutACall(t *testing.T) {
	o := newOutbox(t)
	o.give("newsletter")
	p := o.lock(o.st)
	d := o.next(p)
	if err := p.Skip(t.Context(), d, privacy.DeliveryNotConnected, ""); err != nil {
		t.Fatal(err)
	}
	if d := o.next(p); d != nil {
		t.Errorf("still to be sent: %+v", d)
	}
	o.unlock(p)
	o.want("newsletter", "1 allow not_connected")
}

func TestOverdueRowsGetAJobOnce(t *testing.T) {
	o := newOutbox(t)
	o.give("newsletter")
	overdue := func(want int) {
		t.Helper()
		n, err := o.st.EnqueueOverdue(t.Context(), o.now.Add(-time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		if n != want {
			t.Errorf("%d pairs overdue, want %d", n, want)
		}
	}
	o.now = o.now.Add(time.Hour)
	overdue(0) // its job waits
	o.exec(`UPDATE river_job SET state = 'running', attempt = 1`)
	overdue(1) // by whom, nobody knows
	overdue(0)
	o.exec(`DELETE FROM river_job`)
	o.exec(`UPDATE delivery SET state = 'failed', next_attempt = $1`, o.now.Add(time.Minute))
	overdue(0) // not yet
	o.now = o.now.Add(time.Hour)
	overdue(1)
	o.exec(`DELETE FROM river_job`)
	o.exec(`UPDATE delivery SET state = 'confirmed', next_attempt = NULL`)
	overdue(0)
}

// What waits behind a failure of its purpose isn't late; another purpose is, though
// the pair has a job for the failure.
func TestOverdueGoesByPurpose(t *testing.T) {
	o := newOutbox(t)
	o.withdraw("newsletter")
	o.now = o.now.Add(privacy.EraseDelay + time.Hour)
	o.exec(`UPDATE delivery SET state = CASE action WHEN 'erase' THEN 'failed' ELSE 'confirmed' END, next_attempt = $1`, o.now.Add(time.Hour))
	o.give("newsletter")
	o.exec(`UPDATE delivery SET next_attempt = NULL WHERE state <> 'failed'`)
	o.now = o.now.Add(10 * time.Minute)
	overdue := func(want int) {
		t.Helper()
		o.exec(`DELETE FROM river_job`)
		n, err := o.st.EnqueueOverdue(t.Context(), o.now.Add(-time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		if n != want {
			t.Errorf("%d pairs overdue, want %d", n, want)
		}
	}
	overdue(0)
	o.withdraw("interest-list")
	o.now = o.now.Add(10 * time.Minute)
	overdue(1)
	o.exec(`UPDATE delivery SET state = 'sent', changed_at = $1 WHERE purpose = 'interest-list' AND action = 'stop'`, o.now.Add(-store.CallTime))
	overdue(0) // somebody may be calling
}

// What found no address waits for one, not for a connection.
func TestReconnectLeavesWhatHasNoAddress(t *testing.T) {
	o := newOutbox(t)
	o.give("newsletter")
	o.exec(`UPDATE delivery SET state = 'not_connected', note = $1`, privacy.NoteNoAddress)
	if n, err := o.st.Reconnect(t.Context(), "mailgun", []string{"newsletter"}); n != 0 || err != nil {
		t.Errorf("%d people, %v", n, err)
	}
	o.want("newsletter", "1 allow not_connected")
}

// A sent row that is nobody's any more is replaced by a newer choice; an erasure is
// an act and is carried out before a new yes.
func TestOrphanIsReplacedByANewerChoice(t *testing.T) {
	o := newOutbox(t)
	o.give("newsletter")
	o.exec(`UPDATE delivery SET state = 'sent', attempts = 1`)
	o.now = o.now.Add(store.CallTime + 10*time.Second)
	o.withdraw("newsletter")
	o.want("newsletter", "1 allow superseded", "2 stop queued", "2 erase queued")
	o.now = o.now.Add(privacy.EraseDelay)
	o.exec(`UPDATE delivery SET state = 'sent', attempts = 1 WHERE action = 'erase'`)
	o.give("newsletter")
	o.want("newsletter", "1 allow superseded", "2 stop superseded", "2 erase sent", "3 allow queued")
}

// Several rows are locked in the order of their ids, whatever their versions, so
// that two who replace the same rows don't wait for one another.
func TestRowsAreLockedInOneOrder(t *testing.T) {
	o := newOutbox(t)
	const low, high = "00000000-0000-0000-0000-000000000001", "ffffffff-ffff-ffff-ffff-ffffffffffff"
	o.give("newsletter")
	o.give("newsletter")
	o.exec(`UPDATE delivery SET state = 'queued', delivery_id = CASE version WHEN 1 THEN $1::uuid ELSE $2::uuid END`, high, low)
	first, err := o.owner.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Rollback()
	if _, err := first.Exec(`SELECT FROM delivery WHERE delivery_id = $1 FOR UPDATE`, low); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- o.record(o.change("newsletter", privacy.Give, privacy.Notice{Recipient: "mailgun", Action: privacy.ActionAllow}))
	}()
	o.awaitWaiter(1)
	if _, err := o.owner.Exec(`SELECT FROM delivery WHERE delivery_id = $1 FOR UPDATE NOWAIT`, high); err != nil {
		t.Errorf("the higher id was locked before the lower: %v", err)
	}
	if err := first.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// awaitWaiter waits until n sessions of this database wait for a row.
func (o *outbox) awaitWaiter(n int) {
	o.t.Helper()
	end := time.NewTimer(30 * time.Second)
	defer end.Stop()
	for {
		var have int
		if err := o.owner.QueryRow(`SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted`).Scan(&have); err != nil {
			o.t.Fatal(err)
		}
		if have >= n {
			return
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-end.C:
			o.t.Fatal("nobody waits")
		}
	}
}

// A choice that the database gives up in a deadlock is made all the same, once.
func TestDeadlockCostsNoChoice(t *testing.T) {
	o := newOutbox(t)
	o.give("newsletter")
	other, err := o.owner.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Rollback()
	if _, err := other.Exec(`SELECT FROM delivery FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- o.record(o.change("newsletter", privacy.Withdraw, privacy.Notice{Recipient: "mailgun", Action: privacy.ActionStop}))
	}()
	o.awaitWaiter(1) // it holds the person and waits for the row; it finds out first
	if _, err := other.Exec(`SELECT FROM person FOR UPDATE`); err != nil {
		t.Fatalf("the other was given up instead: %v", err)
	}
	if err := other.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	o.want("newsletter", "1 allow superseded", "2 stop queued")
}

// What a recipient must have again stays on record until it is taken back.
func TestKeptIsOfThePair(t *testing.T) {
	o := newOutbox(t)
	p := o.lock(o.st)
	for _, want := range [][]string{{"a/x", "a/y"}, {"b/z"}, nil} {
		if err := p.Keep(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		if got, err := p.Kept(t.Context()); err != nil || !slices.Equal(got, want) {
			t.Errorf("kept %q, %v; want %q", got, err, want)
		}
		q := o.lock2(o.st, "meta")
		if got, err := q.Kept(t.Context()); err != nil || len(got) > 0 {
			t.Errorf("another recipient's: %q, %v", got, err)
		}
		o.unlock(q)
	}
	o.unlock(p)
}

func TestReconnectQueuesWhatFoundNoConnection(t *testing.T) {
	o := newOutbox(t)
	o.give("newsletter")
	o.give("interest-list")
	o.exec(`UPDATE delivery SET state = 'not_connected'`)
	o.exec(`DELETE FROM river_job`)
	for _, want := range []int{1, 0} {
		n, err := o.st.Reconnect(t.Context(), "mailgun", []string{"newsletter"})
		if err != nil {
			t.Fatal(err)
		}
		if n != want {
			t.Errorf("%d people, want %d", n, want)
		}
	}
	o.want("newsletter", "1 allow queued")
	o.want("interest-list", "2 allow not_connected")
	if got := o.jobs(); !slices.Equal(got, []string{"mailgun available"}) {
		t.Errorf("jobs %q", got)
	}
}
