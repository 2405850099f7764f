package e2e

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"elekt.no/innsyn/dev/demo"
	"elekt.no/innsyn/dev/standin"
)

// customerNo is the number of a demo person's only customer record.
func customerNo(t *testing.T, key string) string {
	t.Helper()
	all := demo.CustomersOf(key)
	if len(all) != 1 {
		t.Fatalf("%s has %d customer records", key, len(all))
	}
	return all[0].No
}

// code waits for a message to somebody and takes the code from it.
func code(t *testing.T, to string, after int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	m, err := world.Standin.WaitMessage(ctx, func(m standin.Message) bool {
		return m.Request > after && len(m.To) == 1 && strings.HasSuffix(m.To[0], strings.TrimPrefix(to, "+47"))
	})
	if err != nil {
		t.Fatalf("no message to them: %v", err)
	}
	found := regexp.MustCompile(`\b[0-9]{6}\b`).FindString(m.Text)
	if found == "" {
		t.Fatalf("no code in %q", m.Text)
	}
	secret(found, "a one-time code")
	return found
}

// sent is the number of the last request that the stand-ins have answered.
func sent() int {
	all := world.Standin.Requests()
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1].ID
}

// TestCustomerByLogin finds the record by identity number, and by telephone
// number where the login gives no identity number.
func TestCustomerByLogin(t *testing.T) {
	anew(t)
	for provider, fault := range map[string]string{"bankid": "", "vipps": "no-number"} {
		setBack(t)
		c := call(t)
		c.login(provider, "amund", fault)
		r := c.get("/customer")
		if !strings.Contains(r.main(), customerNo(t, "amund")) {
			t.Errorf("%s: %s", provider, r.main())
		}
	}
	if how := one[string](t, `SELECT evidence FROM person_link`); how != "phone" && how != "national-id" {
		t.Errorf("found by %s", how)
	}
}

// TestCustomerByCode is somebody whose login gives no identity number: customer
// number, a code to the telephone on file, and the record is theirs.
func TestCustomerByCode(t *testing.T) {
	anew(t)
	no := customerNo(t, "halvor")
	v := arrive(t)
	v.login("bankid", "halvor")
	v.at("/overview")
	v.sees("main", v.says("customer.none"))
	v.visit("/customer")
	v.inspect("customer-number")

	v.eye.expect(http.StatusBadRequest)
	v.fill("#number", "ikke et nummer!")
	v.follow(`form[action="/customer"] button[type=submit]`)
	v.sees("#number-error", v.says("customer.bad-number"))
	if v.attribute("#number", "aria-invalid") != "true" || !strings.Contains(v.attribute("#number", "aria-describedby"), "number-error") {
		t.Error("the field doesn't say that it is wrong")
	}
	v.inspect("customer-number-wrong")

	mark := sent()
	v.fill("#number", no)
	v.follow(`form[action="/customer"] button[type=submit]`)
	v.at("/customer")
	v.sees("label[for=code]", v.says("customer.code-label"))
	v.inspect("customer-code")
	right := code(t, person(t, "halvor").Phone, mark)
	wrong := "000000"
	if right == wrong {
		wrong = "111111"
	}
	v.fill("#code", wrong)
	v.follow(`form[action="/customer"] button[type=submit]`)
	v.sees("#code-error", v.says("customer.bad-code"))
	v.fill("#code", right)
	v.follow(`form[action="/customer"] button[type=submit]`)
	v.at("/customer")
	v.sees("main dl", no)
	v.inspect("customer")
	if how := one[string](t, `SELECT evidence FROM person_link WHERE external_id = $1 AND ended_at IS NULL`, no); how != "code" {
		t.Errorf("found by %s", how)
	}
	v.visit("/overview")
	if strings.Contains(v.text("main"), v.says("customer.none")) {
		t.Error("the overview still says that there is no record")
	}
}

// TestCodeIsGuessed: after five wrong tries not even the right code works, and
// the code of another customer number never goes to the asker.
func TestCodeIsGuessed(t *testing.T) {
	anew(t)
	c := call(t)
	c.login("bankid", "halvor")
	mark := sent()
	token := c.get("/customer").input("csrf")
	ask := url.Values{"csrf": {token}, "step": {"number"}, "number": {customerNo(t, "halvor")}}
	if r := c.post("/customer", ask); r.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s: %s", r.Status, r.main())
	}
	right := code(t, person(t, "halvor").Phone, mark)
	wrong := "000000"
	if right == wrong {
		wrong = "111111"
	}
	try := func(code string) *reply {
		owner(t, `DELETE FROM rate_limit`)
		return c.post("/customer", url.Values{"csrf": {token}, "step": {"code"}, "code": {code}})
	}
	for i := range 5 {
		if r := try(wrong); r.StatusCode != http.StatusBadRequest {
			t.Errorf("wrong code number %d: %s", i+1, r.Status)
		}
	}
	if r := try(right); r.StatusCode != http.StatusGone {
		t.Errorf("the right code after five wrong ones: %s", r.Status)
	}
	if n := number(t, `SELECT count(*) FROM person_link`); n != 0 {
		t.Error("the record is linked all the same")
	}
}

// TestUnknownNumber answers just as a known one does: nobody learns who is a customer.
func TestUnknownNumber(t *testing.T) {
	anew(t)
	answers := map[string]string{}
	for name, no := range map[string]string{"known": customerNo(t, "halvor"), "unknown": "999999"} {
		setBack(t)
		c := call(t)
		c.login("bankid", "kari")
		r := c.post("/customer", url.Values{"csrf": {c.get("/customer").input("csrf")}, "step": {"number"}, "number": {no}})
		answers[name] = r.Status + r.Header.Get("Location") + strings.ReplaceAll(c.get("/customer").main(), no, "N")
	}
	if answers["known"] != answers["unknown"] {
		t.Errorf("a known number is answered\n%s\nan unknown one\n%s", answers["known"], answers["unknown"])
	}
}

// TestNoCustomer is somebody whom the company doesn't know.
func TestNoCustomer(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.login("bankid", "kari")
	v.sees("main", v.says("customer.none"))
	v.follow(`main a[href="/customer"]`)
	v.at("/customer")
	// Without a record nothing is known of a subscription: what only concerns
	// those who pay says so.
	v.visit("/consents")
	v.sees(row("service-messages"), v.says("reason.paying"))
	// Who has no number asks a human to look.
	v.visit("/customer")
	v.follow(`form[action="/customer/help"] button`)
	v.at("/customer")
	v.sees("main", v.says("customer.sought"))
	if n := number(t, `SELECT count(*) FROM request WHERE kind = 'customer-match' AND state = 'open'`); n != 1 {
		t.Errorf("%d cases", n)
	}
}

// TestSeveralCustomers is somebody who could be two customers: neither is shown,
// and a human looks.
func TestSeveralCustomers(t *testing.T) {
	anew(t)
	for provider, key := range map[string]string{"bankid": "bjarne", "vipps": "marit"} {
		v := arrive(t)
		v.login(provider, key)
		v.at("/overview")
		v.sees("main", v.says("customer.sought"))
		v.visit("/customer")
		for _, c := range demo.CustomersOf(key) {
			if strings.Contains(v.text("main"), c.No) {
				t.Errorf("%s: number %s is shown", key, c.No)
			}
		}
		v.sees("main", v.says("customer.sought"))
		if provider == "bankid" {
			v.inspect("customer-several")
		}
	}
	if n := number(t, `SELECT count(*) FROM request WHERE kind = 'customer-match' AND state = 'open'`); n != 2 {
		t.Errorf("%d cases, want 2", n)
	}
	if n := number(t, `SELECT count(*) FROM person_link`); n != 0 {
		t.Errorf("%d records are linked", n)
	}
}

// TestTakenCustomer is a record that became another person's while the code was
// on its way. A record that is somebody's already gets no code at all.
func TestTakenCustomer(t *testing.T) {
	anew(t)
	no, phone := customerNo(t, "ingrid"), person(t, "ingrid").Phone
	v := arrive(t)
	v.login("bankid", "kari")
	mark := sent()
	ask := func() {
		v.visit("/customer?again=1")
		v.fill("#number", no)
		v.follow(`form[action="/customer"] button[type=submit]`)
	}
	ask()
	typed := code(t, phone, mark)
	call(t).login("bankid", "ingrid")
	v.fill("#code", typed)
	v.eye.expect(http.StatusConflict)
	v.follow(`form[action="/customer"] button[type=submit]`)
	v.sees("main", v.says("customer.taken-text"))
	if n := number(t, `SELECT count(*) FROM person_link`); n != 1 {
		t.Errorf("%d links", n)
	}
	ask()
	v.sees("label[for=code]", v.says("customer.code-label"))
	if n := number(t, `SELECT count(*) FROM river_job WHERE kind = 'send_code'`); n != 1 {
		t.Errorf("%d codes were sent, want the first one only", n)
	}
}

// TestLinkTakenBack is a link that was wrong: gone at once, not made again by
// the next login, and what was shown through it is on record.
func TestLinkTakenBack(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.comes("ingrid")
	v.visit("/customer")
	v.sees("main", customerNo(t, "ingrid"))
	link := one[string](t, `SELECT link_id FROM person_link`)
	if err := world.store.EndLink(t.Context(), link, "wrong-person"); err != nil {
		t.Fatal(err)
	}
	v.visit("/customer")
	if strings.Contains(v.text("main"), customerNo(t, "ingrid")) {
		t.Error("the record is still shown")
	}
	v.visit("/consents")
	v.sees(row("service-messages"), v.says("reason.paying"))
	shown, err := world.store.ShownThrough(t.Context(), link)
	if err != nil || len(shown) == 0 {
		t.Errorf("shown through it: %v, %v", shown, err)
	}
	again := call(t)
	again.login("bankid", "ingrid")
	if n := number(t, `SELECT count(*) FROM person_link WHERE ended_at IS NULL`); n != 0 {
		t.Error("the next login has made the link again")
	}
}

// TestNoIdentityNumber is a provider that gives none, though asked: still in.
func TestNoIdentityNumber(t *testing.T) {
	anew(t)
	c := call(t)
	c.login("bankid", "ingrid", "no-number")
	if n := number(t, `SELECT count(*) FROM login WHERE nin_hash IS NOT NULL`); n != 0 {
		t.Error("there is a hash of nothing")
	}
	if r := c.get("/overview"); !strings.Contains(r.main(), text("customer.none")) {
		t.Errorf("%s", r.main())
	}
}

// TestNumberIsHashed: the identity number itself lies nowhere in the database.
func TestNumberIsHashed(t *testing.T) {
	anew(t)
	call(t).login("bankid", "ingrid")
	if n := number(t, `SELECT count(*) FROM login WHERE length(nin_hash) = 32`); n != 1 {
		t.Fatal("no hash: nothing is tried")
	}
	nin := person(t, "ingrid").NationalID
	for _, table := range []string{"person", "login", "person_link", "session", "auth_event", "login_transaction", "parked_form", "request", "ledger_entry"} {
		if n := number(t, `SELECT count(*) FROM `+table+` x WHERE x::text LIKE '%' || $1 || '%'`, nin); n != 0 {
			t.Errorf("%s holds the number", table)
		}
	}
}
