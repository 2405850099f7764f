package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// age makes the logins of all sessions this many minutes old: time can't be
// turned in the binary, so what it wrote down is.
func age(t *testing.T, minutes int) {
	t.Helper()
	if owner(t, `UPDATE session SET auth_at = auth_at - $1 * interval '1 minute'`, minutes) == 0 {
		t.Fatal("nobody is logged in")
	}
}

// TestDevices lists where a person is logged in, and ends one of the sessions:
// with a login that is fresh, and not with a stale one.
func TestDevices(t *testing.T) {
	anew(t)
	phone := call(t)
	phone.login("vipps", "ingrid")
	v := arrive(t)
	v.login("bankid", "ingrid")
	v.visit("/logins")
	if n := v.count("section[aria-labelledby=here] li"); n != 2 {
		t.Fatalf("%d sessions are listed, want 2", n)
	}
	if n := v.count("section[aria-labelledby=ways] li"); n != 2 {
		t.Errorf("%d logins are listed, want 2", n)
	}
	v.sees("section[aria-labelledby=here]", v.says("logins.this"))
	v.sees("section[aria-labelledby=here]", "Chrome, Linux")

	other := `section[aria-labelledby=here] li:not(:has(.tag)) button`
	age(t, 6)
	v.follow(other)
	v.at("/step-up")
	v.sees("h1", v.says("step-up.fresh"))
	v.inspect("step-up-fresh")
	if phone.get("/overview").StatusCode != http.StatusOK {
		t.Fatal("a stale login has ended a session")
	}
	v.follow(`main a[href^="/login/bankid"]`)
	v.choose("ingrid")
	if !strings.HasPrefix(v.path(), "/resume/") {
		t.Fatalf("after the step-up: at %s", v.path())
	}
	v.inspect("resume")
	v.follow(`main form button[type=submit]`)
	v.at("/logins")
	v.sees("main", v.says("logins.ended"))
	if r := phone.get("/overview"); r.StatusCode != http.StatusSeeOther {
		t.Errorf("the other session goes on: %s", r.Status)
	}
	if n := v.count("section[aria-labelledby=here] li"); n != 1 {
		t.Errorf("%d sessions are listed, want 1", n)
	}
}

// TestRemoveLogin removes one of two ways in; the last one stays.
func TestRemoveLogin(t *testing.T) {
	anew(t)
	call(t).login("vipps", "ingrid")
	v := arrive(t)
	v.comes("ingrid")
	v.visit("/logins")
	v.follow(`section[aria-labelledby=ways] li:not(:has(.tag)) button`)
	v.at("/logins")
	if n := number(t, `SELECT count(*) FROM login`); n != 1 {
		t.Fatalf("%d logins", n)
	}
	v.sees("section[aria-labelledby=ways]", v.says("logins.only"))
	c := call(t)
	c.login("bankid", "ingrid")
	token := c.get("/logins").input("csrf")
	last := one[string](t, `SELECT login_id FROM login`)
	if r := c.post("/logins/"+last+"/end", url.Values{"csrf": {token}}); r.StatusCode != http.StatusConflict {
		t.Errorf("removing the only way in: %s", r.Status)
	}
}

// TestLogout kills the record: whoever has copied the cookie is nobody.
func TestLogout(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.login("bankid", "ingrid")
	thief := call(t)
	thief.setCookie("innsyn", v.cookie("innsyn"))
	if r := thief.get("/overview"); r.StatusCode != http.StatusOK {
		t.Fatalf("the copied cookie doesn't work, so nothing is tried: %s", r.Status)
	}
	v.visit("/overview")
	v.follow(".who button")
	v.at("/")
	v.sees("main, .hero", v.says("front.logged-out"))
	if v.cookie("innsyn") != "" {
		t.Error("the cookie is still there")
	}
	if n := number(t, `SELECT count(*) FROM session`); n != 0 {
		t.Errorf("%d sessions", n)
	}
	if r := thief.get("/overview"); r.StatusCode != http.StatusSeeOther {
		t.Errorf("the copied cookie works after the logout: %s", r.Status)
	}
	if r := thief.get("/overview", asJSON); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("for a program: %s", r.Status)
	}
	v.do("back", chromedp.NavigateBack())
	v.look()
	if v.has("main .rows") && v.path() == "/overview" {
		t.Error("the browser's back button shows the page of before")
	}
}

// TestLogoutHeaders is what a logout tells the browser. (checklist 44)
func TestLogoutHeaders(t *testing.T) {
	anew(t)
	c := call(t)
	c.login("bankid", "ingrid")
	r := c.post("/logout", url.Values{"csrf": {c.get("/overview").input("csrf")}})
	if r.StatusCode != http.StatusSeeOther || !strings.Contains(r.Header.Get("Clear-Site-Data"), `"cookies"`) ||
		!strings.Contains(r.Header.Get("Clear-Site-Data"), `"storage"`) {
		t.Errorf("%s, Clear-Site-Data %q", r.Status, r.Header.Get("Clear-Site-Data"))
	}
}

// TestNewSessionID: the cookie changes with every login and step-up, and the one
// of before is dead. (checklist 28, 29)
func TestNewSessionID(t *testing.T) {
	anew(t)
	c := call(t)
	r := c.login("bankid", "ingrid")
	set := r.Header.Values("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Lax", "Path=/"} {
		for _, s := range set {
			if strings.HasPrefix(s, "innsyn=") && !strings.Contains(s, want) {
				t.Errorf("the cookie lacks %s", want)
			}
			if strings.HasPrefix(s, "innsyn=") && strings.Contains(s, "Domain=") {
				t.Error("the cookie goes to other hosts")
			}
		}
	}
	before := c.twin()
	age(t, 6)
	step := c.get("/step-up?next=/consents")
	c.finish(step.link("/login/bankid"), "ingrid")
	if c.cookie("innsyn") == before.cookie("innsyn") {
		t.Error("the id is the same after a step-up")
	}
	if before.get("/overview").StatusCode != http.StatusSeeOther {
		t.Error("the id of before still works")
	}
	if c.get("/overview").StatusCode != http.StatusOK {
		t.Error("the new id doesn't work")
	}
}

// TestStaleLogin is a step-up that comes back with an old login: not enough.
func TestStaleLogin(t *testing.T) {
	anew(t)
	c := call(t)
	c.login("vipps", "ingrid")
	age(t, 6)
	mark := world.logs.mark()
	r := c.finish(c.get("/step-up?need=substantial&next=/logins").link("/login/vipps"), "ingrid", "old-login")
	if r.StatusCode != http.StatusForbidden || !strings.Contains(r.main(), text("login-fault.too-low-text", "Name", "Vipps")) {
		t.Errorf("%s: %s", r.Status, r.main())
	}
	logged(t, mark, "not-fresh")
	if c.get("/overview").StatusCode != http.StatusOK {
		t.Error("the session of before is gone")
	}
}

// TestStepUpByAnother is a step-up that somebody else answers: the session ends.
func TestStepUpByAnother(t *testing.T) {
	anew(t)
	call(t).login("bankid", "amund")
	c := call(t)
	c.login("bankid", "ingrid")
	mark := world.logs.mark()
	r := c.finish(c.get("/step-up?next=/logins").link("/login/bankid"), "amund")
	if r.StatusCode != http.StatusForbidden || !strings.Contains(r.main(), text("login-fault.other-person")) {
		t.Errorf("%s: %s", r.Status, r.main())
	}
	logged(t, mark, "other-person")
	if c.get("/overview").StatusCode != http.StatusSeeOther {
		t.Error("a stranger's step-up left the session alive")
	}
}

// TestStepUp is somebody whom Vipps remembers in the browser, and who wants to do
// what takes a fresh login. They are asked for one, and what they typed is kept;
// an answer that is no fresh login isn't enough.
func TestStepUp(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.login("vipps", "silje")
	v.at("/overview")
	v.visit("/customer?again=1")
	v.fill("#number", "101188")
	v.follow(`form[action="/customer"] button[type=submit]`)
	v.at("/step-up")
	v.sees("h1", v.says("step-up.fresh"))
	v.sees("main", v.says("step-up.kept"))
	v.inspect("step-up-kept")
	if n := number(t, `SELECT count(*) FROM one_time_code`); n != 0 {
		t.Error("a code was asked for by a login that is too old")
	}
	if stored := one[string](t, `SELECT encode(fields, 'escape') FROM parked_form`); strings.Contains(stored, "101188") {
		t.Error("what was typed lies open in the database")
	}
	mark := world.logs.mark()
	v.eye.expect(http.StatusForbidden)
	v.follow(`main a[href^="/login/vipps"]`)
	v.choose("silje")
	v.sees("h1", v.says("login-fault.too-low"))
	logged(t, mark, "not-fresh")
}

// TestStepUpToLevel is a step-up to a level that the provider then doesn't reach,
// and one that it does.
func TestStepUpToLevel(t *testing.T) {
	anew(t)
	c := call(t)
	c.login("vipps", "kari", "lower-assurance")
	if level := number(t, `SELECT assurance FROM session`); level != 1 {
		t.Fatalf("level %d: nothing is tried", level)
	}
	mark := world.logs.mark()
	r := c.finish(c.get("/step-up?need=substantial&next=/logins").link("/login/vipps"), "kari", "lower-assurance")
	if r.StatusCode != http.StatusForbidden || !strings.Contains(r.main(), text("login-fault.too-low")) {
		t.Errorf("%s: %s", r.Status, r.main())
	}
	logged(t, mark, "too-low")
	r = c.finish(c.get("/step-up?need=substantial&next=/logins").link("/login/vipps"), "kari")
	if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/logins" {
		t.Errorf("%s to %q: %s", r.Status, r.Header.Get("Location"), r.main())
	}
	if level := number(t, `SELECT assurance FROM session`); level != 2 {
		t.Errorf("level %d after the step-up", level)
	}
	high := c.get("/step-up?need=high&next=/logins")
	if high.link("/login/bankid") == "" || high.link("/login/vipps") != "" {
		t.Error("asked for the highest level, the page offers what can't reach it")
	}
}

// TestStepUpKeepsTyped is the same for somebody who can reach the level.
func TestStepUpKeepsTyped(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.visit("/")
	v.follow(loginLink("vipps"))
	v.choose("kari", "lower-assurance")
	v.at("/overview")
	v.visit("/customer")
	v.fill("#number", "101071")
	v.follow(`form[action="/customer"] button[type=submit]`)
	v.at("/step-up")
	v.follow(`main a[href^="/login/vipps"]`)
	v.choose("kari")
	if !strings.HasPrefix(v.path(), "/resume/") {
		t.Fatalf("after the step-up: at %s", v.path())
	}
	v.sees("main", "101071")
	resume := v.address().Path
	v.follow(`main form button[type=submit]`)
	v.at("/customer")
	v.sees("label[for=code]", v.says("customer.code-label"))
	v.eye.expect(http.StatusGone)
	v.visit(resume)
	v.sees("h1", v.says("fault.gone"))
}

// TestNext comes back to the page that was asked for before the login.
func TestNext(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.visit("/consents/" + newsletter)
	v.at("/")
	v.follow(loginLink("bankid"))
	v.choose("ingrid")
	v.at("/consents/" + newsletter)
}

// TestOpenRedirect tries to make the portal send somebody elsewhere.
func TestOpenRedirect(t *testing.T) {
	anew(t)
	elsewhere := []string{"https://evil.example/", "//evil.example/", `/\evil.example/`, `\\evil.example`, "/%09/evil.example", "https:evil.example",
		"/\t/evil.example", "javascript:alert(1)", "/login/bankid", "/logout", "//127.0.0.1@evil.example"}
	for _, to := range elsewhere {
		c := call(t)
		r := c.finish(c.get("/?next="+url.QueryEscape(to)).link("/login/bankid"), "ingrid")
		if at := r.Header.Get("Location"); at != "/overview" {
			t.Errorf("next=%q: after the login to %q", to, at)
		}
		c = call(t)
		link, err := url.Parse(c.get("/").link("/login/bankid"))
		if err != nil {
			t.Fatal(err)
		}
		q := link.Query()
		q.Set("next", to)
		link.RawQuery = q.Encode()
		if at := c.finish(link.String(), "ingrid").Header.Get("Location"); at != "/overview" && at != "/logins?new=1" {
			t.Errorf("link with next=%q: after the login to %q", to, at)
		}
		owner(t, `DELETE FROM rate_limit`)
	}
	c := call(t)
	for path, want := range map[string]string{
		"/?lang=nn":                          "/",
		"/consents?saved=newsletter&lang=en": "/consents?saved=newsletter",
		"//evil.example/?lang=nn":            "",
		"/%2f%2fevil.example/?lang=nn":       "",
		`/\evil.example?lang=nn`:             "",
		"/https://evil.example?lang=nn":      "",
		"/?lang=nn&next=//evil.example":      "",
	} {
		r := c.get(world.Portal + path)
		at := r.Header.Get("Location")
		to, err := url.Parse(at)
		if err != nil || to.Host != "" || to.Scheme != "" || strings.HasPrefix(at, "//") || strings.ContainsAny(at, "\\") {
			t.Errorf("%s leads to %q", path, at)
		}
		if want != "" && at != want {
			t.Errorf("%s leads to %q, want %q", path, at, want)
		}
	}
}

// TestLoginLimit is one address that begins logins without end.
func TestLoginLimit(t *testing.T) {
	anew(t)
	c := call(t)
	link := c.get("/").link("/login/bankid")
	limited := 0
	for range 40 {
		r := c.get(link)
		switch r.StatusCode {
		case http.StatusSeeOther:
		case http.StatusTooManyRequests:
			limited++
			if r.Header.Get("Retry-After") == "" {
				t.Fatal("nobody says when to come again")
			}
		default:
			t.Fatalf("%s", r.Status)
		}
	}
	if limited == 0 || limited > 12 {
		t.Errorf("%d of 40 were refused, want about ten", limited)
	}
}
