package idp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"elekt.no/innsyn/dev/demo"
)

// shape is what makes one provider different from another. Paths are below the
// issuer, userinfoPath is from the root.
type shape struct {
	name, title                        string
	issuerPath                         string // with the trailing slash if the real issuer has one
	authorize, token, jwks, endSession string
	userinfoPath                       string
	alg                                jose.SignatureAlgorithm
	authMethods                        []string
	scopes                             []string
	responseModes                      []string
	plainPKCE                          bool
	idTokenLife, accessLife, cacheFor  time.Duration
	discovery                          map[string]any // what it says beyond the usual
	require                            func(*oidc.AuthRequest) error
	authenticate                       func(*login, demo.Person)   // sets subject, acr, amr; may move the time
	claims                             func(*login) map[string]any // of the ID token, beyond iss, sub, iat, exp, nonce, at_hash
	userinfo                           func(*login) map[string]any // nil: the service is closed
}

// provider is one running provider.
type provider struct {
	shape
	server  *Server
	issuer  string
	keys    *keyRing
	op      *op.Provider
	clients map[string]Client

	mu         sync.Mutex
	faults     faultSet
	logins     map[string]*login    // by id, waiting for a person
	codes      map[string]*login    // by code, waiting for exchange
	tokens     map[string]*login    // by id of the access token
	assertions map[string]time.Time // client assertions already used
}

func newProvider(s *Server, sh shape, clients []Client) (*provider, error) {
	p := &provider{shape: sh, server: s, issuer: s.base + sh.issuerPath, clients: map[string]Client{}}
	for _, c := range clients {
		if err := checkClient(sh, c); err != nil {
			return nil, fmt.Errorf("client %q: %w", c.ID, err)
		}
		if _, twice := p.clients[c.ID]; twice {
			return nil, fmt.Errorf("client %q is registered twice", c.ID)
		}
		p.clients[c.ID] = c
	}
	p.reset()
	var err error
	if p.keys, err = newKeyRing(sh.alg); err != nil {
		return nil, err
	}
	config := &op.Config{
		CodeMethodS256: true, AuthMethodPost: true, AuthMethodPrivateKeyJWT: true,
		SupportedScopes: sh.scopes, DefaultLogoutRedirectURI: s.base + "/",
	}
	copy(config.CryptoKey[:], random()+random())
	p.op, err = op.NewProvider(config, &storage{p}, op.StaticIssuer(p.issuer),
		op.WithAllowInsecure(),
		op.WithCORSOptions(nil),
		op.WithCustomAuthEndpoint(op.NewEndpoint(sh.authorize)),
		op.WithCustomTokenEndpoint(op.NewEndpoint(sh.token)),
		op.WithCustomKeysEndpoint(op.NewEndpoint(sh.jwks)),
		op.WithCustomEndSessionEndpoint(op.NewEndpoint(sh.endSession)),
		op.WithCustomUserinfoEndpoint(op.NewEndpointWithURL("/userinfo", s.base+sh.userinfoPath)),
	)
	return p, err
}

func checkClient(sh shape, c Client) error {
	switch {
	case c.ID == "":
		return errors.New("no id")
	case len(c.RedirectURIs) == 0:
		return errors.New("no redirect address")
	case c.Secret == "" && c.PublicJWK == nil:
		return errors.New("neither secret nor key")
	case c.AuthMethod != "" && !slices.Contains(sh.authMethods, c.AuthMethod):
		return fmt.Errorf("no client authentication %q", c.AuthMethod)
	case c.AuthMethod == PrivateKeyJWT && c.PublicJWK == nil:
		return errors.New("private_key_jwt without a key")
	case (c.AuthMethod == SecretBasic || c.AuthMethod == SecretPost) && c.Secret == "":
		return fmt.Errorf("%s without a secret", c.AuthMethod)
	case c.PublicJWK != nil && !c.PublicJWK.IsPublic():
		return errors.New("the key is not a public one")
	}
	return nil
}

func (p *provider) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = faultSet{on: map[string]bool{}, once: map[string]bool{}}
	p.logins, p.codes, p.tokens = map[string]*login{}, map[string]*login{}, map[string]*login{}
	p.assertions = map[string]time.Time{}
}

func (p *provider) clientList() []Client {
	return slices.SortedFunc(maps.Values(p.clients), func(a, b Client) int { return strings.Compare(a.ID, b.ID) })
}

// path is the root of the issuer without a trailing slash.
func (p *provider) path() string { return strings.TrimSuffix(p.issuerPath, "/") }

// ServeHTTP answers everything below the issuer, and userinfo.
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == p.userinfoPath {
		p.serveUserinfo(w, r)
		return
	}
	endpoint := strings.TrimPrefix(r.URL.Path, p.path())
	switch {
	case endpoint == "/.well-known/openid-configuration" && r.Method == http.MethodGet:
		p.see("discovery", nil)
		if p.broken(w, r, nil) {
			return
		}
		if p.cacheFor > 0 {
			w.Header().Set("Cache-Control", fmt.Sprintf("max-age=%d", int(p.cacheFor.Seconds())))
		}
		writeJSON(w, http.StatusOK, p.metadata())
	case endpoint == p.jwks && r.Method == http.MethodGet:
		p.see("keys", nil)
		if p.broken(w, r, nil) {
			return
		}
		writeJSON(w, http.StatusOK, p.keys.published())
	case endpoint == p.authorize && r.Method == http.MethodGet:
		p.see("authorize", r.URL.Query())
		p.serveAuthorize(w, r)
	case endpoint == p.token && r.Method == http.MethodPost:
		p.serveToken(w, r)
	case endpoint == p.endSession:
		p.see("end_session", url.Values{"post_logout_redirect_uri": r.URL.Query()["post_logout_redirect_uri"]})
		p.below(w, r)
	default:
		http.NotFound(w, r)
	}
}

// below hands the request to op, which knows paths below the issuer only.
func (p *provider) below(w http.ResponseWriter, r *http.Request) {
	http.StripPrefix(p.path(), p.op).ServeHTTP(w, r)
}

func (p *provider) see(endpoint string, v url.Values) {
	p.server.note(Request{Provider: p.name, Endpoint: endpoint, Values: maps.Clone(v)})
}

// broken answers for a provider that is down, slow or cuts the line. l is the
// login that the request belongs to, nil if it belongs to none.
func (p *provider) broken(w http.ResponseWriter, r *http.Request, l *login) bool {
	is := func(name string) bool { return p.has(name) || l != nil && l.fault(name) }
	if is(FaultSlow) {
		t := time.NewTimer(p.server.slow)
		defer t.Stop()
		select {
		case <-r.Context().Done():
		case <-t.C:
		}
	}
	switch {
	case is(FaultClosed):
		panic(http.ErrAbortHandler)
	case is(FaultDown):
		http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
		return true
	}
	return false
}

// metadata is the discovery document.
func (p *provider) metadata() map[string]any {
	at := func(path string) string { return p.server.base + p.path() + path }
	m := map[string]any{
		"issuer":                                           p.issuer,
		"authorization_endpoint":                           at(p.authorize),
		"token_endpoint":                                   at(p.token),
		"jwks_uri":                                         at(p.jwks),
		"end_session_endpoint":                             at(p.endSession),
		"userinfo_endpoint":                                p.server.base + p.userinfoPath,
		"response_types_supported":                         []string{"code"},
		"response_modes_supported":                         p.responseModes,
		"grant_types_supported":                            []string{"authorization_code"},
		"subject_types_supported":                          []string{"public"},
		"scopes_supported":                                 p.scopes,
		"id_token_signing_alg_values_supported":            []string{string(p.alg)},
		"token_endpoint_auth_methods_supported":            p.authMethods,
		"token_endpoint_auth_signing_alg_values_supported": []string{"ES256", "PS256", "RS256"},
		"code_challenge_methods_supported":                 []string{"S256"},
	}
	if p.plainPKCE {
		m["code_challenge_methods_supported"] = []string{"S256", "plain"}
	}
	maps.Copy(m, p.discovery)
	return m
}

func (p *provider) serveUserinfo(w http.ResponseWriter, r *http.Request) {
	p.see("userinfo", nil)
	if p.broken(w, r, nil) {
		return
	}
	if p.userinfo == nil {
		// BankID's userinfo with consent is closed (end of 2025); discovery still names it.
		http.Error(w, "This service has ended.", http.StatusGone)
		return
	}
	op.Userinfo(w, r.WithContext(op.ContextWithIssuer(r.Context(), p.issuer)), p.op)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}
