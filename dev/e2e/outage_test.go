package e2e

import (
	"net/http"
	"strings"
	"testing"

	"elekt.no/innsyn/store/storetest"
)

// away takes a database away until the test ends, or back is called.
func away(t *testing.T, o *storetest.Outage) (back func()) {
	t.Helper()
	o.Begin(t)
	gone := true
	back = func() {
		if gone {
			gone = false
			o.End(t)
		}
	}
	t.Cleanup(back)
	return back
}

// TestDatabaseAway takes the database away in the middle: pages and presses say
// so in every form, nothing is half written, and it goes on when it is back.
func TestDatabaseAway(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.comes("ingrid")
	v.visit("/consents")
	c := call(t)
	c.setCookie("innsyn", v.cookie("innsyn"))
	form := c.choice(newsletter)
	before := written(t)

	rest(t)
	back := away(t, world.outage)
	v.eye.expect(http.StatusServiceUnavailable)
	v.press(switchOf(newsletter))
	v.sees(messageOf(newsletter), v.says("fault.unavailable"))
	if v.isOn(newsletter) {
		t.Error("the switch says on, and nothing was saved")
	}
	v.axe()
	for f, asks := range forms {
		r := c.get("/consents", asks)
		refused(t, f, r, http.StatusServiceUnavailable)
		if r.Header.Get("Retry-After") == "" {
			t.Errorf("%s: nobody says when to come again", f)
		}
		refused(t, f, c.post("/consents/"+newsletter, form, asks), http.StatusServiceUnavailable)
	}
	v.visit("/overview")
	v.sees("h1", v.says("fault.unavailable"))
	v.inspect("unavailable")
	for path, status := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusServiceUnavailable, "/": http.StatusOK,
		"/privacy-notice": http.StatusOK, "/recipients": http.StatusOK} {
		if r := c.get(path); r.StatusCode != status {
			t.Errorf("%s: %s, want %d", path, r.Status, status)
		}
	}
	anybody := call(t)
	if r := anybody.tryLogin("bankid", "ingrid"); r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a login: %s", r.Status)
	}

	back()
	until(t, "the portal ready again", func() bool { return c.get("/readyz").StatusCode == http.StatusOK })
	if after := written(t); after != before {
		t.Errorf("something was written: %d before, %d after", before, after)
	}
	v.visit("/consents")
	v.turns(newsletter, true)
	subscribes(t, person(t, "ingrid").Email)
}

// TestCompanyAway takes the company's database away. A login still works, a no is
// taken, and so is a yes to what concerns everybody; what depends on the customer
// says that it isn't known, and offers no yes by chance.
func TestCompanyAway(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.comes("amund")
	v.visit("/consents")
	v.press("#purpose-contextual-ads-protest") // concerns users of the free app only
	v.sees(row("contextual-ads"), v.says("state.paused"))
	c := call(t)
	c.setCookie("innsyn", v.cookie("innsyn"))
	retract := c.choice("contextual-ads")
	if retract.Get("decision") != "retract" {
		t.Fatalf("the form says %q", retract)
	}
	yes := c.choice(newsletter)

	back := away(t, world.company)
	v.visit("/consents")
	v.sees("main", v.says("unsure.title"))
	v.axe()
	v.turns(marketing, false)
	if r := c.post("/consents/"+newsletter, yes); r.StatusCode != http.StatusSeeOther {
		t.Errorf("a yes to what concerns everybody: %s: %s", r.Status, r.main())
	}
	before := written(t)
	for f, asks := range forms {
		refused(t, f, c.post("/consents/contextual-ads", retract, asks), http.StatusServiceUnavailable)
	}
	if after := written(t); after != before {
		t.Errorf("something was written: %d before, %d after", before, after)
	}
	d := call(t)
	d.login("bankid", "ingrid")
	back()

	until(t, "the company's database back", func() bool { return !strings.Contains(c.get("/consents").main(), text("unsure.title")) })
	if r := c.post("/consents/contextual-ads", retract); r.StatusCode != http.StatusSeeOther {
		t.Errorf("%s: %s", r.Status, r.main())
	}
	// Ingrid's record, which couldn't be looked for at the login, is found now.
	if r := d.get("/customer"); !strings.Contains(r.main(), customerNo(t, "ingrid")) {
		t.Errorf("%s", r.main())
	}
}
