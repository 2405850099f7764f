package idp

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"
)

const (
	bankIDClient = "innsyn-bankid"
	vippsClient  = "innsyn-vipps"
	vippsSecret  = "not a secret"
	callback     = "http://127.0.0.1:9/callback"
	state        = "a-state-long-enough"
	nonce        = "a-nonce"
)

// world is a running server with one client at each provider.
type world struct {
	*Server
	url string
	key *ecdsa.PrivateKey // of the client at BankID

}

func start(t *testing.T, change func(*Options)) *world {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewUnstartedServer(nil)
	w := &world{url: "http://" + h.Listener.Addr().String(), key: key}
	o := Options{
		BaseURL: w.url, Slow: 50 * time.Millisecond,
		Clients: []Client{
			{Provider: BankID, ID: bankIDClient, AuthMethod: PrivateKeyJWT, RedirectURIs: []string{callback},
				PublicJWK:              &jose.JSONWebKey{Key: key.Public(), KeyID: "client-key", Algorithm: "ES256", Use: "sig"},
				PostLogoutRedirectURIs: []string{"http://127.0.0.1:9/bye"}},
			{Provider: Vipps, ID: vippsClient, AuthMethod: SecretBasic, Secret: vippsSecret, RedirectURIs: []string{callback}},
		},
	}
	if change != nil {
		change(&o)
	}
	if w.Server, err = New(o); err != nil {
		t.Fatal(err)
	}
	h.Config.Handler = w.Server
	h.Start()
	t.Cleanup(h.Close)
	return w
}

// browser follows nothing by itself.
var browser = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Timeout:       10 * time.Second,
}

func (w *world) get(t *testing.T, address string) (*http.Response, string) {
	t.Helper()
	if strings.HasPrefix(address, "/") {
		address = w.url + address
	}
	res, err := browser.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	return res, text(t, res)
}

func (w *world) post(t *testing.T, address string, form url.Values) (*http.Response, string) {
	t.Helper()
	res, err := browser.PostForm(w.url+address, form)
	if err != nil {
		t.Fatal(err)
	}
	return res, text(t, res)
}

func text(t *testing.T, res *http.Response) string {
	t.Helper()
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// party is a relying party at one provider.
type party struct {
	*world
	provider, client string
	discovered       *oidc.Provider
	verifier         string
}

func (w *world) party(t *testing.T, provider string) *party {
	t.Helper()
	discovered, err := oidc.NewProvider(t.Context(), w.Issuer(provider))
	if err != nil {
		t.Fatal(err)
	}
	p := &party{world: w, provider: provider, client: vippsClient, discovered: discovered, verifier: oauth2.GenerateVerifier()}
	if provider == BankID {
		p.client = bankIDClient
	}
	return p
}

// request is a good authorization request; change makes it another one.
func (p *party) request(change url.Values) string {
	q := url.Values{
		"client_id": {p.client}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"},
		"state": {state}, "nonce": {nonce},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(p.verifier)}, "code_challenge_method": {"S256"},
	}
	for name, v := range change {
		if v == nil {
			q.Del(name)
		} else {
			q[name] = v
		}
	}
	return p.discovered.Endpoint().AuthURL + "?" + q.Encode()
}

// begin asks for a login and returns the id that the page of persons is given.
func (p *party) begin(t *testing.T, change url.Values) string {
	t.Helper()
	res, body := p.get(t, p.request(change))
	if res.StatusCode != http.StatusSeeOther {
		t.Fatalf("authorize answered %d: %s", res.StatusCode, body)
	}
	to, err := url.Parse(res.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	if to.Path != "/choose/"+p.provider {
		t.Fatalf("authorize led to %s", to)
	}
	return to.Query().Get("login")
}

// press presses a button on the page of persons and returns what the browser
// carries to the client.
func (p *party) press(t *testing.T, form url.Values) url.Values {
	t.Helper()
	res, body := p.post(t, "/choose/"+p.provider, form)
	if res.StatusCode != http.StatusSeeOther {
		t.Fatalf("choose answered %d: %s", res.StatusCode, body)
	}
	return back(t, res)
}

// back reads what came to the client with a redirect.
func back(t *testing.T, res *http.Response) url.Values {
	t.Helper()
	location := res.Header.Get("Location")
	query, ok := strings.CutPrefix(location, callback+"?")
	if !ok {
		t.Fatalf("the redirect leads to %q", location)
	}
	v, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// login goes the whole way to the code.
func (p *party) login(t *testing.T, person string, change url.Values, fault string) url.Values {
	t.Helper()
	return p.press(t, url.Values{"login": {p.begin(t, change)}, "person": {person}, "fault": {fault}})
}

// assertion is a client assertion for private_key_jwt.
func (p *party) assertion(t *testing.T) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: p.key, KeyID: "client-key"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: p.client, Subject: p.client, Audience: jwt.Audience{p.Issuer(p.provider)}, ID: random(),
		IssuedAt: jwt.NewNumericDate(time.Now()), Expiry: jwt.NewNumericDate(time.Now().Add(time.Minute)),
	}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// tokenForm is a good token request at this provider, but for the header of
// client_secret_basic.
func (p *party) tokenForm(t *testing.T, code string) url.Values {
	t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {p.verifier}}
	if p.provider == BankID {
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", p.assertion(t))
	}
	return form
}

// ask posts to the token endpoint.
func (p *party) ask(t *testing.T, form url.Values) (*http.Response, string) {
	t.Helper()
	res, err := p.tryAsk(t.Context(), form)
	if err != nil {
		t.Fatal(err)
	}
	return res, text(t, res)
}

func (p *party) tryAsk(ctx context.Context, form url.Values) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.discovered.Endpoint().TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if p.provider == Vipps {
		r.SetBasicAuth(url.QueryEscape(vippsClient), url.QueryEscape(vippsSecret))
	}
	return browser.Do(r)
}

// answer is a token response.
type answer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	IDToken     string `json:"id_token"`
	Scope       string `json:"scope"`
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

func (p *party) tokens(t *testing.T, code string) answer {
	t.Helper()
	res, body := p.ask(t, p.tokenForm(t, code))
	var a answer
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		t.Fatalf("token answered %d %s: %v", res.StatusCode, body, err)
	}
	if res.StatusCode != http.StatusOK {
		t.Fatalf("token answered %d %s", res.StatusCode, body)
	}
	return a
}

// whole logs a person in and verifies the ID token as go-oidc does.
func (p *party) whole(t *testing.T, person string, change url.Values) (answer, map[string]any) {
	t.Helper()
	back := p.login(t, person, change, "")
	if back.Get("state") != state || back.Get("code") == "" {
		t.Fatalf("came back with %v", back)
	}
	a := p.tokens(t, back.Get("code"))
	id, err := p.verify(t, a.IDToken)
	if err != nil {
		t.Fatal(err)
	}
	if id.Nonce != nonce {
		t.Errorf("nonce is %q", id.Nonce)
	}
	if err := id.VerifyAccessToken(a.AccessToken); err != nil {
		t.Error(err)
	}
	return a, payload(t, a.IDToken)
}

func (p *party) verify(t *testing.T, raw string) (*oidc.IDToken, error) {
	t.Helper()
	return p.discovered.VerifierContext(t.Context(), &oidc.Config{ClientID: p.client}).Verify(t.Context(), raw)
}

// payload reads the claims of a token without any check.
func payload(t *testing.T, raw string) map[string]any { return part(t, raw, 1) }

// header reads the header of a token.
func header(t *testing.T, raw string) map[string]any { return part(t, raw, 0) }

func part(t *testing.T, raw string, i int) map[string]any {
	t.Helper()
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		t.Fatalf("not a token: %q", raw)
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[i])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// at reads a claim that is a time.
func at(t *testing.T, claims map[string]any, name string) time.Time {
	t.Helper()
	seconds, ok := claims[name].(float64)
	if !ok {
		t.Fatalf("%s is %v", name, claims[name])
	}
	return time.Unix(int64(seconds), 0)
}

// around tells whether a time is within a minute of another.
func around(a, b time.Time) bool { return a.Sub(b).Abs() < time.Minute }

// absent fails if the claims hold one of the names.
func absent(t *testing.T, claims map[string]any, names ...string) {
	t.Helper()
	for _, name := range names {
		if v, has := claims[name]; has {
			t.Errorf("claim %s is there: %v", name, v)
		}
	}
}

// texts reads a claim that is a list of texts.
func texts(t *testing.T, v any) []string {
	t.Helper()
	list, ok := v.([]any)
	if !ok {
		t.Fatalf("%v is not a list", v)
	}
	var out []string
	for _, e := range list {
		s, ok := e.(string)
		if !ok {
			t.Fatalf("%v is not a text", e)
		}
		out = append(out, s)
	}
	return out
}

func has(list []string, v string) bool { return slices.Contains(list, v) }
