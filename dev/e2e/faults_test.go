package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"elekt.no/innsyn/dev/idp"
	"elekt.no/innsyn/i18n"
)

// fault is what becomes of a login when the provider errs.
type fault struct {
	name   string
	reason string // in the log; empty if the login goes on
	title  string // key of the page's heading
	status int
}

// loginFaults are the switches of the identity provider that hit one login.
var loginFaults = []fault{
	{idp.FaultExpired, "expired", "login-fault.answer", http.StatusBadRequest},
	{idp.FaultWrongAudience, "audience", "login-fault.answer", http.StatusBadRequest},
	{idp.FaultForeignAZP, "azp", "login-fault.answer", http.StatusBadRequest},
	{idp.FaultNoAZP, "azp", "login-fault.answer", http.StatusBadRequest},
	{idp.FaultWrongNonce, "nonce", "login-fault.answer", http.StatusBadRequest},
	{idp.FaultNoNonce, "nonce", "login-fault.answer", http.StatusBadRequest},
	{idp.FaultWrongIssuer, "issuer", "login-fault.answer", http.StatusBadRequest},
	{idp.FaultUnknownKey, "unknown-key", "login-fault.answer", http.StatusBadRequest},
	{idp.FaultWrongSignature, "signature", "login-fault.answer", http.StatusBadRequest},
	{idp.FaultAlgNone, "alg", "login-fault.answer", http.StatusBadRequest},
	{idp.FaultAlgHS256, "alg", "login-fault.answer", http.StatusBadRequest},
	{idp.FaultFuture, "iat", "login-fault.answer", http.StatusBadRequest},
	{idp.FaultWrongAtHash, "at-hash", "login-fault.answer", http.StatusBadRequest},
	{idp.FaultNoSubject, "subject", "login-fault.answer", http.StatusBadRequest},
	{idp.FaultChild, "too-young", "child.title", http.StatusForbidden},
	{idp.FaultCancelled, "cancelled", "login-fault.cancelled", http.StatusBadRequest},
	{idp.FaultHostileError, "provider-other", "login-fault.answer", http.StatusBadRequest},
	{idp.FaultWrongState, "state-unknown", "login-fault.expired", http.StatusBadRequest},
	{idp.FaultWrongIssuerArg, "iss-param", "login-fault.answer", http.StatusBadRequest},
	{idp.FaultTokenError, "code-refused", "login-fault.answer", http.StatusBadRequest},
	{idp.FaultGarbage, "token-endpoint", "login-fault.down", http.StatusServiceUnavailable},
	{idp.FaultDown, "token-endpoint", "login-fault.down", http.StatusServiceUnavailable},
	{idp.FaultClosed, "token-endpoint", "login-fault.down", http.StatusServiceUnavailable},
}

// otherFaults are those that have a test of their own, or harm nobody.
var otherFaults = map[string]string{
	idp.FaultOldLogin:       "TestStaleLogin",
	idp.FaultNoBirthDate:    "TestAge",
	idp.FaultNoNumber:       "TestNoIdentityNumber",
	idp.FaultLowerAssurance: "TestStepUp",
	idp.FaultOtherUserinfo:  "neither provider is asked for userinfo: all claims are in the token",
	idp.FaultSlow:           "the same as closed, after ten seconds; dev/authtest tries it with a shorter wait",
	idp.FaultKeyRotation:    "TestKeyRotation",
}

// TestEveryFaultIsTried fails when the identity provider gets a new switch.
func TestEveryFaultIsTried(t *testing.T) {
	for _, name := range idp.Faults() {
		here := slices.ContainsFunc(loginFaults, func(f fault) bool { return f.name == name })
		if _, there := otherFaults[name]; here == there {
			t.Errorf("fault %s: tried in %v and %v", name, here, there)
		}
	}
}

// nobody fails if a login left anything behind: a session, a person, a cookie.
func nobody(t *testing.T, cookie string) {
	t.Helper()
	if cookie != "" {
		t.Error("there is a session's cookie")
	}
	for _, table := range []string{"session", "person", "login"} {
		if n := number(t, "SELECT count(*) FROM "+table); n != 0 {
			t.Errorf("%d rows in %s", n, table)
		}
	}
}

// hostile are pieces of what the identity provider writes to hurt.
var hostile = []string{"<script>", "alert(", "onerror", "ring 47", "stranger", "The user cancelled"}

// TestLoginFaults meets every fault of BankID in the browser: a clear page with a
// way on, nobody logged in, a reason code in the log.
func TestLoginFaults(t *testing.T) {
	anew(t)
	v := arrive(t)
	seen := map[string]bool{} // kinds of page that axe-core has looked at, and whose way on was gone
	for _, f := range loginFaults {
		t.Run(f.name, func(t *testing.T) {
			defer func(whole *testing.T) { v.t = whole }(v.t)
			v.t = t
			owner(t, `DELETE FROM rate_limit`)
			mark := world.logs.mark()
			v.eye.expect(int64(f.status))
			v.visit("/")
			v.follow(loginLink("bankid"))
			v.choose("ingrid", f.name)
			v.at("/login/bankid/callback")
			if got := v.eye.answered().Status; got != int64(f.status) {
				t.Errorf("status %d, want %d", got, f.status)
			}
			v.sees("h1", v.says(f.title, "Name", "BankID", "Age", 13))
			page := v.text("body")
			for _, h := range hostile {
				if strings.Contains(page, h) {
					t.Errorf("the page repeats %q", h)
				}
			}
			logged(t, mark, f.reason)
			nobody(t, v.cookie("innsyn"))
			way := `main a[href^="/login/"]`
			if f.reason == "too-young" {
				way = `main a[href="/contact#child"]`
			}
			if !v.has(way) {
				t.Fatal("no way on")
			}
			if seen[f.title] {
				return
			}
			seen[f.title] = true
			v.inspect("login-fault-" + f.name)
			v.follow(way)
			if at := v.address(); at.Path != "/contact" && !strings.HasPrefix(at.String(), world.IdentityProvider) {
				t.Errorf("the way on leads to %s", at)
			}
		})
	}
}

// TestVippsFaults does the same with Vipps, which has another shape: without a
// browser, since the pages are the same.
func TestVippsFaults(t *testing.T) {
	anew(t)
	for _, f := range loginFaults {
		t.Run(f.name, func(t *testing.T) {
			owner(t, `DELETE FROM rate_limit`)
			mark := world.logs.mark()
			c := call(t)
			r := c.tryLogin("vipps", "ingrid", f.name)
			if r.StatusCode != f.status {
				t.Errorf("status %s, want %d", r.Status, f.status)
			}
			if want := text(f.title, "Name", "Vipps", "Age", 13); !strings.Contains(r.main(), want) {
				t.Errorf("the page doesn't say %q: %s", want, r.main())
			}
			for _, h := range hostile {
				if strings.Contains(r.Body, h) {
					t.Errorf("the page repeats %q", h)
				}
			}
			logged(t, mark, f.reason)
			nobody(t, c.cookie("innsyn"))
		})
	}
}

// text is a text of the portal in bokmål, as plain text.
func text(key string, args ...any) string {
	return plain(i18n.T(i18n.With(world.browser, i18n.Bokmal), key, args...))
}

// TestProviderDown is a provider that doesn't answer: the front page says which,
// the other one works, and it comes back by itself.
func TestProviderDown(t *testing.T) {
	anew(t)
	call(t).login("vipps", "solveig") // what an earlier test did to Vipps is over
	v := arrive(t)
	c := call(t)
	fail(t, idp.BankID, idp.FaultDown, true)
	if r := c.tryLogin("bankid", "ingrid"); r.StatusCode != http.StatusServiceUnavailable || !strings.Contains(r.main(), text("login-fault.down", "Name", "BankID")) {
		t.Fatalf("a login with a provider that is down: %s: %s", r.Status, r.main())
	}
	v.visit("/")
	v.sees(loginLink("bankid"), v.says("login.down", "Name", "BankID"))
	if strings.Contains(v.text(loginLink("vipps")), v.says("login.down", "Name", "Vipps")) {
		t.Error("Vipps is said to be down as well")
	}
	v.eye.expect(http.StatusServiceUnavailable)
	v.follow(loginLink("bankid"))
	v.sees("h1", v.says("login-fault.down", "Name", "BankID"))
	v.sees("main", v.says("login-fault.works", "Names", "Vipps"))
	v.follow(`main a[href^="/login/vipps"]`)
	v.choose("ingrid")
	v.at("/overview")

	// What doesn't answer may be tried all the same, and is back when it answers.
	fail(t, idp.BankID, idp.FaultDown, false)
	w := arrive(t)
	w.login("bankid", "amund")
	w.at("/overview")
	if r := call(t).get("/"); strings.Contains(r.main(), text("login.down", "Name", "BankID")) {
		t.Error("BankID works, and the front page says that it doesn't")
	}
}

func fail(t *testing.T, provider, fault string, on bool) {
	t.Helper()
	if err := world.IDP.SetFault(provider, fault, on); err != nil {
		t.Fatal(err)
	}
}

// TestKeyRotation is a provider that signs with a new key from one login to the
// next: nobody notices.
func TestKeyRotation(t *testing.T) {
	anew(t)
	for _, provider := range []string{idp.BankID, idp.Vipps} {
		call(t).login(provider, "ingrid")
		if err := world.IDP.RotateKeys(provider); err != nil {
			t.Fatal(err)
		}
		call(t).login(provider, "ingrid")
	}
}

// TestCancelled is a person who changes their mind at the provider.
func TestCancelled(t *testing.T) {
	anew(t)
	mark := world.logs.mark()
	v := arrive(t)
	v.eye.expect(http.StatusBadRequest)
	v.visit("/")
	v.follow(loginLink("vipps"))
	v.follow("button[name=cancel]")
	v.sees("h1", v.says("login-fault.cancelled"))
	logged(t, mark, "cancelled")
	nobody(t, v.cookie("innsyn"))
	v.follow(`main a[href^="/login/vipps"]`)
	v.choose("ingrid")
	v.at("/overview")
}

// TestCallback is an answer that nobody asked for: unknown, used, of another
// browser, of another provider, without a cookie, doubled.
func TestCallback(t *testing.T) {
	anew(t)
	c := call(t)
	r := c.login("bankid", "ingrid")
	used := r.Request.URL.RequestURI()
	owner(t, `TRUNCATE person CASCADE`)

	// begun is a login under way in a browser, with its state.
	begun := func() (*caller, string) {
		who := call(t)
		asked, err := who.get(who.get("/").link("/login/bankid")).Location()
		if err != nil {
			t.Fatal(err)
		}
		return who, asked.Query().Get("state")
	}
	doubler, doubled := begun()
	straying, strayed := begun()
	_, stolen := begun()
	foreign := call(t)
	foreign.get("/")
	for name, try := range map[string]struct {
		who    *caller
		path   string
		reason string
	}{
		"unknown":        {c, "/login/bankid/callback?code=x&state=" + strings.Repeat("A", 43), "state-unknown"},
		"used":           {c, used, "state-unknown"},
		"no state":       {c, "/login/bankid/callback?code=x", "state-missing"},
		"error only":     {c, "/login/bankid/callback?error=access_denied", "state-missing"},
		"doubled":        {doubler, "/login/bankid/callback?code=x&code=y&state=" + doubled, "parameter-code"},
		"other browser":  {foreign, "/login/bankid/callback?code=x&state=" + stolen, "other-browser"},
		"other provider": {straying, "/login/vipps/callback?code=x&state=" + strayed, "state-of-other-provider"},
	} {
		t.Run(name, func(t *testing.T) {
			mark := world.logs.mark()
			r := try.who.twin().get(try.path, crossSite)
			if r.StatusCode != http.StatusBadRequest {
				t.Errorf("%s: %s", r.Status, r.main())
			}
			logged(t, mark, try.reason)
			nobody(t, "")
			if strings.Contains(r.Body, doubled) || strings.Contains(r.Body, strayed) || strings.Contains(r.Body, stolen) || strings.Contains(r.Body, "code=x") {
				t.Error("the page repeats what came")
			}
		})
	}
}

// TestLoginLink is a login that another site wants to begin.
func TestLoginLink(t *testing.T) {
	anew(t)
	c := call(t)
	link := c.get("/").link("/login/bankid")
	bare, _, _ := strings.Cut(link, "?")
	for name, try := range map[string]struct {
		path   string
		change func(*http.Request)
		who    *caller
	}{
		"another site":    {link, crossSite, c},
		"a sibling site":  {link, with("Sec-Fetch-Site", "same-site"), c},
		"no token":        {bare, with("Sec-Fetch-Site", ""), c},
		"a foreign token": {bare + "?t=" + strings.Repeat("A", 43), with("Sec-Fetch-Site", "none"), c},
		"another browser": {link, with("Sec-Fetch-Site", ""), call(t)},
	} {
		t.Run(name, func(t *testing.T) {
			r := try.who.twin().get(try.path, try.change)
			if r.StatusCode != http.StatusForbidden || r.Header.Get("Location") != "" {
				t.Errorf("%s to %q", r.Status, r.Header.Get("Location"))
			}
			if r.link("/login/bankid") == "" {
				t.Error("no way on")
			}
		})
	}
}

// TestUnknownProvider is a login that isn't offered.
func TestUnknownProvider(t *testing.T) {
	anew(t)
	c := call(t)
	for _, path := range []string{"/login/facebook", "/login/facebook/callback?state=x", "/login/..%2fbankid"} {
		if r := c.get(path); r.StatusCode != http.StatusNotFound && r.StatusCode != http.StatusBadRequest || r.main() == "" {
			t.Errorf("%s: %s", path, r.Status)
		}
	}
}
