package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/web"
)

// Checklist 46: what a route asks for is enforced, whatever its handler does.
func TestNobodyGetsNowhere(t *testing.T) {
	p := open(t)
	v := p.visit(t)
	before := p.rows(t)
	for _, rt := range p.web.Routes() {
		if rt.Audience != web.Person {
			continue
		}
		if rt.Method == "GET" {
			a := v.get(path(rt.Path))
			if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "/?next=") {
				t.Errorf("GET %s: %d to %q", rt.Path, a.StatusCode, a.Header.Get("Location"))
			}
			continue
		}
		a := v.post(path(rt.Path), url.Values{"csrf": {"x"}, "decision": {"give"}})
		if a.StatusCode != http.StatusUnauthorized {
			t.Errorf("POST %s: %d", rt.Path, a.StatusCode)
		}
		noInternals(t, rt.Path, a)
	}
	if after := p.rows(t); after != before {
		t.Errorf("written: %s, before %s", after, before)
	}
}

// Checklist 41: another site, a missing token, somebody else's token.
func TestForgedPostsAreRefusedEverywhere(t *testing.T) {
	p := open(t)
	v, other := p.login(t, privacy.AssuranceHigh), p.login(t, privacy.AssuranceHigh)
	good, foreign := v.token(), other.token()
	before := p.rows(t)
	for _, rt := range p.web.Routes() {
		if rt.Method != "POST" || rt.Audience != web.Person {
			continue
		}
		for name, c := range map[string]struct {
			token  string
			header http.Header
		}{
			"cross-site":        {good, http.Header{"Sec-Fetch-Site": {"cross-site"}}},
			"same-site":         {good, http.Header{"Sec-Fetch-Site": {"same-site"}}},
			"foreign origin":    {good, http.Header{"Origin": {"https://evil.example"}}},
			"no token":          {"", http.Header{"Sec-Fetch-Site": {"same-origin"}}},
			"wrong token":       {strings.Repeat("A", 86), http.Header{"Sec-Fetch-Site": {"same-origin"}}},
			"another's token":   {foreign, http.Header{"Sec-Fetch-Site": {"same-origin"}}},
			"null, no token":    {"", http.Header{"Origin": {"null"}}},
			"no headers, none":  {"", http.Header{}},
			"null, wrong token": {foreign, http.Header{"Origin": {"null"}}},
		} {
			v.header = c.header
			if a := v.post(path(rt.Path), url.Values{"csrf": {c.token}, "decision": {"withdraw"}}); a.StatusCode != http.StatusForbidden {
				t.Errorf("%s, %s: %d", rt.Path, name, a.StatusCode)
			}
		}
	}
	v.header = http.Header{}
	if after := p.rows(t); after != before {
		t.Errorf("written: %s, before %s", after, before)
	}
}

// Old webviews send no headers, or Origin: null. The token lets them in.
func TestOldWebviewsPassWithTheToken(t *testing.T) {
	for name, header := range map[string]http.Header{
		"null": {"Origin": {"null"}}, "none": {}, "same-origin": {"Sec-Fetch-Site": {"same-origin"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t)
			v := p.login(t, privacy.AssuranceHigh)
			form := v.form("newsletter")
			v.header = header
			if a := v.post("/consents/newsletter", form); a.StatusCode != http.StatusSeeOther {
				t.Errorf("%d", a.StatusCode)
			}
			p.verify(t)
		})
	}
}

// Checklist 38: too old a login is asked for a better one, and
// what was typed is kept and comes back.
func TestStepUpKeepsWhatWasTyped(t *testing.T) {
	p := open(t)
	weak := p.login(t, privacy.AssuranceLow)
	token := weak.token()
	p.pass(web.Fresh + time.Second)
	before := p.rows(t)
	a := weak.post("/customer", url.Values{"csrf": {token}, "step": {"number"}, "number": {"101071"}})
	if a.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d", a.StatusCode)
	}
	to := a.Header.Get("Location")
	if !strings.HasPrefix(to, "/step-up?") || !strings.Contains(to, "need=low") || strings.Contains(to, "101071") {
		t.Errorf("sent to %q", to)
	}
	if p.rows(t) != before {
		t.Errorf("written: %s, before %s", p.rows(t), before)
	}
	page := weak.get(to)
	if page.StatusCode != http.StatusOK || !strings.Contains(page.body, "/login/bankid?") {
		t.Errorf("step-up page: %d", page.StatusCode)
	}
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	resume := u.Query().Get("next")
	stranger := p.login(t, privacy.AssuranceHigh)
	if a := stranger.get(resume); a.StatusCode != http.StatusGone || strings.Contains(a.body, "101071") {
		t.Errorf("another person's form: %d", a.StatusCode)
	}
	back := weak.get(resume)
	if back.StatusCode != http.StatusOK || !regexp.MustCompile(`name="number" value="101071"`).MatchString(back.body) {
		t.Errorf("resumed: %d", back.StatusCode)
	}
	if a := weak.get(resume); a.StatusCode != http.StatusGone {
		t.Errorf("a second time: %d", a.StatusCode)
	}
}

func TestOldLoginIsAskedAgainBeforeWhatCannotBeUndone(t *testing.T) {
	p := open(t)
	for _, rt := range p.web.Routes() {
		if rt.Fresh == 0 {
			continue
		}
		v := p.login(t, privacy.AssuranceHigh)
		token := v.token()
		p.pass(web.Fresh + time.Second)
		before := p.rows(t)
		a := v.post(path(rt.Path), url.Values{"csrf": {token}, "step": {"number"}, "number": {"101071"}})
		if to := a.Header.Get("Location"); a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "/step-up?") {
			t.Errorf("%s: %d to %q", rt.Path, a.StatusCode, to)
		}
		if after := p.rows(t); after != before {
			t.Errorf("%s wrote: %s, before %s", rt.Path, after, before)
		}
		v.header = http.Header{"Hx-Request": {"true"}}
		a = v.post(path(rt.Path), url.Values{"csrf": {token}})
		if to := a.Header.Get("Hx-Redirect"); a.StatusCode != http.StatusNoContent || !strings.HasPrefix(to, "/step-up?") {
			t.Errorf("%s with htmx: %d to %q", rt.Path, a.StatusCode, to)
		}
	}
}

// Checklist 42-44 on every route, also where it refuses.
func TestEveryAnswerCarriesTheHeaders(t *testing.T) {
	p := open(t)
	v := p.login(t, privacy.AssuranceHigh)
	paths := []string{"/nowhere", "/healthz"}
	for _, rt := range p.web.Routes() {
		if rt.Method == "GET" {
			paths = append(paths, path(rt.Path))
		}
	}
	for _, u := range paths {
		a := v.get(u)
		csp := a.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q lacks %s", u, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") || strings.Contains(csp, "http") {
			t.Errorf("%s: policy %q", u, csp)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", u, name, got)
			}
		}
		if inline := regexp.MustCompile(`(?i)<script(?:[^>]*[^-]src=)?[^>]*>[^<]|<style|\sstyle=|\son[a-z]+="`).FindString(a.body); inline != "" {
			t.Errorf("%s: inline %q", u, inline)
		}
	}
}

// Checklist 8: a language link or a return target never leads to another host.
func TestNoOpenRedirect(t *testing.T) {
	p := open(t)
	nobody, v := p.visit(t), p.login(t, privacy.AssuranceHigh)
	for _, target := range []string{"//evil.example/", "https://evil.example/", `/\evil.example`, "/%5cevil.example", "javascript:alert(1)", "/logout", "/login/bankid"} {
		a := v.get("/?next=" + url.QueryEscape(target))
		to := a.Header.Get("Location")
		if a.StatusCode != http.StatusSeeOther || to != "/overview" && target != "/%5cevil.example" || strings.HasPrefix(to, "//") || strings.Contains(to, "\\") {
			t.Errorf("next %q: %d to %q", target, a.StatusCode, to)
		}
		if body := nobody.get("/?next=" + url.QueryEscape(target)).body; strings.Contains(body, "evil.example") && target != "/%5cevil.example" {
			t.Errorf("next %q stands on the front page", target)
		}
	}
	for _, raw := range []string{"//evil.example/?lang=nn", "/%2fevil.example/?lang=nn", "/consents?lang=nn&saved=x"} {
		r, err := http.NewRequest("GET", p.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.URL.Opaque = raw
		a := nobody.do(r)
		to := a.Header.Get("Location")
		if a.StatusCode != http.StatusSeeOther || strings.HasPrefix(to, "//") || strings.Contains(to, "lang=") {
			t.Errorf("%s: %d to %q", raw, a.StatusCode, to)
		}
	}
}

func TestBrokenCookiesAreNobody(t *testing.T) {
	p := open(t)
	for _, value := range []string{"x", strings.Repeat("A", 43), strings.Repeat("A", 4000), "%00", `"quoted"`, "../../etc/passwd", "' OR 1=1 --"} {
		v := p.visit(t)
		v.header = http.Header{"Cookie": {"innsyn=" + value}}
		a := v.get("/overview")
		if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "/?next=") {
			t.Errorf("cookie %q: %d", value, a.StatusCode)
		}
		noInternals(t, value, a)
	}
}
