package web_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"elekt.no/innsyn/auth"
)

// issuer is the company's issuer of access tokens, with keys of its own.
type issuer struct {
	*httptest.Server
	key   *ecdsa.PrivateKey
	clock func() time.Time
	asked atomic.Int64 // for keys
	down  atomic.Bool
}

const audience = "https://innsyn.elekt.example/api"

func newIssuer(t testing.TB, clock func() time.Time) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key, clock: clock}
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		if i.down.Load() {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"issuer": i.URL, "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys"}); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		i.asked.Add(1)
		if i.down.Load() {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		w.Write(keys)
	})
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) config() *auth.APIConfig {
	return &auth.APIConfig{Issuer: i.URL, Audience: audience, Algorithms: []string{"ES256"}, Systems: []string{"app-account"}}
}

// spoilt is what a token has that it shouldn't.
type spoilt struct {
	header, claims map[string]any // nil takes one away
	key            *ecdsa.PrivateKey
}

// token is an access token of a client.
func (i *issuer) token(t testing.TB, client string, scopes []string, s spoilt) string {
	t.Helper()
	now := i.clock()
	claims := map[string]any{"iss": i.URL, "aud": audience, "sub": client, "client_id": client, "scope": strings.Join(scopes, " "),
		"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "jti": rand.Text()}
	header := map[string]any{"typ": "at+jwt", "kid": "k1"}
	for _, m := range []struct{ to, from map[string]any }{{claims, s.claims}, {header, s.header}} {
		for name, v := range m.from {
			if m.to[name] = v; v == nil {
				delete(m.to, name)
			}
		}
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	o := &jose.SignerOptions{ExtraHeaders: map[jose.HeaderKey]any{}}
	for name, v := range header {
		o.ExtraHeaders[jose.HeaderKey(name)] = v
	}
	key := i.key
	if s.key != nil {
		key = s.key
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, o)
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
