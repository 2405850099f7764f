package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
	"elekt.no/innsyn/store/storetest"
)

// people is a store on a database of its own, with a clock that the test sets.
type people struct {
	*store.Store
	db    *storetest.DB
	owner *sql.DB
	ahead atomic.Int64
}

func newPeople(t *testing.T) *people {
	t.Helper()
	p := &people{db: storetest.New(t)}
	p.owner = p.db.Owner(t)
	p.owner.SetMaxOpenConns(1)
	var err error
	if p.Store, err = store.Open(store.Options{URL: p.db.AppURL, CompanyURL: p.db.CompanyURL, MaxOpen: 8}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	p.Now = func() time.Time { return time.Now().Add(time.Duration(p.ahead.Load())) }
	return p
}

func (p *people) count(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	if err := p.owner.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func (p *people) customer(t *testing.T, no string, columns map[string]any) {
	t.Helper()
	names, marks, args := "customer_no, given_name, family_name, created_at", "$1, 'Prøve', 'Kunde', now()", []any{no}
	for name, v := range columns {
		args = append(args, v)
		names += ", " + name
		marks += fmt.Sprintf(", $%d", len(args))
	}
	for _, q := range []string{"SET ROLE elekt_owner", "", "RESET ROLE"} {
		var err error
		if q == "" {
			_, err = p.owner.ExecContext(t.Context(), "INSERT INTO elekt.customer ("+names+") VALUES ("+marks+")", args...)
		} else {
			_, err = p.owner.ExecContext(t.Context(), q)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func identity(subject string, nin []byte) store.Identity {
	return store.Identity{Provider: "p", Issuer: "https://login.example.com", Subject: subject, NINHash: nin, Assurance: privacy.AssuranceSubstantial}
}

func logIn(t *testing.T, p *people, id store.Identity, m store.Match) store.LoginResult {
	t.Helper()
	in, err := p.LogIn(t.Context(), id, m, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func nin(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

// Many first logins of one human at the same moment make one person.
func TestLogInAtOnce(t *testing.T) {
	p := newPeople(t)
	const n = 12
	refs := make([]privacy.PersonRef, n)
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			in, err := p.LogIn(context.Background(), identity(fmt.Sprint("s", i%4), nin(1)), store.Match{}, time.Time{})
			refs[i], errs[i] = in.Person, err
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for _, r := range refs {
		if r != refs[0] {
			t.Fatalf("people %v", refs)
		}
	}
	if people, logins := p.count(t, `SELECT count(*) FROM person`), p.count(t, `SELECT count(*) FROM login`); people != 1 || logins != 4 {
		t.Errorf("%d people with %d logins", people, logins)
	}
	if made := p.count(t, `SELECT count(*) FROM auth_event WHERE kind = 'person-made'`); made != 1 {
		t.Errorf("%d people were made", made)
	}
}

// What a login keeps: the highest level seen, and a number that came later.
func TestLogInKeeps(t *testing.T) {
	p := newPeople(t)
	weak := identity("a", nil)
	weak.Assurance = privacy.AssuranceLow
	first := logIn(t, p, weak, store.Match{})
	strong := identity("a", nin(1))
	strong.Assurance = privacy.AssuranceHigh
	second := logIn(t, p, strong, store.Match{})
	third := logIn(t, p, weak, store.Match{})
	if !first.NewPerson || second.NewPerson || second.NewLogin || second.Login != first.Login || third.Person != first.Person {
		t.Errorf("%+v %+v %+v", first, second, third)
	}
	logins, err := p.Logins(t.Context(), first.Person)
	if err != nil || len(logins) != 1 || logins[0].Assurance != privacy.AssuranceHigh || !logins[0].HasNIN {
		t.Errorf("%+v %v", logins, err)
	}
	hashes, err := p.NINHashes(t.Context(), first.Person)
	if err != nil || len(hashes) != 1 || !bytes.Equal(hashes[0], nin(1)) {
		t.Errorf("%v %v", hashes, err)
	}
	if who, err := p.FindPerson(t.Context(), identity("b", nin(1))); err != nil || who != first.Person {
		t.Errorf("by number: %q %v", who, err)
	}
	if who, err := p.FindPerson(t.Context(), identity("b", nil)); err != nil || who != "" {
		t.Errorf("nobody: %q %v", who, err)
	}
	person, err := p.Person(t.Context(), first.Person)
	if err != nil || !person.AgeDeclared.IsZero() {
		t.Errorf("%+v %v", person, err)
	}
	if _, err := p.Person(t.Context(), "aaaaaaaaaaaaaaaaaaaaaaaaaa"); privacy.KindOf(err) != privacy.NotFound {
		t.Errorf("%v", err)
	}
}

// One record, two people at the same moment: one gets it.
func TestLinkAtOnce(t *testing.T) {
	p := newPeople(t)
	p.customer(t, "1", nil)
	const n = 8
	var refs []privacy.PersonRef
	for i := range n {
		refs = append(refs, logIn(t, p, identity(fmt.Sprint(i), nil), store.Match{}).Person)
	}
	results := make([]store.LinkResult, n)
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { results[i], errs[i] = p.Link(context.Background(), refs[i], "1", store.EvidenceAppAccount) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	tally := map[store.LinkResult]int{}
	for _, r := range results {
		tally[r]++
	}
	if tally[store.LinkMade] != 1 || tally[store.LinkTaken] != n-1 {
		t.Errorf("%v", tally)
	}
	if got := p.count(t, `SELECT count(*) FROM person_link WHERE ended_at IS NULL`); got != 1 {
		t.Errorf("%d links", got)
	}
}

// A transaction is taken once, by its own browser, also when many try.
func TestTransactionOnce(t *testing.T) {
	p := newPeople(t)
	now := p.Now()
	state, browser := nin(1), nin(2)
	in := store.Transaction{StateHash: state, BrowserHash: browser, Kind: store.TransactionLogin, Provider: "p", Nonce: "n", Verifier: "v",
		Need: privacy.AssuranceSubstantial, Fresh: true, ReturnTo: "/x", CreatedAt: now, ExpiresAt: now.Add(time.Minute)}
	if err := p.PutTransaction(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	var e *privacy.Error
	if _, err := p.TakeTransaction(t.Context(), state, nin(3)); !errors.As(err, &e) || e.Reason != "other-browser" {
		t.Errorf("another browser: %v", err)
	}
	var taken, refused atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			got, err := p.TakeTransaction(context.Background(), state, browser)
			switch {
			case privacy.KindOf(err) == privacy.NotFound:
				refused.Add(1)
			case err != nil:
				t.Error(err)
			case got.Nonce != "n" || got.Verifier != "v" || got.Need != privacy.AssuranceSubstantial || !got.Fresh || got.ReturnTo != "/x" || got.Person != "":
				t.Errorf("%+v", got)
			default:
				taken.Add(1)
			}
		})
	}
	wg.Wait()
	if taken.Load() != 1 || refused.Load() != 7 {
		t.Errorf("taken %d times", taken.Load())
	}
	if _, err := p.TakeTransaction(t.Context(), state, browser); !errors.As(err, &e) || e.Reason != "state-unknown" {
		t.Errorf("a used state: %v", err)
	}
}

// Finding records: order of evidence, and what speaks against a record.
func TestFindCustomers(t *testing.T) {
	p := newPeople(t)
	p.customer(t, "1", map[string]any{"nin_hash": nin(1), "phone": "+4700000001"})
	p.customer(t, "2", map[string]any{"phone": "+4700000002", "birth_date": "1990-01-02", "app_account_id": "app-2"})
	p.customer(t, "3", map[string]any{"phone": "+4700000003"})
	p.customer(t, "4", map[string]any{"phone": "+4700000003", "email": "a@example.com"})
	p.customer(t, "5", map[string]any{"nin_hash": nin(5)})
	p.customer(t, "6", map[string]any{"nin_hash": nin(5)})
	born := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		name string
		keys store.CustomerKeys
		want []string
		how  store.Evidence
	}{
		{"by number", store.CustomerKeys{NINHash: nin(1)}, []string{"1"}, store.EvidenceNationalID},
		{"the number goes before the telephone", store.CustomerKeys{NINHash: nin(1), Phone: "+4700000002"}, []string{"1"}, store.EvidenceNationalID},
		{"by telephone, if the number finds none", store.CustomerKeys{NINHash: nin(9), Phone: "+4700000002"}, []string{"2"}, store.EvidencePhone},
		{"the record has another number", store.CustomerKeys{NINHash: nin(9), Phone: "+4700000001"}, nil, ""},
		{"the record has another birth date", store.CustomerKeys{Phone: "+4700000002", BirthDate: born("2015-05-05")}, nil, ""},
		{"the same birth date", store.CustomerKeys{Phone: "+4700000002", BirthDate: born("1990-01-02")}, []string{"2"}, store.EvidencePhone},
		{"by the app's account", store.CustomerKeys{AppAccount: "app-2", Phone: "+4700000003"}, []string{"2"}, store.EvidenceAppAccount},
		{"the app's account, another birth date", store.CustomerKeys{AppAccount: "app-2", BirthDate: born("2015-05-05")}, nil, ""},
		{"several by telephone", store.CustomerKeys{Phone: "+4700000003"}, []string{"3", "4"}, store.EvidencePhone},
		{"several by number", store.CustomerKeys{NINHash: nin(5)}, []string{"5", "6"}, store.EvidenceNationalID},
		{"none", store.CustomerKeys{Phone: "+4700000009"}, nil, ""},
		{"nothing to look for", store.CustomerKeys{BirthDate: born("1990-01-02")}, nil, ""},
	} {
		found, how, err := p.FindCustomers(t.Context(), c.keys)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range found {
			got = append(got, f.No)
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) || len(got) > 0 && how != c.how {
			t.Errorf("%s: %v by %s, want %v by %s", c.name, got, how, c.want, c.how)
		}
	}
}

// No record, a record that is gone, and a database that can't be asked are three
// things.
func TestCustomerIsNeverGuessed(t *testing.T) {
	p := newPeople(t)
	p.customer(t, "1", nil)
	me := logIn(t, p, identity("a", nil), store.Match{Found: []store.Customer{{No: "1"}}, Evidence: store.EvidencePhone})
	if me.Match != store.LinkMade {
		t.Fatal(me.Match)
	}
	var e *privacy.Error
	if c, err := p.Customer(t.Context(), me.Person); err != nil || c.No != "1" || c.Link == "" || c.HasContact() {
		t.Errorf("%+v %v", c, err)
	}
	for _, q := range []string{"SET ROLE elekt_owner", "DELETE FROM elekt.customer", "RESET ROLE"} {
		if _, err := p.owner.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.Customer(t.Context(), me.Person); !errors.As(err, &e) || e.Kind != privacy.NotFound || e.Reason != "no-customer" {
		t.Errorf("a record that is gone: %v", err)
	}
	away, err := store.Open(store.Options{URL: p.db.AppURL, CompanyURL: "host=/nonexistent user=x dbname=y"})
	if err != nil {
		t.Fatal(err)
	}
	defer away.Close()
	if _, err := away.Customer(t.Context(), me.Person); !errors.As(err, &e) || e.Kind != privacy.Unavailable || e.Reason != "company-away" {
		t.Errorf("away: %v", err)
	}
	if _, _, err := away.FindCustomers(t.Context(), store.CustomerKeys{Phone: "+4700000001"}); privacy.KindOf(err) != privacy.Unavailable {
		t.Errorf("away: %v", err)
	}
	none, err := store.Open(store.Options{URL: p.db.AppURL})
	if err != nil {
		t.Fatal(err)
	}
	defer none.Close()
	if _, err := none.Customer(t.Context(), me.Person); !errors.As(err, &e) || e.Kind != privacy.Unavailable || e.Reason != store.ReasonCompanyAway {
		t.Errorf("linked, and no company database: %v", err)
	}
	if _, err := none.CustomerByNo(t.Context(), "1"); privacy.KindOf(err) != privacy.NotFound {
		t.Errorf("a number, and no company database: %v", err)
	}
	// What asking again can't mend is a fault of ours and tells nothing of the driver's.
	refused, err := store.Open(store.Options{URL: p.db.AppURL, CompanyURL: p.db.AppURL})
	if err != nil {
		t.Fatal(err)
	}
	defer refused.Close()
	if _, err := refused.Customer(t.Context(), me.Person); err == nil || err.Error() != "company database: SQLSTATE 42501" {
		t.Errorf("no right to read: %v", err)
	}
	if _, err := away.Customer(t.Context(), me.Person); err == nil || strings.Contains(err.Error(), "nonexistent") {
		t.Errorf("the driver's text: %v", err)
	}
}

// What was shown through a link is noted once in ten minutes, and again later.
func TestShown(t *testing.T) {
	p := newPeople(t)
	p.customer(t, "1", nil)
	me := logIn(t, p, identity("a", nil), store.Match{Found: []store.Customer{{No: "1"}}, Evidence: store.EvidencePhone})
	c, err := p.Customer(t.Context(), me.Person)
	if err != nil {
		t.Fatal(err)
	}
	for _, after := range []time.Duration{0, time.Minute, 9 * time.Minute, 11 * time.Minute} {
		p.ahead.Store(int64(after))
		if err := p.NoteShown(t.Context(), c.Link, "/consents"); err != nil {
			t.Fatal(err)
		}
	}
	shown, err := p.ShownThrough(t.Context(), c.Link)
	if err != nil || len(shown) != 1 || shown[0].Times != 2 || shown[0].Last.Sub(shown[0].First) < 10*time.Minute {
		t.Errorf("%+v %v", shown, err)
	}
	if err := p.NoteShown(t.Context(), "", "/consents"); err != nil {
		t.Errorf("without a link: %v", err)
	}
	for _, bad := range []string{"", "x", me.Login} {
		if err := p.EndLink(t.Context(), bad, "wrong"); privacy.KindOf(err) != privacy.NotFound {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := p.EndLink(t.Context(), c.Link, " "); privacy.KindOf(err) != privacy.Invalid {
		t.Errorf("without a reason: %v", err)
	}
}

// A person's own things only: every query carries the person. (checklist 47)
func TestOwnersOnly(t *testing.T) {
	p := newPeople(t)
	a, b := logIn(t, p, identity("a", nil), store.Match{}), logIn(t, p, identity("b", nil), store.Match{})
	now := p.Now()
	start := func(in store.LoginResult, hash byte) *store.Session {
		s := &store.Session{Person: in.Person, Login: in.Login, Class: store.ClassCustomer, Assurance: privacy.AssuranceLow, AuthAt: now, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
		if err := p.StartSession(t.Context(), nin(hash), s, nil, store.EventLogin); err != nil {
			t.Fatal(err)
		}
		return s
	}
	mine, theirs := start(a, 1), start(b, 2)
	if err := p.EndSession(t.Context(), a.Person, theirs.PublicID, "x"); privacy.KindOf(err) != privacy.NotFound {
		t.Errorf("%v", err)
	}
	if err := p.EndLogin(t.Context(), a.Person, b.Login); privacy.KindOf(err) != privacy.NotFound {
		t.Errorf("%v", err)
	}
	list, err := p.Sessions(t.Context(), a.Person)
	if err != nil || len(list) != 1 || list[0].PublicID != mine.PublicID || list[0].Provider != "p" {
		t.Errorf("%+v %v", list, err)
	}
	bad := &store.Session{Person: a.Person, Login: b.Login, Class: store.ClassCustomer, Assurance: privacy.AssuranceLow, AuthAt: now, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
	if err := p.StartSession(t.Context(), nin(3), bad, nil, store.EventLogin); privacy.KindOf(err) != privacy.Unauthenticated {
		t.Errorf("a session of one person on another's login: %v", err)
	}
	if n, err := p.EndSessions(t.Context(), a.Person, "", "all"); err != nil || n != 1 {
		t.Errorf("%d %v", n, err)
	}
	if _, err := p.Session(t.Context(), nin(2)); err != nil {
		t.Errorf("the other person's session: %v", err)
	}
	if n := p.count(t, `SELECT count(*) FROM auth_event WHERE person_ref = $1`, b.Person); n != 2 {
		t.Errorf("%d events", n)
	}
}

// Two logins ended at the same moment: one stays.
func TestLastLoginStays(t *testing.T) {
	p := newPeople(t)
	a, b := logIn(t, p, identity("a", nin(1)), store.Match{}), logIn(t, p, identity("b", nin(1)), store.Match{})
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i, login := range []string{a.Login, b.Login} {
		wg.Go(func() { errs[i] = p.EndLogin(context.Background(), a.Person, login) })
	}
	wg.Wait()
	if ended := map[bool]int{errs[0] == nil: 1, errs[1] == nil: 1}; len(ended) != 2 {
		t.Errorf("%v", errs)
	}
	if n := p.count(t, `SELECT count(*) FROM login`); n != 1 {
		t.Errorf("%d logins", n)
	}
}

// Limits count the same under a crowd, and refuse when they can't count.
func TestLimit(t *testing.T) {
	p := newPeople(t)
	q := store.Quota{Every: time.Minute, Burst: 5}
	var passed, refused atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			wait, err := p.Limit(context.Background(), "x", "k", q)
			switch {
			case err == nil:
				passed.Add(1)
			case privacy.KindOf(err) == privacy.RateLimited:
				refused.Add(1)
				if wait <= 0 || wait > time.Minute+time.Second {
					t.Errorf("wait %s", wait)
				}
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if passed.Load() != 5 || refused.Load() != 3 {
		t.Errorf("%d passed, %d refused", passed.Load(), refused.Load())
	}
	p.ahead.Store(int64(time.Hour))
	if _, err := p.Limit(t.Context(), "x", "k", q); err != nil {
		t.Errorf("an hour later: %v", err)
	}
	away, err := store.Open(store.Options{URL: "host=/nonexistent user=x dbname=y"})
	if err != nil {
		t.Fatal(err)
	}
	defer away.Close()
	if _, err := away.Limit(t.Context(), "x", "k", q); privacy.KindOf(err) != privacy.Unavailable {
		t.Errorf("a limit that can't count: %v", err)
	}
}

// The application can add events, and never change them.
func TestEventsStay(t *testing.T) {
	p := newPeople(t)
	if err := p.Note(t.Context(), store.Event{Kind: store.EventLoginFailed, Reason: "nonce", Provider: "p"}); err != nil {
		t.Fatal(err)
	}
	app := p.db.App(t)
	for _, q := range []string{`UPDATE auth_event SET reason = ''`, `DELETE FROM auth_event`, `TRUNCATE auth_event`} {
		if _, err := app.ExecContext(t.Context(), q); err == nil {
			t.Errorf("%s was allowed", q)
		}
	}
	if n := p.count(t, `SELECT count(*) FROM auth_event WHERE reason = 'nonce'`); n != 1 {
		t.Errorf("%d events", n)
	}
}

// What has run out is swept; what hasn't stays.
func TestSweep(t *testing.T) {
	p := newPeople(t)
	me := logIn(t, p, identity("a", nil), store.Match{})
	now := p.Now()
	for i, life := range []time.Duration{time.Minute, time.Hour} {
		s := &store.Session{Person: me.Person, Login: me.Login, Class: store.ClassCustomer, Assurance: privacy.AssuranceLow, AuthAt: now, CreatedAt: now, ExpiresAt: now.Add(life)}
		if err := p.StartSession(t.Context(), nin(byte(i)), s, nil, store.EventLogin); err != nil {
			t.Fatal(err)
		}
		if err := p.PutTransaction(t.Context(), store.Transaction{StateHash: nin(byte(i)), BrowserHash: nin(9), Kind: store.TransactionLogin, ReturnTo: "/", CreatedAt: now, ExpiresAt: now.Add(life)}); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Park(t.Context(), me.Person, "/", []byte("x"), life); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Limit(t.Context(), "x", fmt.Sprint(i), store.Quota{Every: life, Burst: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := p.SweepAuth(t.Context()); err != nil || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
	p.ahead.Store(int64(2 * time.Minute))
	if n, err := p.SweepAuth(t.Context()); err != nil || n != 4 {
		t.Errorf("%d, %v", n, err)
	}
	p.ahead.Store(int64(2 * time.Hour))
	if n, err := p.SweepAuth(t.Context()); err != nil || n != 4 {
		t.Errorf("%d, %v", n, err)
	}
}
