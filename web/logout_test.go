package web_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"elekt.no/innsyn/auth"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/web"
)

// Checklist 32: whoever is logged in can log out from every page.
func TestLogoutIsOnEveryPage(t *testing.T) {
	p := open(t)
	v := p.login(t, privacy.AssuranceHigh)
	pages := 0
	for _, rt := range p.web.Routes() {
		if rt.Method != "GET" {
			continue
		}
		a := v.get(path(rt.Path))
		if a.StatusCode != http.StatusOK || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
			continue
		}
		pages++
		if !strings.Contains(a.body, `action="/logout"`) {
			t.Errorf("%s has no way to log out", rt.Path)
		}
	}
	if pages < 10 {
		t.Errorf("only %d pages were looked at", pages)
	}
}

// Checklist 43: over https, browsers come back by https for a year and more.
func TestStrictTransportSecurity(t *testing.T) {
	p := open(t)
	key := make([]byte, 32)
	for base, want := range map[string]string{"https://innsyn.example.com": "max-age=63072000; includeSubDomains", "http://127.0.0.1:1": ""} {
		a, err := auth.New(auth.Options{BaseURL: base, Store: p.store, Catalogue: p.cat, SessionKey: key, NationalIDKey: key,
			Providers: []auth.ProviderConfig{{ID: "bankid", Preset: "bankid", Issuer: "http://127.0.0.1:1/", ClientID: "c", ClientAuth: auth.SecretBasic, ClientSecret: "s"}}})
		if err != nil {
			t.Fatal(err)
		}
		s, err := web.New(web.Options{BaseURL: base, Catalogue: p.cat, Store: p.store, Auth: a, Log: slog.New(slog.DiscardHandler), Now: p.clock})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", "/contact", nil))
		if got := w.Header().Get("Strict-Transport-Security"); got != want {
			t.Errorf("%s: %q, want %q", base, got, want)
		}
	}
}
