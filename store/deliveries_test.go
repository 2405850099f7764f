package store_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
	"elekt.no/innsyn/store/storetest"
)

// outbox is a database with one person whose choices a test makes.
type outbox struct {
	*storetest.DB
	t      *testing.T
	st     *store.Store
	owner  *sql.DB
	person privacy.PersonRef
	now    time.Time
}

func newOutbox(t *testing.T) *outbox {
	t.Helper()
	o := &outbox{DB: storetest.New(t), t: t, person: privacy.NewPersonRef(), now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	o.owner = o.Owner(t)
	o.st = o.node()
	h := sha256.Sum256([]byte("text"))
	o.exec(`INSERT INTO person (person_ref) VALUES ($1)`, o.person)
	o.exec(`INSERT INTO catalogue (hash, version, body) VALUES ($1, '2026-11-24', '')`, h[:])
	o.exec(`INSERT INTO shown_text (hash, purpose, language, body) VALUES ($1, 'newsletter', 'nb', '')`, h[:])
	return o
}

// node is a store of its own on the database, as another process has it.
func (o *outbox) node() *store.Store {
	o.t.Helper()
	st, err := store.Open(store.Options{URL: o.AppURL, MaxPairs: 4})
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() {
		if err := st.Close(); err != nil {
			o.t.Error(err)
		}
	})
	st.Now = func() time.Time { return o.now }
	return st
}

func (o *outbox) exec(query string, args ...any) {
	o.t.Helper()
	if _, err := o.owner.Exec(query, args...); err != nil {
		o.t.Fatal(err)
	}
}

func (o *outbox) change(purpose string, d privacy.Decision, notices ...privacy.Notice) *privacy.Change {
	h := privacy.Hash(sha256.Sum256([]byte("text")))
	return &privacy.Change{
		Entry: privacy.Entry{Salt: privacy.NewSalt(), Person: o.person, Purpose: purpose, Decision: d, Catalogue: h, Text: h,
			Language: "nb", Channel: privacy.ChannelWeb, Actor: privacy.ActorPerson, At: o.now},
		Choice:  privacy.Choice{Revision: 1},
		Notices: notices,
	}
}

func (o *outbox) record(changes ...*privacy.Change) error {
	return o.st.RecordChoices(context.Background(), o.person, nil,
		func(map[string]*privacy.Choice) ([]*privacy.Change, error) { return changes, nil })
}

// give and withdraw are decisions of which Mailgun is told.
func (o *outbox) give(purpose string) {
	o.t.Helper()
	if err := o.record(o.change(purpose, privacy.Give, privacy.Notice{Recipient: "mailgun", Action: privacy.ActionAllow})); err != nil {
		o.t.Fatal(err)
	}
}

func (o *outbox) withdraw(purpose string) {
	o.t.Helper()
	if err := o.record(o.change(purpose, privacy.Withdraw, privacy.Notice{Recipient: "mailgun", Action: privacy.ActionStop},
		privacy.Notice{Recipient: "mailgun", Action: privacy.ActionErase, NotBefore: o.now.Add(privacy.EraseDelay)})); err != nil {
		o.t.Fatal(err)
	}
}

// board is the outbox about a purpose, oldest first, as "1 stop queued".
func (o *outbox) board(purpose string) []string {
	o.t.Helper()
	rows, err := o.st.Deliveries(context.Background(), o.person, purpose)
	if err != nil {
		o.t.Fatal(err)
	}
	var out []string
	for _, d := range rows {
		out = append(out, fmt.Sprintf("%d %s %s", d.Version, d.Action, d.State))
	}
	slices.SortFunc(out, func(a, b string) int {
		ka, kb := strings.Replace(a, "erase", "z", 1), strings.Replace(b, "erase", "z", 1)
		return strings.Compare(ka, kb)
	})
	return out
}

func (o *outbox) want(purpose string, want ...string) {
	o.t.Helper()
	if got := o.board(purpose); !slices.Equal(got, want) {
		o.t.Fatalf("outbox of %s:\n got %q\nwant %q", purpose, got, want)
	}
}

// jobs are the recipients of the jobs that wait, with the time they wait for.
func (o *outbox) jobs() []string {
	o.t.Helper()
	rows, err := o.owner.Query(`SELECT args->>'recipient', state, scheduled_at FROM river_job
		WHERE kind = 'bring_up_to_date' AND args->>'person' = $1 ORDER BY 1, 2, 3`, o.person)
	if err != nil {
		o.t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var recipient, state string
		var at time.Time
		if err := rows.Scan(&recipient, &state, &at); err != nil {
			o.t.Fatal(err)
		}
		if state == "scheduled" {
			state = at.UTC().Format(time.DateTime)
		}
		out = append(out, recipient+" "+state)
	}
	if err := rows.Err(); err != nil {
		o.t.Fatal(err)
	}
	return out
}

func TestChoiceWritesItsOutboxAndJobs(t *testing.T) {
	o := newOutbox(t)
	o.now = time.Now().UTC().Truncate(time.Second) // the queue compares with its own clock
	erase := o.now.Add(privacy.EraseDelay)
	if err := o.record(o.change("newsletter", privacy.Withdraw,
		privacy.Notice{Recipient: "mailgun", Action: privacy.ActionStop},
		privacy.Notice{Recipient: "mailgun", Action: privacy.ActionErase, NotBefore: erase},
		privacy.Notice{Recipient: "meta", Action: privacy.ActionStop})); err != nil {
		t.Fatal(err)
	}
	rows, err := o.st.Deliveries(t.Context(), o.person, "newsletter")
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 3 {
		t.Fatalf("%d rows, want 3", len(rows))
	}
	stop, del := rows[0], rows[1]
	if stop.Recipient != "mailgun" || stop.Action != privacy.ActionStop || stop.State != privacy.DeliveryQueued || !stop.NotBefore.Equal(o.now) || stop.Version != 1 {
		t.Errorf("stop: %+v", stop)
	}
	if del.Action != privacy.ActionErase || !del.NotBefore.Equal(erase) {
		t.Errorf("erase: %+v", del)
	}
	want := []string{"mailgun available", "mailgun " + erase.Format(time.DateTime), "meta available"}
	slices.Sort(want)
	got := o.jobs()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("jobs %q, want %q", got, want)
	}
}

func TestFailedChoiceLeavesNoOutboxAndNoJob(t *testing.T) {
	o := newOutbox(t)
	bad := o.change("ads", privacy.Withdraw)
	bad.Entry.Text = privacy.Hash{1} // never shown
	err := o.record(o.change("newsletter", privacy.Withdraw, privacy.Notice{Recipient: "mailgun", Action: privacy.ActionStop}), bad)
	if err == nil {
		t.Fatal("a choice about a text that was never shown was recorded")
	}
	o.want("newsletter")
	if j := o.jobs(); len(j) != 0 {
		t.Errorf("jobs %q of a choice that was not recorded", j)
	}
}

func TestNewerChoiceTakesThePlaceOfWhatWasNotSent(t *testing.T) {
	o := newOutbox(t)
	o.give("newsletter")
	o.give("interest-list")
	o.withdraw("newsletter")
	o.want("newsletter", "1 allow superseded", "3 stop queued", "3 erase queued")
	o.want("interest-list", "2 allow queued")
	// a stop that a human was to see to is no longer wanted once there is a yes
	o.exec(`UPDATE delivery SET state = 'needs_manual' WHERE version = 3 AND action = 'stop'`)
	o.give("newsletter")
	o.want("newsletter", "1 allow superseded", "3 stop superseded", "3 erase superseded", "4 allow queued")
}

func TestWhatIsBeingSentIsNotTakenBack(t *testing.T) {
	o := newOutbox(t)
	o.give("newsletter")
	o.exec(`UPDATE delivery SET state = 'sent', attempts = 1`)
	o.withdraw("newsletter")
	o.want("newsletter", "1 allow sent", "2 stop queued", "2 erase queued")
}

func TestNewYesTakesBackAPlannedErasure(t *testing.T) {
	o := newOutbox(t)
	o.give("newsletter")
	o.withdraw("newsletter")
	o.now = o.now.Add(privacy.EraseDelay - time.Minute)
	o.give("newsletter")
	o.want("newsletter", "1 allow superseded", "2 stop superseded", "2 erase superseded", "3 allow queued")
}

func TestErasureThatIsDueComesBeforeANewYes(t *testing.T) {
	o := newOutbox(t)
	o.give("newsletter")
	o.withdraw("newsletter")
	o.now = o.now.Add(privacy.EraseDelay + time.Minute)
	o.give("newsletter")
	o.want("newsletter", "1 allow superseded", "2 stop superseded", "2 erase queued", "3 allow queued")
}

func TestDeliveriesOfAnotherPersonAreNotShown(t *testing.T) {
	o := newOutbox(t)
	o.give("newsletter")
	rows, err := o.st.Deliveries(t.Context(), privacy.NewPersonRef(), "newsletter")
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 0 {
		t.Errorf("%d rows of somebody else", len(rows))
	}
}
