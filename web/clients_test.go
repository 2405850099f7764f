package web_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/web"
)

// Every route of the API with every scope: its own lets in, no other does.
func TestScopes(t *testing.T) {
	p := open(t)
	for _, scope := range append([]string{"", "openid", "choices", "may-i:write"}, web.Scopes...) {
		c := p.caller(t, "crm", scope)
		for _, rt := range p.web.Routes() {
			if rt.Audience != web.Client {
				continue
			}
			path := strings.NewReplacer("{system}", "customer", "{id}", "101010", "{purpose}", "newsletter").Replace(rt.Path)
			var body any
			if rt.Method == "POST" {
				body = "{}"
			}
			a := c.do(rt.Method, path, body)
			switch in := scope == rt.Scope; {
			case in && (a.StatusCode == http.StatusForbidden || a.StatusCode == http.StatusUnauthorized):
				t.Errorf("%s %s with %s: %d", rt.Method, rt.Path, scope, a.StatusCode)
			case !in && (a.StatusCode != http.StatusForbidden || a.str("reason") != "scope"):
				t.Errorf("%s %s with %q: %d", rt.Method, rt.Path, scope, a.StatusCode)
			case !in && !strings.Contains(a.Header.Get("WWW-Authenticate"), `error="insufficient_scope", scope="`+rt.Scope+`"`):
				t.Errorf("%s %s: %s", rt.Method, rt.Path, a.Header.Get("WWW-Authenticate"))
			}
		}
	}
}

// Nobody gets in without a good token, on any route, whatever else they have; and
// nothing is written.
func TestTokensOfTheAPI(t *testing.T) {
	p := open(t)
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := p.clock()
	claim := func(name string, v any) spoilt { return spoilt{claims: map[string]any{name: v}} }
	header := func(name string, v any) spoilt { return spoilt{header: map[string]any{name: v}} }
	for name, c := range map[string]struct {
		spoilt
		reason string // empty: let in
	}{
		"as it should be":              {},
		"no typ":                       {header("typ", nil), ""},
		"the whole typ":                {header("typ", "application/at+jwt"), ""},
		"an ID token":                  {header("typ", "JWT"), "token-typ"},
		"a logout token":               {header("typ", "logout+jwt"), "token-typ"},
		"expired":                      {claim("exp", now.Add(-time.Second).Unix()), "token-expired"},
		"no expiry":                    {claim("exp", nil), "token-expired"},
		"not yet":                      {claim("nbf", now.Add(time.Hour).Unix()), "token-not-yet"},
		"nbf a minute ago":             {claim("nbf", now.Add(-time.Minute).Unix()), ""},
		"issued in the future":         {claim("iat", now.Add(time.Hour).Unix()), "token-iat"},
		"no time of issue":             {claim("iat", nil), "token-iat"},
		"issued long ago":              {claim("iat", now.Add(-time.Hour).Unix()), ""},
		"another audience":             {claim("aud", "https://other.example"), "token-audience"},
		"no audience":                  {claim("aud", nil), "token-audience"},
		"two audiences, one is us":     {claim("aud", []string{"https://other.example", audience}), ""},
		"another issuer":               {claim("iss", "https://evil.example"), "token-issuer"},
		"the issuer with a slash":      {claim("iss", p.api.URL+"/"), "token-issuer"},
		"no client":                    {claim("client_id", nil), "token-client"},
		"a client that is a number":    {claim("client_id", 1), "token-client"},
		"a client with a line":         {claim("client_id", "crm\nadmin"), "token-client"},
		"a client that is too long":    {claim("client_id", strings.Repeat("c", 129)), "token-client"},
		"scopes as a list":             {claim("scope", web.Scopes), ""},
		"another's key":                {spoilt{key: stranger}, "token-signature"},
		"a key that nobody has":        {header("kid", "k2"), "token-unknown-key"},
		"a key in the header":          {spoilt{key: stranger, header: map[string]any{"jwk": jose.JSONWebKey{Key: stranger.Public(), KeyID: "k1"}}}, "token-signature"},
		"an address of keys in header": {spoilt{key: stranger, header: map[string]any{"jku": "https://evil.example/keys"}}, "token-signature"},
	} {
		caller := p.caller(t, "crm")
		caller.token = p.api.token(t, "crm", web.Scopes, c.spoilt)
		for range 2 { // what was verified is remembered; what was refused isn't let in later
			a := caller.get(mayI("customer", "101010", "newsletter"))
			switch {
			case c.reason == "" && a.StatusCode != http.StatusOK:
				t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
			case c.reason != "" && (a.StatusCode != http.StatusUnauthorized || a.str("reason") != c.reason):
				t.Errorf("%s: %d %s, want %s", name, a.StatusCode, a.str("reason"), c.reason)
			case c.reason != "" && a.Header.Get("WWW-Authenticate") != `Bearer realm="innsyn", error="invalid_token"`:
				t.Errorf("%s: %s", name, a.Header.Get("WWW-Authenticate"))
			}
		}
	}
	good := p.api.token(t, "crm", web.Scopes, spoilt{})
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	body := strings.Split(good, ".")[1]
	for name, value := range map[string]string{
		"nothing": "", "another scheme": "Basic Y3JtOng=", "no token": "Bearer ", "two words": "Bearer a b", "nonsense": "Bearer nonsense",
		"alg none": "Bearer " + part(`{"alg":"none"}`) + "." + body + ".", "HMAC": "Bearer " + part(`{"alg":"HS256","kid":"k1"}`) + "." + body + ".AAAA",
		"an algorithm that isn't configured": "Bearer " + part(`{"alg":"RS256","kid":"k1"}`) + "." + body + ".AAAA",
		"without its signature":              "Bearer " + good[:strings.LastIndex(good, ".")+1], "too long": "Bearer " + strings.Repeat("a", 9000),
	} {
		c := p.caller(t, "crm").with("Authorization", value)
		if a := c.get(mayI("customer", "101010", "newsletter")); a.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(a.str("reason"), "token-") {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
	// A token in the address is no token: addresses end up in logs.
	c := p.caller(t, "crm")
	c.token = ""
	if a := c.get(mayI("customer", "101010", "newsletter") + "&access_token=" + good); a.StatusCode != http.StatusUnauthorized || a.Header.Get("WWW-Authenticate") != `Bearer realm="innsyn"` {
		t.Errorf("in the address: %d %s", a.StatusCode, a.Header.Get("WWW-Authenticate"))
	}
	// Nor does a person's session open any route, nor a token a person's page.
	v := p.login(t, privacy.AssuranceHigh)
	before := p.rows(t)
	for _, rt := range p.web.Routes() {
		if rt.Audience != web.Client {
			continue
		}
		to := strings.NewReplacer("{system}", "innsyn", "{id}", string(v.person), "{purpose}", "newsletter").Replace(rt.Path)
		a := v.get(to)
		if rt.Method == "POST" {
			a = v.post(to, url.Values{"csrf": {v.token()}})
		}
		if a.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s %s with a session: %d", rt.Method, rt.Path, a.StatusCode)
		}
	}
	v.client.Jar = nil
	v.header = http.Header{"Authorization": {"Bearer " + good}}
	if a := v.get("/overview"); a.StatusCode != http.StatusSeeOther {
		t.Errorf("a page with a token: %d", a.StatusCode)
	}
	if after := p.rows(t); after != before {
		t.Errorf("written: %s, before %s", after, before)
	}
	if strings.Contains(p.log.String(), good) || strings.Contains(p.log.String(), body) {
		t.Error("a token stands in the log")
	}
	if !strings.Contains(p.log.String(), `"client":"crm"`) {
		t.Error("the log doesn't say which client called")
	}
}

// A token that was verified is remembered for no longer than it lives.
func TestRememberedTokensEnd(t *testing.T) {
	p := open(t)
	c := p.caller(t, "crm")
	c.token = p.api.token(t, "crm", web.Scopes, spoilt{claims: map[string]any{"exp": p.clock().Add(30 * time.Second).Unix()}})
	if a := c.get(mayI("customer", "1", "newsletter")); a.StatusCode != http.StatusOK {
		t.Fatalf("%d", a.StatusCode)
	}
	p.pass(31 * time.Second)
	if a := c.get(mayI("customer", "1", "newsletter")); a.StatusCode != http.StatusUnauthorized || a.str("reason") != "token-expired" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

// Tokens with keys that nobody has make us ask the issuer a few times a minute, and
// an issuer that is away is 503, never 401.
func TestIssuerIsLeftInPeace(t *testing.T) {
	p := open(t)
	c := p.caller(t, "crm", web.ScopeMayI)
	if a := c.get(mayI("customer", "1", "newsletter")); a.StatusCode != http.StatusOK {
		t.Fatalf("%d", a.StatusCode)
	}
	for i := range 20 {
		bad := p.caller(t, "crm")
		bad.token = p.api.token(t, "crm", web.Scopes, spoilt{header: map[string]any{"kid": fmt.Sprint("x", i)}})
		if a := bad.get(mayI("customer", "1", "newsletter")); a.str("reason") != "token-unknown-key" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	}
	if n := p.api.asked.Load(); n > 6 {
		t.Errorf("the issuer was asked for its keys %d times", n)
	}
	p.api.down.Store(true)
	p.pass(2 * time.Hour) // what is known of the issuer has grown old
	late := p.caller(t, "crm", web.ScopeMayI)
	if a := late.get(mayI("customer", "1", "newsletter")); a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("issuer away: %d %s", a.StatusCode, a.body)
	}
	p.api.down.Store(false)
	if a := late.get(mayI("customer", "1", "newsletter")); a.StatusCode != http.StatusOK {
		t.Errorf("issuer back: %d %s", a.StatusCode, a.body)
	}
}
