package authtest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"elekt.no/innsyn/auth"
	"elekt.no/innsyn/dev/idp"
	"elekt.no/innsyn/privacy"
)

func TestLogin(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		provider, person, given string
		level                   privacy.Assurance
		outcome                 string
	}{
		{"bankid", "ingrid", "Ingrid", privacy.AssuranceHigh, "new=true login=false up=false low=false match=made"},
		{"bankid", "even", "Even", privacy.AssuranceSubstantial, "new=true login=false up=false low=false match=made"},
		{"vipps", "amund", "Amund", privacy.AssuranceSubstantial, "new=true login=false up=false low=false match=made"},
		{"vipps", "silje", "Silje", privacy.AssuranceLow, "new=true login=false up=false low=false match=none"},
		{"bankid", "kari", "Kari", privacy.AssuranceHigh, "new=true login=false up=false low=false match=none"},
		{"bankid", "ingrid", "Ingrid", privacy.AssuranceHigh, "new=false login=false up=false low=false match=there"},
	} {
		t.Run(c.provider+" "+c.person, func(t *testing.T) {
			w.t = t
			b := w.browser()
			p := b.loginWith(c.provider, c.person, "", "&to=/consents?x=1")
			if p.Status != http.StatusSeeOther || p.to() != "/consents?x=1" {
				t.Fatalf("%d %s %s", p.Status, p.to(), p.Body)
			}
			if got := p.Header.Get("X-Outcome"); got != c.outcome {
				t.Errorf("outcome %q, want %q", got, c.outcome)
			}
			me, ok := b.who()
			if !ok || me.Given != c.given || me.Assurance != c.level || me.Provider != c.provider {
				t.Errorf("logged in: %v %+v", ok, me)
			}
			if c.person != "silje" && time.Since(me.AuthAt) > time.Minute {
				t.Errorf("auth_at is %s", me.AuthAt)
			}
			if c.person == "silje" && time.Since(me.AuthAt) < 24*time.Hour {
				t.Errorf("a remembered login counts as fresh: %s", me.AuthAt)
			}
		})
	}
}

// The request as it goes to the provider. (checklist 1, 2, 3, 7, 11, 12)
func TestAuthorizationRequest(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	token := b.get("/").Body
	for range 2 {
		// A Host header of somebody else's changes nothing.
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.portal+"/login/bankid?t="+token, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "evil.example.com"
		for _, c := range b.c.Jar.Cookies(r.URL) {
			r.AddCookie(c)
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		b.get(resp.Header.Get("Location"))
	}
	b.get(b.start("vipps", "").to())
	seen := append(w.idp.Seen(idp.BankID, "authorize"), w.idp.Seen(idp.Vipps, "authorize")...)
	if len(seen) != 3 {
		t.Fatalf("%d requests", len(seen))
	}
	scopes := map[string]string{idp.BankID: "openid profile nnin_altsub", idp.Vipps: "openid name phoneNumber birthDate"}
	acr := map[string]string{idp.BankID: "", idp.Vipps: "urn:vipps:acr:app_auth"}
	for _, r := range seen {
		v := r.Values
		if v.Get("response_type") != "code" || v.Get("code_challenge_method") != "S256" || len(v.Get("code_challenge")) != 43 {
			t.Errorf("%s: %v", r.Provider, v)
		}
		if len(v.Get("state")) < 43 || len(v.Get("nonce")) < 43 || v.Get("state") == v.Get("nonce") {
			t.Errorf("%s: state or nonce too short", r.Provider)
		}
		if want := w.portal + "/login/" + r.Provider + "/callback"; v.Get("redirect_uri") != want {
			t.Errorf("redirect_uri %s, want %s", v.Get("redirect_uri"), want)
		}
		if v.Get("scope") != scopes[r.Provider] || v.Get("acr_values") != acr[r.Provider] {
			t.Errorf("%s asked for %q and %q", r.Provider, v.Get("scope"), v.Get("acr_values"))
		}
		for _, no := range []string{"login_hint", "id_token_hint", "code_verifier", "client_secret", "request"} {
			if v.Has(no) {
				t.Errorf("%s: %s stands in the address", r.Provider, no)
			}
		}
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if seen[0].Values.Get(name) == seen[1].Values.Get(name) {
			t.Errorf("%s was used twice", name)
		}
	}
	if seen[0].Values.Get("api_version") != "4" || seen[0].Values.Get("ui_locales") != "nb" {
		t.Errorf("BankID's own parameters: %v", seen[0].Values)
	}
}

// Assurance is asked for as the provider wants it. (checklist 21)
func TestAskForLevel(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ provider, need, acr string }{
		{"bankid", "high", "urn:bankid:bid"},
		{"bankid", "substantial", "urn:bankid:bid urn:bankid:bis"},
		{"bankid", "low", ""},
		{"vipps", "low", "urn:vipps:acr:app_auth"},
		{"vipps", "substantial", "urn:vipps:acr:app_auth"},
	} {
		p := w.browser().start(c.provider, "&need="+c.need)
		to, err := url.Parse(p.to())
		if err != nil || p.Status != 303 || to.Query().Get("acr_values") != c.acr {
			t.Errorf("%s %s: %d %s", c.provider, c.need, p.Status, p.to())
		}
	}
	b := w.browser()
	if p := b.start("vipps", "&need=high"); p.Status != 400 || p.Body != "login.fault.level level-out-of-reach" {
		t.Errorf("Vipps at level high: %d %s", p.Status, p.Body)
	}
}

// How the portal proves itself to each provider, and that the code and the
// verifier travel in the body. (checklist 13)
func TestClientAuthentication(t *testing.T) {
	w := newWorld(t)
	w.browser().mustLogin("bankid", "ingrid")
	w.browser().mustLogin("bankid", "ingrid") // an assertion counts once
	w.browser().mustLogin("vipps", "ingrid")
	for provider, method := range map[string]string{idp.BankID: idp.PrivateKeyJWT, idp.Vipps: idp.SecretBasic} {
		for _, r := range w.idp.Seen(provider, "token") {
			if r.Values.Get("auth_method") != method || r.Values.Get("code_verifier_sent") != "true" || r.Values.Get("in_query") != "false" {
				t.Errorf("%s: %v", provider, r.Values)
			}
		}
	}
	if n := len(w.idp.Seen(idp.BankID, "token")); n != 2 {
		t.Errorf("%d token requests for two logins", n)
	}
	post := newWorld(t, func(o *auth.Options) {
		o.Providers[1].ClientID, o.Providers[1].ClientSecret, o.Providers[1].ClientAuth = "innsyn-post", "another", auth.SecretPost
	})
	post.browser().mustLogin("vipps", "ingrid")
	wrong := newWorld(t, func(o *auth.Options) { o.Providers[1].ClientSecret = "guess" })
	b := wrong.browser()
	b.mustRefuse(b.login("vipps", "ingrid"), 503, "login.fault.unavailable", "client-refused")
	if n := len(wrong.idp.Seen(idp.Vipps, "token")); n != 1 {
		t.Errorf("%d token requests with a wrong secret: the code was sent again", n)
	}
}

// Unknown, used, expired or another browser's state, or another provider's: 400,
// no session, no exchange. (checklist 3, 4, 6)
func TestState(t *testing.T) {
	w := newWorld(t)
	exchanges := func() int { return len(w.idp.Seen(idp.BankID, "token")) }
	for _, c := range []struct {
		reason string
		run    func(b *browser) page
	}{
		{"state-missing", func(b *browser) page { b.get("/"); return b.get("/login/bankid/callback?code=x") }},
		{"state-missing", func(b *browser) page { b.get("/"); return b.get("/login/bankid/callback?code=x&state=") }},
		{"state-unknown", func(b *browser) page {
			b.get("/")
			return b.get("/login/bankid/callback?code=x&state=" + strings.Repeat("A", 43))
		}},
		{"no-cookie", func(b *browser) page {
			return w.browser().get(b.choose("bankid", b.start("bankid", ""), "ingrid", ""))
		}},
		{"other-browser", func(b *browser) page {
			other := w.browser()
			other.get("/")
			return other.get(b.choose("bankid", b.start("bankid", ""), "ingrid", ""))
		}},
		{"state-unknown", func(b *browser) page { return b.loginWith("bankid", "ingrid", idp.FaultWrongState, "") }},
		{"state-expired", func(b *browser) page {
			back := b.choose("bankid", b.start("bankid", ""), "ingrid", "")
			w.clock.advance(10*time.Minute + time.Second)
			defer w.clock.advance(-10*time.Minute - time.Second)
			return b.get(back)
		}},
		{"state-of-other-provider", func(b *browser) page {
			back := b.choose("bankid", b.start("bankid", ""), "ingrid", "")
			return b.get(strings.Replace(back, "/login/bankid/", "/login/vipps/", 1))
		}},
	} {
		before := exchanges()
		b := w.browser()
		b.mustRefuse(c.run(b), 400, "login.fault.state", c.reason)
		if exchanges() != before {
			t.Errorf("%s: the code was exchanged", c.reason)
		}
	}

	// The state that another browser failed with still works in its own, once.
	b, other := w.browser(), w.browser()
	other.get("/")
	back := b.choose("bankid", b.start("bankid", ""), "ingrid", "")
	other.mustRefuse(other.get(back), 400, "login.fault.state", "other-browser")
	if p := b.get(back); p.Status != 303 {
		t.Fatalf("%d %s", p.Status, p.Body)
	}
	if p := b.get(back); p.Status != 400 || p.Body != "login.fault.state state-unknown" {
		t.Errorf("a used state: %d %s", p.Status, p.Body)
	}
	if _, ok := b.who(); !ok {
		t.Error("the session ended because its callback was called again")
	}
}

// Two logins begun in two tabs of one browser both work.
func TestTwoTabs(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	one, two := b.start("bankid", "&to=/one"), b.start("vipps", "&to=/two")
	first, second := b.choose("bankid", one, "ingrid", ""), b.choose("vipps", two, "ingrid", "")
	if p := b.get(second); p.to() != "/two" {
		t.Errorf("second tab: %d %s %s", p.Status, p.to(), p.Body)
	}
	if p := b.get(first); p.to() != "/one" {
		t.Errorf("first tab: %d %s %s", p.Status, p.to(), p.Body)
	}
	if n := w.count(`SELECT count(*) FROM session`); n != 1 {
		t.Errorf("%d sessions in one browser", n)
	}
}

// What the provider says went wrong. Its words are never repeated. (checklist 5)
func TestProviderErrors(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		fault, key, reason string
		status             int
	}{
		{idp.FaultCancelled, "login.fault.cancelled", "cancelled", 400},
		{idp.FaultHostileError, "login.fault.refused", "provider-other", 400},
		{idp.FaultTokenError, "login.fault.response", "code-refused", 400},
		{idp.FaultGarbage, "login.fault.unavailable", "token-endpoint", 503},
	} {
		b := w.browser()
		b.mustRefuse(b.loginWith("vipps", "ingrid", c.fault, ""), c.status, c.key, c.reason)
	}
	// An error with a state that isn't this browser's is not listened to.
	b := w.browser()
	b.get("/")
	b.mustRefuse(b.get("/login/vipps/callback?error=access_denied&state="+strings.Repeat("A", 43)), 400, "login.fault.state", "state-unknown")
	for _, word := range []string{"alert", "onerror", "Set-Cookie", "47000000"} {
		if strings.Contains(w.log.String(), word) {
			t.Errorf("the log repeats the provider: %s", word)
		}
	}
}

// Whoever answers in another provider's place. (checklist 6)
func TestMixUp(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.mustRefuse(b.loginWith("bankid", "ingrid", idp.FaultWrongIssuerArg, ""), 400, "login.fault.response", "iss-param")
	for _, twice := range []string{"code", "state", "iss"} {
		b := w.browser()
		back := b.choose("bankid", b.start("bankid", ""), "ingrid", "")
		b.mustRefuse(b.get(back+"&"+twice+"=a&"+twice+"=b"), 400, "login.fault.response", "parameter-"+twice)
	}
	b = w.browser()
	back := b.choose("bankid", b.start("bankid", ""), "ingrid", "")
	b.mustRefuse(b.get(back+"&iss="+url.QueryEscape(w.idp.Issuer(idp.Vipps))), 400, "login.fault.response", "iss-param")
	if n := len(w.idp.Seen(idp.BankID, "token")); n != 0 {
		t.Errorf("%d codes were exchanged", n)
	}
}

// Every way in which the token can be wrong, at both providers. (checklist 14-20)
func TestTokenFaults(t *testing.T) {
	w := newWorld(t)
	for fault, reason := range map[string]string{
		idp.FaultExpired:        "expired",
		idp.FaultFuture:         "iat",
		idp.FaultWrongAudience:  "audience",
		idp.FaultForeignAZP:     "azp",
		idp.FaultNoAZP:          "azp",
		idp.FaultWrongNonce:     "nonce",
		idp.FaultNoNonce:        "nonce",
		idp.FaultWrongIssuer:    "issuer",
		idp.FaultUnknownKey:     "unknown-key",
		idp.FaultWrongSignature: "signature",
		idp.FaultAlgNone:        "alg",
		idp.FaultAlgHS256:       "alg",
		idp.FaultWrongAtHash:    "at-hash",
		idp.FaultNoSubject:      "subject",
	} {
		for _, provider := range []string{"bankid", "vipps"} {
			b := w.browser()
			b.mustRefuse(b.loginWith(provider, "ingrid", fault, ""), 400, "login.fault.token", reason)
		}
	}
	// Where iat stands for the time of the login, an old one is a wrong one; where
	// the token has auth_time, the login is good but not fresh.
	b := w.browser()
	b.mustRefuse(b.loginWith("bankid", "ingrid", idp.FaultOldLogin, ""), 400, "login.fault.token", "iat")
	if p := b.loginWith("vipps", "ingrid", idp.FaultOldLogin, ""); p.Status != 303 {
		t.Errorf("an old login at Vipps: %d %s", p.Status, p.Body)
	}
	if me, ok := b.who(); !ok || time.Since(me.AuthAt) < time.Hour {
		t.Errorf("auth_at of an old login: %+v", me)
	}
	if n := w.count(`SELECT count(*) FROM person`); n != 1 {
		t.Errorf("%d people", n)
	}
}

// A new signing key is met by asking for the keys again. (checklist 15)
func TestKeyRotation(t *testing.T) {
	w := newWorld(t)
	w.browser().mustLogin("bankid", "ingrid")
	for range 2 {
		if err := w.idp.RotateKeys(idp.BankID); err != nil {
			t.Fatal(err)
		}
		w.browser().mustLogin("bankid", "ingrid")
	}
	w.browser().mustLogin("bankid", "ingrid")
	if n := len(w.idp.Seen(idp.BankID, "keys")); n != 3 {
		t.Errorf("the keys were fetched %d times, want 3", n)
	}
}

// Tokens with unknown keys can't make the portal fetch keys without end.
func TestUnknownKeyFetchLimit(t *testing.T) {
	w := newWorld(t)
	w.browser().mustLogin("bankid", "ingrid")
	for range 12 {
		b := w.browser()
		b.mustRefuse(b.loginWith("bankid", "ingrid", idp.FaultUnknownKey, ""), 400, "login.fault.token", "unknown-key")
	}
	if n := len(w.idp.Seen(idp.BankID, "keys")); n > 6 {
		t.Errorf("the keys were fetched %d times", n)
	}
	w.browser().mustLogin("bankid", "ingrid")
}

// The callback's answer holds nothing and leads to a clean address. (checklist 10)
func TestCallbackAnswer(t *testing.T) {
	w := newWorld(t)
	for _, fault := range []string{"", idp.FaultWrongNonce, idp.FaultCancelled} {
		b := w.browser()
		begun := b.start("vipps", "")
		p := b.get(b.choose("vipps", begun, "amund", fault))
		for _, a := range []page{begun, p} {
			if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("%q: headers %v", fault, a.Header)
			}
		}
		if fault == "" && (p.Status != 303 || p.to() != "/overview") {
			t.Errorf("%d %s", p.Status, p.to())
		}
	}
}

// Return targets are pages of ours. (checklist 8)
func TestReturnTargets(t *testing.T) {
	w := newWorld(t)
	for to, want := range map[string]string{
		"/consents?a=b": "/consents?a=b", "//evil.example.com": "/overview", "https://evil.example.com/": "/overview",
		`/\evil.example.com`: "/overview", "/a\r\nSet-Cookie: x=y": "/overview", "/logout": "/overview", "/login/bankid?t=1": "/overview",
	} {
		b := w.browser()
		if p := b.loginWith("bankid", "ingrid", "", "&to="+url.QueryEscape(to)); p.Status != 303 || p.to() != want {
			t.Errorf("%q: %d %q, want %q", to, p.Status, p.to(), want)
		}
	}
}

// No other site can start a login. (checklist 39)
func TestLoginStart(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name   string
		token  func(b *browser) string
		site   string
		reason string
	}{
		{"without a token", func(*browser) string { return "" }, "", "old-link"},
		{"a token without its cookie", func(*browser) string { return w.browser().get("/").Body }, "", "old-link"},
		{"another browser's token", func(b *browser) string { b.get("/"); return w.browser().get("/").Body }, "none", "foreign-link"},
		{"from another site", func(b *browser) string { return b.get("/").Body }, "cross-site", "foreign-link"},
		{"from a sibling host", func(b *browser) string { return b.get("/").Body }, "same-site", "foreign-link"},
	} {
		b := w.browser()
		p := b.get("/login/bankid?t="+c.token(b), "Sec-Fetch-Site", c.site)
		if c.site == "" {
			p = b.get("/login/bankid?t=" + c.token(b))
		}
		b.mustRefuse(p, 403, "login.fault.link", c.reason)
	}
	b := w.browser()
	token := b.get("/").Body
	for _, site := range []string{"same-origin", "none"} {
		if p := b.get("/login/bankid?t="+token, "Sec-Fetch-Site", site); p.Status != 303 {
			t.Errorf("%s: %d %s", site, p.Status, p.Body)
		}
	}
	// A page that lay open until its cookie was gone: the browser says it is ours.
	if p := w.browser().get("/login/bankid?t="+token, "Sec-Fetch-Site", "same-origin"); p.Status != 303 {
		t.Errorf("old page: %d %s", p.Status, p.Body)
	}
	if w.count(`SELECT count(*) FROM login_transaction`) != 3 {
		t.Error("a refused start left a transaction")
	}
	if p := b.get("/login/nobody?t=" + token); p.Status != 404 || p.Body != "login.fault.provider provider-unknown" {
		t.Errorf("unknown provider: %d %s", p.Status, p.Body)
	}
}

// Providers that are away, in each way, and back again.
func TestProviderAway(t *testing.T) {
	for _, fault := range []string{idp.FaultDown, idp.FaultClosed, idp.FaultSlow} {
		t.Run(fault, func(t *testing.T) {
			w := newWorld(t)
			if err := w.idp.SetFault(idp.BankID, fault, true); err != nil {
				t.Fatal(err)
			}
			status := w.auth.Providers(t.Context())
			if len(status) != 2 || status[0].ID != "bankid" || status[0].Available || !status[1].Available {
				t.Fatalf("%+v", status)
			}
			if status[0].Level != privacy.AssuranceHigh || status[1].Level != privacy.AssuranceSubstantial || status[0].CheckedAt.IsZero() {
				t.Errorf("%+v", status)
			}
			asked := len(w.idp.Seen(idp.BankID, "discovery"))
			w.auth.Providers(t.Context())
			if n := len(w.idp.Seen(idp.BankID, "discovery")); n != asked {
				t.Error("a provider that is down was asked again at once")
			}
			b := w.browser()
			b.mustRefuse(b.start("bankid", ""), 503, "login.fault.unavailable", "discovery")
			w.browser().mustLogin("vipps", "ingrid") // the other one still works

			w.idp.Reset()
			w.browser().mustLogin("bankid", "ingrid") // the start of a login asks by itself
			if s := w.auth.Providers(t.Context()); !s[0].Available {
				t.Errorf("still unavailable: %+v", s[0])
			}
		})
	}
}

// A provider that goes away between the start and the callback.
func TestTokenEndpointAway(t *testing.T) {
	w := newWorld(t)
	w.browser().mustLogin("bankid", "ingrid")
	for _, fault := range []string{idp.FaultDown, idp.FaultClosed, idp.FaultSlow} {
		b := w.browser()
		b.mustRefuse(b.loginWith("bankid", "ingrid", fault, ""), 503, "login.fault.unavailable", "token-endpoint")
		if s := w.auth.Providers(t.Context()); s[0].Available {
			t.Errorf("%s: the login page says that all is well", fault)
		}
		w.clock.advance(11 * time.Second)
		if s := w.auth.Providers(t.Context()); !s[0].Available {
			t.Errorf("%s: not asked again after ten seconds", fault)
		}
		w.clock.advance(-11 * time.Second)
		w.browser().mustLogin("bankid", "ingrid")
	}
	// The front page asks at most once a minute while all is well.
	asked := len(w.idp.Seen(idp.BankID, "discovery"))
	for range 5 {
		w.auth.Providers(t.Context())
	}
	if n := len(w.idp.Seen(idp.BankID, "discovery")); n != asked {
		t.Errorf("asked %d more times", n-asked)
	}
	w.clock.advance(time.Minute)
	w.auth.Providers(t.Context())
	if n := len(w.idp.Seen(idp.BankID, "discovery")); n != asked+1 {
		t.Errorf("asked %d times after a minute", n-asked)
	}
}

// userinfo about somebody else. (checklist 23)
func TestUserinfo(t *testing.T) {
	w := newWorld(t, func(o *auth.Options) { o.Providers[1].UserInfo = true })
	w.browser().mustLogin("vipps", "ingrid")
	if n := len(w.idp.Seen(idp.Vipps, "userinfo")); n != 1 {
		t.Errorf("userinfo was asked %d times", n)
	}
	b := w.browser()
	b.mustRefuse(b.loginWith("vipps", "ingrid", idp.FaultOtherUserinfo, ""), 400, "login.fault.token", "userinfo-subject")
	plain := newWorld(t)
	plain.browser().mustLogin("vipps", "ingrid")
	if n := len(plain.idp.Seen(idp.Vipps, "userinfo")); n != 0 {
		t.Errorf("userinfo was asked %d times, though the ID token says all", n)
	}
}

// What a login leaves behind: no token, code, number or state in the database or
// the log. (checklist 25, 26)
func TestNothingKept(t *testing.T) {
	w := newWorld(t, func(o *auth.Options) {
		o.Providers[1].Scopes = append(slices.Clone([]string{"openid", "name", "phoneNumber", "birthDate"}), "nin")
	})
	var secrets []string
	for _, c := range []struct{ provider, person string }{{"bankid", "ingrid"}, {"vipps", "ingrid"}, {"vipps", "amund"}} {
		b := w.browser()
		back := b.choose(c.provider, b.start(c.provider, ""), c.person, "")
		u, err := url.Parse(back)
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, u.Query().Get("code"), u.Query().Get("state"))
		if p := b.get(back); p.Status != 303 {
			t.Fatalf("%d %s", p.Status, p.Body)
		}
		here, err := url.Parse(w.portal)
		if err != nil {
			t.Fatal(err)
		}
		for _, cookie := range b.c.Jar.Cookies(here) {
			secrets = append(secrets, cookie.Value)
		}
		for _, fault := range idp.Faults() {
			if fault != idp.FaultSlow {
				w.browser().loginWith(c.provider, c.person, fault, "")
			}
		}
	}
	// Who it was may stand in the session's row, for the greeting; the number, the
	// telephone and the e-mail nowhere.
	secrets = append(secrets, "12858421045", "03898133175", "47000000", "ingrid@example.com", "amund@example.com", "eyJ")
	var dump strings.Builder
	rows, err := w.sql.QueryContext(t.Context(), `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`)
	if err != nil {
		t.Fatal(err)
	}
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, name)
	}
	if err := rows.Err(); err != nil || len(tables) < 20 {
		t.Fatal(tables, err)
	}
	for _, table := range tables {
		var text string
		if err := w.sql.QueryRowContext(t.Context(), `SELECT coalesce(string_agg(t::text, E'\n'), '') FROM "`+table+`" t`).Scan(&text); err != nil {
			t.Fatal(err)
		}
		dump.WriteString(text)
	}
	log := w.log.String()
	if !strings.Contains(log, "logged in") || !strings.Contains(log, "login failed") {
		t.Fatal("the log says nothing")
	}
	for _, s := range secrets {
		if s == "" {
			t.Fatal("an empty secret proves nothing")
		}
		if strings.Contains(dump.String(), s) {
			t.Errorf("the database holds %.12s…", s)
		}
		if strings.Contains(log, s) {
			t.Errorf("the log holds %.12s…", s)
		}
	}
	for _, name := range []string{"Ingrid", "Tveitlid", "Amund"} {
		if strings.Contains(log, name) {
			t.Errorf("the log holds the name %s", name)
		}
	}
}
