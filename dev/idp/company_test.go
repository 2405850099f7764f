package idp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

const apiAudience = "http://127.0.0.1:9/api"

func startCompany(t *testing.T) *world {
	t.Helper()
	return start(t, func(o *Options) {
		o.API = apiAudience
		o.Clients = append(o.Clients, Client{Provider: Company, ID: "crm", Secret: "s+/=", Scopes: []string{"may-i:read", "choices:read"}})
	})
}

// grant asks for a token and gives the status and the answer.
func (w *world) grant(t *testing.T, id, secret string, form url.Values) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequest("POST", w.Issuer(Company)+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if id != "" {
		r.SetBasicAuth(id, secret)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatalf("%d %s: %v", res.StatusCode, b, err)
	}
	return res.StatusCode, m
}

// verify checks a token as a resource server does and gives its claims.
func (w *world) verify(t *testing.T, token string) (map[string]any, error) {
	t.Helper()
	p, err := oidc.NewProvider(t.Context(), w.Issuer(Company))
	if err != nil {
		t.Fatal(err)
	}
	id, err := p.Verifier(&oidc.Config{ClientID: apiAudience}).Verify(context.Background(), token)
	if err != nil {
		return nil, err
	}
	var c map[string]any
	return c, id.Claims(&c)
}

func TestCompany(t *testing.T) {
	w := startCompany(t)
	grant := url.Values{"grant_type": {"client_credentials"}}
	status, m := w.grant(t, "crm", "s+/=", grant)
	token, _ := m["access_token"].(string)
	if status != http.StatusOK || m["token_type"] != "Bearer" || m["scope"] != "may-i:read choices:read" || m["expires_in"] != 600.0 {
		t.Fatalf("%d %v", status, m)
	}
	c, err := w.verify(t, token)
	if err != nil || c["client_id"] != "crm" || c["scope"] != "may-i:read choices:read" || c["jti"] == "" {
		t.Errorf("%v, %v", c, err)
	}
	head, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	if err != nil || !strings.Contains(string(head), `"typ":"at+jwt"`) {
		t.Errorf("%s, %v", head, err)
	}
	if status, m := w.grant(t, "crm", url.QueryEscape("s+/="), url.Values{"grant_type": {"client_credentials"}, "scope": {"may-i:read"}}); status != http.StatusOK || m["scope"] != "may-i:read" {
		t.Errorf("%d %v", status, m)
	}
	if status, _ := w.grant(t, "", "", url.Values{"grant_type": {"client_credentials"}, "client_id": {"crm"}, "client_secret": {"s+/="}}); status != http.StatusOK {
		t.Errorf("client_secret_post: %d", status)
	}
	for name, q := range map[string]struct {
		id, secret string
		form       url.Values
		want       string
	}{
		"wrong secret":  {"crm", "x", grant, "invalid_client"},
		"no secret":     {"crm", "", grant, "invalid_client"},
		"nobody":        {"", "", grant, "invalid_client"},
		"unknown":       {"other", "s+/=", grant, "invalid_client"},
		"another grant": {"crm", "s+/=", url.Values{"grant_type": {"password"}}, "unsupported_grant_type"},
		"another scope": {"crm", "s+/=", url.Values{"grant_type": {"client_credentials"}, "scope": {"choices:write"}}, "invalid_scope"},
	} {
		if status, m := w.grant(t, q.id, q.secret, q.form); status == http.StatusOK || m["error"] != q.want {
			t.Errorf("%s: %d %v", name, status, m)
		}
	}
}

func TestFaultsOfCompany(t *testing.T) {
	w := startCompany(t)
	grant := url.Values{"grant_type": {"client_credentials"}}
	for _, fault := range []string{FaultExpired, FaultWrongAudience, FaultWrongIssuer, FaultUnknownKey, FaultWrongSignature, FaultAlgNone, FaultAlgHS256} {
		if err := w.SetFaultOnce(Company, fault); err != nil {
			t.Fatal(err)
		}
		_, m := w.grant(t, "crm", "s+/=", grant)
		if _, err := w.verify(t, m["access_token"].(string)); err == nil {
			t.Errorf("%s: the token is good", fault)
		}
		_, m = w.grant(t, "crm", "s+/=", grant)
		if _, err := w.verify(t, m["access_token"].(string)); err != nil {
			t.Errorf("after %s: %v", fault, err)
		}
	}
	_, m := w.grant(t, "crm", "s+/=", grant)
	if err := w.RotateKeys(Company); err != nil {
		t.Fatal(err)
	}
	if _, err := w.verify(t, m["access_token"].(string)); err != nil {
		t.Errorf("signed with the key before: %v", err)
	}
	if err := w.SetFault(Company, FaultDown, true); err != nil {
		t.Fatal(err)
	}
	res, err := http.Get(w.Issuer(Company) + "/.well-known/openid-configuration")
	if err != nil || res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%v, %v", res, err)
	}
	if err == nil {
		res.Body.Close()
	}
	w.Reset()
	if seen := w.Seen(Company, "token"); len(seen) != 0 {
		t.Errorf("%d requests after the reset", len(seen))
	}
	for name, c := range map[string]Client{"no secret": {Provider: Company, ID: "a", Scopes: []string{"x"}}, "no scope": {Provider: Company, ID: "a", Secret: "s"}, "no id": {Provider: Company, Secret: "s", Scopes: []string{"x"}}} {
		if _, err := New(Options{BaseURL: "http://localhost:1", API: apiAudience, Clients: []Client{c}, Now: time.Now}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := New(Options{BaseURL: "http://localhost:1", Clients: []Client{{Provider: Company, ID: "a", Secret: "s", Scopes: []string{"x"}}}}); err == nil {
		t.Error("no audience: taken")
	}
}
