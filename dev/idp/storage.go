package idp

import (
	"context"
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// storage is op's view of a provider.
type storage struct{ p *provider }

// The requests of browsers are taken and answered here (authorize.go, choice.go),
// so op never begins or finishes a login.
func (s *storage) CreateAuthRequest(context.Context, *oidc.AuthRequest, string) (op.AuthRequest, error) {
	return nil, oidc.ErrInvalidRequest()
}
func (s *storage) AuthRequestByID(context.Context, string) (op.AuthRequest, error) {
	return nil, errUnknown
}
func (s *storage) SaveAuthCode(context.Context, string, string) error { return errUnknown }

// AuthRequestByCode spends the code, whatever becomes of the exchange.
// RFC 9700 section 2.1.1, RFC 6749 section 4.1.2.
func (s *storage) AuthRequestByCode(_ context.Context, code string) (op.AuthRequest, error) {
	p := s.p
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.codes[code]
	delete(p.codes, code)
	if l == nil || p.server.now().After(l.until) {
		return nil, errUnknown
	}
	return l, nil
}

// DeleteAuthRequest has nothing to do: the code is spent already.
func (s *storage) DeleteAuthRequest(context.Context, string) error { return nil }

func (s *storage) CreateAccessToken(_ context.Context, r op.TokenRequest) (string, time.Time, error) {
	l, ok := r.(*login)
	if !ok {
		return "", time.Time{}, oidc.ErrUnsupportedGrantType()
	}
	p := s.p
	p.mu.Lock()
	defer p.mu.Unlock()
	id := random()
	l.until = p.server.now().Add(p.accessLife)
	p.tokens[id] = l
	return id, l.until, nil
}

func (s *storage) CreateAccessAndRefreshTokens(context.Context, op.TokenRequest, string) (string, string, time.Time, error) {
	return "", "", time.Time{}, oidc.ErrUnsupportedGrantType()
}

func (s *storage) TokenRequestByRefreshToken(context.Context, string) (op.RefreshTokenRequest, error) {
	return nil, oidc.ErrUnsupportedGrantType()
}

// TerminateSession has nothing to end: no provider here keeps a session.
func (s *storage) TerminateSession(context.Context, string, string) error { return nil }

func (s *storage) RevokeToken(context.Context, string, string, string) *oidc.Error {
	return oidc.ErrInvalidRequest()
}

func (s *storage) GetRefreshTokenInfo(context.Context, string, string) (string, string, error) {
	return "", "", op.ErrInvalidRefreshToken
}

func (s *storage) SigningKey(context.Context) (op.SigningKey, error) {
	return signingKey{s.p.keys.signing()}, nil
}

func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{s.p.alg}, nil
}

func (s *storage) KeySet(context.Context) ([]op.Key, error) {
	var out []op.Key
	for _, k := range s.p.keys.published().Keys {
		out = append(out, publicKey{k})
	}
	return out, nil
}

type signingKey struct{ k *key }

func (k signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return k.k.alg }
func (k signingKey) Key() any                                    { return k.k.private }
func (k signingKey) ID() string                                  { return k.k.id }

type publicKey struct{ k jose.JSONWebKey }

func (k publicKey) ID() string                         { return k.k.KeyID }
func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.SignatureAlgorithm(k.k.Algorithm) }
func (k publicKey) Use() string                        { return k.k.Use }
func (k publicKey) Key() any                           { return k.k.Key }

func (s *storage) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	c, ok := s.p.clients[id]
	if !ok {
		return nil, errUnknown
	}
	return client{c, s.p}, nil
}

func (s *storage) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	c, ok := s.p.clients[id]
	if !ok || c.Secret == "" || subtle.ConstantTimeCompare([]byte(secret), []byte(c.Secret)) != 1 {
		return errUnknown
	}
	return nil
}

// SetUserinfoFromScopes is empty: the ID token is made in mint.go.
func (s *storage) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

func (s *storage) SetUserinfoFromToken(_ context.Context, info *oidc.UserInfo, tokenID, subject, _ string) error {
	p := s.p
	p.mu.Lock()
	l := p.tokens[tokenID]
	p.mu.Unlock()
	if l == nil || l.subject != subject || p.server.now().After(l.until) {
		return oidc.ErrAccessDenied().WithDescription("the access token is not known or has run out")
	}
	info.Subject = l.subject
	if l.fault(FaultOtherUserinfo) || p.has(FaultOtherUserinfo) {
		info.Subject = randomUUID()
	}
	for k, v := range p.userinfo(l) {
		info.AppendClaims(k, v)
	}
	return nil
}

func (s *storage) SetIntrospectionFromToken(context.Context, *oidc.IntrospectionResponse, string, string, string) error {
	return errUnknown
}

func (s *storage) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}

func (s *storage) GetKeyByIDAndClientID(_ context.Context, keyID, clientID string) (*jose.JSONWebKey, error) {
	c, ok := s.p.clients[clientID]
	if !ok || c.PublicJWK == nil || c.PublicJWK.KeyID != keyID {
		return nil, fmt.Errorf("key of client: %w", errUnknown)
	}
	return c.PublicJWK, nil
}

func (s *storage) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, oidc.ErrUnsupportedGrantType()
}

func (s *storage) Health(context.Context) error { return nil }

// client is op's view of a Client.
type client struct {
	c Client
	p *provider
}

func (c client) GetID() string                       { return c.c.ID }
func (c client) RedirectURIs() []string              { return c.c.RedirectURIs }
func (c client) PostLogoutRedirectURIs() []string    { return c.c.PostLogoutRedirectURIs }
func (c client) ApplicationType() op.ApplicationType { return op.ApplicationTypeWeb }
func (c client) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}
func (c client) GrantTypes() []oidc.GrantType        { return []oidc.GrantType{oidc.GrantTypeCode} }
func (c client) LoginURL(id string) string           { return c.p.choicePath(id) }
func (c client) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeBearer }
func (c client) IDTokenLifetime() time.Duration      { return c.p.idTokenLife }
func (c client) DevMode() bool                       { return true }
func (c client) IsScopeAllowed(string) bool          { return true } // begin refuses
func (c client) IDTokenUserinfoClaimsAssertion() bool {
	return true
}
func (c client) ClockSkew() time.Duration { return 0 }
func (c client) RestrictAdditionalIdTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}
func (c client) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}

// AuthMethod tells op only whether a secret may do; which way is used is checked
// in serveToken.
func (c client) AuthMethod() oidc.AuthMethod {
	if c.c.AuthMethod == PrivateKeyJWT || c.c.Secret == "" {
		return oidc.AuthMethodPrivateKeyJWT
	}
	return oidc.AuthMethodBasic
}
