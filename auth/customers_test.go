package auth

import (
	"encoding/json"
	"fmt"
	"net/url"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// customer puts a row into the company's database.
func (r *rig) customer(t *testing.T, no, phone, email string) {
	t.Helper()
	if _, err := r.owner.ExecContext(t.Context(), `SET ROLE elekt_owner`); err != nil {
		t.Fatal(err)
	}
	if _, err := r.owner.ExecContext(t.Context(), `INSERT INTO elekt.customer (customer_no, given_name, family_name, phone, email, created_at)
		VALUES ($1, 'Prøve', 'Kunde', nullif($2, ''), nullif($3, ''), now())`, no, phone, email); err != nil {
		t.Fatal(err)
	}
	if _, err := r.owner.ExecContext(t.Context(), `RESET ROLE`); err != nil {
		t.Fatal(err)
	}
}

// jobs lists the code jobs that are enqueued.
func (r *rig) jobs(t *testing.T) (ids []string) {
	t.Helper()
	rows, err := r.owner.QueryContext(t.Context(), `SELECT args FROM river_job WHERE kind = 'send_code' ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var b []byte
		var args privacy.SendCode
		if err := rows.Scan(&b); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &args); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, args.Code)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return ids
}

// deliver does what the worker does: makes the code, keeps its hash, sends it.
func (r *rig) deliver(t *testing.T, id string) string {
	t.Helper()
	if _, err := r.store.CodeToSend(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	key, err := CodeKey(testKey)
	if err != nil {
		t.Fatal(err)
	}
	code := privacy.NewCode()
	if err := r.store.SetCode(t.Context(), id, "sms", privacy.HashCode(key, id, code)); err != nil {
		t.Fatal(err)
	}
	return code
}

// other is a code that isn't this one.
func other(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

// Customer number and a one-time code to the contact on file.
func TestCode(t *testing.T) {
	r := newRig(t, "http://127.0.0.1:1")
	r.owner.SetMaxOpenConns(1) // SET ROLE belongs to a connection
	r.customer(t, "100518", "+4700000005", "eirik@example.com")
	r.customer(t, "101637", "", "") // no contact
	me, _ := r.logIn(t, "a", store.ClassCustomer)
	ctx := t.Context()

	if err := r.AskCode(ctx, me, " 100 518 "); err != nil {
		t.Fatal(err)
	}
	jobs := r.jobs(t)
	if len(jobs) != 1 {
		t.Fatalf("%d jobs", len(jobs))
	}
	send, err := r.store.CodeToSend(ctx, jobs[0])
	if err != nil || send.Customer.Phone != "+4700000005" || send.Customer.Email != "eirik@example.com" || send.Person != me.Person {
		t.Fatalf("%+v %v", send, err)
	}
	if _, err := r.UseCode(ctx, me, "000000"); reasonOf(err) != "code-wrong" {
		t.Errorf("before anything was sent: %v", err)
	}
	code := r.deliver(t, jobs[0])
	if until, err := r.CodeOpen(ctx, me); err != nil || until.Sub(r.now()) > store.CodeLife || until.IsZero() {
		t.Errorf("open until %s, %v", until, err)
	}
	for _, wrong := range []string{other(code), "", code + "0"} {
		if _, err := r.UseCode(ctx, me, wrong); privacy.KindOf(err) != privacy.Invalid || reasonOf(err) != "code-wrong" {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	stranger, _ := r.logIn(t, "b", store.ClassCustomer)
	if _, err := r.UseCode(ctx, stranger, code); reasonOf(err) != "code-gone" {
		t.Errorf("another person's code: %v", err)
	}
	if got, err := r.UseCode(ctx, me, " "+code[:3]+" "+code[3:]); err != nil || got != store.LinkMade {
		t.Fatalf("the fifth try: %s %v", got, err)
	}
	if c, err := r.store.Customer(ctx, me.Person); err != nil || c.No != "100518" {
		t.Errorf("%+v %v", c, err)
	}
	if _, err := r.UseCode(ctx, me, code); reasonOf(err) != "code-gone" {
		t.Errorf("a code twice: %v", err)
	}

	// The record is taken: the other person is told nothing, and nothing is sent.
	if err := r.AskCode(ctx, stranger, "100518"); err != nil {
		t.Fatal(err)
	}
	if n := len(r.jobs(t)); n != 1 {
		t.Errorf("%d jobs", n)
	}
}

// Whether a number exists can't be told: the same answer, the same tries, the
// same end.
func TestCodeTellsNothing(t *testing.T) {
	r := newRig(t, "http://127.0.0.1:1")
	r.owner.SetMaxOpenConns(1)
	r.customer(t, "200001", "+4700000005", "")
	r.customer(t, "200002", "", "")
	ctx := t.Context()
	var said []string
	for i, no := range []string{"200001", "999999", "200002"} {
		me, _ := r.logIn(t, fmt.Sprint("p", i), store.ClassCustomer)
		var log string
		log += fmt.Sprintln(r.AskCode(ctx, me, no))
		until, err := r.CodeOpen(ctx, me)
		log += fmt.Sprintln(until.IsZero(), err)
		if no == "200001" {
			r.deliver(t, r.jobs(t)[0])
		}
		for range 6 {
			_, err := r.UseCode(ctx, me, "x") // can't be right
			log += fmt.Sprintln(err)
		}
		until, err = r.CodeOpen(ctx, me)
		log += fmt.Sprintln(until.IsZero(), err)
		said = append(said, log)
	}
	if said[0] != said[1] || said[0] != said[2] {
		t.Errorf("a customer:\n%s\nnobody:\n%s\na customer without contact:\n%s", said[0], said[1], said[2])
	}
	if n := len(r.jobs(t)); n != 1 {
		t.Errorf("%d jobs", n)
	}
	if n := count(t, r, `SELECT count(*) FROM auth_event WHERE kind = 'code-exhausted'`); n != 3 {
		t.Errorf("%d events", n)
	}
}

// Five tries and ten minutes; a right code after that is no code.
func TestCodeEnds(t *testing.T) {
	r := newRig(t, "http://127.0.0.1:1")
	r.owner.SetMaxOpenConns(1)
	r.customer(t, "200001", "+4700000005", "")
	ctx := t.Context()
	me, _ := r.logIn(t, "a", store.ClassCustomer)
	ask := func() (id, code string) {
		t.Helper()
		if err := r.AskCode(ctx, me, "200001"); err != nil {
			t.Fatal(err)
		}
		all := r.jobs(t)
		id = all[len(all)-1]
		return id, r.deliver(t, id)
	}
	_, code := ask()
	for range store.CodeTries {
		if _, err := r.UseCode(ctx, me, other(code)); reasonOf(err) != "code-wrong" {
			t.Fatal(err)
		}
	}
	if _, err := r.UseCode(ctx, me, code); reasonOf(err) != "code-gone" {
		t.Errorf("the sixth try: %v", err)
	}
	first, old := ask()
	second, code := ask() // a newer one makes the older void
	if _, err := r.store.CodeToSend(ctx, first); reasonOf(err) != "code-gone" {
		t.Errorf("a replaced code is sent: %v", err)
	}
	if _, err := r.UseCode(ctx, me, old); old != code && reasonOf(err) != "code-wrong" {
		t.Errorf("a replaced code: %v", err)
	}
	r.ahead = store.CodeLife + time.Second
	if _, err := r.UseCode(ctx, me, code); reasonOf(err) != "code-gone" {
		t.Errorf("eleven minutes later: %v", err)
	}
	if err := r.store.SetCode(ctx, second, "sms", make([]byte, 32)); reasonOf(err) != "code-gone" {
		t.Errorf("a code that has run out is sent: %v", err)
	}
	r.ahead = 0
	if err := r.store.CodeFailed(ctx, second); err != nil {
		t.Fatal(err)
	}
	if _, err := r.UseCode(ctx, me, code); reasonOf(err) != "code-wrong" {
		t.Errorf("a code that couldn't be sent: %v", err)
	}
}

// Codes are limited per person and, silently, per number. (checklist 55)
func TestCodeLimits(t *testing.T) {
	r := newRig(t, "http://127.0.0.1:1")
	r.owner.SetMaxOpenConns(1)
	r.customer(t, "200001", "+4700000005", "")
	ctx := t.Context()
	for i := range 5 {
		me, _ := r.logIn(t, fmt.Sprint("p", i), store.ClassCustomer)
		if err := r.AskCode(ctx, me, "200001"); err != nil {
			t.Errorf("person %d: %v", i, err)
		}
	}
	if n := len(r.jobs(t)); n != 3 {
		t.Errorf("%d codes to one telephone", n)
	}
	me, _ := r.logIn(t, "eager", store.ClassCustomer)
	for i := range 6 {
		err := r.AskCode(ctx, me, fmt.Sprint("3000", i))
		if want := i == 5; (privacy.KindOf(err) == privacy.RateLimited) != want {
			t.Errorf("question %d: %v", i, err)
		}
	}
	for _, bad := range []string{"", "../etc", "1 or 1=1", "æ", "123456789012345678901234567890123"} {
		if err := r.AskCode(ctx, me, bad); privacy.KindOf(err) != privacy.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// A link that was taken back isn't made again by a code to the same contact.
func TestCodeAfterLinkTakenBack(t *testing.T) {
	r := newRig(t, "http://127.0.0.1:1")
	r.owner.SetMaxOpenConns(1)
	r.customer(t, "200001", "+4700000005", "")
	me, _ := r.logIn(t, "a", store.ClassCustomer)
	if got, err := r.store.Link(t.Context(), me.Person, "200001", store.EvidenceAppAccount); err != nil || got != store.LinkMade {
		t.Fatal(got, err)
	}
	c, err := r.store.Customer(t.Context(), me.Person)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.store.EndLink(t.Context(), c.Link, "wrong"); err != nil {
		t.Fatal(err)
	}
	if err := r.AskCode(t.Context(), me, "200001"); err != nil {
		t.Fatal(err)
	}
	if n := len(r.jobs(t)); n != 0 {
		t.Errorf("%d jobs", n)
	}
	if got, err := r.store.Link(t.Context(), me.Person, "200001", store.EvidenceCode); err != nil || got != store.LinkNone {
		t.Errorf("%s %v", got, err)
	}
}

func count(t *testing.T, r *rig, query string, args ...any) (n int) {
	t.Helper()
	if err := r.owner.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// What was typed before a step-up comes back once, to its owner, without the
// form's token, and lies sealed in the meantime.
func TestParked(t *testing.T) {
	r := newRig(t, "http://127.0.0.1:1")
	me, _ := r.logIn(t, "a", store.ClassCustomer)
	stranger, _ := r.logIn(t, "b", store.ClassCustomer)
	ctx := t.Context()
	form := url.Values{"csrf": {"secret"}, "number": {"100518"}, "note": {"æøå & =", "two"}}
	id, err := r.Park(ctx, me.Person, "/customer", form)
	if err != nil {
		t.Fatal(err)
	}
	if form.Get("csrf") != "secret" {
		t.Error("the caller's form was changed")
	}
	if n := count(t, r, `SELECT count(*) FROM parked_form WHERE position('100518'::bytea IN fields) > 0 OR position('csrf'::bytea IN fields) > 0`); n != 0 {
		t.Error("what was typed can be read in the database")
	}
	for _, p := range []privacy.PersonRef{stranger.Person, ""} {
		if _, _, err := r.Unpark(ctx, p, id); privacy.KindOf(err) != privacy.Gone {
			t.Errorf("another person: %v", err)
		}
	}
	path, fields, err := r.Unpark(ctx, me.Person, id)
	if err != nil || path != "/customer" || fields.Has("csrf") || fields.Get("number") != "100518" || len(fields["note"]) != 2 || fields["note"][0] != "æøå & =" {
		t.Errorf("%s %v %v", path, fields, err)
	}
	if _, _, err := r.Unpark(ctx, me.Person, id); privacy.KindOf(err) != privacy.Gone {
		t.Errorf("twice: %v", err)
	}
	if _, _, err := r.Unpark(ctx, me.Person, "x"); privacy.KindOf(err) != privacy.Gone {
		t.Errorf("nonsense: %v", err)
	}
	if id, err = r.Park(ctx, me.Person, "/customer", form); err != nil {
		t.Fatal(err)
	}
	r.ahead = parkedLife
	if _, _, err := r.Unpark(ctx, me.Person, id); privacy.KindOf(err) != privacy.Gone {
		t.Errorf("too late: %v", err)
	}
	if _, err := r.Park(ctx, me.Person, "//evil.example.com", form); privacy.KindOf(err) != privacy.Invalid {
		t.Errorf("a foreign path: %v", err)
	}
	if _, err := r.Park(ctx, me.Person, "/customer", url.Values{"x": {string(make([]byte, maxParked))}}); privacy.KindOf(err) != privacy.TooLarge {
		t.Errorf("too much: %v", err)
	}
}

// Limits of routes: the same for every node, and of the caller only a hash is
// kept. (checklist 55)
func TestAllow(t *testing.T) {
	r := newRig(t, "http://127.0.0.1:1")
	ctx := t.Context()
	for i := range 4 {
		err := r.Allow(ctx, "GET /login", "192.0.2.7", 3, time.Minute)
		if (privacy.KindOf(err) == privacy.RateLimited) != (i == 3) || err != nil && i < 3 {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if err := r.Allow(ctx, "GET /login", "192.0.2.8", 3, time.Minute); err != nil {
		t.Errorf("another caller: %v", err)
	}
	if err := r.Allow(ctx, "GET /other", "192.0.2.7", 3, time.Minute); err != nil {
		t.Errorf("another route: %v", err)
	}
	r.ahead = 21 * time.Second
	if err := r.Allow(ctx, "GET /login", "192.0.2.7", 3, time.Minute); err != nil {
		t.Errorf("after a third of a minute: %v", err)
	}
	if n := count(t, r, `SELECT count(*) FROM rate_limit WHERE key LIKE '%192.0%'`); n != 0 {
		t.Error("addresses are kept")
	}
	if err := r.Allow(ctx, "x", "y", 0, time.Minute); err == nil {
		t.Error("a limit of nothing is taken")
	}
}
