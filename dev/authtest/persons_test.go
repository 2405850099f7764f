package authtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"elekt.no/innsyn/auth"
	"elekt.no/innsyn/dev/demo"
	"elekt.no/innsyn/dev/idp"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// withNIN lets Vipps hand out identity numbers too.
func withNIN(o *auth.Options) {
	o.Providers[1].Scopes = []string{"openid", "name", "phoneNumber", "birthDate", "nin"}
}

// (issuer, stable subject) is the login: BankID's sub changes from login to
// login, its altsub doesn't. (checklist 24)
func TestSamePersonAgain(t *testing.T) {
	w := newWorld(t)
	first := w.browser().mustLogin("bankid", "ingrid")
	if again := w.browser().mustLogin("bankid", "ingrid"); again.Person != first.Person {
		t.Error("another person at the second login")
	}
	if other := w.browser().mustLogin("bankid", "amund"); other.Person == first.Person {
		t.Error("two people are one")
	}
	if n := w.count(`SELECT count(*) FROM login`); n != 2 {
		t.Errorf("%d logins", n)
	}
}

// The same identity number, attested by both at substantial or better, is the
// same person; the same telephone, e-mail and name are not. (checklist 24)
func TestSecondLogin(t *testing.T) {
	w := newWorld(t, withNIN)
	first := w.browser().mustLogin("bankid", "ingrid")
	b := w.browser()
	p := b.login("vipps", "ingrid")
	if !strings.Contains(p.Header.Get("X-Outcome"), "new=false login=true") {
		t.Errorf("outcome %q", p.Header.Get("X-Outcome"))
	}
	if me, _ := b.who(); me.Person != first.Person {
		t.Error("the same identity number makes another person")
	}
	if n := w.count(`SELECT count(*) FROM auth_event WHERE kind = 'login-added' AND provider = 'vipps' AND person_ref = $1`, first.Person); n != 1 {
		t.Errorf("%d events", n)
	}
	if p := w.browser().login("vipps", "ingrid"); !strings.Contains(p.Header.Get("X-Outcome"), "new=false login=false") {
		t.Errorf("the third time: %q", p.Header.Get("X-Outcome"))
	}

	plain := newWorld(t) // Vipps without numbers: telephone and name are the same
	first = plain.browser().mustLogin("bankid", "ingrid")
	b = plain.browser()
	p = b.login("vipps", "ingrid")
	if me, ok := b.who(); !ok || me.Person == first.Person {
		t.Error("telephone or name made two logins one person")
	}
	if !strings.Contains(p.Header.Get("X-Outcome"), "match=taken") {
		t.Errorf("the record of another person: %q", p.Header.Get("X-Outcome"))
	}

	weak := newWorld(t, withNIN) // a number that only a weak login gives counts for nothing
	first = weak.browser().mustLogin("bankid", "ingrid")
	b = weak.browser()
	b.loginWith("vipps", "ingrid", idp.FaultLowerAssurance, "")
	if me, ok := b.who(); !ok || me.Person == first.Person || me.Assurance != privacy.AssuranceLow {
		t.Errorf("a weak login: %v %+v", ok, me)
	}
	if n := weak.count(`SELECT count(*) FROM login WHERE provider = 'vipps' AND nin_hash IS NOT NULL`); n != 0 {
		t.Error("the number of a weak login was kept")
	}
}

// The customer record: none, one, several, by number and by telephone.
func TestCustomerRecord(t *testing.T) {
	plain, numbers := newWorld(t), newWorld(t, withNIN)
	for _, c := range []struct {
		name, provider, person, fault string
		w                             *world
		match, no                     string
		evidence                      store.Evidence
	}{
		{"one by number", "bankid", "ingrid", "", plain, "made", "100245", store.EvidenceNationalID},
		{"one by a D-number", "bankid", "piotr", "", plain, "made", "101290", store.EvidenceNationalID},
		{"one by a number of the rules of 2032", "bankid", "berit", "", plain, "made", "101748", store.EvidenceNationalID},
		{"one by telephone", "vipps", "jonas", "", plain, "made", "100402", store.EvidencePhone},
		{"none", "bankid", "kari", "", plain, "none", "", ""},
		{"none without a number", "bankid", "halvor", "", plain, "none", "", ""},
		{"none at low level, though number and telephone fit", "vipps", "amund", idp.FaultLowerAssurance, numbers, "none", "", ""},
		{"several by number", "bankid", "bjarne", "", plain, "several", "", ""},
		{"several by telephone", "vipps", "marit", "", plain, "several", "", ""},
		{"several by telephone, the number finds none", "vipps", "marit", "", numbers, "several", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := c.w
			w.t = t
			b := w.browser()
			p := b.loginWith(c.provider, c.person, c.fault, "")
			if !strings.HasSuffix(p.Header.Get("X-Outcome"), "match="+c.match) {
				t.Errorf("outcome %q, want match=%s", p.Header.Get("X-Outcome"), c.match)
			}
			me, ok := b.who()
			if !ok {
				t.Fatal("nobody is logged in")
			}
			person := privacy.PersonRef(me.Person)
			customer, err := w.store.Customer(t.Context(), person)
			if c.no == "" {
				if privacy.KindOf(err) != privacy.NotFound || customer != nil {
					t.Errorf("a record is shown: %v %v", customer, err)
				}
			} else if err != nil || customer.No != c.no || customer.Link == "" {
				t.Errorf("record %+v, %v", customer, err)
			}
			if n := w.count(`SELECT count(*) FROM person_link WHERE person_ref = $1 AND evidence = $2`, me.Person, string(c.evidence)); n != map[bool]int{true: 1}[c.no != ""] {
				t.Errorf("%d links", n)
			}
			open, err := w.store.MatchRequestOpen(t.Context(), person)
			if err != nil || open != (c.match == "several") {
				t.Errorf("request open: %v %v", open, err)
			}
			b.loginWith(c.provider, c.person, c.fault, "") // again: nothing new
			if n := w.count(`SELECT count(*) FROM request WHERE person_ref = $1`, me.Person); n != map[bool]int{true: 1}[open] {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// What the record holds, and the facts that conditions depend on.
func TestCustomer(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		person     string
		plus, shop bool
	}{{"ingrid", true, true}, {"amund", false, false}, {"jonas", false, true}, {"linnea", true, false}} {
		me := w.browser().mustLogin("bankid", c.person)
		customer, err := w.store.Customer(t.Context(), privacy.PersonRef(me.Person))
		if err != nil {
			t.Fatal(err)
		}
		want := demo.CustomersOf(c.person)[0]
		if got := customer.Circumstances(); got != (privacy.Circumstances{Plus: c.plus, Shop: c.shop}) {
			t.Errorf("%s: %+v", c.person, got)
		}
		if customer.Email != want.Email || customer.Phone != want.Phone || customer.GivenName != want.GivenName ||
			customer.Protected != want.Protected || customer.Language != want.Language || customer.Street != want.Address.Street ||
			customer.BirthDate.Format(time.DateOnly) != want.BirthDate || customer.Plan != want.Plan {
			t.Errorf("%+v, want %+v", customer, want)
		}
	}
}

// A link taken back stays taken back, and what was shown is known.
func TestLinkTakenBack(t *testing.T) {
	w := newWorld(t)
	me := w.browser().mustLogin("bankid", "ingrid")
	person := privacy.PersonRef(me.Person)
	customer, err := w.store.Customer(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"/overview", "/consents", "/overview"} {
		if err := w.store.NoteShown(t.Context(), customer.Link, page); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.store.EndLink(t.Context(), customer.Link, "wrong-record"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Customer(t.Context(), person); privacy.KindOf(err) != privacy.NotFound {
		t.Errorf("the record is still shown: %v", err)
	}
	shown, err := w.store.ShownThrough(t.Context(), customer.Link)
	if err != nil || len(shown) != 2 || shown[0].Page != "/consents" && shown[0].Page != "/overview" || shown[0].Times != 1 {
		t.Errorf("shown: %+v %v", shown, err)
	}
	b := w.browser()
	if p := b.login("bankid", "ingrid"); !strings.HasSuffix(p.Header.Get("X-Outcome"), "match=none") {
		t.Errorf("the same evidence made the link again: %q", p.Header.Get("X-Outcome"))
	}
	if r, err := w.store.Link(t.Context(), person, customer.No, store.EvidenceStaff); err != nil || r != store.LinkMade {
		t.Errorf("a human may make it again: %s %v", r, err)
	}
	if err := w.store.EndLink(t.Context(), customer.Link, "again"); privacy.KindOf(err) != privacy.NotFound {
		t.Errorf("an ended link was ended again: %v", err)
	}
}

// The company's database away: the login works, and "no record" isn't said.
func TestCompanyAway(t *testing.T) {
	w := newWorld(t)
	w.company.Begin(t)
	b := w.browser()
	p := b.login("bankid", "ingrid")
	if !strings.HasSuffix(p.Header.Get("X-Outcome"), "match=away") {
		t.Errorf("outcome %q", p.Header.Get("X-Outcome"))
	}
	me, ok := b.who()
	if !ok {
		t.Fatal("nobody is logged in")
	}
	// A child must not slip through without its case.
	child := w.browser()
	child.mustRefuse(child.login("bankid", "tuva"), 503, "error.company-away", "company-away")

	w.company.End(t)
	r, err := w.auth.FindCustomer(t.Context(), &auth.Session{Person: privacy.PersonRef(me.Person)})
	if err != nil || r != store.LinkMade {
		t.Errorf("looked again: %s %v", r, err)
	}
}

// A child is stopped before anything is stored; what the company knows becomes a
// case. law: personopplysningsloven § 5
func TestChild(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		person, fault string
		cases         int
	}{{"storm", "", 0}, {"tuva", "", 1}, {"tuva", "", 1}, {"ingrid", idp.FaultChild, 2}} {
		b := w.browser()
		b.mustRefuse(b.loginWith("bankid", c.person, c.fault, ""), 403, "login.fault.child", "too-young")
		if n := w.count(`SELECT count(*) FROM child_case`); n != c.cases {
			t.Errorf("%s: %d cases, want %d", c.person, n, c.cases)
		}
	}
	if n := w.count(`SELECT (SELECT count(*) FROM person) + (SELECT count(*) FROM login) + (SELECT count(*) FROM session) + (SELECT count(*) FROM person_link)`); n != 0 {
		t.Errorf("%d rows of children", n)
	}
	if n := w.count(`SELECT count(*) FROM child_case WHERE system = 'customer' AND external_id = '100964' AND due_on > opened_at::date AND closed_at IS NULL`); n != 1 {
		t.Error("Tuva's record has no case")
	}
	if n := w.count(`SELECT count(*) FROM auth_event WHERE kind = 'login-stopped' AND person_ref IS NULL AND reason = 'too-young'`); n != 4 {
		t.Errorf("%d events", n)
	}
	if strings.Contains(w.log.String(), "Tuva") || strings.Contains(w.log.String(), "11861864261") {
		t.Error("the log holds the child")
	}

	// Somebody who came in before the age was known: the sessions end too.
	older := newWorld(t)
	b := older.browser()
	older.browser().mustLogin("bankid", "amund")
	me := b.mustLogin("bankid", "amund")
	p := older.browser().loginWith("bankid", "amund", idp.FaultChild, "")
	if p.Status != 403 {
		t.Errorf("%d %s", p.Status, p.Body)
	}
	if _, ok := b.who(); ok {
		t.Error("a child's earlier session goes on")
	}
	if n := older.count(`SELECT count(*) FROM child_case WHERE system = 'innsyn' AND external_id = $1`, me.Person); n != 1 {
		t.Errorf("%d cases", n)
	}
}

// No birth date: nothing is stored until the person has said that they are old
// enough, and a no is a child.
func TestAgeDeclaration(t *testing.T) {
	w := newWorld(t)
	rows := func() int {
		return w.count(`SELECT (SELECT count(*) FROM person) + (SELECT count(*) FROM login) + (SELECT count(*) FROM session)`)
	}
	ask := func(b *browser, person string) auth.PendingAge {
		t.Helper()
		p := b.loginWith("bankid", person, idp.FaultNoBirthDate, "&to=/consents")
		if p.Status != 303 || p.to() != "/age" {
			t.Fatalf("%d %s %s", p.Status, p.to(), p.Body)
		}
		var pending auth.PendingAge
		if a := b.get("/age"); a.Status != 200 || json.Unmarshal([]byte(a.Body), &pending) != nil {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		return pending
	}
	answer := func(b *browser, token, old string) page {
		return b.post("/age", url.Values{"token": {token}, "old": {old}})
	}

	b := w.browser()
	pending := ask(b, "kari")
	if pending.GivenName != "Kari" || pending.Least != 13 || pending.Token == "" {
		t.Errorf("%+v", pending)
	}
	if _, ok := b.who(); ok || rows() != 0 {
		t.Errorf("%d rows before the answer", rows())
	}
	if p := answer(b, "", "yes"); p.Status != 403 || p.Body != "error.forged bad-token" {
		t.Errorf("without a token: %d %s", p.Status, p.Body)
	}
	stolen := w.browser()
	stolen.get("/")
	if p := answer(stolen, pending.Token, "yes"); p.Status != http.StatusGone {
		t.Errorf("another browser: %d %s", p.Status, p.Body)
	}
	here, err := url.Parse(w.portal)
	if err != nil {
		t.Fatal(err)
	}
	before := b.c.Jar.Cookies(here)
	if p := answer(b, pending.Token, "yes"); p.Status != 303 || p.to() != "/consents" {
		t.Errorf("%d %s %s", p.Status, p.to(), p.Body)
	}
	if me, ok := b.who(); !ok || me.Given != "Kari" {
		t.Error("not logged in after the answer")
	}
	if n := w.count(`SELECT count(*) FROM person WHERE age_declared_at IS NOT NULL`); n != 1 {
		t.Errorf("%d declarations", n)
	}
	// The cookie that was sealed for this one answer opens nothing any more.
	again := w.browser()
	again.c.Jar.SetCookies(here, before)
	if p := answer(again, pending.Token, "yes"); p.Status != http.StatusGone {
		t.Errorf("the same answer twice: %d %s", p.Status, p.Body)
	}
	// Whoever was let in once isn't asked again.
	if p := w.browser().loginWith("bankid", "kari", idp.FaultNoBirthDate, ""); p.to() != "/overview" {
		t.Errorf("asked again: %s %s", p.to(), p.Body)
	}

	// A record that says otherwise than the provider, which says nothing.
	child := w.browser()
	child.mustRefuse(child.loginWith("bankid", "tuva", idp.FaultNoBirthDate, ""), 403, "login.fault.child", "too-young")

	// No: the child goes, and what the company knows is a case.
	no := w.browser()
	pending = ask(no, "arvid")
	if p := answer(no, pending.Token, "no"); p.Status != 403 || p.Body != "login.fault.child too-young" {
		t.Errorf("%d %s", p.Status, p.Body)
	}
	no = w.browser()
	pending = ask(no, "even")
	if p := answer(no, pending.Token, ""); p.Status != 403 {
		t.Errorf("no answer counts as yes: %d %s", p.Status, p.Body)
	}
	if n := w.count(`SELECT count(*) FROM child_case WHERE external_id = '101526'`); n != 1 {
		t.Errorf("%d cases", n)
	}
	if p := no.get("/age"); p.Status != http.StatusGone {
		t.Errorf("the question is still there: %d", p.Status)
	}
	late := w.browser()
	pending = ask(late, "solveig")
	w.clock.advance(11 * time.Minute)
	if p := answer(late, pending.Token, "yes"); p.Status != http.StatusGone || p.Body != "login.fault.age-expired age-expired" {
		t.Errorf("ten minutes later: %d %s", p.Status, p.Body)
	}
	if n := w.count(`SELECT count(*) FROM person`); n != 1 {
		t.Errorf("%d people", n)
	}
}

// Step-up: the same person comes back stronger or fresher, where they were; a
// stranger ends the session. (checklist 21, 22, 28)
func TestStepUp(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	p := b.loginWith("vipps", "ingrid", idp.FaultLowerAssurance, "")
	if p.Status != 303 {
		t.Fatalf("%d %s", p.Status, p.Body)
	}
	low, _ := b.who()
	if low.Assurance != privacy.AssuranceLow {
		t.Fatalf("%+v", low)
	}
	if n := w.count(`SELECT count(*) FROM person_link`); n != 0 {
		t.Error("a weak login found the customer record")
	}
	p = b.loginWith("vipps", "ingrid", "", "&step&need=substantial&fresh&to=/consents/newsletter")
	if p.Status != 303 || p.to() != "/consents/newsletter" || !strings.Contains(p.Header.Get("X-Outcome"), "up=true") {
		t.Fatalf("%d %s %s", p.Status, p.to(), p.Header.Get("X-Outcome"))
	}
	high, _ := b.who()
	if high.Assurance != privacy.AssuranceSubstantial || high.Person != low.Person || high.PublicID == low.PublicID || high.Token == "" {
		t.Errorf("%+v after %+v", high, low)
	}
	if n := w.count(`SELECT count(*) FROM session`); n != 1 {
		t.Errorf("%d sessions: the weak one lives on", n)
	}
	if n := w.count(`SELECT count(*) FROM person_link WHERE evidence = 'phone'`); n != 1 {
		t.Error("the stronger login didn't find the customer record")
	}
	if n := w.count(`SELECT count(*) FROM auth_event WHERE kind = 'step-up' AND reason = 'substantial'`); n != 1 {
		t.Errorf("%d events", n)
	}

	t.Run("weaker than needed", func(t *testing.T) {
		p := b.loginWith("vipps", "ingrid", idp.FaultLowerAssurance, "&step&need=substantial")
		if p.Status != 403 || p.Body != "login.fault.too-low too-low" {
			t.Errorf("%d %s", p.Status, p.Body)
		}
		if me, ok := b.who(); !ok || me.PublicID != high.PublicID {
			t.Error("the session didn't stay as it was")
		}
	})
	t.Run("not fresh", func(t *testing.T) {
		p := b.loginWith("vipps", "ingrid", idp.FaultOldLogin, "&step&fresh")
		if p.Status != 403 || p.Body != "login.fault.not-fresh not-fresh" {
			t.Errorf("%d %s", p.Status, p.Body)
		}
		if me, ok := b.who(); !ok || me.PublicID != high.PublicID {
			t.Error("the session didn't stay as it was")
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		p := b.loginWith("vipps", "ingrid", idp.FaultCancelled, "&step&fresh")
		if p.Status != 400 || p.Body != "login.fault.cancelled cancelled" {
			t.Errorf("%d %s", p.Status, p.Body)
		}
		if _, ok := b.who(); !ok {
			t.Error("cancelling a step-up logged out")
		}
	})
	for _, c := range []struct{ name, provider, person string }{
		{"somebody else", "vipps", "amund"},
		{"a login that nobody has connected", "bankid", "ingrid"}, // no number from Vipps: not known to be the same
	} {
		t.Run(c.name, func(t *testing.T) {
			b := w.browser()
			b.mustLogin("vipps", "ingrid")
			people := w.count(`SELECT count(*) FROM login`)
			b.mustRefuse(b.loginWith(c.provider, c.person, "", "&step&fresh"), 403, "login.fault.other-person", "other-person")
			if n := w.count(`SELECT count(*) FROM login`); n != people {
				t.Error("the stranger's login was stored")
			}
			if n := w.count(`SELECT count(*) FROM auth_event WHERE kind = 'session-ended' AND reason = 'other-person'`); n == 0 {
				t.Error("no event")
			}
		})
	}
	t.Run("with BankID, by identity number", func(t *testing.T) {
		w := newWorld(t, withNIN)
		b := w.browser()
		me := b.mustLogin("vipps", "ingrid")
		p := b.loginWith("bankid", "ingrid", "", "&step&need=high")
		if p.Status != 303 {
			t.Fatalf("%d %s", p.Status, p.Body)
		}
		if up, ok := b.who(); !ok || up.Person != me.Person || up.Assurance != privacy.AssuranceHigh {
			t.Errorf("%+v", up)
		}
		for _, r := range w.idp.Seen(idp.BankID, "authorize") {
			if r.Values.Has("id_token_hint") || r.Values.Get("acr_values") != "urn:bankid:bid" {
				t.Errorf("%v", r.Values)
			}
		}
	})
}

// A login that is weaker than its page asks for still is a login; the page then
// says what it needs.
func TestWeakerThanAsked(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	p := b.loginWith("bankid", "ingrid", idp.FaultLowerAssurance, "&need=high")
	if p.Status != 303 || !strings.Contains(p.Header.Get("X-Outcome"), "low=true") {
		t.Errorf("%d %s", p.Status, p.Header.Get("X-Outcome"))
	}
	if me, ok := b.who(); !ok || me.Assurance != privacy.AssuranceSubstantial {
		t.Errorf("%+v", me)
	}
}

// A new id at each login, the old one dead; a planted id is never taken over.
// (checklist 27, 28, 31)
func TestSessionIDs(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	here, err := url.Parse(w.portal)
	if err != nil {
		t.Fatal(err)
	}
	cookie := func() string {
		for _, c := range b.c.Jar.Cookies(here) {
			if c.Name == "innsyn" {
				return c.Value
			}
		}
		return ""
	}
	planted := strings.Repeat("A", 43)
	b.c.Jar.SetCookies(here, []*http.Cookie{{Name: "innsyn", Value: planted}})
	b.mustLogin("bankid", "ingrid")
	first := cookie()
	if first == planted || len(first) != 43 {
		t.Fatalf("id %q", first)
	}
	if n := w.count(`SELECT count(*) FROM session WHERE id_hash = sha256(decode(translate($1, '-_', '+/') || '=', 'base64'))`, first); n != 1 {
		t.Error("the row doesn't lie under the id's hash")
	}
	b.mustLogin("bankid", "ingrid")
	second := cookie()
	b.mustLogin("bankid", "amund") // another person in the same browser
	third := cookie()
	for _, old := range []string{first, second} {
		if old == third {
			t.Error("an id was used twice")
		}
		thief := w.browser()
		thief.c.Jar.SetCookies(here, []*http.Cookie{{Name: "innsyn", Value: old}})
		if _, ok := thief.who(); ok {
			t.Error("an old id still works")
		}
	}
	if p := b.post("/logout", nil); p.Status != 200 || p.Header.Get("Clear-Site-Data") != `"cookies", "storage"` {
		t.Errorf("logout: %d %v", p.Status, p.Header)
	}
	if cookie() != "" {
		t.Error("the cookie is still there")
	}
	thief := w.browser()
	thief.c.Jar.SetCookies(here, []*http.Cookie{{Name: "innsyn", Value: third}})
	if _, ok := thief.who(); ok {
		t.Error("a cookie copied before the logout still works")
	}
	if n := w.count(`SELECT count(*) FROM session`); n != 0 {
		t.Errorf("%d sessions", n)
	}
	if n := w.count(`SELECT count(*) FROM auth_event WHERE kind = 'logout'`); n != 1 {
		t.Errorf("%d events", n)
	}
}

// Each kind of thing that happens leaves an event with a reason code. (checklist 54)
func TestEvents(t *testing.T) {
	w := newWorld(t, withNIN)
	b := w.browser()
	me := b.mustLogin("bankid", "ingrid")
	b.loginWith("vipps", "ingrid", "", "&step&fresh")
	b.loginWith("vipps", "ingrid", idp.FaultWrongNonce, "&step&fresh")
	b.post("/logout", nil)
	rows, err := w.sql.QueryContext(t.Context(), `SELECT kind || ' ' || reason || ' ' || provider FROM auth_event
		WHERE person_ref = $1 ORDER BY event_id DESC`, me.Person)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var e string
		if err := rows.Scan(&e); err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	want := []string{"logout  ", "login-failed nonce vipps", "step-up substantial vipps", "login-added national-id vipps",
		"login high bankid", "linked national-id ", "person-made  bankid"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("events:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
