package auth

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"elekt.no/innsyn/privacy"
)

// What the development provider doesn't make: tokens of other kinds, keys in the
// header, claims of odd types. (checklist 14-21)
func TestTokens(t *testing.T) {
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := newStub(t)
	r := rigFor(t, s)
	ago := func(d time.Duration) int64 { return time.Now().Add(-d).Unix() }
	for _, c := range []struct {
		name   string
		change func(*stub)
		reason string // empty: a login
	}{
		{"as it should be", func(*stub) {}, ""},
		{"no typ", func(s *stub) { delete(s.header, "typ") }, ""},
		{"a logout token", func(s *stub) { s.header["typ"] = "logout+jwt" }, "typ"},
		{"an access token", func(s *stub) { s.header["typ"] = "at+jwt" }, "typ"},
		{"the events of a logout token", func(s *stub) {
			s.claims["events"] = map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}
		}, "typ"},
		{"a Keycloak ID token", func(s *stub) { s.claims["typ"] = "ID" }, ""},
		{"a Keycloak access token", func(s *stub) { s.claims["typ"] = "Bearer" }, "typ"},
		{"a key in the header", func(s *stub) {
			s.sign = stranger
			s.header["jwk"] = jose.JSONWebKey{Key: stranger.Public(), KeyID: "k1"}
		}, "signature"},
		{"an address of keys in the header", func(s *stub) { s.sign = stranger; s.header["jku"] = s.URL + "/evil" }, "signature"},
		{"no kid", func(s *stub) { s.header["kid"] = "" }, ""},
		{"no kid, a stranger's key", func(s *stub) { s.header["kid"] = ""; s.sign = stranger }, "signature"},
		{"no nonce", func(s *stub) { s.claims["nonce"] = nil }, "nonce"},
		{"an empty nonce", func(s *stub) { s.claims["nonce"] = "" }, "nonce"},
		{"no iat", func(s *stub) { s.claims["iat"] = nil }, "iat"},
		{"iat two minutes back", func(s *stub) { s.claims["iat"] = ago(110 * time.Second) }, ""},
		{"iat three minutes back", func(s *stub) { s.claims["iat"] = ago(3 * time.Minute) }, "iat"},
		{"iat three minutes ahead", func(s *stub) { s.claims["iat"] = ago(-3 * time.Minute) }, "iat"},
		{"no exp", func(s *stub) { s.claims["exp"] = nil }, "expired"},
		{"not yet", func(s *stub) { s.claims["nbf"] = ago(-time.Hour) }, "not-yet"},
		{"auth_time ahead", func(s *stub) { s.claims["auth_time"] = ago(-time.Hour) }, "auth-time"},
		{"another audience", func(s *stub) { s.claims["aud"] = "other" }, "audience"},
		{"two audiences, azp is us", func(s *stub) { s.claims["aud"], s.claims["azp"] = []string{"other", "portal"}, "portal" }, ""},
		{"two audiences, no azp", func(s *stub) { s.claims["aud"] = []string{"other", "portal"} }, "azp"},
		{"azp is another", func(s *stub) { s.claims["azp"] = "other" }, "azp"},
		{"azp is empty", func(s *stub) { s.claims["azp"] = "" }, "azp"},
		{"azp is a number", func(s *stub) { s.claims["azp"] = 1 }, "azp"},
		{"the issuer with a slash", func(s *stub) { s.claims["iss"] = s.URL + "/" }, "issuer"},
		{"no subject", func(s *stub) { s.claims["sub"] = nil }, "subject"},
		{"an empty subject", func(s *stub) { s.claims["sub"] = "" }, "subject"},
		{"a subject of 256 letters", func(s *stub) { s.claims["sub"] = strings.Repeat("x", 256) }, "subject"},
		{"at_hash of another", func(s *stub) { s.claims["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA" }, "at-hash"},
		{"a number that can't be one", func(s *stub) { s.claims["acr"], s.claims["nin"] = "strong", "12345678901" }, "national-id"},
		{"the same at a low level", func(s *stub) { s.claims["nin"] = "12345678901" }, ""},
		{"not a token", func(s *stub) { answerToken(s, "nonsense") }, "form"},
		{"no token", func(s *stub) { answerToken(s, "") }, "token-missing"},
		{"alg none", func(s *stub) { answerToken(s, b64(`{"alg":"none"}`)+"."+b64(`{}`)+".") }, "alg"},
		{"alg HS256", func(s *stub) { answerToken(s, b64(`{"alg":"HS256"}`)+"."+b64(`{}`)+".AAAA") }, "alg"},
		{"alg RS256, which isn't configured", func(s *stub) { answerToken(s, b64(`{"alg":"RS256","kid":"k1"}`)+"."+b64(`{}`)+".AAAA") }, "alg"},
		{"an answer without end", func(s *stub) {
			s.answer = func(w http.ResponseWriter) {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprintf(w, `{"access_token":"at","id_token":"%s"}`, bytes.Repeat([]byte("a"), 2<<20))
			}
		}, "token-endpoint"},
		{"a redirect", func(s *stub) {
			s.answer = func(w http.ResponseWriter) {
				w.Header().Set("Location", s.URL+"/token")
				w.WriteHeader(http.StatusTemporaryRedirect)
			}
		}, "token-endpoint"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.header, s.claims, s.sign, s.answer = map[string]any{"typ": "JWT"}, map[string]any{}, s.key, nil
			c.change(s)
			out, w, err := r.callback(t, nil)
			if c.reason == "" {
				if err != nil || out.Session == nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			if reasonOf(err) != c.reason || out != nil {
				t.Errorf("%v, want reason %s", err, c.reason)
			}
			for _, cookie := range w.Result().Cookies() {
				if cookie.Name == cookieSession && cookie.MaxAge >= 0 {
					t.Error("a session began")
				}
			}
			if strings.Contains(r.log.String(), "eyJ") {
				t.Error("the log holds a token")
			}
		})
	}
}

func answerToken(s *stub, raw string) {
	s.answer = func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token": "at", "token_type": "Bearer", "id_token": %q}`, raw)
	}
}

func rigFor(t *testing.T, s *stub) *rig { return newRig(t, "http://127.0.0.1:1", s.config()) }

// The issuer in the answer is required where the provider says that it sends one
// (RFC 9207). (checklist 6)
func TestIssuerParameter(t *testing.T) {
	s := newStub(t)
	s.metadata["authorization_response_iss_parameter_supported"] = true
	r := rigFor(t, s)
	if _, _, err := r.callback(t, nil); reasonOf(err) != "iss-param" {
		t.Errorf("without iss: %v", err)
	}
	if _, _, err := r.callback(t, func(q url.Values) { q.Set("iss", s.URL+"/") }); reasonOf(err) != "iss-param" {
		t.Errorf("with another iss: %v", err)
	}
	if _, _, err := r.callback(t, func(q url.Values) { q.Set("iss", s.URL) }); err != nil {
		t.Errorf("with iss: %v", err)
	}
}

// Discovery is refused on a mismatch, and where it leads off https. (checklist 16)
func TestDiscovery(t *testing.T) {
	for name, change := range map[string]func(*stub){
		"another issuer":           func(s *stub) { s.metadata["issuer"] = s.URL + "/" },
		"keys on plain http":       func(s *stub) { s.metadata["jwks_uri"] = "http://keys.example.com/" },
		"a token endpoint that is": func(s *stub) { s.metadata["token_endpoint"] = "http://token.example.com/" },
		"no keys":                  func(s *stub) { delete(s.metadata, "jwks_uri") },
		"not a document":           func(s *stub) { s.metadata = nil },
	} {
		s := newStub(t)
		r := rigFor(t, s)
		change(s)
		if got := r.Providers(t.Context()); len(got) != 1 || got[0].Available {
			t.Errorf("%s: %+v", name, got)
		}
		if m, err := r.providers["stub"].ready(t.Context()); m != nil || privacy.KindOf(err) != privacy.Unavailable || reasonOf(err) != "discovery" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Keys are asked for again after an hour, and a withdrawn key is then no key.
func TestKeysAge(t *testing.T) {
	s := newStub(t)
	r := rigFor(t, s)
	s.clock = func() time.Time { return r.now() }
	for range 3 {
		if _, _, err := r.callback(t, nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.fetched.Load(); n != 1 {
		t.Errorf("keys fetched %d times", n)
	}
	s.keySet = []byte(`{"keys": []}`)
	r.ahead = keysLife + time.Second
	if _, _, err := r.callback(t, nil); reasonOf(err) != "unknown-key" {
		t.Errorf("a withdrawn key: %v", err)
	}
	s.keySet = []byte(`{"keys": [{"kty": "novel"}, 7]}`)
	if _, _, err := r.callback(t, nil); reasonOf(err) != "unknown-key" {
		t.Errorf("keys of unknown kinds: %v", err)
	}
}

// An acr that is absent or unknown is the lowest level; a login whose time the
// token doesn't say is never fresh. (checklist 21)
func TestAssurance(t *testing.T) {
	s := newStub(t)
	r := rigFor(t, s)
	for i, c := range []struct {
		acr  any
		want privacy.Assurance
	}{{"strong", privacy.AssuranceHigh}, {"STRONG", privacy.AssuranceLow}, {"other", privacy.AssuranceLow}, {"", privacy.AssuranceLow},
		{nil, privacy.AssuranceLow}, {4, privacy.AssuranceLow}, {[]string{"strong"}, privacy.AssuranceLow}} {
		s.claims = map[string]any{"acr": c.acr, "sub": fmt.Sprint("s", i)}
		out, _, err := r.callback(t, nil)
		if err != nil || out.Session.Assurance != c.want {
			t.Errorf("%v: %v %v", c.acr, out, err)
		}
	}
	s.claims = map[string]any{"auth_time": nil, "acr": "strong"}
	out, _, err := r.callback(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Require(out.Session, privacy.AssuranceHigh, 24*time.Hour); privacy.KindOf(err) != privacy.StepUp {
		t.Errorf("a login without a time counts as fresh: %v", err)
	}
}

// Telephone numbers count only if the provider says that they are verified, and
// from substantial on.
func TestProofKeys(t *testing.T) {
	nin := "12858421045"
	for _, c := range []struct {
		claims    string
		phone     string
		hasNumber bool
	}{
		{`{"sub":"a","acr":"strong","phone":"4700000001","phone_verified":true,"nin":"` + nin + `"}`, "+4700000001", true},
		{`{"sub":"a","acr":"strong","phone":"+47 00 00 00 01","phone_verified":"true"}`, "+4700000001", false},
		{`{"sub":"a","acr":"strong","phone":"4700000001","phone_verified":false}`, "", false},
		{`{"sub":"a","acr":"strong","phone":"4700000001"}`, "", false},
		{`{"sub":"a","phone":"4700000001","phone_verified":true,"nin":"` + nin + `"}`, "", false},
		{`{"sub":"a","acr":"strong","phone":"0047000001","phone_verified":true}`, "", false},
		{`{"sub":"a","acr":"strong","phone":4700000001,"phone_verified":true}`, "", false},
	} {
		s := newStub(t)
		cfg, err := s.config().complete()
		if err != nil {
			t.Fatal(err)
		}
		var cl claims
		if err := json.Unmarshal([]byte(c.claims), &cl); err != nil {
			t.Fatal(err)
		}
		p := &provider{cfg: cfg, now: time.Now}
		got, err := p.read(&oidc.IDToken{Issuer: cfg.Issuer, Subject: "a"}, cl, testNIN)
		if err != nil || got.Phone != c.phone || (got.Identity.NINHash != nil) != c.hasNumber {
			t.Errorf("%s: %+v %v", c.claims, got, err)
		}
		if c.hasNumber && !bytes.Equal(got.Identity.NINHash, privacy.HashNationalID(testNIN, nin)) {
			t.Error("not the hash that the company's database has")
		}
	}
}

func TestNames(t *testing.T) {
	for in, want := range map[string]string{
		"Máret-Elle": "Máret-Elle", " Åse \r\n Marie ": "Åse Marie", "a\u202eb": "a b", "": "", strings.Repeat("æ", 300): strings.Repeat("æ", 100),
	} {
		if got := name(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
