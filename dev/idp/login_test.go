package idp

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// Both providers hold a code to its verifier, its client and its one use.
func TestCodes(t *testing.T) {
	w := start(t, func(o *Options) {
		for _, c := range o.Clients {
			c.ID += "-other"
			o.Clients = append(o.Clients, c)
		}
	})
	for _, provider := range []string{BankID, Vipps} {
		p := w.party(t, provider)
		for name, change := range map[string]func(url.Values){
			"no verifier":     func(f url.Values) { f.Del("code_verifier") },
			"another's":       func(f url.Values) { f.Set("code_verifier", oauth2.GenerateVerifier()) },
			"another address": func(f url.Values) { f.Set("redirect_uri", callback+"/x") },
			"another grant":   func(f url.Values) { f.Set("grant_type", "refresh_token") },
			"no code":         func(f url.Values) { f.Del("code") },
			"an unknown code": func(f url.Values) { f.Set("code", random()) },
		} {
			t.Run(provider+" "+name, func(t *testing.T) {
				code := p.login(t, "ingrid", nil, "").Get("code")
				form := p.tokenForm(t, code)
				change(form)
				res, body := p.ask(t, form)
				if res.StatusCode != http.StatusBadRequest || strings.Contains(body, "id_token") {
					t.Errorf("answered %d %s", res.StatusCode, body)
				}
			})
		}
		t.Run(provider+" twice", func(t *testing.T) {
			code := p.login(t, "ingrid", nil, "").Get("code")
			p.tokens(t, code)
			if res, body := p.ask(t, p.tokenForm(t, code)); res.StatusCode != http.StatusBadRequest {
				t.Errorf("answered %d %s", res.StatusCode, body)
			}
		})
		t.Run(provider+" after a failure", func(t *testing.T) {
			code := p.login(t, "ingrid", nil, "").Get("code")
			form := p.tokenForm(t, code)
			form.Set("code_verifier", oauth2.GenerateVerifier())
			p.ask(t, form)
			if res, body := p.ask(t, p.tokenForm(t, code)); res.StatusCode != http.StatusBadRequest {
				t.Errorf("answered %d %s", res.StatusCode, body)
			}
		})
		t.Run(provider+" of another client", func(t *testing.T) {
			other := *p
			other.client += "-other"
			code := other.login(t, "ingrid", nil, "").Get("code")
			if res, body := p.ask(t, p.tokenForm(t, code)); res.StatusCode != http.StatusBadRequest {
				t.Errorf("answered %d %s", res.StatusCode, body)
			}
		})
		t.Run(provider+" in the address", func(t *testing.T) {
			form := p.tokenForm(t, p.login(t, "ingrid", nil, "").Get("code"))
			res, err := browser.Post(p.discovered.Endpoint().TokenURL+"?"+form.Encode(), "application/x-www-form-urlencoded", nil)
			if err != nil {
				t.Fatal(err)
			}
			if body := text(t, res); res.StatusCode != http.StatusBadRequest {
				t.Errorf("answered %d %s", res.StatusCode, body)
			}
		})
	}
}

func TestTimes(t *testing.T) {
	var ahead time.Duration
	w := start(t, func(o *Options) { o.Now = func() time.Time { return time.Now().Add(ahead) } })
	p := w.party(t, Vipps)

	id := p.begin(t, nil)
	ahead = dialogueLife + time.Second
	if res, _ := p.post(t, "/choose/vipps", url.Values{"login": {id}, "person": {"ingrid"}}); res.StatusCode != http.StatusGone {
		t.Errorf("a dialogue that has run out answered %d", res.StatusCode)
	}
	code := p.login(t, "ingrid", nil, "").Get("code")
	ahead += codeLife + time.Second
	if res, body := p.ask(t, p.tokenForm(t, code)); res.StatusCode != http.StatusBadRequest {
		t.Errorf("a code that has run out answered %d %s", res.StatusCode, body)
	}
	a := p.tokens(t, p.login(t, "ingrid", nil, "").Get("code"))
	if status, _ := p.userinfo(t, a.AccessToken); status != http.StatusOK {
		t.Errorf("userinfo answered %d", status)
	}
	ahead += 11 * time.Minute
	if status, _ := p.userinfo(t, a.AccessToken); status != http.StatusForbidden {
		t.Errorf("an access token that has run out answered %d", status)
	}
}

func TestPersonsOfAProvider(t *testing.T) {
	w := start(t, nil)
	p := w.party(t, BankID)
	id := p.begin(t, url.Values{"acr_values": {"urn:bankid:bid"}})
	res, body := p.get(t, "/choose/bankid?login="+id)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("answered %d", res.StatusCode)
	}
	body = html.UnescapeString(body)
	for _, want := range []string{`<html lang="nb">`, "velg en testperson", `value="ingrid"`, "Elekt+, elbil, alle innlogginger", "Født 12. mai 1984", bankIDClient, "urn:bankid:bid", `name="cancel"`, `<option value="expired">`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, unwanted := range []string{"<script", "style=", "onclick", `value="silje"`, `value="toralf"`} {
		if strings.Contains(body, unwanted) {
			t.Errorf("the page holds %q", unwanted)
		}
	}
	csp := res.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "form-action 'self' http://127.0.0.1:9", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("the policy lacks %q: %s", want, csp)
		}
	}
	if strings.Contains(csp, "unsafe") {
		t.Errorf("the policy is %s", csp)
	}
	for _, form := range []url.Values{
		{"login": {id}, "person": {"silje"}}, // Vipps only
		{"login": {id}, "person": {"nobody"}},
		{"login": {id}, "person": {"ingrid"}, "fault": {"nothing"}},
	} {
		if res, _ := p.post(t, "/choose/bankid", form); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%v answered %d", form, res.StatusCode)
		}
	}
	p.press(t, url.Values{"login": {id}, "person": {"ingrid"}})
	for _, form := range []url.Values{
		{"login": {id}, "person": {"amund"}}, // the login has its person
		{"login": {id}, "cancel": {"yes"}},
		{"login": {"unknown"}, "person": {"amund"}},
	} {
		if res, _ := p.post(t, "/choose/bankid", form); res.StatusCode != http.StatusGone {
			t.Errorf("%v answered %d", form, res.StatusCode)
		}
	}
	vipps := w.party(t, Vipps)
	if res, _ := p.post(t, "/choose/bankid", url.Values{"login": {vipps.begin(t, nil)}, "person": {"ingrid"}}); res.StatusCode != http.StatusGone {
		t.Errorf("a login of the other provider answered %d", res.StatusCode)
	}
}

func TestCancel(t *testing.T) {
	p := start(t, nil).party(t, Vipps)
	id := p.begin(t, nil)
	v := p.press(t, url.Values{"login": {id}, "cancel": {"yes"}})
	if v.Get("error") != "access_denied" || v.Get("state") != state || v.Has("code") {
		t.Errorf("came back with %v", v)
	}
	if res, _ := p.post(t, "/choose/vipps", url.Values{"login": {id}, "person": {"ingrid"}}); res.StatusCode != http.StatusGone {
		t.Errorf("a login that was cancelled answered %d", res.StatusCode)
	}
}
