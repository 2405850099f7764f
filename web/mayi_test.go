package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"elekt.no/innsyn/store"
	"elekt.no/innsyn/store/storetest"
	"elekt.no/innsyn/web"
)

// One person, every kind of purpose, before and after they choose: the answer is
// what their own page shows, at once, by the customer number and by the portal's
// own reference.
func TestMayI(t *testing.T) {
	p := open(t)
	v := p.linked(t, "101010", "free")
	p.customer(t, "101011", "plus")
	c := p.caller(t, "crm", web.ScopeMayI)
	ask := func(system, id, purpose, want string) {
		t.Helper()
		a := c.get(mayI(system, id, purpose))
		got := fmt.Sprintf("%v %s %s %d %v", a.m["allowed"], a.str("state"), a.str("reason"), a.num("version"), a.m["known"])
		if a.StatusCode != http.StatusOK || got != want {
			t.Errorf("%s %s %s: %d %s, want %s", system, id, purpose, a.StatusCode, got, want)
		}
	}
	ref := string(v.person)
	ask("customer", "101010", "newsletter", "false off never-given 0 true")
	ask("innsyn", ref, "newsletter", "false off never-given 0 true")
	v.choose("newsletter")
	ask("customer", "101010", "newsletter", "true on given 1 true")
	ask("innsyn", ref, "newsletter", "true on given 1 true")
	v.choose("newsletter")
	ask("customer", "101010", "newsletter", "false off withdrawn 2 true")

	ask("customer", "101010", "profiling-marketing", "true on not-objected 0 true")
	v.choose("profiling-marketing")
	ask("customer", "101010", "profiling-marketing", "false off objected 3 true")

	ask("customer", "101010", "home-breakdown", "true on not-objected 0 true")
	v.choose("home-breakdown")
	ask("customer", "101010", "home-breakdown", "false paused assessing 4 true")
	v.choose("debt-collection")
	ask("customer", "101010", "debt-collection", "true contested assessing-legal-claims 5 true")

	ask("customer", "101010", "user-profile", "true needed needed 0 true")
	ask("customer", "101010", "aml-retention", "false dormant dormant 0 true")
	ask("customer", "101010", "service-messages", "false not_applicable condition 0 true")
	ask("customer", "101010", "contextual-ads", "true on not-objected 0 true")
	ask("innsyn", ref, "contextual-ads", "true on not-objected 0 true")
	ask("innsyn", ref, "service-messages", "false not_applicable condition 0 true")

	// Nobody here: no choice was made. Conditions are asked all the same.
	ask("customer", "999999", "newsletter", "false off never-given 0 false")
	ask("customer", "999999", "profiling-marketing", "true on not-objected 0 false")
	ask("customer", "101011", "contextual-ads", "false not_applicable condition 0 false")
	ask("customer", "101011", "service-messages", "true needed needed 0 false")
	ask("app-account", "a-1", "newsletter", "false off never-given 0 false")
	// A reference that nobody has is a mistake, or somebody who is gone: never yes.
	ask("innsyn", strings.Repeat("a", 26), "profiling-marketing", "false off unknown-person 0 false")
	ask("innsyn", "101010", "user-profile", "false off unknown-person 0 false")
	p.verify(t)
}

// A yes to a text that has changed since in substance doesn't count.
func TestMayIRenew(t *testing.T) {
	p := open(t)
	v := p.linked(t, "101010", "free")
	v.choose("newsletter")
	pu, err := p.cat.Purpose("newsletter")
	if err != nil {
		t.Fatal(err)
	}
	pu.Revision++
	pu.Material = pu.Revision
	a := p.caller(t, "crm", web.ScopeMayI).get(mayI("customer", "101010", "newsletter"))
	if a.m["allowed"] != false || a.str("state") != "renew" || a.str("reason") != "text-changed" {
		t.Errorf("%s", a.body)
	}
}

func TestMayIMany(t *testing.T) {
	p := open(t)
	v := p.linked(t, "101010", "free")
	v.choose("newsletter")
	p.customer(t, "101011", "plus")
	c := p.caller(t, "crm", web.ScopeMayI)
	var pairs []map[string]any
	var single []string
	for _, q := range [][3]string{{"customer", "101010", "newsletter"}, {"innsyn", string(v.person), "newsletter"}, {"customer", "999999", "newsletter"},
		{"customer", "101010", "contextual-ads"}, {"customer", "101011", "contextual-ads"}, {"innsyn", string(v.person), "service-messages"},
		{"innsyn", strings.Repeat("a", 26), "user-profile"}, {"app-account", "a-1", "profiling-marketing"}, {"customer", "101010", "newsletter"}} {
		pairs = append(pairs, map[string]any{"system": q[0], "id": q[1], "purpose": q[2]})
		single = append(single, fmt.Sprint(c.get(mayI(q[0], q[1], q[2])).m))
	}
	a := c.post("/api/v1/may-i", map[string]any{"pairs": pairs})
	answers, _ := a.m["answers"].([]any)
	if a.StatusCode != http.StatusOK || len(answers) != len(pairs) {
		t.Fatalf("%d: %s", a.StatusCode, a.body)
	}
	for i := range answers {
		if got := fmt.Sprint(answers[i]); got != single[i] {
			t.Errorf("pair %d: %s, alone %s", i, got, single[i])
		}
	}
	many := func(n int) map[string]any {
		var out []map[string]any
		for i := range n {
			out = append(out, map[string]any{"system": "customer", "id": fmt.Sprint(200000 + i), "purpose": "newsletter"})
		}
		return map[string]any{"pairs": out}
	}
	if a := c.post("/api/v1/may-i", many(1000)); a.StatusCode != http.StatusOK || len(a.m["answers"].([]any)) != 1000 {
		t.Errorf("1000 pairs: %d", a.StatusCode)
	}
	if a := c.post("/api/v1/may-i", many(1001)); a.StatusCode != http.StatusRequestEntityTooLarge || a.str("reason") != "too-many-pairs" {
		t.Errorf("1001 pairs: %d %s", a.StatusCode, a.body)
	}
	// As many of the longest ids as are allowed fit into the body.
	long := many(1000)
	for _, pair := range long["pairs"].([]map[string]any) {
		pair["id"], pair["purpose"] = strings.Repeat(`"`, 128), "direct-marketing-noncustomer"
	}
	if a := c.post("/api/v1/may-i", long); a.StatusCode != http.StatusOK {
		t.Errorf("the longest: %d", a.StatusCode)
	}
	if a := c.post("/api/v1/may-i", `{"pairs": [`+strings.Repeat(" ", 600<<10)+`]}`); a.StatusCode != http.StatusRequestEntityTooLarge || a.str("reason") != "body-too-large" {
		t.Errorf("too long a body: %d %s", a.StatusCode, a.body)
	}
}

// Each wrong question says what is wrong with it.
func TestMayIBadInput(t *testing.T) {
	p := open(t)
	c := p.caller(t, "crm", web.ScopeMayI)
	for _, q := range []struct {
		query, reason, field string
		status               int
	}{
		{"", "bad-value", "system", 400},
		{"system=customer&id=1", "bad-value", "purpose", 400},
		{"system=customer&purpose=newsletter", "bad-value", "id", 400},
		{"system=customer&id=&purpose=newsletter", "bad-value", "id", 400},
		{"system=customer&id=1&id=2&purpose=newsletter", "bad-value", "id", 400},
		{"system=customer&id=1&purpose=newsletter&lang=nn", "unknown-field", "lang", 400},
		{"system=customer&id=1&purpose=newsletter&%3Cscript%3E=1", "unknown-field", "", 400},
		{"system=customer&id=%zz&purpose=newsletter", "bad-query", "", 400},
		{"system=customer&id=a%00b&purpose=newsletter", "bad-value", "id", 400},
		{"system=customer&id=a%20b&purpose=newsletter", "bad-value", "id", 400},
		{"system=customer&id=%C3%B8&purpose=newsletter", "bad-value", "id", 400},
		{"system=customer&id=" + strings.Repeat("1", 129) + "&purpose=newsletter", "bad-value", "id", 400},
		{"system=custommer&id=1&purpose=newsletter", "unknown-system", "system", 404},
		{"system=customer&id=1&purpose=newsletters", "unknown-purpose", "purpose", 404},
		{"system=customer&id=1&purpose=%27%3B--", "unknown-purpose", "purpose", 404},
	} {
		a := c.get("/api/v1/may-i?" + q.query)
		if a.StatusCode != q.status || a.str("reason") != q.reason || a.str("field") != q.field {
			t.Errorf("%s: %d %s %s, want %d %s %s", q.query, a.StatusCode, a.str("reason"), a.str("field"), q.status, q.reason, q.field)
		}
	}
	for _, q := range []struct{ body, reason, field string }{
		{``, "not-json", ""},
		{`{`, "not-json", ""},
		{`null`, "bad-value", "pairs"},
		{`[]`, "bad-value", ""},
		{`{}`, "bad-value", "pairs"},
		{`{"pairs": []}`, "bad-value", "pairs"},
		{`{"pairs": {}}`, "bad-value", "pairs"},
		{`{"pairs": [{"system": "customer", "id": 1, "purpose": "newsletter"}]}`, "bad-value", "pairs.id"},
		{`{"pairs": [{"system": "customer", "id": "1", "purpose": "newsletter"}], "more": 1}`, "unknown-field", "more"},
		{`{"pairs": [{"system": "customer", "id": "1", "purpose": "newsletter"}]} {}`, "not-json", ""},
		{`{"pairs": [{"system": "customer", "id": "1", "purpose": "newsletter"}, {"system": "customer", "id": "1", "purpose": "x"}]}`, "unknown-purpose", "pairs.1.purpose"},
		{`{"pairs": [{"system": "x", "id": "1", "purpose": "newsletter"}]}`, "unknown-system", "pairs.0.system"},
		{`{"pairs": [{"system": "customer", "id": "", "purpose": "newsletter"}]}`, "bad-value", "pairs.0.id"},
		{`{"pairs": [null]}`, "unknown-purpose", "pairs.0.purpose"},
	} {
		a := c.post("/api/v1/may-i", q.body)
		if a.StatusCode != http.StatusBadRequest || a.str("reason") != q.reason || a.str("field") != q.field {
			t.Errorf("%s: %d %s %s, want %s %s", q.body, a.StatusCode, a.str("reason"), a.str("field"), q.reason, q.field)
		}
	}
	if a := c.with("Content-Type", "text/plain").post("/api/v1/may-i", `{}`); a.StatusCode != http.StatusBadRequest || a.str("reason") != "content-type" {
		t.Errorf("text/plain: %d %s", a.StatusCode, a.body)
	}
	for method, path := range map[string]string{"DELETE": "/api/v1/may-i", "PUT": "/api/v1/people/customer/1/choices"} {
		if a := c.do(method, path, nil); a.StatusCode != http.StatusMethodNotAllowed || a.Header.Get("Allow") == "" {
			t.Errorf("%s %s: %d", method, path, a.StatusCode)
		}
	}
	for _, path := range []string{"/api", "/api/", "/api/v1", "/api/v2/may-i", "/api/v1/people/customer/1"} {
		if a := c.get(path); a.StatusCode != http.StatusNotFound && path != "/api" {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
	}
}

// While the company's database is away a yes that depends on it is nobody's: 503.
// A no, and everything that doesn't depend on it, is answered.
func TestMayIWithoutTheCompanyDatabase(t *testing.T) {
	db := storetest.New(t)
	behind := *db
	behind.AppURL = db.CompanyURL
	company := behind.Outage(t)
	p := openOn(t, db, db.AppURL, company.AppURL)
	v := p.linked(t, "101010", "free")
	c := p.caller(t, "crm", web.ScopeMayI, web.ScopeChoicesRead)
	if a := c.get(mayI("customer", "101010", "contextual-ads")); a.m["allowed"] != true {
		t.Fatalf("%s", a.body)
	}
	company.Begin(t)
	pair := func(purposes ...string) map[string]any {
		var out []map[string]any
		for _, purpose := range purposes {
			out = append(out, map[string]any{"system": "customer", "id": "101010", "purpose": purpose})
		}
		return map[string]any{"pairs": out}
	}
	for _, id := range []string{"101010", "999999"} {
		a := c.get(mayI("customer", id, "contextual-ads"))
		if a.StatusCode != http.StatusServiceUnavailable || a.str("reason") != "company-away" || a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", id, a.StatusCode, a.body)
		}
	}
	if a := c.post("/api/v1/may-i", pair("newsletter", "contextual-ads")); a.StatusCode != http.StatusServiceUnavailable || a.str("field") != "pairs.1.purpose" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if a := c.get(choices("customer", "101010")); a.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if a := c.post("/api/v1/may-i", pair("newsletter", "profiling-marketing")); a.StatusCode != http.StatusOK {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	v.choose("contextual-ads") // an objection
	if a := c.get(mayI("customer", "101010", "contextual-ads")); a.StatusCode != http.StatusOK || a.m["allowed"] != false {
		t.Errorf("a no: %d %s", a.StatusCode, a.body)
	}
	company.End(t)
}

// The portal's own database away is 503 too, and never an answer.
func TestMayIWithoutTheDatabase(t *testing.T) {
	db := storetest.New(t)
	outage := db.Outage(t)
	p := openOn(t, db, outage.AppURL, db.CompanyURL)
	c := p.caller(t, "crm", everyScope...)
	outage.Begin(t)
	for _, a := range []said{c.get(mayI("customer", "101010", "profiling-marketing")),
		c.post("/api/v1/may-i", `{"pairs": [{"system": "customer", "id": "1", "purpose": "profiling-marketing"}]}`),
		c.get(choices("customer", "101010")), c.post(choices("customer", "101010"), `{"purpose": "newsletter", "decision": "withdraw"}`)} {
		if a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	}
	outage.End(t)
	if a := c.get(mayI("customer", "101010", "profiling-marketing")); a.m["allowed"] != true {
		t.Errorf("after the outage: %d %s", a.StatusCode, a.body)
	}
}

// Questions are counted by client, kind, purpose, person and day, and nobody is
// counted for an id that is nobody's.
func TestQuestionsAreCounted(t *testing.T) {
	p := open(t)
	v := p.linked(t, "101010", "free")
	crm, app := p.caller(t, "crm", everyScope...), p.caller(t, "app-backend", everyScope...)
	for range 3 {
		crm.get(mayI("customer", "101010", "newsletter"))
	}
	crm.post("/api/v1/may-i", `{"pairs": [{"system": "customer", "id": "101010", "purpose": "newsletter"}, {"system": "customer", "id": "101010", "purpose": "analytics"}, {"system": "customer", "id": "1", "purpose": "analytics"}]}`)
	app.get(mayI("innsyn", string(v.person), "newsletter"))
	app.get(choices("customer", "101010"))
	crm.get(mayI("customer", "101010", "nothing"))
	read := func() string {
		t.Helper()
		if err := p.store.WriteAsked(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := p.store.Asked(t.Context(), v.person, 100)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, a := range list {
			out = append(out, fmt.Sprintf("%s %s %s %s %d", a.Day.Format(time.DateOnly), a.Client, a.Kind, a.Purpose, a.Times))
		}
		return strings.Join(out, "; ")
	}
	if got, want := read(), "2026-11-24 app-backend choices  1; 2026-11-24 app-backend may-i newsletter 1; "+
		"2026-11-24 crm may-i analytics 1; 2026-11-24 crm may-i newsletter 4"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	p.pass(12 * time.Hour) // past midnight in Oslo
	crm = p.caller(t, "crm", web.ScopeMayI)
	crm.get(mayI("customer", "101010", "newsletter"))
	if got := read(); !strings.HasPrefix(got, "2026-11-25 crm may-i newsletter 1; ") {
		t.Error(got)
	}
	var n int
	if err := p.db.App(t).QueryRow("SELECT count(*) FROM asked").Scan(&n); err != nil || n != 5 {
		t.Errorf("%d rows, %v", n, err)
	}
}

// What waits to be counted is not lost when the database is away for a while, and
// not when the node ends in order.
func TestCountsWait(t *testing.T) {
	db := storetest.New(t)
	outage := db.Outage(t)
	p := openOn(t, db, outage.AppURL, db.CompanyURL)
	v := p.linked(t, "101010", "free")
	p.store.CountAsked("crm", store.AskedMayI, store.About{Person: v.person, Purpose: "newsletter"})
	outage.Begin(t)
	if err := p.store.WriteAsked(t.Context()); err == nil {
		t.Fatal("written without a database")
	}
	p.store.CountAsked("crm", store.AskedMayI, store.About{Person: v.person, Purpose: "newsletter"})
	outage.End(t)
	if err := p.store.Close(); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := db.App(t).QueryRow("SELECT sum(times) FROM asked WHERE person_ref = $1", v.person).Scan(&n); err != nil || n != 2 {
		t.Errorf("%d, %v", n, err)
	}
}

// A client that asks for too much at once waits, and nobody waits for it.
func TestTooManyAtOnce(t *testing.T) {
	db := storetest.New(t)
	p := openOn(t, db, db.AppURL, db.CompanyURL)
	v := p.linked(t, "101010", "free")
	token := p.api.token(t, "crm", []string{web.ScopeChoicesWrite}, spoilt{})
	other := p.caller(t, "app-backend", web.ScopeMayI)

	// Somebody holds the person's row: whoever records a choice waits for it.
	tx, err := db.App(t).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("SELECT FROM person WHERE person_ref = $1 FOR UPDATE", v.person); err != nil {
		t.Fatal(err)
	}
	const most = 64
	codes := make(chan int, 2*most)
	for range most + 1 {
		go func() {
			w := httptest.NewRecorder()
			r := httptest.NewRequest("POST", choices("innsyn", string(v.person)), strings.NewReader(`{"purpose": "newsletter", "decision": "withdraw"}`))
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "application/json")
			p.web.ServeHTTP(w, r)
			codes <- w.Code
		}()
	}
	if code := <-codes; code != http.StatusTooManyRequests { // the first that doesn't wait
		t.Errorf("one too many: %d", code)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	for range most {
		if code := <-codes; code != http.StatusCreated && code != http.StatusOK {
			t.Errorf("one of those that waited: %d", code)
		}
	}
	if a := other.get(mayI("customer", "101010", "newsletter")); a.StatusCode != http.StatusOK {
		t.Errorf("another client: %d", a.StatusCode)
	}
}
