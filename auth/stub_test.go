package auth

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
	"elekt.no/innsyn/store/storetest"
)

// stub is a provider that says exactly what a test wants said. Whole logins at
// providers in their real shape are in dev/authtest.
type stub struct {
	*httptest.Server
	key      *ecdsa.PrivateKey
	metadata map[string]any
	keySet   []byte
	header   map[string]any // of the token, beside alg and kid
	claims   map[string]any // changes to the token's claims; nil takes one away
	sign     *ecdsa.PrivateKey
	alg      jose.SignatureAlgorithm
	answer   func(http.ResponseWriter) // in place of the token endpoint's
	fetched  atomic.Int64              // how often the keys were
	clock    func() time.Time
}

func newStub(t *testing.T) *stub {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &stub{key: key, sign: key, alg: jose.ES256, header: map[string]any{"typ": "JWT"}, claims: map[string]any{}, clock: time.Now}
	if s.keySet, err = json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}}); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewEncoder(w).Encode(s.metadata); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, r *http.Request) { s.fetched.Add(1); w.Write(s.keySet) })
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		if s.answer != nil {
			s.answer(w)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token": "at", "token_type": "Bearer", "id_token": %q}`, s.token(t, r.PostFormValue("code")))
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	s.metadata = map[string]any{"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token",
		"jwks_uri": s.URL + "/keys", "id_token_signing_alg_values_supported": []string{"ES256", "none", "HS256"}}
	return s
}

// token makes the ID token; the tests send the nonce as the code.
func (s *stub) token(t *testing.T, nonce string) string {
	now := s.clock()
	claims := map[string]any{"iss": s.URL, "aud": "portal", "sub": "subject-1", "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
		"auth_time": now.Unix(), "nonce": nonce, "given_name": "Prøve", "birthdate": "1990-01-02"}
	for name, v := range s.claims {
		if v == nil {
			delete(claims, name)
		} else {
			claims[name] = v
		}
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	o := &jose.SignerOptions{ExtraHeaders: map[jose.HeaderKey]any{}}
	for name, v := range s.header {
		o.ExtraHeaders[jose.HeaderKey(name)] = v
	}
	if _, ok := s.header["kid"]; !ok {
		o.ExtraHeaders["kid"] = "k1"
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: s.alg, Key: s.sign}, o)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (s *stub) config() ProviderConfig {
	return ProviderConfig{ID: "stub", Name: "Stub", Issuer: s.URL, ClientID: "portal", ClientAuth: SecretPost, ClientSecret: "x",
		Scopes: []string{"openid"}, Algorithms: []string{"ES256"}, ACR: map[string]privacy.Assurance{"strong": privacy.AssuranceHigh},
		NationalID: "nin", Phone: "phone", PhoneVerified: "phone_verified"}
}

// rig is an Auth on a real database with a clock of its own.
type rig struct {
	*Auth
	db    *storetest.DB
	owner *sql.DB
	ahead time.Duration
	log   *bytes.Buffer
}

var (
	testKey = bytes.Repeat([]byte{1}, 32)
	testNIN = bytes.Repeat([]byte{2}, 32)
)

func newRig(t *testing.T, baseURL string, providers ...ProviderConfig) *rig {
	t.Helper()
	r := &rig{db: storetest.New(t), log: &bytes.Buffer{}}
	r.owner = r.db.Owner(t)
	s, err := store.Open(store.Options{URL: r.db.AppURL, CompanyURL: r.db.CompanyURL, MaxOpen: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.Now = func() time.Time { return time.Now().Add(r.ahead) }
	if len(providers) == 0 {
		providers = []ProviderConfig{{ID: "none", Name: "None", Issuer: "https://login.example.com", ClientID: "c", ClientAuth: SecretPost,
			ClientSecret: "x", Scopes: []string{"openid"}, Algorithms: []string{"ES256"}}}
	}
	if r.Auth, err = New(Options{BaseURL: baseURL, Providers: providers, Store: s, Catalogue: &privacy.Catalogue{Ages: privacy.Ages{Least: 13}},
		SessionKey: testKey, NationalIDKey: testNIN, Log: slog.New(slog.NewTextHandler(r.log, nil))}); err != nil {
		t.Fatal(err)
	}
	return r
}

// person makes a person with a login, as a login at a provider does.
func (r *rig) person(t *testing.T, subject string, nin []byte) store.LoginResult {
	t.Helper()
	in, err := r.store.LogIn(t.Context(), store.Identity{Provider: "stub", Issuer: "https://login.example.com", Subject: subject, NINHash: nin,
		Assurance: privacy.AssuranceHigh}, store.Match{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// request is a request with the cookies that an earlier answer set.
func request(method, path string, earlier ...*httptest.ResponseRecorder) *http.Request {
	r := httptest.NewRequest(method, path, nil)
	for _, e := range earlier {
		for _, c := range e.Result().Cookies() {
			if c.MaxAge >= 0 {
				r.AddCookie(c)
			}
		}
	}
	return r
}

// callback runs a whole login at the stub and gives Finish's answer.
func (r *rig) callback(t *testing.T, change func(url.Values)) (*Outcome, *httptest.ResponseRecorder, error) {
	t.Helper()
	front := httptest.NewRecorder()
	token := r.LinkToken(front, request("GET", "/"))
	begun := httptest.NewRecorder()
	if err := r.Begin(begun, request("GET", "/login/stub?t="+token, front), "stub", Want{}); err != nil {
		t.Fatal(err)
	}
	to, err := url.Parse(begun.Header().Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	q := url.Values{"state": {to.Query().Get("state")}, "code": {to.Query().Get("nonce")}}
	if change != nil {
		change(q)
	}
	w := httptest.NewRecorder()
	out, err := r.Finish(w, request("GET", "/login/stub/callback?"+q.Encode(), front), "stub")
	return out, w, err
}

func reasonOf(err error) string {
	var e *privacy.Error
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	return e.Reason
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
