package idp

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"elekt.no/innsyn/dev/demo"
)

// token logs ingrid in with a fault and returns the raw ID token.
func (p *party) token(t *testing.T, fault string, change url.Values) answer {
	t.Helper()
	v := p.login(t, "ingrid", change, fault)
	if v.Get("code") == "" {
		t.Fatalf("came back with %v", v)
	}
	return p.tokens(t, v.Get("code"))
}

// everything is a request for all that a provider gives.
func everything(provider string) url.Values {
	if provider == BankID {
		return url.Values{"scope": {"openid profile nnin_altsub"}, "acr_values": {"urn:bankid:bid"}}
	}
	return url.Values{"scope": {"openid name birthDate nin"}, "acr_values": {"urn:vipps:acr:app_auth"}}
}

// proofs shows of each fault that it really is what it says. A new fault without
// a proof fails TestEveryFault.
var proofs = map[string]func(*testing.T, *party){
	FaultExpired: func(t *testing.T, p *party) {
		_, err := p.verify(t, p.token(t, FaultExpired, nil).IDToken)
		var expired *oidc.TokenExpiredError
		if !errors.As(err, &expired) {
			t.Errorf("verification says %v", err)
		}
	},
	FaultWrongAudience: func(t *testing.T, p *party) {
		raw := p.token(t, FaultWrongAudience, nil).IDToken
		if _, err := p.verify(t, raw); err == nil || !strings.Contains(err.Error(), "audience") {
			t.Errorf("verification says %v", err)
		}
		if c := payload(t, raw); c["aud"] == p.client || c["azp"] == p.client {
			t.Errorf("aud %v azp %v", c["aud"], c["azp"])
		}
	},
	FaultForeignAZP: func(t *testing.T, p *party) {
		c := payload(t, p.token(t, FaultForeignAZP, nil).IDToken)
		if aud := texts(t, c["aud"]); len(aud) != 2 || !has(aud, p.client) || c["azp"] == p.client || c["azp"] == nil {
			t.Errorf("aud %v azp %v", c["aud"], c["azp"])
		}
	},
	FaultNoAZP: func(t *testing.T, p *party) {
		c := payload(t, p.token(t, FaultNoAZP, nil).IDToken)
		if aud := texts(t, c["aud"]); len(aud) != 2 || !has(aud, p.client) {
			t.Errorf("aud %v", c["aud"])
		}
		absent(t, c, "azp")
	},
	FaultWrongNonce: func(t *testing.T, p *party) {
		if c := payload(t, p.token(t, FaultWrongNonce, nil).IDToken); c["nonce"] == nonce || c["nonce"] == nil {
			t.Errorf("nonce %v", c["nonce"])
		}
	},
	FaultNoNonce: func(t *testing.T, p *party) {
		absent(t, payload(t, p.token(t, FaultNoNonce, nil).IDToken), "nonce")
	},
	FaultWrongIssuer: func(t *testing.T, p *party) {
		raw := p.token(t, FaultWrongIssuer, nil).IDToken
		if _, err := p.verify(t, raw); err == nil || !strings.Contains(err.Error(), "issued by a different provider") {
			t.Errorf("verification says %v", err)
		}
	},
	FaultUnknownKey: func(t *testing.T, p *party) {
		raw := p.token(t, FaultUnknownKey, nil).IDToken
		if _, err := p.verify(t, raw); err == nil || !strings.Contains(err.Error(), "signature") {
			t.Errorf("verification says %v", err)
		}
		if has(p.published(t), header(t, raw)["kid"].(string)) {
			t.Error("the key is published")
		}
	},
	FaultWrongSignature: func(t *testing.T, p *party) {
		raw := p.token(t, FaultWrongSignature, nil).IDToken
		if _, err := p.verify(t, raw); err == nil || !strings.Contains(err.Error(), "signature") {
			t.Errorf("verification says %v", err)
		}
		if !has(p.published(t), header(t, raw)["kid"].(string)) {
			t.Error("the key isn't published")
		}
	},
	FaultAlgNone: func(t *testing.T, p *party) {
		raw := p.token(t, FaultAlgNone, nil).IDToken
		if header(t, raw)["alg"] != "none" || !strings.HasSuffix(raw, ".") {
			t.Errorf("header %v", header(t, raw))
		}
		if _, err := p.verify(t, raw); err == nil {
			t.Error("verified")
		}
	},
	FaultAlgHS256: func(t *testing.T, p *party) {
		raw := p.token(t, FaultAlgHS256, nil).IDToken
		public, err := p.providers[p.provider].keys.signing().public().MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		signed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.HS256})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := signed.Verify(public); err != nil {
			t.Errorf("the public key isn't the secret: %v", err)
		}
		if _, err := p.verify(t, raw); err == nil {
			t.Error("verified")
		}
	},
	FaultFuture: func(t *testing.T, p *party) {
		if c := payload(t, p.token(t, FaultFuture, nil).IDToken); !around(at(t, c, "iat"), time.Now().Add(time.Hour)) {
			t.Errorf("iat %v", c["iat"])
		}
	},
	FaultWrongAtHash: func(t *testing.T, p *party) {
		a := p.token(t, FaultWrongAtHash, nil)
		id, err := p.verify(t, a.IDToken)
		if err != nil {
			t.Fatal(err)
		}
		if id.AccessTokenHash == "" || id.VerifyAccessToken(a.AccessToken) == nil {
			t.Errorf("at_hash %q fits", id.AccessTokenHash)
		}
	},
	FaultOldLogin: func(t *testing.T, p *party) {
		raw := p.token(t, FaultOldLogin, nil).IDToken
		name := "auth_time"
		if p.provider == BankID {
			name = "iat"
		}
		if c := payload(t, raw); !around(at(t, c, name), time.Now().Add(-2*time.Hour)) {
			t.Errorf("%s %v", name, c[name])
		}
		if _, err := p.verify(t, raw); err != nil {
			t.Errorf("the token itself should be good: %v", err)
		}
	},
	FaultNoSubject: func(t *testing.T, p *party) {
		name := "sub"
		if p.provider == BankID {
			name = "bankid_altsub"
		}
		absent(t, payload(t, p.token(t, FaultNoSubject, nil).IDToken), name)
	},
	FaultChild: func(t *testing.T, p *party) {
		c := payload(t, p.token(t, FaultChild, everything(p.provider)).IDToken)
		want := time.Now().UTC().AddDate(-10, 0, -1).Format(time.DateOnly)
		if c["birthdate"] != want {
			t.Errorf("birth date %v, want %s", c["birthdate"], want)
		}
	},
	FaultNoBirthDate: func(t *testing.T, p *party) {
		c := payload(t, p.token(t, FaultNoBirthDate, everything(p.provider)).IDToken)
		absent(t, c, "birthdate")
		if c["name"] == nil {
			t.Error("the name is gone too")
		}
	},
	FaultNoNumber: func(t *testing.T, p *party) {
		c := payload(t, p.token(t, FaultNoNumber, everything(p.provider)).IDToken)
		absent(t, c, "nnin_altsub", "nin")
		if c["birthdate"] == nil {
			t.Error("the birth date is gone too")
		}
	},
	FaultLowerAssurance: func(t *testing.T, p *party) {
		c := payload(t, p.token(t, FaultLowerAssurance, everything(p.provider)).IDToken)
		if p.provider == BankID && c["acr"] != "urn:bankid:bis;LOA=3" {
			t.Errorf("acr %v", c["acr"])
		}
		if p.provider == Vipps {
			absent(t, c, "acr")
		}
	},
	FaultCancelled: func(t *testing.T, p *party) {
		if v := p.login(t, "ingrid", nil, FaultCancelled); v.Get("error") != "access_denied" || v.Get("state") != state || v.Has("code") {
			t.Errorf("came back with %v", v)
		}
	},
	FaultHostileError: func(t *testing.T, p *party) {
		v := p.login(t, "ingrid", nil, FaultHostileError)
		if !strings.Contains(v.Get("error"), "<script>") || !strings.Contains(v.Get("error_description"), "<script>") || v.Get("state") != state {
			t.Errorf("came back with %v", v)
		}
	},
	FaultWrongState: func(t *testing.T, p *party) {
		if v := p.login(t, "ingrid", nil, FaultWrongState); v.Get("state") == state || v.Get("state") == "" || v.Get("code") == "" {
			t.Errorf("came back with %v", v)
		}
	},
	FaultWrongIssuerArg: func(t *testing.T, p *party) {
		if v := p.login(t, "ingrid", nil, FaultWrongIssuerArg); v.Get("iss") == "" || v.Get("iss") == p.Issuer(p.provider) || v.Get("state") != state {
			t.Errorf("came back with %v", v)
		}
	},
	FaultTokenError: func(t *testing.T, p *party) {
		v := p.login(t, "ingrid", nil, FaultTokenError)
		res, body := p.ask(t, p.tokenForm(t, v.Get("code")))
		var a answer
		if err := json.Unmarshal([]byte(body), &a); err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != http.StatusBadRequest || a.Error != "invalid_grant" || !strings.Contains(a.Description, "<script>") {
			t.Errorf("answered %d %+v", res.StatusCode, a)
		}
	},
	FaultGarbage: func(t *testing.T, p *party) {
		v := p.login(t, "ingrid", nil, FaultGarbage)
		res, body := p.ask(t, p.tokenForm(t, v.Get("code")))
		if res.StatusCode != http.StatusOK || json.Valid([]byte(body)) || !strings.Contains(body, "<h1>") {
			t.Errorf("answered %d %s", res.StatusCode, body)
		}
	},
	FaultOtherUserinfo: func(t *testing.T, p *party) {
		if p.provider == BankID {
			if status, _ := p.userinfo(t, p.token(t, FaultOtherUserinfo, nil).AccessToken); status != http.StatusGone {
				t.Errorf("BankID's userinfo has ended, but answered %d", status)
			}
			return
		}
		a := p.token(t, FaultOtherUserinfo, nil)
		status, info := p.userinfo(t, a.AccessToken)
		if sub := payload(t, a.IDToken)["sub"]; status != http.StatusOK || info["sub"] == sub || info["sub"] == nil {
			t.Errorf("userinfo answered %d %v", status, info)
		}
	},
	FaultDown: func(t *testing.T, p *party) {
		v := p.login(t, "ingrid", nil, FaultDown)
		if res, _ := p.ask(t, p.tokenForm(t, v.Get("code"))); res.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("answered %d", res.StatusCode)
		}
	},
	FaultClosed: func(t *testing.T, p *party) {
		v := p.login(t, "ingrid", nil, FaultClosed)
		if res, err := p.tryAsk(t.Context(), p.tokenForm(t, v.Get("code"))); err == nil {
			t.Errorf("answered %d", res.StatusCode)
		}
	},
	FaultSlow: func(t *testing.T, p *party) {
		v := p.login(t, "ingrid", nil, FaultSlow)
		ctx, cancel := context.WithTimeout(t.Context(), p.slow/2)
		defer cancel()
		if _, err := p.tryAsk(ctx, p.tokenForm(t, v.Get("code"))); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ended with %v", err)
		}
		begin := time.Now()
		p.tokens(t, p.login(t, "ingrid", nil, FaultSlow).Get("code"))
		if took := time.Since(begin); took < p.slow {
			t.Errorf("took %s", took)
		}
	},
	FaultKeyRotation: func(t *testing.T, p *party) {
		before := p.published(t)[0]
		raw := p.token(t, FaultKeyRotation, nil).IDToken
		after := p.published(t)
		if kid := header(t, raw)["kid"]; kid == before || kid != after[0] || len(after) != 2 || after[1] != before {
			t.Errorf("signed by %v, published %v, before %v", kid, after, before)
		}
		if _, err := p.verify(t, raw); err != nil {
			t.Errorf("a client that fetches the keys anew refuses: %v", err)
		}
	},
}

// published lists the names of the keys in the JWKS.
func (p *party) published(t *testing.T) []string {
	t.Helper()
	var d struct {
		Keys string `json:"jwks_uri"`
	}
	if err := p.discovered.Claims(&d); err != nil {
		t.Fatal(err)
	}
	_, body := p.get(t, d.Keys)
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(body), &set); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, k := range set.Keys {
		if !k.IsPublic() {
			t.Fatalf("key %s is not public", k.KeyID)
		}
		out = append(out, k.KeyID)
	}
	return out
}

func TestEveryFault(t *testing.T) {
	if known, proved := slices.Sorted(slices.Values(Faults())), slices.Sorted(maps.Keys(proofs)); !slices.Equal(known, proved) {
		t.Fatalf("faults are %v, proofs %v", known, proved)
	}
	w := start(t, nil)
	for _, provider := range []string{BankID, Vipps} {
		for _, fault := range Faults() {
			t.Run(provider+" "+fault, func(t *testing.T) {
				p := w.party(t, provider)
				proofs[fault](t, p)
				if err := w.SetFault(provider, fault, false); err != nil {
					t.Fatal(err)
				}
				p.whole(t, "ingrid", nil) // it was for that login only
			})
		}
	}
}

// On: every login. Once: the next one that begins. Off: none.
func TestSwitches(t *testing.T) {
	w := start(t, nil)
	p := w.party(t, Vipps)
	wrong := func() bool { return payload(t, p.token(t, "", nil).IDToken)["nonce"] != nonce }
	if wrong() {
		t.Fatal("wrong without a fault")
	}
	must(t, w.SetFault(Vipps, FaultWrongNonce, true))
	for range 2 {
		if !wrong() {
			t.Error("not wrong every time")
		}
	}
	must(t, w.SetFault(Vipps, FaultWrongNonce, false))
	if wrong() {
		t.Error("wrong after it was switched off")
	}
	must(t, w.SetFaultOnce(Vipps, FaultWrongNonce))
	if !wrong() || wrong() {
		t.Error("not wrong once")
	}
	must(t, w.SetFaultOnce(BankID, FaultWrongNonce))
	if wrong() {
		t.Error("wrong for a fault of the other provider")
	}
	must(t, w.SetFault(Vipps, FaultWrongNonce, true))
	w.Reset()
	if wrong() {
		t.Error("wrong after a reset")
	}
	for _, err := range []error{w.SetFault("posten", FaultExpired, true), w.SetFault(Vipps, "tired", true), w.SetFaultOnce(Vipps, "tired"), w.RotateKeys("posten")} {
		if err == nil {
			t.Error("an unknown name was taken")
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestDown(t *testing.T) {
	w := start(t, nil)
	p := w.party(t, BankID)
	for fault, refused := range map[string]func(error) bool{
		FaultDown:   func(err error) bool { return err != nil && strings.Contains(err.Error(), "503") },
		FaultClosed: func(err error) bool { return err != nil && strings.Contains(err.Error(), "EOF") },
	} {
		must(t, w.SetFault(BankID, fault, true))
		if _, err := oidc.NewProvider(t.Context(), w.Issuer(BankID)); !refused(err) {
			t.Errorf("%s: discovery says %v", fault, err)
		}
		if _, err := oidc.NewRemoteKeySet(t.Context(), w.Issuer(BankID)+"/protocol/openid-connect/certs").VerifySignature(t.Context(), "e30.e30.x"); err == nil {
			t.Errorf("%s: the keys came", fault)
		}
		if _, err := oidc.NewProvider(t.Context(), w.Issuer(Vipps)); err != nil {
			t.Errorf("%s: the other provider says %v", fault, err)
		}
		must(t, w.SetFault(BankID, fault, false))
		p.whole(t, "ingrid", nil)
	}
}

func TestKeyRotation(t *testing.T) {
	w := start(t, nil)
	p := w.party(t, Vipps)
	old := p.token(t, "", nil).IDToken
	must(t, w.RotateKeys(Vipps))
	if _, err := p.verify(t, old); err != nil {
		t.Errorf("the previous key is gone at once: %v", err)
	}
	if _, err := p.verify(t, p.token(t, "", nil).IDToken); err != nil {
		t.Errorf("the new key doesn't hold: %v", err)
	}
	must(t, w.RotateKeys(Vipps))
	fresh := w.party(t, Vipps)
	if _, err := fresh.verify(t, old); err == nil {
		t.Error("the key before the previous one still holds")
	}
	if n := len(p.published(t)); n != 2 {
		t.Errorf("%d keys are published", n)
	}
}

func TestFaultsPage(t *testing.T) {
	w := start(t, nil)
	p := w.party(t, BankID)
	state := func() map[string]faultsState {
		_, body := w.get(t, "/faults.json")
		var s map[string]faultsState
		if err := json.Unmarshal([]byte(body), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := state(); len(s) != 2 || len(s[BankID].On) != 0 {
		t.Errorf("at first: %v", s)
	}
	res, _ := w.post(t, "/faults", url.Values{"provider": {BankID}, "fault": {FaultExpired}, "mode": {"on"}})
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/faults" {
		t.Errorf("a switch answered %d to %s", res.StatusCode, res.Header.Get("Location"))
	}
	if s := state(); !slices.Equal(s[BankID].On, []string{FaultExpired}) || len(s[Vipps].On) != 0 {
		t.Errorf("after on: %v", s)
	}
	_, body := w.get(t, "/faults")
	if strings.Count(body, `aria-pressed="true"`) != 2*(len(Faults())-1) {
		t.Errorf("not every switch has a state:\n%s", body)
	}
	for _, g := range faultGroups {
		for _, f := range g.Faults {
			if !strings.Contains(body, f.Name) {
				t.Errorf("the page lacks %s", f.Name)
			}
		}
	}
	_, choice := w.get(t, "/choose/bankid?login="+p.begin(t, nil))
	if !strings.Contains(choice, "Feil som er slått på for denne innloggingen: Utløpt.") {
		t.Error("the page of persons doesn't warn")
	}
	send := func(method, body string) int {
		r, err := http.NewRequestWithContext(t.Context(), method, w.url+"/faults.json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text(t, res)
		return res.StatusCode
	}
	if status := send(http.MethodPost, `{"provider":"vipps","fault":"child","mode":"once"}`); status != http.StatusNoContent {
		t.Errorf("answered %d", status)
	}
	if s := state(); !slices.Equal(s[Vipps].Once, []string{FaultChild}) {
		t.Errorf("after once: %v", s)
	}
	for _, bad := range []string{`{`, `{"provider":"posten","fault":"child","mode":"on"}`, `{"provider":"vipps","fault":"x","mode":"on"}`, `{"provider":"vipps","fault":"child","mode":"sometimes"}`, `{"provider":"vipps","fault":"child","mode":"on","x":1}`} {
		if status := send(http.MethodPost, bad); status != http.StatusBadRequest {
			t.Errorf("%s answered %d", bad, status)
		}
	}
	if status := send(http.MethodDelete, ""); status != http.StatusNoContent {
		t.Errorf("answered %d", status)
	}
	if s := state(); len(s[Vipps].Once)+len(s[BankID].On) != 0 {
		t.Errorf("after delete: %v", s)
	}
	must(t, w.SetFault(Vipps, FaultDown, true))
	w.post(t, "/faults", url.Values{"reset": {"yes"}})
	if s := state(); len(s[Vipps].On) != 0 {
		t.Errorf("after reset: %v", s)
	}
}

func TestForeignForms(t *testing.T) {
	w := start(t, nil)
	for _, path := range []string{"/faults", "/choose/bankid"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+path, strings.NewReader("provider=bankid&fault=expired&mode=on"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		res, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text(t, res)
		if res.StatusCode != http.StatusForbidden {
			t.Errorf("%s answered %d", path, res.StatusCode)
		}
	}
}

// Of the requests that are kept for tests, none holds a secret.
func TestSeen(t *testing.T) {
	w := start(t, nil)
	p := w.party(t, Vipps)
	code := p.login(t, "ingrid", url.Values{"acr_values": {"urn:vipps:acr:app_auth"}}, "").Get("code")
	p.tokens(t, code)
	authorize := w.Seen(Vipps, "authorize")
	if len(authorize) != 1 || authorize[0].Values.Get("acr_values") != "urn:vipps:acr:app_auth" {
		t.Errorf("authorize: %v", authorize)
	}
	token := w.Seen(Vipps, "token")
	if len(token) != 1 || token[0].Values.Get("auth_method") != SecretBasic || token[0].Values.Get("code_verifier_sent") != "true" {
		t.Errorf("token: %v", token)
	}
	for _, secret := range []string{code, vippsSecret, p.verifier} {
		if strings.Contains(token[0].Values.Encode(), url.QueryEscape(secret)) {
			t.Error("a secret is kept")
		}
	}
	if len(w.Seen(Vipps, "discovery")) != 1 || len(w.Seen(BankID, "token")) != 0 {
		t.Error("the requests are mixed up")
	}
	w.Reset()
	if len(w.Seen(Vipps, "token")) != 0 {
		t.Error("a reset keeps requests")
	}
}

// Everybody who has a login can log in with it.
func TestEverybody(t *testing.T) {
	w := start(t, nil)
	for _, provider := range []string{BankID, Vipps} {
		p := w.party(t, provider)
		subjects := map[any]string{}
		for _, person := range demo.People() {
			if !person.Has(provider) {
				continue
			}
			_, c := p.whole(t, person.Key, nil)
			stable := c["sub"]
			if provider == BankID {
				stable = c["bankid_altsub"]
			}
			if stable == nil || stable == "" || subjects[stable] != "" {
				t.Errorf("%s has the subject %v, as has %q", person.Key, stable, subjects[stable])
			}
			subjects[stable] = person.Key
		}
	}
}
