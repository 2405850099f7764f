package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// tell records a decision as another system tells of it.
func (f fixture) tell(t testing.TB, system, id, purpose string, d privacy.Decision, key string) (store.Recorded, error) {
	t.Helper()
	p, err := f.catalogue.Purpose(purpose)
	if err != nil {
		t.Fatal(err)
	}
	r := store.Recording{Client: "crm", Key: key, Request: privacy.Hash{1}, System: system, ID: id, Purpose: purpose, Decision: d, Evidence: "proof/1", Occurred: at}
	return f.Record(t.Context(), r, func(person privacy.PersonRef, _ int64, now *privacy.Choice) (*privacy.Change, error) {
		form := privacy.Form{Decision: d, Text: f.catalogue.Shown(p, "nb").Hash(), Language: "nb", Channel: privacy.ChannelAPI, Actor: privacy.ActorPerson}
		if now != nil {
			form.Version = now.Version
		}
		return f.catalogue.Change(person, p, now, privacy.Circumstances{}, form, at)
	})
}

func (f fixture) mustTell(t testing.TB, id, purpose string, d privacy.Decision) store.Recorded {
	t.Helper()
	r, err := f.tell(t, store.CustomerSystem, id, purpose, d, "")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (f fixture) number(t testing.TB, query string, args ...any) (n int) {
	t.Helper()
	if err := f.db.App(t).QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// What decide refuses leaves nothing: no person, no link, no event.
func TestRecordUndoes(t *testing.T) {
	f := setUp(t)
	no := errors.New("no")
	_, err := f.Record(t.Context(), store.Recording{Client: "crm", Key: "k", System: store.CustomerSystem, ID: "1", Purpose: "news", Decision: privacy.Give, Occurred: at},
		func(privacy.PersonRef, int64, *privacy.Choice) (*privacy.Change, error) { return nil, no })
	if !errors.Is(err, no) {
		t.Error(err)
	}
	for _, table := range []string{"person_link", "recorded_choice", "auth_event", "choice"} {
		if n := f.number(t, "SELECT count(*) FROM "+table); n != 0 {
			t.Errorf("%d rows in %s", n, table)
		}
	}
	if n := f.number(t, "SELECT count(*) FROM person"); n != 1 {
		t.Errorf("%d people", n)
	}
	// The key is free again.
	if r, err := f.tell(t, store.CustomerSystem, "1", "news", privacy.Give, "k"); err != nil || r.Repeated || !r.Changed {
		t.Errorf("%+v, %v", r, err)
	}
}

// The role of the application can't change where a choice came from.
func TestRecordedChoicesStay(t *testing.T) {
	f := setUp(t)
	f.mustTell(t, "1", "news", privacy.Give)
	for _, q := range []string{"UPDATE recorded_choice SET evidence = 'x'", "DELETE FROM recorded_choice", "TRUNCATE recorded_choice"} {
		if _, err := f.db.App(t).Exec(q); err == nil {
			t.Errorf("%s: done", q)
		}
	}
}

// Choices in force of somebody known by a number alone become those of the person
// who proves to be them: with ledger entries of their own, word to the recipients,
// and no where the two differ. The old reference leads to them from then on.
func TestSomebodyKnownByANumberBecomesAPerson(t *testing.T) {
	f := setUp(t)
	ghost := f.mustTell(t, "1", "news", privacy.Give).Person
	f.mustTell(t, "1", "analytics", privacy.Withdraw)
	f.mustTell(t, "1", "advice", privacy.Object)
	f.CountAsked("crm", store.AskedMayI, store.About{Person: ghost, Purpose: "news"})
	if err := f.WriteAsked(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.db.App(t).Exec(`INSERT INTO login (person_ref, provider, issuer, subject, assurance) VALUES ($1, 'p', 'i', 's', 1)`, f.person); err != nil {
		t.Fatal(err)
	}
	f.mustChoose(t, "news", privacy.Withdraw, at) // they said no here: no wins
	f.mustChoose(t, "analytics", privacy.Give, at)
	if r, err := f.Link(t.Context(), f.person, "1", store.EvidenceCode); err != nil || r != store.LinkMade {
		t.Fatalf("%s, %v", r, err)
	}
	choices, err := f.Choices(t.Context(), f.person)
	if err != nil {
		t.Fatal(err)
	}
	for purpose, want := range map[string]privacy.Decision{"news": privacy.Refuse, "analytics": privacy.Refuse, "advice": privacy.Object} {
		if c := choices[purpose]; c == nil || c.Decision != want {
			t.Errorf("%s: %+v, want %s", purpose, c, want)
		}
	}
	f.verify(t, 7) // three told, two chosen, two inherited
	for _, who := range [][2]string{{store.PersonSystem, string(ghost)}, {store.PersonSystem, string(f.person)}, {store.CustomerSystem, "1"}} {
		a, err := f.Ask(t.Context(), store.Question{System: who[0], ID: who[1], Purpose: "analytics"})
		if err != nil || a.Person != f.person || a.Choice == nil || a.Choice.Decision != privacy.Refuse {
			t.Errorf("%v: %+v, %v", who, a, err)
		}
		all, err := f.AskMany(t.Context(), []store.Question{{System: who[0], ID: who[1], Purpose: "advice", Conditional: true}})
		if err != nil || all[0].Person != f.person || all[0].Choice.Decision != privacy.Object || all[0].Customer != "1" {
			t.Errorf("%v: %+v, %v", who, all, err)
		}
		s, err := f.Standing(t.Context(), who[0], who[1])
		if err != nil || s.Person != f.person || len(s.Choices) != 3 || s.Customer != "1" {
			t.Errorf("%v: %+v, %v", who, s, err)
		}
	}
	// Told by the old reference, it is the person's.
	if r, err := f.tell(t, store.PersonSystem, string(ghost), "analytics", privacy.Give, ""); err != nil || r.Person != f.person || !r.Changed {
		t.Errorf("%+v, %v", r, err)
	}
	for query, want := range map[string]int{
		"SELECT count(*) FROM delivery WHERE person_ref = $1 AND state IN ('queued', 'failed')":                                           0, // of the ghost
		"SELECT count(*) FROM request WHERE person_ref = $1 AND state = 'open'":                                                           0,
		"SELECT count(*) FROM request WHERE person_ref <> $1 AND state = 'open' AND purpose = 'advice'":                                   1,
		"SELECT count(*) FROM choice WHERE person_ref = $1":                                                                               0,
		"SELECT count(*) FROM asked WHERE person_ref = $1":                                                                                0,
		"SELECT times FROM asked WHERE person_ref <> $1":                                                                                  1,
		"SELECT count(*) FROM person_link WHERE person_ref = $1 AND ended_why = 'merged'":                                                 1,
		"SELECT count(*) FROM person_link WHERE person_ref <> $1 AND ended_at IS NULL AND evidence = 'code'":                              1,
		"SELECT count(*) FROM delivery WHERE person_ref <> $1 AND purpose = 'advice' AND action = 'stop'":                                 2,
		"SELECT count(*) FROM auth_event WHERE kind = 'merged' AND person_ref IN ($1, (SELECT became FROM person WHERE person_ref = $1))": 2,
	} {
		if n := f.number(t, query, ghost); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
}

// A record that somebody logs in for is not taken from them, and one that was taken
// back from a person isn't given back by a merge.
func TestMergesOnlyWhomNobodyIs(t *testing.T) {
	f := setUp(t)
	owner := f.mustTell(t, "1", "news", privacy.Give).Person
	if _, err := f.db.App(t).Exec(`INSERT INTO login (person_ref, provider, issuer, subject, assurance) VALUES ($1, 'p', 'i', 's', 1)`, owner); err != nil {
		t.Fatal(err)
	}
	if r, err := f.Link(t.Context(), f.person, "1", store.EvidenceCode); err != nil || r != store.LinkTaken {
		t.Errorf("%s, %v", r, err)
	}
	other := privacy.NewPersonRef()
	f.addPerson(t, other)
	if r, err := f.Link(t.Context(), other, "2", store.EvidenceCode); err != nil || r != store.LinkMade {
		t.Fatalf("%s, %v", r, err)
	}
	var link string
	if err := f.db.App(t).QueryRow("SELECT link_id FROM person_link WHERE external_id = '2'").Scan(&link); err != nil {
		t.Fatal(err)
	}
	if err := f.EndLink(t.Context(), link, "wrong"); err != nil {
		t.Fatal(err)
	}
	f.mustTell(t, "2", "news", privacy.Give)
	if r, err := f.Link(t.Context(), other, "2", store.EvidencePhone); err != nil || r != store.LinkTaken {
		t.Errorf("%s, %v", r, err)
	}
	if r, err := f.Link(t.Context(), other, "2", store.EvidenceStaff); err != nil || r != store.LinkMade {
		t.Errorf("%s, %v", r, err)
	}
}

// Told and claimed in the same moment: one person in the end, and nothing is lost.
func TestToldAndClaimedAtOnce(t *testing.T) {
	f := setUp(t)
	const n = 8
	var wg sync.WaitGroup
	for i := range n {
		no, person := fmt.Sprint(i), privacy.NewPersonRef()
		f.addPerson(t, person)
		f.mustTell(t, no, "news", privacy.Give)
		if _, err := f.db.App(t).Exec(`INSERT INTO login (person_ref, provider, issuer, subject, assurance) VALUES ($1, 'p', 'i', $2, 1)`, person, no); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if r, err := f.Link(t.Context(), person, no, store.EvidenceCode); err != nil || r != store.LinkMade {
				t.Errorf("%s, %v", r, err)
			}
		})
		for _, purpose := range []string{"analytics", "advice"} {
			wg.Go(func() {
				p, err := f.catalogue.Purpose(purpose)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := f.tell(t, store.CustomerSystem, no, purpose, p.No(), ""); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	for i := range n {
		s, err := f.Standing(t.Context(), store.CustomerSystem, fmt.Sprint(i))
		if err != nil || len(s.Choices) != 3 {
			t.Errorf("%d: %+v, %v", i, s, err)
		}
		if logins := f.number(t, "SELECT count(*) FROM login WHERE person_ref = $1", s.Person); logins != 1 {
			t.Errorf("%d: the choices are of somebody with %d logins", i, logins)
		}
	}
	if _, err := f.VerifyLedger(t.Context()); err != nil {
		t.Error(err)
	}
}

// Two logins prove to be the same customer at once: one becomes them.
func TestTwoLoginsForOneRecord(t *testing.T) {
	f := setUp(t)
	ghost := f.mustTell(t, "1", "news", privacy.Give).Person
	var mu sync.Mutex
	people := map[privacy.PersonRef]int{}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			in, err := f.LogIn(t.Context(), store.Identity{Provider: "p", Issuer: "i", Subject: fmt.Sprint(i), Assurance: privacy.AssuranceHigh},
				store.Match{Found: []store.Customer{{No: "1"}}, Evidence: store.EvidencePhone}, time.Time{})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			people[in.Person]++
		})
	}
	wg.Wait()
	if len(people) != 4 || people[ghost] != 1 {
		t.Errorf("%v, %s", people, ghost)
	}
}
