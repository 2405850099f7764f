package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
	"elekt.no/innsyn/store/storetest"
)

func with(f url.Values, name, value string) url.Values {
	out := url.Values{}
	for k, v := range f {
		out[k] = v
	}
	out.Set(name, value)
	return out
}

func TestGiveAndWithdrawByPlainForms(t *testing.T) {
	p := open(t)
	v := p.login(t, privacy.AssuranceLow)
	for _, d := range []privacy.Decision{privacy.Give, privacy.Withdraw, privacy.Give} {
		form := v.form("newsletter")
		if form.Get("decision") != string(d) {
			t.Fatalf("the form offers %q, want %q", form.Get("decision"), d)
		}
		form.Set("from", "list")
		a := v.post("/consents/newsletter", form)
		if to := a.Header.Get("Location"); a.StatusCode != http.StatusSeeOther || to != "/consents?saved=newsletter#purpose-newsletter" {
			t.Fatalf("%s: %d to %q", d, a.StatusCode, to)
		}
		if page := v.get("/consents?saved=newsletter"); !strings.Contains(page.body, `class="saved"`) || !strings.Contains(page.body, "14.32") {
			t.Errorf("%s: nothing is said to be saved", d)
		}
		p.verify(t)
	}
	choices, err := p.store.Choices(t.Context(), v.person)
	if err != nil || choices["newsletter"].Decision != privacy.Give || choices["newsletter"].Version != 3 {
		t.Errorf("choice %+v, %v", choices["newsletter"], err)
	}
}

func TestHTMXGetsTheRowAlone(t *testing.T) {
	p := open(t)
	v := p.login(t, privacy.AssuranceLow)
	form := with(v.form("newsletter"), "from", "list")
	v.header = http.Header{"Hx-Request": {"true"}}
	a := v.post("/consents/newsletter", form)
	if a.StatusCode != http.StatusOK || strings.Contains(a.body, "<html") || !strings.Contains(a.body, `id="purpose-newsletter"`) ||
		!strings.Contains(a.body, `aria-checked="true"`) || !strings.Contains(a.body, `class="saved"`) {
		t.Errorf("%d: %s", a.StatusCode, a.body)
	}
}

func TestStaleRowsNeverOverwrite(t *testing.T) {
	p := open(t)
	v := p.login(t, privacy.AssuranceLow)
	old := v.form("newsletter") // a tab that offers yes
	if a := v.post("/consents/newsletter", v.form("newsletter")); a.StatusCode != http.StatusSeeOther {
		t.Fatal(a.StatusCode)
	}
	if a := v.post("/consents/newsletter", v.form("newsletter")); a.StatusCode != http.StatusSeeOther {
		t.Fatal(a.StatusCode)
	}
	before := p.rows(t)
	a := v.post("/consents/newsletter", old)
	if a.StatusCode != http.StatusConflict || !strings.Contains(a.body, "<html") {
		t.Errorf("plain: %d", a.StatusCode)
	}
	v.header = http.Header{"Hx-Request": {"true"}}
	a = v.post("/consents/newsletter", with(old, "from", "list"))
	if a.StatusCode != http.StatusConflict || strings.Contains(a.body, "<html") || !strings.Contains(a.body, `aria-checked="false"`) {
		t.Errorf("htmx: %d %s", a.StatusCode, a.body)
	}
	if p.rows(t) != before {
		t.Error("something was written")
	}
	// A no that is true already is no conflict and no second entry.
	if a := v.post("/consents/newsletter", with(with(old, "decision", "withdraw"), "from", "list")); a.StatusCode != http.StatusOK {
		t.Errorf("no again: %d", a.StatusCode)
	}
	if p.rows(t) != before {
		t.Error("something was written")
	}
	p.verify(t)
}

func TestBadChoicesAreRefusedAndWriteNothing(t *testing.T) {
	p := open(t)
	v := p.login(t, privacy.AssuranceHigh)
	form := with(v.form("newsletter"), "from", "list")
	before := p.rows(t)
	for name, c := range map[string]struct {
		path   string
		fields url.Values
		status int
	}{
		"unknown purpose":        {"/consents/nothing", form, 404},
		"unknown area":           {"/consents/areas/nothing/off", form, 404},
		"no choice here":         {"/consents/user-profile", form, 400},
		"not this decision":      {"/consents/newsletter", with(form, "decision", "object"), 400},
		"refuse is not a button": {"/consents/newsletter", with(form, "decision", "refuse"), 400},
		"no decision":            {"/consents/newsletter", with(form, "decision", ""), 400},
		"dormant":                {"/consents/aml-retention", with(form, "decision", "object"), 400},
		"outdated text":          {"/consents/newsletter", with(form, "text", strings.Repeat("00", 32)), 409},
		"no text":                {"/consents/newsletter", with(form, "text", ""), 409},
		"version of words":       {"/consents/newsletter", with(form, "version", "one"), 400},
		"negative version":       {"/consents/newsletter", with(form, "version", "-1"), 400},
		"version from nowhere":   {"/consents/newsletter", with(form, "version", "7"), 409},
		"oversized":              {"/consents/newsletter", with(form, "text", strings.Repeat("x", 70_000)), 413},
	} {
		for kind, header := range map[string]http.Header{"page": {}, "fragment": {"Hx-Request": {"true"}}, "json": {"Accept": {"application/json"}}} {
			v.header = header
			a := v.post(c.path, c.fields)
			if a.StatusCode != c.status {
				t.Errorf("%s as %s: %d, want %d", name, kind, a.StatusCode, c.status)
			}
			noInternals(t, name, a)
			switch kind {
			case "page":
				if !strings.Contains(a.body, "<h1") {
					t.Errorf("%s: no page", name)
				}
			case "fragment":
				if strings.Contains(a.body, "<html") {
					t.Errorf("%s: a whole page for htmx", name)
				}
			case "json":
				var problem struct {
					Status int
					Code   string
				}
				if err := json.Unmarshal([]byte(a.body), &problem); c.status != 409 && (err != nil || problem.Status != c.status || problem.Code == "") {
					t.Errorf("%s: %q, %v", name, a.body, err)
				}
			}
		}
		v.header = http.Header{}
	}
	if after := p.rows(t); after != before {
		t.Errorf("written: %s, before %s", after, before)
	}
}

// law: GDPR 21(2)-(3)
func TestAbsoluteObjectionIsOffAtOnce(t *testing.T) {
	p := open(t)
	v := p.login(t, privacy.AssuranceLow)
	if a := v.post("/consents/profiling-marketing", v.form("profiling-marketing")); a.StatusCode != http.StatusSeeOther {
		t.Fatal(a.StatusCode)
	}
	if page := v.get("/consents/profiling-marketing"); !strings.Contains(page.body, `aria-checked="false"`) {
		t.Error("still on")
	}
}

// law: GDPR 21(1), 18(1)(d), 12(3)
func TestObjectionRestsWithADate(t *testing.T) {
	p := open(t)
	v := p.login(t, privacy.AssuranceLow)
	if a := v.post("/consents/home-breakdown", v.form("home-breakdown")); a.StatusCode != http.StatusSeeOther {
		t.Fatal(a.StatusCode)
	}
	page := v.get("/consents/home-breakdown")
	if !strings.Contains(page.body, "24. desember 2026") {
		t.Errorf("no date for the answer: %s", page.body)
	}
	if overview := v.get("/overview"); !strings.Contains(overview.body, "24. desember 2026") {
		t.Error("the overview doesn't tell")
	}
	p.pass(5 * 24 * time.Hour)
	v = p.again(t, v)
	if page := v.get("/consents/home-breakdown"); !strings.Contains(page.body, `value="5" max="30"`) {
		t.Error("the bar doesn't show five days of thirty")
	}
}

// A page that lay open: its yes must not overwrite, its no counts and is said to.
func TestStaleNoCounts(t *testing.T) {
	p := open(t)
	v := p.login(t, privacy.AssuranceLow)
	for range 3 { // on, off, on
		if a := v.post("/consents/newsletter", v.form("newsletter")); a.StatusCode != http.StatusSeeOther {
			t.Fatal(a.StatusCode)
		}
	}
	old := with(with(v.form("newsletter"), "version", "1"), "from", "list")
	v.header = http.Header{"Hx-Request": {"true"}}
	a := v.post("/consents/newsletter", old)
	if a.StatusCode != http.StatusOK || !strings.Contains(a.body, `aria-checked="false"`) || !strings.Contains(a.body, "Neiet ditt gjelder.") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	p.verify(t)
}

// law: GDPR 7(3), 21(3): a no never waits for another system.
func TestCompanyDatabaseAwayStopsNoNo(t *testing.T) {
	db := storetest.New(t)
	p := openOn(t, db, db.AppURL, "host=/nowhere/at/all user=x dbname=x sslmode=disable")
	v := p.login(t, privacy.AssuranceLow)
	if _, err := p.store.Link(t.Context(), v.person, "100245", store.EvidenceNationalID); err != nil {
		t.Fatal(err)
	}
	if a := v.post("/consents/newsletter", v.form("newsletter")); a.StatusCode != http.StatusSeeOther {
		t.Errorf("a yes without a condition: %d", a.StatusCode)
	}
	if a := v.post("/consents/newsletter", v.form("newsletter")); a.StatusCode != http.StatusSeeOther {
		t.Errorf("a no: %d", a.StatusCode)
	}
	choices, err := p.store.Choices(t.Context(), v.person)
	if err != nil || choices["newsletter"].Decision != privacy.Withdraw {
		t.Errorf("%+v, %v", choices["newsletter"], err)
	}
	for _, page := range []string{"/consents", "/overview", "/consents/newsletter"} {
		if a := v.get(page); a.StatusCode != http.StatusOK || !strings.Contains(a.body, "kunderegisteret") {
			t.Errorf("%s: %d, or nothing is said", page, a.StatusCode)
		}
	}
	p.verify(t)
}

// law: GDPR 21(2)-(3): wherever a purpose of marketing stands.
func TestStopAllMarketingStopsAll(t *testing.T) {
	p := open(t)
	v := p.login(t, privacy.AssuranceLow)
	for _, id := range []string{"newsletter", "social-custom-audiences", "partner-offers"} {
		if a := v.post("/consents/"+id, v.form(id)); a.StatusCode != http.StatusSeeOther {
			t.Fatal(a.StatusCode)
		}
	}
	if a := v.post("/consents/marketing/off", url.Values{"csrf": {v.token()}}); a.StatusCode != http.StatusSeeOther {
		t.Fatal(a.StatusCode)
	}
	choices, err := p.store.Choices(t.Context(), v.person)
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.cat.Purposes {
		purpose := &p.cat.Purposes[i]
		if purpose.Marketing() && purpose.State(choices[purpose.ID], privacy.Circumstances{}).Allowed() {
			t.Errorf("%s is still on", purpose.ID)
		}
	}
	if a := v.get("/overview"); strings.Contains(a.body, `action="/consents/marketing/off"`) {
		t.Error("the button is still there")
	}
	p.verify(t)
}

// What a link claims was saved is shown only if it was.
func TestSavedIsNotSaidOfWhatWasNot(t *testing.T) {
	p := open(t)
	v := p.login(t, privacy.AssuranceLow)
	for _, page := range []string{"/consents?saved=area-ads", "/consents?saved=newsletter", "/consents/newsletter?saved=1", "/overview?saved=marketing"} {
		if a := v.get(page); strings.Contains(a.body, `class="saved"`) || strings.Contains(a.body, "er stanset.") {
			t.Errorf("%s says that something was saved", page)
		}
	}
}

func TestTurnOffAllInAnArea(t *testing.T) {
	p := open(t)
	v := p.login(t, privacy.AssuranceLow)
	for _, id := range []string{"newsletter", "interest-list"} {
		if a := v.post("/consents/"+id, v.form(id)); a.StatusCode != http.StatusSeeOther {
			t.Fatal(a.StatusCode)
		}
	}
	if a := v.post("/consents/areas/marketing/off", url.Values{"csrf": {v.token()}}); a.StatusCode != http.StatusSeeOther {
		t.Fatal(a.StatusCode)
	}
	choices, err := p.store.Choices(t.Context(), v.person)
	if err != nil {
		t.Fatal(err)
	}
	for _, purpose := range p.cat.In("marketing") {
		if s := purpose.State(choices[purpose.ID], privacy.Circumstances{}); s.Allowed() {
			t.Errorf("%s is %s", purpose.ID, s)
		}
	}
	before := p.rows(t)
	if a := v.post("/consents/areas/marketing/off", url.Values{"csrf": {v.token()}}); a.StatusCode != http.StatusSeeOther {
		t.Fatal(a.StatusCode)
	}
	if p.rows(t) != before {
		t.Error("turning off what is off wrote something")
	}
	p.verify(t)
}

func TestAnotherPersonsPageIsTheirOwn(t *testing.T) {
	p := open(t)
	a, b := p.login(t, privacy.AssuranceLow), p.login(t, privacy.AssuranceLow)
	if r := a.post("/consents/newsletter", a.form("newsletter")); r.StatusCode != http.StatusSeeOther {
		t.Fatal(r.StatusCode)
	}
	if page := b.get("/consents/newsletter"); strings.Contains(page.body, `aria-checked="true"`) {
		t.Error("one person's choice on another's page")
	}
}

// A database that goes away in the middle: a clear answer, nothing half, and all
// well afterwards.
func TestDatabaseGoesAwayAndComesBack(t *testing.T) {
	db := storetest.New(t)
	outage := db.Outage(t)
	p := openOn(t, db, outage.AppURL, db.CompanyURL)
	v := p.login(t, privacy.AssuranceLow)
	form := v.form("newsletter")
	outage.Begin(t)
	for kind, header := range map[string]http.Header{"page": {}, "fragment": {"Hx-Request": {"true"}}, "json": {"Accept": {"application/json"}}} {
		v.header = header
		for what, a := range map[string]answer{"get": v.get("/consents"), "post": v.post("/consents/newsletter", form)} {
			if a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
				t.Errorf("%s %s: %d", what, kind, a.StatusCode)
			}
			noInternals(t, what+" "+kind, a)
		}
	}
	v.header = http.Header{}
	if a := v.get("/readyz"); a.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("readyz: %d", a.StatusCode)
	}
	if a := v.get("/healthz"); a.StatusCode != http.StatusOK {
		t.Errorf("healthz: %d", a.StatusCode)
	}
	if a := v.get("/privacy-notice"); a.StatusCode != http.StatusOK {
		t.Errorf("a public page: %d", a.StatusCode)
	}
	outage.End(t)
	if a := v.post("/consents/newsletter", form); a.StatusCode != http.StatusSeeOther {
		t.Errorf("afterwards: %d", a.StatusCode)
	}
	p.verify(t)
}
