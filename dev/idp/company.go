package idp

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// Company is the company's own issuer of access tokens for its systems: no people,
// no logins, the client credentials grant alone (RFC 6749 section 4.4), and JWTs as
// RFC 9068 has them.
const Company = "company"

const companyTokenLife = 10 * time.Minute

// company is the issuer. Keys, faults and the page are those of a provider that
// nobody logs in at.
type company struct {
	*provider
	audience string
}

func newCompany(s *Server, audience string, clients []Client) (*company, error) {
	p := &provider{
		shape: shape{name: Company, title: "Elekt (API)", issuerPath: "/company", token: "/token", jwks: "/keys", alg: jose.ES256,
			idTokenLife: companyTokenLife, accessLife: companyTokenLife},
		server: s, issuer: s.base + "/company", clients: map[string]Client{},
	}
	for _, c := range clients {
		switch {
		case c.ID == "" || c.Secret == "" || len(c.Scopes) == 0:
			return nil, fmt.Errorf("client %q: needs an id, a secret and scopes", c.ID)
		case p.clients[c.ID].ID != "":
			return nil, fmt.Errorf("client %q is registered twice", c.ID)
		}
		p.clients[c.ID] = c
	}
	if audience == "" {
		return nil, errors.New("no audience")
	}
	p.reset()
	var err error
	p.keys, err = newKeyRing(p.alg)
	return &company{p, audience}, err
}

// ServeHTTP answers everything below the issuer.
func (c *company) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch endpoint := strings.TrimPrefix(r.URL.Path, c.path()); {
	case endpoint == "/.well-known/openid-configuration" && r.Method == http.MethodGet:
		c.see("discovery", nil)
		if c.broken(w, r, nil) {
			return
		}
		writeJSON(w, http.StatusOK, map[string]any{
			"issuer": c.issuer, "token_endpoint": c.issuer + c.token, "jwks_uri": c.issuer + c.jwks,
			"grant_types_supported":                 []string{"client_credentials"},
			"response_types_supported":              []string{},
			"subject_types_supported":               []string{"public"},
			"token_endpoint_auth_methods_supported": []string{SecretBasic, SecretPost},
			"id_token_signing_alg_values_supported": []string{string(c.alg)},
		})
	case endpoint == c.jwks && r.Method == http.MethodGet:
		c.see("keys", nil)
		if c.broken(w, r, nil) {
			return
		}
		writeJSON(w, http.StatusOK, c.keys.published())
	case endpoint == c.token && r.Method == http.MethodPost:
		c.serveToken(w, r)
	default:
		http.NotFound(w, r)
	}
}

// serveToken makes an access token for a client that proves itself.
func (c *company) serveToken(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.URL.RawQuery != "" {
		tokenError(w, http.StatusBadRequest, "invalid_request", "parameters belong in the body, as a form")
		return
	}
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if user, password, ok := r.BasicAuth(); ok {
		id, secret = user, password
	}
	c.see("token", url.Values{"grant_type": r.PostForm["grant_type"], "client_id": {id}, "auth_method": {authMethod(r)}, "scope": r.PostForm["scope"]})
	l := c.begin(&oidc.AuthRequest{ClientID: id})
	if _, err := c.drop(l.id); err != nil || c.broken(w, r, l) {
		return
	}
	client, known := c.clients[id]
	switch {
	case l.fault(FaultTokenError):
		tokenError(w, http.StatusBadRequest, "invalid_request", hostileText)
		return
	case !known || !sameSecret(secret, client.Secret):
		w.Header().Set("WWW-Authenticate", `Basic realm="company"`)
		tokenError(w, http.StatusUnauthorized, "invalid_client", "")
		return
	case r.PostForm.Get("grant_type") != "client_credentials":
		tokenError(w, http.StatusBadRequest, "unsupported_grant_type", "client_credentials only")
		return
	}
	scopes := strings.Fields(r.PostForm.Get("scope"))
	if len(scopes) == 0 {
		scopes = client.Scopes
	}
	for _, s := range scopes {
		if !slices.Contains(client.Scopes, s) {
			tokenError(w, http.StatusBadRequest, "invalid_scope", "")
			return
		}
	}
	token, err := c.accessToken(l, scopes)
	if err != nil {
		c.server.log.Error("token", "provider", c.name, "error", err)
		tokenError(w, http.StatusInternalServerError, "server_error", "")
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer",
		"expires_in": int(companyTokenLife.Seconds()), "scope": strings.Join(scopes, " ")})
}

// accessToken signs a token as RFC 9068 has it, with the faults that are on.
func (c *company) accessToken(l *login, scopes []string) (string, error) {
	now := c.server.now()
	claims := map[string]any{
		"iss": c.issuer, "sub": l.ClientID, "client_id": l.ClientID, "aud": c.audience, "scope": strings.Join(scopes, " "),
		"iat": now.Unix(), "exp": now.Add(companyTokenLife).Unix(), "jti": random(),
	}
	if err := c.spoil(l, claims, now); err != nil {
		return "", err
	}
	return c.sign(l, "at+jwt", claims)
}

// sameSecret compares secrets as they are, and as a client writes them that encodes
// them first. RFC 6749 section 2.3.1
func sameSecret(got, want string) bool {
	decoded, err := url.QueryUnescape(got)
	return subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1 ||
		err == nil && subtle.ConstantTimeCompare([]byte(decoded), []byte(want)) == 1
}
