package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

func pemKey(t *testing.T, key any) string {
	t.Helper()
	b, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b}))
}

func TestPresets(t *testing.T) {
	var list []ProviderConfig
	d := yaml.NewDecoder(strings.NewReader(`
- {id: bankid, preset: bankid, issuer: "https://auth.current.bankid.no/auth/realms/current", client_id: innsyn, key_file: k, key_id: k1,
   scopes: [openid, profile, nnin_altsub], params: {api_version: "", extra: "1"}}
- {id: vipps, preset: vipps, issuer: "https://api.vipps.no/access-management-1.0/access/", client_id: v, client_secret_file: s, ask_for: low, timeout: 5s}
- {id: other, name: Other, issuer: "https://login.example.com", client_id: c, client_auth: client_secret_post, client_secret: x, scopes: [openid],
   algorithms: [PS256], acr: {"https://refeds.org/profile/mfa": high}, ask: {high: "https://refeds.org/profile/mfa"}, app_account: account}
`))
	d.KnownFields(true)
	if err := d.Decode(&list); err != nil {
		t.Fatal(err)
	}
	var done []ProviderConfig
	for _, c := range list {
		c, err := c.complete()
		if err != nil {
			t.Fatal(err)
		}
		done = append(done, c)
	}
	bankid, vipps, other := done[0], done[1], done[2]
	if bankid.Subject != "bankid_altsub" || bankid.TimeClaim != "iat" || bankid.ClientAuth != PrivateKeyJWT || bankid.Algorithms[0] != "ES256" ||
		bankid.AssertionAudience != bankid.Issuer || bankid.Callback != "/login/bankid/callback" || bankid.NationalID != "nnin_altsub" {
		t.Errorf("%+v", bankid)
	}
	if bankid.Params["extra"] != "1" || len(bankid.Params) != 1 {
		t.Errorf("params %v", bankid.Params)
	}
	if presets["bankid"].Params["api_version"] != "4" {
		t.Error("the preset itself was changed")
	}
	if bankid.level("urn:bankid:bid;LOA=4") != privacy.AssuranceHigh || bankid.level("urn:bankid:bid") != privacy.AssuranceLow {
		t.Error("what BankID is asked for counted as what it answers")
	}
	if vipps.Subject != "sub" || vipps.TimeClaim != "auth_time" || vipps.AskFor != privacy.AssuranceLow || vipps.PhoneVerified != Always || vipps.Timeout != 5*time.Second {
		t.Errorf("%+v", vipps)
	}
	if acr, ok := vipps.acrValues(privacy.AssuranceNone); acr != "" || !ok {
		t.Errorf("ask_for low asks for %q", acr)
	}
	if acr, ok := other.acrValues(privacy.AssuranceSubstantial); acr != "https://refeds.org/profile/mfa" || !ok {
		t.Errorf("the next higher level asks for %q", acr)
	}
	if other.AppAccount != "account" || other.top() != privacy.AssuranceHigh {
		t.Errorf("%+v", other)
	}
}

// Everything that is wrong in a configuration is said in words. (checklist 1, 14, 51)
func TestConfigFaults(t *testing.T) {
	good := func() ProviderConfig {
		return ProviderConfig{ID: "p", Name: "P", Issuer: "https://login.example.com", ClientID: "c", ClientAuth: SecretBasic, ClientSecret: "x",
			Scopes: []string{"openid"}, Algorithms: []string{"ES256"}}
	}
	if err := good().Validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*ProviderConfig){
		"id must be":            func(c *ProviderConfig) { c.ID = "Bank ID" },
		"name is missing":       func(c *ProviderConfig) { c.Name = "" },
		`preset "bank"`:         func(c *ProviderConfig) { c.Preset = "bank" },
		"issuer is missing":     func(c *ProviderConfig) { c.Issuer = "" },
		"must be https":         func(c *ProviderConfig) { c.Issuer = "http://login.example.com" },
		"not an address":        func(c *ProviderConfig) { c.Issuer = "https://user@login.example.com" },
		"client_id is missing":  func(c *ProviderConfig) { c.ClientID = "" },
		"needs client_secret":   func(c *ProviderConfig) { c.ClientSecret = "" },
		"needs key":             func(c *ProviderConfig) { c.ClientAuth = PrivateKeyJWT },
		"neither a PEM":         func(c *ProviderConfig) { c.ClientAuth, c.Key = PrivateKeyJWT, "secret words" },
		"client_auth is":        func(c *ProviderConfig) { c.ClientAuth = "none" },
		"must hold openid":      func(c *ProviderConfig) { c.Scopes = []string{"profile"} },
		"algorithms is missing": func(c *ProviderConfig) { c.Algorithms = nil },
		`"HS256" may not`:       func(c *ProviderConfig) { c.Algorithms = []string{"HS256"} },
		`"none" may not`:        func(c *ProviderConfig) { c.Algorithms = []string{"none"} },
		"response_type is set":  func(c *ProviderConfig) { c.Params = map[string]string{"response_type": "token"} },
		"login_hint is set":     func(c *ProviderConfig) { c.FreshParams = map[string]string{"login_hint": "x"} },
		"belong together":       func(c *ProviderConfig) { c.Phone = "phone" },
		`locales: "sv"`:         func(c *ProviderConfig) { c.Locales = map[string]string{"sv": "sv"} },
		`ask: "top"`:            func(c *ProviderConfig) { c.Ask = map[string]string{"top": "x"} },
		"no acr gives more":     func(c *ProviderConfig) { c.AskFor = privacy.AssuranceHigh },
		"must be a path":        func(c *ProviderConfig) { c.Callback = "https://evil.example.com/" },
		"timeout must":          func(c *ProviderConfig) { c.Timeout = time.Hour },
	} {
		c := good()
		change(&c)
		err := c.Validate()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret words") {
			t.Error("a key stands in an error")
		}
	}
}

func TestClientKeys(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	small, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	big, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ key, kid, fault string }{
		{pemKey(t, ec), "k1", ""}, {pemKey(t, big), "k1", ""}, {pemKey(t, ec), "", "key_id is missing"}, {pemKey(t, small), "k1", "must be P-256"},
	} {
		a, err := newAssertion(ProviderConfig{Key: c.key, KeyID: c.kid, ClientID: "portal", AssertionAudience: "https://login.example.com"})
		if c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%v, want %s", err, c.fault)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		one, err := a.make(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if two, err := a.make(time.Now()); err != nil || one == two {
			t.Error("an assertion was made twice")
		}
	}
}

// A login that only development may have can't be on in production. (checklist 51)
func TestProductionRefusesDevelopmentLogins(t *testing.T) {
	r := newRig(t, "http://127.0.0.1:1")
	good := Options{BaseURL: "https://innsyn.example.com", Production: true, Store: r.store, Catalogue: &privacy.Catalogue{}, SessionKey: testKey,
		NationalIDKey: testNIN, Providers: []ProviderConfig{{ID: "p", Name: "P", Issuer: "https://login.example.com", ClientID: "c",
			ClientAuth: SecretPost, ClientSecret: "x", Scopes: []string{"openid"}, Algorithms: []string{"ES256"}}}}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Options){
		"an issuer on this machine":          func(o *Options) { o.Providers[0].Issuer = "http://localhost:8081/bankid" },
		"an issuer on this machine by https": func(o *Options) { o.Providers[0].Issuer = "https://127.0.0.1:8081/bankid" },
		"itself on plain http":               func(o *Options) { o.BaseURL = "http://127.0.0.1:8080" },
		"a short key":                        func(o *Options) { o.SessionKey = testKey[:31] },
		"no key for identity numbers":        func(o *Options) { o.NationalIDKey = nil },
		"no provider":                        func(o *Options) { o.Providers = nil },
		"the same provider twice":            func(o *Options) { o.Providers = append(o.Providers, o.Providers[0]) },
		"the same callback twice": func(o *Options) {
			second := o.Providers[0]
			second.ID, second.Callback = "q", "/login/p/callback"
			o.Providers = append(o.Providers, second)
		},
		"a base address with a path": func(o *Options) { o.BaseURL += "/portal" },
		"no store":                   func(o *Options) { o.Store = (*store.Store)(nil) },
	} {
		o := good
		o.Providers = append([]ProviderConfig(nil), good.Providers...)
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
