package idp

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

func TestRefusesProduction(t *testing.T) {
	t.Setenv("INNSYN_ENV", "production")
	if _, err := New(Options{BaseURL: "http://localhost:8081"}); err == nil || !strings.Contains(err.Error(), "production") {
		t.Errorf("New says %v", err)
	}
}

func TestRefusesOtherMachines(t *testing.T) {
	for _, base := range []string{"", "localhost:8081", "http://0.0.0.0:8081", "http://10.0.0.1", "http://login.example.com",
		"https://localhost.example.com", "http://localhost:8081/path", "ftp://localhost"} {
		if _, err := New(Options{BaseURL: base}); err == nil {
			t.Errorf("New takes %q", base)
		}
	}
	for _, base := range []string{"http://localhost:8081", "http://127.0.0.2:8081/", "http://[::1]:8081"} {
		if _, err := New(Options{BaseURL: base}); err != nil {
			t.Errorf("%q: %v", base, err)
		}
	}
	s, err := New(Options{BaseURL: "http://localhost:8081"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		host, from string
		want       int
	}{
		{"localhost:8081", "127.0.0.1:50000", http.StatusOK},
		{"127.0.0.1:8081", "[::1]:50000", http.StatusOK},
		{"localhost:8081", "192.0.2.1:50000", http.StatusForbidden},
		{"rebound.example.com", "127.0.0.1:50000", http.StatusForbidden},
		{"", "127.0.0.1:50000", http.StatusForbidden},
	} {
		for _, path := range []string{"/", "/bankid/auth/realms/current/.well-known/openid-configuration", "/faults.json"} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Host, r.RemoteAddr = test.host, test.from
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != test.want {
				t.Errorf("%s for %q from %s: %d, want %d", path, test.host, test.from, w.Code, test.want)
			}
		}
	}
}

func TestClients(t *testing.T) {
	private, err := newKey(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	public := private.public()
	secretKey := jose.JSONWebKey{Key: private.private, KeyID: "k", Algorithm: "ES256"}
	good := Client{Provider: BankID, ID: "a", PublicJWK: &public, RedirectURIs: []string{callback}}
	for name, clients := range map[string][]Client{
		"no id":             {{Provider: BankID, Secret: "s", RedirectURIs: []string{callback}}},
		"no address":        {{Provider: BankID, ID: "a", Secret: "s"}},
		"no credentials":    {{Provider: BankID, ID: "a", RedirectURIs: []string{callback}}},
		"no such method":    {{Provider: BankID, ID: "a", Secret: "s", AuthMethod: "none", RedirectURIs: []string{callback}}},
		"method, no key":    {{Provider: BankID, ID: "a", Secret: "s", AuthMethod: PrivateKeyJWT, RedirectURIs: []string{callback}}},
		"method, no secret": {{Provider: BankID, ID: "a", PublicJWK: &public, AuthMethod: SecretBasic, RedirectURIs: []string{callback}}},
		"a private key":     {{Provider: BankID, ID: "a", PublicJWK: &secretKey, RedirectURIs: []string{callback}}},
		"no such provider":  {{Provider: "posten", ID: "a", Secret: "s", RedirectURIs: []string{callback}}},
		"twice":             {good, good},
	} {
		if _, err := New(Options{BaseURL: "http://localhost:8081", Clients: clients}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := New(Options{BaseURL: "http://localhost:8081", Clients: []Client{good}}); err != nil {
		t.Error(err)
	}
}

func TestIndex(t *testing.T) {
	w := start(t, nil)
	must(t, w.SetFault(Vipps, FaultDown, true))
	res, body := w.get(t, "/")
	if res.StatusCode != http.StatusOK {
		t.Fatalf("answered %d", res.StatusCode)
	}
	for _, want := range []string{w.Issuer(BankID), w.Issuer(Vipps), "ES256", "RS256", bankIDClient, vippsClient, `href="/faults"`, callback} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(body, vippsSecret) {
		t.Error("the page shows a secret")
	}
	if res, _ := w.get(t, "/style.css"); res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/css") {
		t.Errorf("the stylesheet answered %d", res.StatusCode)
	}
	for _, path := range []string{"/nothing", "/choose/posten?login=x", "/bankid/auth/realms/current/nothing", "/vipps/access-management-1.0/access/oauth2/token"} {
		if res, _ := w.get(t, path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s answered %d", path, res.StatusCode)
		}
	}
	if w.Issuer("posten") != "" {
		t.Error("an unknown provider has an issuer")
	}
}
