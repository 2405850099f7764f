package web_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
	"elekt.no/innsyn/store/storetest"
	"elekt.no/innsyn/web"
)

// yes is a yes to the newsletter that is whole, changed by more.
func (p *portal) yes(t testing.TB, more map[string]any) map[string]any {
	t.Helper()
	pu, err := p.cat.Purpose("newsletter")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{"purpose": "newsletter", "decision": "give", "text": p.cat.Shown(pu, "nn").Hash().String(), "channel": "app",
		"occurred_at": p.clock().Add(-time.Minute).Format(time.RFC3339), "evidence": "app-dialog/8f14e45f"}
	for name, v := range more {
		if out[name] = v; v == nil {
			delete(out, name)
		}
	}
	return out
}

func (c *caller) once(key, match string) *caller {
	return c.with("Idempotency-Key", key).with("If-Match", match)
}

// What a person has chosen, with a version and an ETag that change when they choose
// anew and at no other time.
func TestChoicesAndTheirTag(t *testing.T) {
	p := open(t)
	v := p.linked(t, "101010", "free")
	c := p.caller(t, "crm", web.ScopeChoicesRead)
	first := c.get(choices("customer", "101010"))
	tag := first.Header.Get("ETag")
	if first.StatusCode != http.StatusOK || first.num("version") != 0 || first.m["known"] != true || first.str("person") != string(v.person) || tag == "" {
		t.Fatalf("%d %s %s", first.StatusCode, tag, first.body)
	}
	if n := len(first.m["choices"].([]any)); n != len(p.cat.Purposes) {
		t.Errorf("%d purposes", n)
	}
	if cc := first.Header.Get("Cache-Control"); cc != "private, no-cache" {
		t.Errorf("Cache-Control %q", cc)
	}
	for _, known := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
		if a := c.with("If-None-Match", known).get(choices("customer", "101010")); a.StatusCode != http.StatusNotModified || a.Header.Get("ETag") != tag || len(a.body) > 0 {
			t.Errorf("If-None-Match %s: %d", known, a.StatusCode)
		}
	}
	if a := c.get(choices("innsyn", string(v.person))); a.Header.Get("ETag") != tag {
		t.Errorf("by the portal's own reference: %s", a.Header.Get("ETag"))
	}
	v.choose("newsletter")
	second := c.with("If-None-Match", tag).get(choices("customer", "101010"))
	if second.StatusCode != http.StatusOK || second.num("version") != 1 || second.Header.Get("ETag") == tag {
		t.Errorf("after a choice: %d %d", second.StatusCode, second.num("version"))
	}
	for _, one := range second.m["choices"].([]any) {
		m := one.(map[string]any)
		if m["purpose"] == "newsletter" && (m["decision"] != "give" || m["state"] != "on" || m["channel"] != "web" || m["language"] != "nb" || m["text"] == nil || m["at"] == nil) {
			t.Errorf("%v", m)
		}
		if m["purpose"] == "analytics" && (m["decision"] != nil || m["at"] != nil || m["allowed"] != false) {
			t.Errorf("%v", m)
		}
	}
	// The plan changes what conditions say, so it changes the tag.
	owner := p.db.Owner(t)
	for _, q := range []string{"SET ROLE elekt_owner", "UPDATE elekt.customer SET plan = 'plus'", "RESET ROLE"} {
		if _, err := owner.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if a := c.with("If-None-Match", second.Header.Get("ETag")).get(choices("customer", "101010")); a.StatusCode != http.StatusOK {
		t.Errorf("after another plan: %d", a.StatusCode)
	}
	// Nobody, and a reference that nobody has.
	if a := c.get(choices("customer", "999999")); a.StatusCode != http.StatusOK || a.m["known"] != false || a.m["person"] != nil || a.num("version") != 0 {
		t.Errorf("nobody: %d %s", a.StatusCode, a.body)
	}
	if a := c.get(choices("innsyn", strings.Repeat("a", 26))); a.StatusCode != http.StatusNotFound || a.str("reason") != "unknown-person" {
		t.Errorf("no such reference: %d %s", a.StatusCode, a.body)
	}
	if a := c.get(choices("custommer", "1")); a.StatusCode != http.StatusNotFound || a.str("reason") != "unknown-system" {
		t.Errorf("no such system: %d", a.StatusCode)
	}
	if a := c.get(choices("customer", "a%2Fb") + "?x=1"); a.StatusCode != http.StatusBadRequest {
		t.Errorf("a parameter: %d", a.StatusCode)
	}
	if a := c.get(choices("customer", "a%2Fb")); a.StatusCode != http.StatusOK {
		t.Errorf("an id with a slash: %d %s", a.StatusCode, a.body)
	}
}

// A customer who was never here: a yes at sign-up makes them known, with ledger
// entry, proof, deliveries; the answer is yes at once; their first login finds it.
func TestSignUp(t *testing.T) {
	p := open(t)
	p.customer(t, "101010", "free")
	c := p.caller(t, "app-backend", everyScope...)
	tag := c.get(choices("customer", "101010")).Header.Get("ETag")
	a := c.once("signup-1", tag).post(choices("customer", "101010"), p.yes(t, nil))
	if a.StatusCode != http.StatusCreated || a.m["changed"] != true || a.m["repeated"] != false || a.num("version") != 1 || a.m["allowed"] != true {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	person := privacy.PersonRef(a.str("person"))
	if b := c.get(mayI("customer", "101010", "newsletter")); b.m["allowed"] != true || b.num("version") != 1 || b.m["known"] != true {
		t.Errorf("%s", b.body)
	}
	history, err := p.store.History(t.Context(), person, "newsletter")
	if err != nil || len(history) != 1 {
		t.Fatalf("%d entries, %v", len(history), err)
	}
	e := history[0].Entry
	if e.Channel != privacy.ChannelApp || e.Actor != privacy.ActorPerson || e.Language != "nn" || !e.At.Equal(p.clock().Add(-time.Minute)) || history[0].Shown.Language != "nn" {
		t.Errorf("%+v", e)
	}
	deliveries, err := p.store.Deliveries(t.Context(), person, "newsletter")
	if err != nil || len(deliveries) == 0 {
		t.Errorf("%d deliveries, %v", len(deliveries), err)
	}
	var client, key, proof, how string
	if err := p.db.App(t).QueryRow(`SELECT client, key, r.evidence, l.evidence FROM recorded_choice r JOIN person_link l USING (person_ref)
		JOIN ledger_leaf USING (leaf_id) WHERE person_ref = $1`, person).Scan(&client, &key, &proof, &how); err != nil ||
		client != "app-backend" || key != "signup-1" || proof != "app-dialog/8f14e45f" || how != "system" {
		t.Errorf("%s %s %s %s, %v", client, key, proof, how, err)
	}

	// They log in, and it is them.
	in, err := p.store.LogIn(t.Context(), store.Identity{Provider: "bankid", Issuer: "x", Subject: "s", Assurance: privacy.AssuranceHigh},
		store.Match{Found: []store.Customer{{No: "101010"}}, Evidence: store.EvidenceNationalID}, time.Time{})
	if err != nil || in.Person != person || !in.NewPerson {
		t.Fatalf("logged in as %s, %v; recorded for %s", in.Person, err, person)
	}
	v := p.visit(t)
	v.person = person
	p.session(t, v, in.Login, privacy.AssuranceHigh)
	if b := v.get("/consents/newsletter"); b.StatusCode != http.StatusOK || !strings.Contains(b.body, `aria-checked="true"`) {
		t.Errorf("their page: %d", b.StatusCode)
	}
	// The next who claims the record is somebody else, and doesn't become them.
	in2, err := p.store.LogIn(t.Context(), store.Identity{Provider: "bankid", Issuer: "x", Subject: "s2", Assurance: privacy.AssuranceHigh},
		store.Match{Found: []store.Customer{{No: "101010"}}, Evidence: store.EvidencePhone}, time.Time{})
	if err != nil || in2.Person == person || in2.Match != store.LinkTaken {
		t.Errorf("the second: %+v, %v", in2, err)
	}
	p.verify(t)
}

// A yes that lacks something, or comes too late, is refused and leaves nothing.
func TestYesIsProved(t *testing.T) {
	p := open(t)
	v := p.linked(t, "101010", "free")
	c := p.caller(t, "app-backend", everyScope...)
	tag := c.get(choices("customer", "101010")).Header.Get("ETag")
	pu, err := p.cat.Purpose("analytics")
	if err != nil {
		t.Fatal(err)
	}
	foreign := p.cat.Shown(pu, "nb").Hash().String()
	before := p.rows(t)
	for name, q := range map[string]struct {
		more          map[string]any
		key, match    string
		status        int
		reason, field string
	}{
		"no text":                  {map[string]any{"text": nil}, "k", tag, 400, "bad-value", "text"},
		"half a hash":              {map[string]any{"text": "abc"}, "k", tag, 400, "bad-value", "text"},
		"a text that isn't known":  {map[string]any{"text": strings.Repeat("0", 64)}, "k", tag, 400, "unknown-text", "text"},
		"another purpose's text":   {map[string]any{"text": foreign}, "k", tag, 400, "unknown-text", "text"},
		"no proof":                 {map[string]any{"evidence": nil}, "k", tag, 400, "bad-value", "evidence"},
		"an address as proof":      {map[string]any{"evidence": "kari@example.com"}, "k", tag, 400, "bad-value", "evidence"},
		"a long proof":             {map[string]any{"evidence": strings.Repeat("a", 201)}, "k", tag, 400, "bad-value", "evidence"},
		"no time":                  {map[string]any{"occurred_at": nil}, "k", tag, 400, "bad-value", "occurred_at"},
		"a day":                    {map[string]any{"occurred_at": "2026-11-24"}, "k", tag, 400, "bad-value", "occurred_at"},
		"tomorrow":                 {map[string]any{"occurred_at": "2026-11-25T13:00:00Z"}, "k", tag, 400, "bad-value", "occurred_at"},
		"long ago":                 {map[string]any{"occurred_at": "0001-01-01T00:00:00Z"}, "k", tag, 400, "bad-value", "occurred_at"},
		"no key":                   {nil, "", tag, 400, "idempotency-key", "Idempotency-Key"},
		"a key with a space":       {nil, "a b", tag, 400, "idempotency-key", "Idempotency-Key"},
		"no If-Match":              {nil, "k", "", 400, "if-match", "If-Match"},
		"any version":              {nil, "k", "*", 400, "if-match", "If-Match"},
		"a weak tag":               {nil, "k", "W/" + tag, 400, "if-match", "If-Match"},
		"another version":          {nil, "k", `"1"`, 412, "stale-version", "If-Match"},
		"an unknown purpose":       {map[string]any{"purpose": "newsletters"}, "k", tag, 400, "unknown-purpose", "purpose"},
		"a purpose without choice": {map[string]any{"purpose": "user-profile"}, "k", tag, 400, "no-choice", "purpose"},
		"a decision of another":    {map[string]any{"decision": "retract"}, "k", tag, 400, "bad-value", "decision"},
		"no decision":              {map[string]any{"decision": nil}, "k", tag, 400, "bad-value", "decision"},
		"an unknown language":      {map[string]any{"language": "sv"}, "k", tag, 400, "bad-value", "language"},
		"an unknown channel":       {map[string]any{"channel": "fax"}, "k", tag, 400, "bad-value", "channel"},
		"the importer's channel":   {map[string]any{"channel": "import"}, "k", tag, 400, "bad-value", "channel"},
		"a yes by signal":          {map[string]any{"channel": "gpc"}, "k", tag, 400, "bad-value", "channel"},
		"staff without a name":     {map[string]any{"channel": "staff"}, "k", tag, 400, "bad-value", "staff"},
		"staff with an address":    {map[string]any{"channel": "staff", "staff": "ola@elekt.no"}, "k", tag, 400, "bad-value", "staff"},
		"staff in the app":         {map[string]any{"staff": "k-1"}, "k", tag, 400, "bad-value", "staff"},
		"a word too many":          {map[string]any{"note": "x"}, "k", tag, 400, "unknown-field", "note"},
		"a number":                 {map[string]any{"evidence": 1}, "k", tag, 400, "bad-value", "evidence"},
		"dormant":                  {map[string]any{"purpose": "business-transfer"}, "k", tag, 400, "no-choice", "purpose"},
	} {
		a := c.once(q.key, q.match).post(choices("customer", "101010"), p.yes(t, q.more))
		if a.StatusCode != q.status || a.str("reason") != q.reason || a.str("field") != q.field {
			t.Errorf("%s: %d %s %s, want %d %s %s", name, a.StatusCode, a.str("reason"), a.str("field"), q.status, q.reason, q.field)
		}
	}
	for _, body := range []string{"", "[]", "null", `"x"`, "{", `{"purpose": "newsletter", "decision": "give"} x`} {
		if a := c.once("k", tag).post(choices("customer", "101010"), body); a.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", body, a.StatusCode)
		}
	}
	if a := c.once("k", tag).post(choices("customer", "101010"), p.yes(t, map[string]any{"evidence": strings.Repeat("a", 70<<10)})); a.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("too long: %d", a.StatusCode)
	}
	if a := c.once("k", tag).post(choices("innsyn", strings.Repeat("a", 26)), p.yes(t, nil)); a.StatusCode != http.StatusNotFound || a.str("reason") != "unknown-person" {
		t.Errorf("a reference that nobody has: %d %s", a.StatusCode, a.body)
	}
	// A person who would only be made for a yes that is refused isn't.
	if a := c.once("k", `"5"`).post(choices("customer", "555555"), p.yes(t, nil)); a.StatusCode != http.StatusPreconditionFailed {
		t.Errorf("%d", a.StatusCode)
	}
	if after := p.rows(t); after != before {
		t.Errorf("written: %s, before %s", after, before)
	}
	// What the person decided since wins over a yes from before.
	p.pass(time.Minute)
	v.choose("newsletter")
	v.choose("newsletter")
	if a := c.once("k", `"2"`).post(choices("customer", "101010"), p.yes(t, map[string]any{"occurred_at": p.clock().Add(-time.Hour).Format(time.RFC3339)})); a.StatusCode != http.StatusConflict || a.str("reason") != "older-than-choice" {
		t.Errorf("an old yes: %d %s", a.StatusCode, a.body)
	}
	p.verify(t)
}

// A yes to an older text counts while the purpose is the same in substance, with the
// revision that was shown; else it is refused.
func TestYesToAnOlderText(t *testing.T) {
	p := open(t)
	p.customer(t, "101010", "free")
	c := p.caller(t, "app-backend", everyScope...)
	body := p.yes(t, nil)
	pu, err := p.cat.Purpose("newsletter")
	if err != nil {
		t.Fatal(err)
	}
	was := pu.Revision
	pu.Revision++ // the catalogue moves on; the portal still shows what it was built with
	pu.Texts.NB.Summary += " Nytt."
	pu.Texts.NN.Summary += " Nytt."
	if a := c.once("k1", `"0"`).post(choices("customer", "101010"), body); a.StatusCode != http.StatusCreated || a.m["allowed"] != true {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	s, err := p.store.Standing(t.Context(), "customer", "101010")
	if err != nil || s.Choices["newsletter"].Revision != was {
		t.Errorf("%+v, %v", s.Choices["newsletter"], err)
	}
	pu.Material = pu.Revision
	p.customer(t, "101011", "free")
	if a := c.once("k2", `"0"`).post(choices("customer", "101011"), body); a.StatusCode != http.StatusConflict || a.str("reason") != "stale-text" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	p.verify(t)
}

// A no is taken whatever is missing or wrong beside it.
func TestNoIsAlwaysTaken(t *testing.T) {
	p := open(t)
	c := p.caller(t, "app-backend", everyScope...)
	for i, more := range []map[string]any{
		{},
		{"text": "nonsense"}, {"text": strings.Repeat("0", 64)}, {"language": "xx"}, {"language": "en"}, {"evidence": "a b"}, {"evidence": "tel/1"},
		{"occurred_at": "yesterday"}, {"occurred_at": "2030-01-01T00:00:00Z"}, {"occurred_at": "0001-01-01T00:00:00Z"}, {"occurred_at": "2026-11-24T13:00:00+01:00"},
		{"decision": "refuse"}, {"decision": "object"}, {"channel": "staff", "staff": "k-4127"}, {"channel": "web"},
	} {
		no := fmt.Sprint(300000 + i)
		person := ""
		if i%2 == 0 { // they said yes before, and choices moved on
			a := c.once(fmt.Sprint("yes-", i), `"0"`).post(choices("customer", no), p.yes(t, nil))
			if person = a.str("person"); a.StatusCode != http.StatusCreated {
				t.Fatalf("%d %s", a.StatusCode, a.body)
			}
		}
		body := map[string]any{"purpose": "newsletter", "decision": "withdraw"}
		maps.Copy(body, more)
		a := c.with("If-Match", `"99"`).post(choices("customer", no), body)
		want := "refuse"
		if person != "" {
			want = "withdraw"
		}
		if a.StatusCode != http.StatusCreated || a.m["allowed"] != false || a.str("state") != "off" || a.str("decision") != want || person != "" && a.str("person") != person {
			t.Errorf("%v: %d %s", more, a.StatusCode, a.body)
		}
		if b := c.get(mayI("customer", no, "newsletter")); b.m["allowed"] != false {
			t.Errorf("%v: %s", more, b.body)
		}
		// Again: it is so already.
		if a := c.post(choices("customer", no), body); a.StatusCode != http.StatusOK || a.m["changed"] != false || a.m["repeated"] != false {
			t.Errorf("%v again: %d %s", more, a.StatusCode, a.body)
		}
	}
	// By telephone, to marketing; and an objection that a human assesses.
	a := c.post(choices("customer", "400000"), map[string]any{"purpose": "direct-marketing-customer", "decision": "object", "channel": "staff", "staff": "k-4127"})
	if a.StatusCode != http.StatusCreated || a.str("state") != "off" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	h, err := p.store.History(t.Context(), privacy.PersonRef(a.str("person")), "direct-marketing-customer")
	if err != nil || len(h) != 1 || h[0].Entry.Actor != "staff:k-4127" || h[0].Entry.Channel != privacy.ChannelStaff {
		t.Errorf("%+v, %v", h, err)
	}
	if a := c.post(choices("customer", "400000"), map[string]any{"purpose": "home-breakdown", "decision": "withdraw"}); a.StatusCode != http.StatusCreated || a.str("state") != "paused" || a.str("decision") != "object" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if a := c.post(choices("customer", "400000"), map[string]any{"purpose": "personalised-ads", "decision": "withdraw", "channel": "gpc"}); a.StatusCode != http.StatusCreated {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if a := c.post(choices("customer", "400000"), map[string]any{"purpose": "newsletter", "decision": "withdraw", "channel": "gpc"}); a.StatusCode != http.StatusBadRequest {
		t.Errorf("a signal that doesn't speak of this: %d %s", a.StatusCode, a.body)
	}
	var open int
	if err := p.db.App(t).QueryRow("SELECT count(*) FROM request WHERE kind = 'objection' AND state = 'open'").Scan(&open); err != nil || open != 1 {
		t.Errorf("%d cases, %v", open, err)
	}
	p.verify(t)
}

// A no doesn't wait for the company's database, and the objection to something
// conditional neither.
func TestNoWithoutTheCompanyDatabase(t *testing.T) {
	db := storetest.New(t)
	behind := *db
	behind.AppURL = db.CompanyURL
	company := behind.Outage(t)
	p := openOn(t, db, db.AppURL, company.AppURL)
	p.customer(t, "101010", "free")
	c := p.caller(t, "app-backend", everyScope...)
	company.Begin(t)
	a := c.post(choices("customer", "101010"), map[string]any{"purpose": "contextual-ads", "decision": "object"})
	if a.StatusCode != http.StatusCreated || a.m["allowed"] != false {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	back := map[string]any{"purpose": "contextual-ads", "decision": "retract", "occurred_at": p.clock().Format(time.RFC3339), "evidence": "x"}
	pu, err := p.cat.Purpose("contextual-ads")
	if err != nil {
		t.Fatal(err)
	}
	back["text"] = p.cat.Shown(pu, "nb").Hash().String()
	if a := c.once("k", `"1"`).post(choices("customer", "101010"), back); a.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("taking it back: %d %s", a.StatusCode, a.body)
	}
	company.End(t)
	if a := c.once("k", `"1"`).post(choices("customer", "101010"), back); a.StatusCode != http.StatusCreated || a.m["allowed"] != true {
		t.Errorf("taking it back: %d %s", a.StatusCode, a.body)
	}
}

// The same key is one request: told again, by the same client, it gets the same
// answer and writes nothing; told something else, it is refused. Another client's
// keys are its own.
func TestIdempotencyKeys(t *testing.T) {
	p := open(t)
	p.customer(t, "101010", "free")
	c, other := p.caller(t, "app-backend", everyScope...), p.caller(t, "crm", everyScope...)
	body := p.yes(t, nil)
	first := c.once("k", `"0"`).post(choices("customer", "101010"), body)
	if first.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", first.StatusCode, first.body)
	}
	before := p.rows(t)
	again := c.once("k", `"0"`).post(choices("customer", "101010"), body)
	if again.StatusCode != http.StatusCreated || again.m["repeated"] != true || again.num("version") != first.num("version") || again.str("person") != first.str("person") {
		t.Errorf("again: %d %s", again.StatusCode, again.body)
	}
	for name, a := range map[string]said{
		"another proof":  c.once("k", `"1"`).post(choices("customer", "101010"), p.yes(t, map[string]any{"evidence": "other"})),
		"another person": c.once("k", `"0"`).post(choices("customer", "101011"), body),
		"a no":           c.once("k", `"1"`).post(choices("customer", "101010"), map[string]any{"purpose": "newsletter", "decision": "withdraw"}),
	} {
		if a.StatusCode != http.StatusConflict || a.str("reason") != "key-reused" {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
	if after := p.rows(t); after != before {
		t.Errorf("written: %s, before %s", after, before)
	}
	// Another client with the same key: a request of its own, which changes nothing here.
	if a := other.once("k", `"1"`).post(choices("customer", "101010"), body); a.StatusCode != http.StatusOK || a.m["repeated"] != false || a.m["changed"] != false {
		t.Errorf("another client: %d %s", a.StatusCode, a.body)
	}
	if a := other.once("k", `"0"`).post(choices("customer", "101012"), body); a.StatusCode != http.StatusConflict {
		t.Errorf("another client's second: %d", a.StatusCode)
	}
	// What came later stands when the first is told again: the answer says what holds.
	if a := c.post(choices("customer", "101010"), map[string]any{"purpose": "newsletter", "decision": "withdraw"}); a.StatusCode != http.StatusCreated {
		t.Fatalf("%d", a.StatusCode)
	}
	if a := c.once("k", `"0"`).post(choices("customer", "101010"), body); a.StatusCode != http.StatusCreated || a.m["repeated"] != true || a.m["allowed"] != false || a.str("decision") != "give" {
		t.Errorf("after a no: %d %s", a.StatusCode, a.body)
	}
	p.verify(t)
}

// Twenty at once with one key make one entry; twenty first choices of somebody new
// make one person.
func TestRecordedAtOnce(t *testing.T) {
	p := open(t)
	c := p.caller(t, "app-backend", everyScope...)
	body := p.yes(t, nil)
	purposes := []string{"newsletter", "analytics", "crash-reporting", "personalised-ads", "interest-list"}
	var mu sync.Mutex
	people, fresh := map[string]bool{}, 0
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			a := c.once("same", `"0"`).post(choices("customer", "101010"), body)
			b := c.post(choices("app-account", "acc-1"), map[string]any{"purpose": purposes[i%len(purposes)], "decision": "withdraw"})
			mu.Lock()
			defer mu.Unlock()
			if a.StatusCode != http.StatusCreated {
				t.Errorf("%d %s", a.StatusCode, a.body)
			}
			if a.m["repeated"] == false {
				fresh++
			}
			people[b.str("person")] = true
		})
	}
	wg.Wait()
	if fresh != 1 || len(people) != 1 {
		t.Errorf("%d recorded, %d people", fresh, len(people))
	}
	p.verify(t)
}

// What to show, with the hash that a yes must name.
func TestTexts(t *testing.T) {
	p := open(t)
	c := p.caller(t, "app-backend", everyScope...)
	pu, err := p.cat.Purpose("newsletter")
	if err != nil {
		t.Fatal(err)
	}
	for query, lang := range map[string]string{"": "nb", "?language=nn": "nn", "?language=en": "en"} {
		a := c.get("/api/v1/texts/newsletter" + query)
		want := p.cat.Shown(pu, lang)
		if a.StatusCode != http.StatusOK || a.str("hash") != want.Hash().String() || a.str("language") != lang ||
			a.m["text"].(map[string]any)["title"] != want.Text.Title || a.Header.Get("ETag") != `"`+want.Hash().String()+`"` {
			t.Errorf("%s: %d %s", query, a.StatusCode, a.body)
		}
		if b := c.with("If-None-Match", a.Header.Get("ETag")).get("/api/v1/texts/newsletter" + query); b.StatusCode != http.StatusNotModified {
			t.Errorf("%s: %d", query, b.StatusCode)
		}
	}
	for path, status := range map[string]int{"newsletter?language=sv": 400, "newsletter?lang=x&language=nb": 400, "newsletters": 404, "%00": 404} {
		if a := c.get("/api/v1/texts/" + path); a.StatusCode != status {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
	}
}
