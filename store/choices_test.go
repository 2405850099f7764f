package store_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lib/pq"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
	"elekt.no/innsyn/store/storetest"
)

var at = time.Date(2026, 11, 24, 13, 32, 0, 0, time.UTC)

// small is a catalogue with one purpose of each kind that these tests need.
func small(t testing.TB) *privacy.Catalogue {
	t.Helper()
	text := "{title: T, summary: S, gain: g, loss: l, retention: r, off: o, on: p, reason: w}"
	texts := "texts: {nb: " + text + ", nn: " + text + ", en: " + text + "}"
	b := "{nb: a, nn: b, en: c}"
	purpose := func(id, basis, control string) string {
		return "\n  - {id: " + id + `, section: "1", area: area, page: consents, basis: ` + basis + ", control: " + control +
			", data: [contact], recipients: [mail, ads], retention: {rule: withdrawn, on_stop: delete}, revision: 1, " + texts + "}"
	}
	c, err := privacy.LoadCatalogue("small.yaml", []byte(`
version: "2026-11-24"
controller: {name: Test AS, short: Test, org_no: "1", street: S, postal: P, support: a@example.com, dpo: b@example.com,
  authority: {name: D, url: u, street: S, postal: P, phone: "1", email: e}}
ages: {least: 13}
proof: {months: 36}
sections: [{no: "1", title: `+b+`}]
areas: [{id: area, title: `+b+`, lead: `+b+`}]
data: [{id: contact, title: `+b+`, examples: `+b+`, sources: [person], origin: provided, sensitivity: low, portability: "yes"}]
recipients:
  - {id: mail, name: Mail, country: "NO", role: processor, mode: api, does: `+b+`}
  - {id: ads, name: Ads, country: "NO", role: controller, mode: device, does: `+b+`}
purposes:`+purpose("news", "a", "consent")+purpose("analytics", "a", "consent")+purpose("advice", "f", "objection")))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type fixture struct {
	*store.Store
	db        *storetest.DB
	catalogue *privacy.Catalogue
	person    privacy.PersonRef
}

func setUp(t testing.TB) fixture {
	t.Helper()
	db := storetest.New(t)
	return setUpOn(t, db, db.AppURL)
}

func setUpOn(t testing.TB, db *storetest.DB, url string) fixture {
	t.Helper()
	s, err := store.Open(store.Options{URL: url, CompanyURL: db.CompanyURL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	f := fixture{Store: s, db: db, catalogue: small(t), person: privacy.NewPersonRef()}
	if err := s.KeepCatalogue(context.Background(), f.catalogue); err != nil {
		t.Fatal(err)
	}
	f.addPerson(t, f.person)
	return f
}

func (f fixture) addPerson(t testing.TB, p privacy.PersonRef) {
	t.Helper()
	if _, err := f.db.App(t).Exec("INSERT INTO person (person_ref) VALUES ($1)", p); err != nil {
		t.Fatal(err)
	}
}

// choose records a decision as the page that shows the choice in force would.
func (f fixture) choose(person privacy.PersonRef, purpose string, d privacy.Decision, when time.Time) (*privacy.Change, error) {
	p, err := f.catalogue.Purpose(purpose)
	if err != nil {
		return nil, err
	}
	var change *privacy.Change
	err = f.RecordChoices(context.Background(), person, []string{purpose}, func(now map[string]*privacy.Choice) ([]*privacy.Change, error) {
		form := privacy.Form{Decision: d, Text: f.catalogue.Shown(p, "nb").Hash(), Language: "nb", Channel: privacy.ChannelWeb, Actor: privacy.ActorPerson}
		if c := now[purpose]; c != nil {
			form.Version = c.Version
		}
		c, err := f.catalogue.Change(person, p, now[purpose], privacy.Circumstances{}, form, when)
		if err != nil || c == nil {
			return nil, err
		}
		change = c
		return []*privacy.Change{c}, nil
	})
	return change, err
}

func (f fixture) mustChoose(t testing.TB, purpose string, d privacy.Decision, when time.Time) *privacy.Change {
	t.Helper()
	c, err := f.choose(f.person, purpose, d, when)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (f fixture) verify(t testing.TB, entries int) {
	t.Helper()
	n, err := f.VerifyLedger(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if n != entries {
		t.Errorf("the ledger has %d entries, want %d", n, entries)
	}
}

func TestRecordChoiceWritesStateProofAndOutboxTogether(t *testing.T) {
	f := setUp(t)
	ctx := context.Background()
	f.mustChoose(t, "news", privacy.Give, at)
	f.verify(t, 1)
	f.mustChoose(t, "news", privacy.Withdraw, at.Add(time.Hour))
	f.verify(t, 2)

	choices, err := f.Choices(ctx, f.person)
	if err != nil {
		t.Fatal(err)
	}
	got := choices["news"]
	if len(choices) != 1 || got.Decision != privacy.Withdraw || got.Version != 2 || !got.At.Equal(at.Add(time.Hour)) ||
		!got.EraseAfter.Equal(at.Add(25*time.Hour)) {
		t.Errorf("choice %+v of %d", got, len(choices))
	}
	history, err := f.History(ctx, f.person, "news")
	if err != nil {
		t.Fatal(err)
	}
	if len(history) != 2 || history[0].Entry.Decision != privacy.Withdraw || history[1].Entry.Decision != privacy.Give ||
		history[1].Shown.Text.Summary != "S" {
		t.Errorf("history %+v", history)
	}
	deliveries, err := f.Deliveries(ctx, f.person, "news")
	if err != nil {
		t.Fatal(err)
	}
	if len(deliveries) != 6 { // allow, stop and erase at each of two recipients
		t.Errorf("%d deliveries: %+v", len(deliveries), deliveries)
	}
	var jobs int
	if err := f.db.App(t).QueryRow("SELECT count(*) FROM river_job WHERE kind = 'bring_up_to_date'").Scan(&jobs); err != nil {
		t.Fatal(err)
	}
	if jobs != 6 {
		t.Errorf("%d jobs", jobs)
	}
}

func TestRecordChoiceUndoneWritesNothing(t *testing.T) {
	f := setUp(t)
	p, err := f.catalogue.Purpose("news")
	if err != nil {
		t.Fatal(err)
	}
	// The second change of the transaction can't be stored: its text is unknown.
	err = f.RecordChoices(context.Background(), f.person, []string{"news"}, func(map[string]*privacy.Choice) ([]*privacy.Change, error) {
		form := privacy.Form{Decision: privacy.Give, Text: f.catalogue.Shown(p, "nb").Hash(), Language: "nb", Channel: privacy.ChannelWeb, Actor: privacy.ActorPerson}
		good, err := f.catalogue.Change(f.person, p, nil, privacy.Circumstances{}, form, at)
		if err != nil {
			return nil, err
		}
		bad := *good
		bad.Entry.Salt = privacy.NewSalt()
		bad.Entry.Text = privacy.Hash{1}
		return []*privacy.Change{good, &bad}, nil
	})
	var pe *pq.Error
	if !errors.As(err, &pe) || pe.Code != "23503" {
		t.Fatalf("error %v", err)
	}
	for _, table := range []string{"ledger_leaf", "ledger_entry", "choice", "delivery", "river_job"} {
		var n int
		if err := f.db.App(t).QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n != 0 {
			t.Errorf("%d rows in %s", n, table)
		}
	}
	var version int64
	if err := f.db.App(t).QueryRow("SELECT choices_version FROM person").Scan(&version); err != nil || version != 0 {
		t.Errorf("version %d, %v", version, err)
	}
}

func TestObjectionOpensARequestAndTakingItBackClosesIt(t *testing.T) {
	f := setUp(t)
	f.mustChoose(t, "advice", privacy.Object, at)
	var state, due string
	read := func() {
		t.Helper()
		if err := f.db.App(t).QueryRow("SELECT state, due_on::text FROM request WHERE person_ref = $1 AND purpose = 'advice'", f.person).Scan(&state, &due); err != nil {
			t.Fatal(err)
		}
	}
	if read(); state != "open" || due != "2026-12-24" {
		t.Errorf("request %s, due %s", state, due)
	}
	choices, err := f.Choices(context.Background(), f.person)
	if err != nil {
		t.Fatal(err)
	}
	if d := choices["advice"].Due; !d.Equal(privacy.Due(at)) {
		t.Errorf("due %v", d)
	}
	f.mustChoose(t, "advice", privacy.Retract, at.Add(time.Hour))
	if read(); state != "withdrawn" {
		t.Errorf("request %s", state)
	}
}

func TestChoicesOfAnotherPersonAreOutOfReach(t *testing.T) {
	f := setUp(t)
	ctx := context.Background()
	other := privacy.NewPersonRef()
	f.addPerson(t, other)
	f.mustChoose(t, "news", privacy.Give, at)
	if c, err := f.Choices(ctx, other); err != nil || len(c) != 0 {
		t.Errorf("choices %v, %v", c, err)
	}
	if h, err := f.History(ctx, other, "news"); err != nil || len(h) != 0 {
		t.Errorf("history %v, %v", h, err)
	}
	if d, err := f.Deliveries(ctx, other, "news"); err != nil || len(d) != 0 {
		t.Errorf("deliveries %v, %v", d, err)
	}
	if _, err := f.choose(privacy.NewPersonRef(), "news", privacy.Give, at); privacy.KindOf(err) != privacy.NotFound {
		t.Errorf("a person who doesn't exist: %v", err)
	}
	err := f.RecordChoices(ctx, other, []string{"news"}, func(map[string]*privacy.Choice) ([]*privacy.Change, error) {
		return []*privacy.Change{{Entry: privacy.Entry{Person: f.person}}}, nil
	})
	if err == nil {
		t.Error("a change of one person was recorded for another")
	}
}

func TestConcurrentChoicesAreAllProvedInOrder(t *testing.T) {
	f := setUp(t)
	var wg sync.WaitGroup
	for i := range 16 {
		d := privacy.Give
		if i%2 == 1 {
			d = privacy.Withdraw
		}
		wg.Go(func() {
			if _, err := f.choose(f.person, "news", d, at.Add(time.Duration(i)*time.Second)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	n, err := f.VerifyLedger(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	choices, err := f.Choices(context.Background(), f.person)
	if err != nil {
		t.Fatal(err)
	}
	if int64(n) != choices["news"].Version {
		t.Errorf("%d entries, version %d", n, choices["news"].Version)
	}
}

// Whoever holds the application's password can add to the ledger, never change
// or remove. The database decides, so this runs against INNSYN_DATABASE_URL too.
func TestLedgerCannotBeChangedByTheApplication(t *testing.T) {
	f := setUp(t)
	f.mustChoose(t, "news", privacy.Give, at)
	app := f.db.App(t)
	for _, table := range []string{"ledger_leaf", "ledger_entry", "catalogue", "shown_text", "auth_event"} {
		column := map[string]string{"ledger_leaf": "leaf", "ledger_entry": "decision", "catalogue": "body", "shown_text": "body", "auth_event": "reason"}[table]
		for _, statement := range []string{
			"UPDATE " + table + " SET " + column + " = " + column,
			"DELETE FROM " + table,
			"TRUNCATE " + table + " CASCADE",
			"DROP TABLE " + table + " CASCADE",
			"ALTER TABLE " + table + " DISABLE TRIGGER ALL",
			"CREATE TABLE mine AS SELECT * FROM " + table,
		} {
			_, err := app.Exec(statement)
			var pe *pq.Error
			if !errors.As(err, &pe) || pe.Code != "42501" {
				t.Errorf("%s: %v, want insufficient_privilege", statement, err)
			}
		}
	}
	for _, statement := range []string{"SET ROLE innsyn_owner", "GRANT ALL ON ledger_entry TO innsyn_app", "SET session_replication_role = replica"} {
		_, err := app.Exec(statement)
		if err == nil && strings.HasPrefix(statement, "GRANT") {
			// PostgreSQL answers a grant of nothing with a warning; the right must still be missing.
			_, err = app.Exec("DELETE FROM ledger_entry")
		}
		if err == nil {
			t.Errorf("%s: allowed", statement)
		}
	}
	f.verify(t, 1)
}

func TestVerifyLedgerSeesEveryManipulation(t *testing.T) {
	for name, statement := range map[string]string{
		"decision":       "UPDATE ledger_entry SET decision = 'give' WHERE decision = 'withdraw'",
		"time":           "UPDATE ledger_entry SET at = at + interval '1 second'",
		"person":         "UPDATE ledger_entry SET person_ref = 'bbbbbbbbbbbbbbbbbbbbbbbbbb'",
		"text":           "UPDATE shown_text SET body = replace(convert_from(body, 'UTF8'), '\"S\"', '\"X\"')::bytea",
		"state":          "UPDATE choice SET decision = 'give'",
		"entry removed":  "DELETE FROM ledger_entry WHERE decision = 'withdraw'",
		"leaf exchanged": "UPDATE ledger_leaf SET leaf = sha256('x') WHERE leaf_id = (SELECT min(leaf_id) FROM ledger_leaf)",
	} {
		t.Run(name, func(t *testing.T) {
			f := setUp(t)
			f.mustChoose(t, "news", privacy.Give, at)
			f.mustChoose(t, "news", privacy.Withdraw, at.Add(time.Hour))
			f.verify(t, 2)
			if _, err := f.db.Owner(t).Exec(statement); err != nil {
				t.Fatal(err)
			}
			if n, err := f.VerifyLedger(context.Background()); err == nil {
				t.Errorf("nothing noticed in %d entries", n)
			}
		})
	}
}

func TestHistoryRefusesAnEntryThatDoesNotMatch(t *testing.T) {
	f := setUp(t)
	f.mustChoose(t, "news", privacy.Give, at)
	if _, err := f.db.Owner(t).Exec("UPDATE ledger_entry SET language = 'nn'"); err != nil {
		t.Fatal(err)
	}
	if h, err := f.History(context.Background(), f.person, "news"); err == nil {
		t.Errorf("shown: %+v", h)
	}
}

func TestKeepCatalogueKeepsEveryVersionWhole(t *testing.T) {
	f := setUp(t)
	ctx := context.Background()
	if err := f.KeepCatalogue(ctx, f.catalogue); err != nil {
		t.Fatalf("a second time: %v", err)
	}
	changed, err := privacy.LoadCatalogue("small.yaml", []byte(strings.Replace(string(f.catalogue.Source()), "summary: S", "summary: Anew", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.KeepCatalogue(ctx, changed); err != nil {
		t.Fatal(err)
	}
	var catalogues, texts int
	if err := f.db.App(t).QueryRow("SELECT (SELECT count(*) FROM catalogue), (SELECT count(*) FROM shown_text)").Scan(&catalogues, &texts); err != nil {
		t.Fatal(err)
	}
	if catalogues != 2 || texts != 3*3+1 {
		t.Errorf("%d catalogues, %d texts", catalogues, texts)
	}
	var body []byte
	hash := f.catalogue.Hash()
	if err := f.db.App(t).QueryRow("SELECT body FROM catalogue WHERE hash = $1", hash[:]).Scan(&body); err != nil || string(body) != string(f.catalogue.Source()) {
		t.Errorf("the first catalogue is not whole: %v", err)
	}
}

// "Could not ask" is never "nothing there": a consent that could not be read
// must not come out as given or refused.
func TestDatabaseAwayIsUnavailableAndComesBack(t *testing.T) {
	db := storetest.New(t)
	outage := db.Outage(t)
	f := setUpOn(t, db, outage.AppURL)
	ctx := context.Background()
	f.mustChoose(t, "news", privacy.Give, at)
	outage.Begin(t)
	if c, err := f.Choices(ctx, f.person); privacy.KindOf(err) != privacy.Unavailable || c != nil {
		t.Errorf("choices %v, %v", c, err)
	}
	if _, err := f.choose(f.person, "news", privacy.Withdraw, at); privacy.KindOf(err) != privacy.Unavailable {
		t.Errorf("withdrawal: %v", err)
	}
	if err := f.Ready(ctx); privacy.KindOf(err) != privacy.Unavailable {
		t.Errorf("ready: %v", err)
	}
	outage.End(t)
	if c, err := f.Choices(ctx, f.person); err != nil || c["news"].Decision != privacy.Give {
		t.Errorf("afterwards: %v, %v", c, err)
	}
	f.mustChoose(t, "news", privacy.Withdraw, at)
	f.verify(t, 2)
}
