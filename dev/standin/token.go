package standin

import (
	"crypto/rand"
	"crypto/subtle"
	"maps"
	"slices"
	"strings"
	"time"
)

// token is an access token that a stand-in has given out. Tokens outlive a Reset:
// whoever holds one doesn't know of it.
type token struct {
	api     string   // that it is for
	scopes  []string // none: all
	expires time.Time
}

// tokenAnswer is what token servers answer (RFC 6749 5.1).
type tokenAnswer struct {
	AccessToken string  `json:"access_token"`
	TokenType   string  `json:"token_type"`
	ExpiresIn   int     `json:"expires_in"` // seconds
	Scope       *string `json:"scope,omitempty"`
}

// oauthError is how they refuse (RFC 6749 5.2).
type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// issue gives out a token. The caller holds s.mu.
func (s *Server) issue(c *call, t token, life time.Duration) tokenAnswer {
	maps.DeleteFunc(s.tokens, func(_ string, t token) bool { return !c.now.Before(t.expires) })
	t.expires = c.now.Add(life)
	value := rand.Text()
	s.tokens[value] = t
	return tokenAnswer{AccessToken: value, TokenType: "Bearer", ExpiresIn: int(life.Seconds())}
}

// bearer finds the token that a call carries. The caller holds s.mu.
func (s *Server) bearer(c *call, api string) (token, bool) {
	value, ok := strings.CutPrefix(c.Header.Get("Authorization"), "Bearer ")
	t, there := s.tokens[value]
	return t, ok && there && t.api == api && c.now.Before(t.expires)
}

// ForgetTokens makes all access tokens void, as recipients do before their time
// when a secret is changed.
func (s *Server) ForgetTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = map[string]token{}
}

// allowed tells whether a token has one of the scopes.
func (t token) allowed(scopes ...string) bool {
	return slices.ContainsFunc(scopes, func(scope string) bool { return slices.Contains(t.scopes, scope) })
}

// same compares secrets. An empty one is nobody's.
func same(got, want string) bool {
	return want != "" && subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1
}
