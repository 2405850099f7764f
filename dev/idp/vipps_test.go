package idp

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"elekt.no/innsyn/dev/demo"
)

var vippsScopes = url.Values{"scope": {"openid name email phoneNumber address birthDate nin"}}

func TestVippsDiscovery(t *testing.T) {
	w := start(t, nil)
	p := w.party(t, Vipps)
	if want := w.url + "/vipps/access-management-1.0/access/"; w.Issuer(Vipps) != want {
		t.Errorf("issuer is %s, want %s", w.Issuer(Vipps), want)
	}
	var d struct {
		Issuer string   `json:"issuer"`
		Algs   []string `json:"id_token_signing_alg_values_supported"`
		Scopes []string `json:"scopes_supported"`
	}
	if err := p.discovered.Claims(&d); err != nil {
		t.Fatal(err)
	}
	if d.Issuer != w.Issuer(Vipps) || !slices.Equal(d.Algs, []string{"RS256"}) || !has(d.Scopes, "phoneNumber") {
		t.Errorf("discovery says %+v", d)
	}
	if e := p.discovered.Endpoint(); e.AuthURL != w.url+"/vipps/access-management-1.0/access/oauth2/auth" {
		t.Errorf("authorization endpoint is %s", e.AuthURL)
	}
	res, _ := w.get(t, w.Issuer(Vipps)+".well-known/openid-configuration")
	if res.Header.Get("Cache-Control") != "max-age=3600" {
		t.Errorf("caching is %q", res.Header.Get("Cache-Control"))
	}
}

func TestVippsToken(t *testing.T) {
	p := start(t, nil).party(t, Vipps)
	ingrid, _ := demo.ByKey("ingrid")
	a, c := p.whole(t, "ingrid", vippsScopes)
	if h := header(t, a.IDToken); h["alg"] != "RS256" {
		t.Errorf("header is %v", h)
	}
	if c["iss"] != p.Issuer(Vipps) || c["sub"] != ingrid.VippsSub || !slices.Equal(texts(t, c["aud"]), []string{vippsClient}) {
		t.Errorf("iss %v sub %v aud %v", c["iss"], c["sub"], c["aud"])
	}
	if want := strings.TrimPrefix(ingrid.Phone, "+"); c["phone_number"] != want {
		t.Errorf("telephone is %v, want %s", c["phone_number"], want)
	}
	if c["email"] != ingrid.Email || c["email_verified"] != true || c["birthdate"] != ingrid.BirthDate || c["nin"] != ingrid.NationalID {
		t.Errorf("the person is %v", c)
	}
	if address, ok := c["address"].(map[string]any); !ok || address["street_address"] != ingrid.Address.Street || address["region"] != ingrid.Address.City {
		t.Errorf("address is %v", c["address"])
	}
	if !around(at(t, c, "auth_time"), time.Now()) || at(t, c, "exp").Sub(at(t, c, "iat")) != time.Hour || a.ExpiresIn != 600 {
		t.Errorf("auth_time %v iat %v exp %v, access token %d s", c["auth_time"], c["iat"], c["exp"], a.ExpiresIn)
	}
	absent(t, c, "acr", "amr", "azp", "bankid_altsub")

	_, again := p.whole(t, "ingrid", nil)
	if again["sub"] != c["sub"] {
		t.Errorf("sub changed: %v, %v", c["sub"], again["sub"])
	}
	absent(t, again, "name", "email", "phone_number", "birthdate", "nin", "address")
}

func TestVippsEmptyAddress(t *testing.T) {
	p := start(t, nil).party(t, Vipps)
	_, c := p.whole(t, "linnea", vippsScopes)
	address, ok := c["address"].(map[string]any)
	if !ok {
		t.Fatalf("address is %v", c["address"])
	}
	for _, name := range []string{"street_address", "postal_code", "region", "country", "formatted"} {
		if address[name] != "" {
			t.Errorf("%s is %v", name, address[name])
		}
	}
}

func TestVippsAssurance(t *testing.T) {
	p := start(t, nil).party(t, Vipps)
	app := url.Values{"acr_values": {"urn:vipps:acr:app_auth"}}
	_, c := p.whole(t, "ingrid", app)
	if c["acr"] != "urn:vipps:acr:app_auth" || !around(at(t, c, "auth_time"), time.Now()) {
		t.Errorf("acr %v, auth_time %v", c["acr"], c["auth_time"])
	}
	_, c = p.whole(t, "silje", app) // remembered in the browser, whatever is asked
	absent(t, c, "acr")
	if !around(at(t, c, "auth_time"), time.Now().Add(-vippsRememberedFor)) || !around(at(t, c, "iat"), time.Now()) {
		t.Errorf("auth_time %v, iat %v", c["auth_time"], c["iat"])
	}
}

func TestVippsUserinfo(t *testing.T) {
	w := start(t, nil)
	p := w.party(t, Vipps)
	a, c := p.whole(t, "ingrid", vippsScopes)
	status, info := p.userinfo(t, a.AccessToken)
	if status != http.StatusOK || info["sub"] != c["sub"] || info["phone_number"] != c["phone_number"] || info["sid"] != c["sid"] {
		t.Errorf("userinfo answered %d %v", status, info)
	}
	if status, _ := p.userinfo(t, "nonsense"); status != http.StatusUnauthorized {
		t.Errorf("a token of nobody answered %d", status)
	}
}

// userinfo asks the userinfo service that discovery names.
func (p *party) userinfo(t *testing.T, token string) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.discovered.UserInfoEndpoint(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body := text(t, res)
	var info map[string]any
	if res.StatusCode == http.StatusOK {
		if err := json.Unmarshal([]byte(body), &info); err != nil {
			t.Fatal(err)
		}
	}
	return res.StatusCode, info
}

func TestVippsRequires(t *testing.T) {
	p := start(t, nil).party(t, Vipps)
	for name, change := range map[string]url.Values{
		"state":                       {"state": nil},
		"a short state":               {"state": {"1234567"}},
		"a scope in another spelling": {"scope": {"openid phone_number"}},
		"profile":                     {"scope": {"openid profile"}},
		"form_post":                   {"response_mode": {"form_post"}},
	} {
		t.Run(name, func(t *testing.T) {
			res, _ := p.get(t, p.request(change))
			if v := back(t, res); v.Get("error") == "" || v.Get("code") != "" {
				t.Errorf("came back with %v", v)
			}
		})
	}
	// What BankID requires and Vipps doesn't.
	p.begin(t, url.Values{"nonce": nil, "code_challenge": nil, "code_challenge_method": nil})
}

func TestVippsClientAuthentication(t *testing.T) {
	p := start(t, nil).party(t, Vipps)
	form := p.tokenForm(t, p.login(t, "ingrid", nil, "").Get("code"))
	form.Set("client_id", vippsClient)
	form.Set("client_secret", vippsSecret)
	res, err := browser.PostForm(p.discovered.Endpoint().TokenURL, form)
	if err != nil {
		t.Fatal(err)
	}
	if body := text(t, res); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a secret in the body answered %d %s", res.StatusCode, body)
	}
}
