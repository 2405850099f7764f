package standin

import (
	"crypto/ecdsa"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Apple: revocation of a person's token, with a client secret that is a JWT of our
// own (ES256, half a year at most).
//
// Where the document leaves something open: 200 is answered for a token that is
// revoked already or was never there, so nothing can be learnt from it.

// AppleAccount is the company's app at Apple.
type AppleAccount struct {
	TeamID   string
	ClientID string // of the app or service
	KeyID    string
	Key      *ecdsa.PublicKey // of the key with that id
}

// appleAudience is the audience of the client secret in life; here it may also be
// the stand-in's own address.
const appleAudience = "https://appleid.apple.com"

// appleSecretLife is the longest that a client secret may live.
const appleSecretLife = 15777000 * time.Second

func (s *Server) appleRoutes() {
	p := s.paths(&recipient{name: AppleLogin, prefix: applePrefix, refuse: appleRefusal, authorize: s.appleClient})
	p.add("POST", "/auth/revoke", form{takes: takesForm, fields: []string{"client_id", "client_secret", "token", "token_type_hint"}}, s.appleRevoke)
}

func appleRefusal(status int, why string) any {
	code := "invalid_request"
	if status == http.StatusUnauthorized {
		code = "invalid_client"
	}
	return oauthError{code, why}
}

type appleClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// appleClient answers 400 invalid_client to whoever isn't the app, as documented.
func (s *Server) appleClient(c *call) (answer, bool) {
	if !s.appleSecret(c) {
		return answer{status: http.StatusBadRequest, body: oauthError{"invalid_client", ""}}, false
	}
	return answer{}, true
}

func (s *Server) appleSecret(c *call) bool {
	account := s.options.Apple
	signed, err := jose.ParseSignedCompact(c.one("client_secret"), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || account.Key == nil || signed.Signatures[0].Header.KeyID != account.KeyID {
		return false
	}
	payload, err := signed.Verify(account.Key)
	if err != nil {
		return false
	}
	var claims appleClaims
	if decode(payload, &claims) != nil {
		return false
	}
	issued, expires := time.Unix(claims.IssuedAt, 0), time.Unix(claims.Expires, 0)
	return c.one("client_id") == account.ClientID && claims.Subject == account.ClientID && claims.Issuer == account.TeamID &&
		(claims.Audience == appleAudience || claims.Audience == "http://"+c.Host+applePrefix) &&
		!issued.After(c.now.Add(time.Minute)) && expires.After(c.now) && expires.Sub(issued) <= appleSecretLife
}

func (s *Server) appleRevoke(c *call) answer {
	hint := c.one("token_type_hint")
	if c.one("token") == "" || c.fields.Has("token_type_hint") && hint != "refresh_token" && hint != "access_token" {
		return c.refuse(http.StatusBadRequest, "")
	}
	s.put(c, "tokens/"+fingerprint(c.one("token")), Revoked)
	return answer{status: http.StatusOK}
}
