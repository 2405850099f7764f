package idp

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"elekt.no/innsyn/dev/demo"
)

func TestBankIDDiscovery(t *testing.T) {
	w := start(t, nil)
	p := w.party(t, BankID)
	if want := w.url + "/bankid/auth/realms/current"; w.Issuer(BankID) != want {
		t.Errorf("issuer is %s, want %s", w.Issuer(BankID), want)
	}
	var d struct {
		Authorize string   `json:"authorization_endpoint"`
		Userinfo  string   `json:"userinfo_endpoint"`
		Algs      []string `json:"id_token_signing_alg_values_supported"`
		PKCE      []string `json:"code_challenge_methods_supported"`
		Auth      []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := p.discovered.Claims(&d); err != nil {
		t.Fatal(err)
	}
	if d.Authorize != w.Issuer(BankID)+"/precheck/auth" {
		t.Errorf("authorization endpoint is %s", d.Authorize)
	}
	if strings.HasPrefix(d.Userinfo, w.Issuer(BankID)) {
		t.Errorf("userinfo is below the issuer: %s", d.Userinfo)
	}
	if !slices.Equal(d.Algs, []string{"ES256"}) || !slices.Equal(d.PKCE, []string{"S256"}) || !has(d.Auth, PrivateKeyJWT) {
		t.Errorf("discovery says %+v", d)
	}
	res, body := w.get(t, "/bankid-userinfo/userinfo")
	if res.StatusCode != http.StatusGone {
		t.Errorf("userinfo answered %d %s", res.StatusCode, body)
	}
}

func TestBankIDToken(t *testing.T) {
	w := start(t, nil)
	p := w.party(t, BankID)
	ingrid, _ := demo.ByKey("ingrid")

	a, c := p.whole(t, "ingrid", url.Values{"scope": {"openid profile nnin_altsub"}, "acr_values": {"urn:bankid:bid"}})
	if h := header(t, a.IDToken); h["alg"] != "ES256" || h["kid"] == "" {
		t.Errorf("header is %v", h)
	}
	if c["acr"] != "urn:bankid:bid;LOA=4" || !slices.Equal(texts(t, c["amr"]), []string{"bid"}) {
		t.Errorf("acr %v, amr %v", c["acr"], c["amr"])
	}
	if c["iss"] != w.Issuer(BankID) || c["aud"] != bankIDClient || c["azp"] != bankIDClient {
		t.Errorf("iss %v aud %v azp %v", c["iss"], c["aud"], c["azp"])
	}
	if c["bankid_altsub"] != ingrid.BankIDAltSub || c["nnin_altsub"] != ingrid.NationalID ||
		c["name"] != ingrid.Name() || c["birthdate"] != ingrid.BirthDate {
		t.Errorf("the person is %v", c)
	}
	if !around(at(t, c, "iat"), time.Now()) || at(t, c, "exp").Sub(at(t, c, "iat")) != 300*time.Second || a.ExpiresIn != 300 {
		t.Errorf("iat %v, exp %v, access token %d s", c["iat"], c["exp"], a.ExpiresIn)
	}
	absent(t, c, "auth_time", "tid", "additionalCertInfo", "session_state", "pid", "nnin", "email", "phone_number", "address")

	_, again := p.whole(t, "ingrid", nil)
	if again["sub"] == c["sub"] || again["sub"] == ingrid.BankIDAltSub {
		t.Errorf("sub is stable: %v, %v", c["sub"], again["sub"])
	}
	if again["bankid_altsub"] != c["bankid_altsub"] {
		t.Errorf("bankid_altsub changed: %v, %v", c["bankid_altsub"], again["bankid_altsub"])
	}
	absent(t, again, "name", "birthdate", "nnin_altsub") // scope openid alone
}

func TestBankIDAssurance(t *testing.T) {
	p := start(t, nil).party(t, BankID)
	for _, test := range []struct{ person, ask, want string }{
		{"ingrid", "", "urn:bankid:bid;LOA=4"},
		{"ingrid", "urn:bankid:bid", "urn:bankid:bid;LOA=4"},
		{"ingrid", "urn:bankid:bis", "urn:bankid:bis;LOA=3"},
		{"ingrid", "urn:bankid:bid urn:bankid:bis", "urn:bankid:bid;LOA=4"},
		{"even", "urn:bankid:bid", "urn:bankid:bis;LOA=3"}, // has biometrics only
	} {
		_, c := p.whole(t, test.person, url.Values{"acr_values": {test.ask}})
		if c["acr"] != test.want {
			t.Errorf("%s asked for %q: acr is %v, want %s", test.person, test.ask, c["acr"], test.want)
		}
	}
}

func TestBankIDWithoutNumber(t *testing.T) {
	p := start(t, nil).party(t, BankID)
	_, c := p.whole(t, "halvor", url.Values{"scope": {"openid profile nnin_altsub"}})
	absent(t, c, "nnin_altsub")
	if c["birthdate"] == nil {
		t.Error("no birth date")
	}
}

func TestBankIDRequires(t *testing.T) {
	p := start(t, nil).party(t, BankID)
	for name, change := range map[string]url.Values{
		"state":                  {"state": nil},
		"nonce":                  {"nonce": nil},
		"code_challenge":         {"code_challenge": nil, "code_challenge_method": nil},
		"code_challenge_method":  {"code_challenge_method": nil},
		"plain":                  {"code_challenge_method": {"plain"}},
		"response_type":          {"response_type": nil},
		"token in the answer":    {"response_type": {"id_token"}},
		"openid":                 {"scope": {"profile"}},
		"a scope nobody granted": {"scope": {"openid email"}},
		"number in login_hint":   {"login_hint": {"BID:" + mustNumber(t)}},
		"request object":         {"request": {"x.y.z"}},
		"prompt none":            {"prompt": {"none"}},
		"response mode":          {"response_mode": {"web_message"}},
	} {
		t.Run(name, func(t *testing.T) {
			res, body := p.get(t, p.request(change))
			if res.StatusCode != http.StatusSeeOther {
				t.Fatalf("answered %d %s", res.StatusCode, body)
			}
			v := back(t, res)
			if v.Get("error") == "" || v.Get("code") != "" {
				t.Errorf("came back with %v", v)
			}
			if want := state; name != "state" && v.Get("state") != want {
				t.Errorf("state is %q", v.Get("state"))
			}
		})
	}
	for name, change := range map[string]url.Values{
		"an unknown client":     {"client_id": {"stranger"}},
		"a foreign address":     {"redirect_uri": {"http://127.0.0.1:9/elsewhere"}},
		"a longer address":      {"redirect_uri": {callback + "/x"}},
		"no address":            {"redirect_uri": nil},
		"a request that breaks": {"max_age": {"soon"}},
	} {
		t.Run(name, func(t *testing.T) {
			res, _ := p.get(t, p.request(change))
			if res.StatusCode != http.StatusBadRequest || res.Header.Get("Location") != "" {
				t.Errorf("answered %d to %q", res.StatusCode, res.Header.Get("Location"))
			}
		})
	}
}

func mustNumber(t *testing.T) string {
	t.Helper()
	p, ok := demo.ByKey("ingrid")
	if !ok || p.NationalID == "" {
		t.Fatal("ingrid has no number")
	}
	return p.NationalID
}

func TestBankIDClientAuthentication(t *testing.T) {
	p := start(t, func(o *Options) {
		o.Clients[0].Secret = "also a secret" // not the way that is registered
	}).party(t, BankID)
	code := func() string { return p.login(t, "ingrid", nil, "").Get("code") }

	form := p.tokenForm(t, code())
	if res, body := p.ask(t, form); res.StatusCode != http.StatusOK {
		t.Fatalf("answered %d %s", res.StatusCode, body)
	}
	used := form.Get("client_assertion")
	for name, change := range map[string]func(url.Values){
		"an assertion used before": func(f url.Values) { f.Set("client_assertion", used) },
		"an assertion by another":  func(f url.Values) { f.Set("client_assertion", forge(t, p)) },
		"a secret instead": func(f url.Values) {
			f.Del("client_assertion")
			f.Del("client_assertion_type")
			f.Set("client_id", bankIDClient)
			f.Set("client_secret", "also a secret")
		},
		"nothing": func(f url.Values) {
			f.Del("client_assertion")
			f.Del("client_assertion_type")
			f.Set("client_id", bankIDClient)
		},
	} {
		t.Run(name, func(t *testing.T) {
			form := p.tokenForm(t, code())
			change(form)
			res, body := p.ask(t, form)
			if res.StatusCode == http.StatusOK || strings.Contains(body, "id_token") {
				t.Errorf("answered %d %s", res.StatusCode, body)
			}
		})
	}
}

// forge is an assertion in the client's name with a key of somebody else.
func forge(t *testing.T, p *party) string {
	t.Helper()
	other := start(t, nil)
	return (&party{world: &world{Server: p.Server, key: other.key}, provider: p.provider, client: p.client}).assertion(t)
}

func TestBankIDResponseModes(t *testing.T) {
	p := start(t, nil).party(t, BankID)
	res, _ := p.post(t, "/choose/bankid", url.Values{"login": {p.begin(t, url.Values{"response_mode": {"fragment"}})}, "person": {"ingrid"}})
	if to := res.Header.Get("Location"); !strings.HasPrefix(to, callback+"#") || !strings.Contains(to, "code=") {
		t.Errorf("fragment led to %q", to)
	}
	res, body := p.post(t, "/choose/bankid", url.Values{"login": {p.begin(t, url.Values{"response_mode": {"form_post"}})}, "person": {"ingrid"}})
	if res.StatusCode != http.StatusOK || !strings.Contains(body, `action="`+callback+`"`) || !strings.Contains(body, `name="code"`) {
		t.Errorf("form_post answered %d %s", res.StatusCode, body)
	}
	if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' http://127.0.0.1:9;") {
		t.Errorf("policy is %s", csp)
	}
}

func TestBankIDEndSession(t *testing.T) {
	w := start(t, nil)
	p := w.party(t, BankID)
	a, _ := p.whole(t, "ingrid", nil)
	end := w.Issuer(BankID) + "/protocol/openid-connect/logout?"
	res, body := w.get(t, end+url.Values{"id_token_hint": {a.IDToken}, "post_logout_redirect_uri": {"http://127.0.0.1:9/bye"}, "state": {"s"}}.Encode())
	if res.Header.Get("Location") != "http://127.0.0.1:9/bye?state=s" {
		t.Errorf("answered %d to %q %s", res.StatusCode, res.Header.Get("Location"), body)
	}
	res, _ = w.get(t, end+url.Values{"id_token_hint": {a.IDToken}, "post_logout_redirect_uri": {"http://127.0.0.1:9/elsewhere"}}.Encode())
	if res.StatusCode != http.StatusBadRequest || res.Header.Get("Location") != "" {
		t.Errorf("a foreign address answered %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	res, _ = w.get(t, end)
	if res.Header.Get("Location") != w.url+"/" {
		t.Errorf("without an address it led to %q", res.Header.Get("Location"))
	}
}
