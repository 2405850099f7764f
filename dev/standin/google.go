package standin

import (
	"crypto/rsa"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Google's OAuth server: tokens for service accounts (JWT bearer, RFC 7523) and
// revocation of a person's token. The token's scopes decide which API takes it.
//
// Where the document leaves something open: revocation is general knowledge. A
// token is there until it is revoked; then it answers 400 invalid_token. The token
// may stand in the form alone, not in the query, where it would end in logs.

// GoogleAccount is what the company has at Google.
type GoogleAccount struct {
	ServiceAccount string         // e-mail address of the service account
	Key            *rsa.PublicKey // of its private key
	KeyID          string         // kid of its assertions; any, or none, if empty
	Property       string         // number of the Analytics property
	Project        string         // id of the Firebase project
	AdsAccount     string         // customer id at Google Ads, digits
	UserLists      []string       // ids of its audiences
}

// Scopes of the APIs. Those of Firebase installations are general knowledge.
const (
	scopeAnalytics   = "https://www.googleapis.com/auth/analytics.edit"
	scopeDataManager = "https://www.googleapis.com/auth/datamanager"
	scopeMessaging   = "https://www.googleapis.com/auth/firebase.messaging"
	scopeFirebase    = "https://www.googleapis.com/auth/firebase"
	scopeCloud       = "https://www.googleapis.com/auth/cloud-platform"
)

// googleTokenURL is the audience of assertions in life; here it may also be the
// stand-in's own address.
const googleTokenURL = "https://oauth2.googleapis.com/token"

func (s *Server) googleRoutes() {
	p := s.paths(&recipient{name: GoogleOAuth, prefix: googlePrefix, refuse: googleOAuthRefusal})
	p.add("POST", "/token", form{takes: takesForm, secret: true, fields: []string{"grant_type", "assertion"}}, s.googleToken)
	login := paths{s, &recipient{name: GoogleLogin, prefix: googlePrefix, refuse: googleOAuthRefusal}}
	login.add("POST", "/revoke", form{takes: takesForm, fields: []string{"token"}}, s.googleRevoke)
}

func googleOAuthRefusal(status int, why string) any {
	code := "invalid_request"
	if status == http.StatusUnauthorized {
		code = "invalid_client"
	}
	return oauthError{code, why}
}

// googleClaims are those of an assertion; others are refused.
type googleClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Scope    string `json:"scope"`
	Audience string `json:"aud"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

func (s *Server) googleToken(c *call) answer {
	if c.one("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		return answer{status: http.StatusBadRequest, body: oauthError{"unsupported_grant_type", "Invalid grant_type"}}
	}
	claims, err := s.googleAssertion(c)
	if err != nil {
		return answer{status: http.StatusBadRequest, body: oauthError{"invalid_grant", err.Error()}}
	}
	scopes := strings.Fields(claims.Scope)
	if len(scopes) == 0 {
		return answer{status: http.StatusBadRequest, body: oauthError{"invalid_scope", "Empty or missing scope not allowed."}}
	}
	return answer{status: http.StatusOK, body: s.issue(c, token{api: GoogleOAuth, scopes: scopes}, 3599*time.Second)}
}

func (s *Server) googleAssertion(c *call) (googleClaims, error) {
	var claims googleClaims
	account := s.options.Google
	signed, err := jose.ParseSignedCompact(c.one("assertion"), []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || account.Key == nil {
		return claims, fmt.Errorf("invalid JWT")
	}
	if account.KeyID != "" && signed.Signatures[0].Header.KeyID != account.KeyID {
		return claims, fmt.Errorf("invalid JWT: unknown kid")
	}
	payload, err := signed.Verify(account.Key)
	if err != nil {
		return claims, fmt.Errorf("invalid JWT signature")
	}
	if err := decode(payload, &claims); err != nil {
		return claims, fmt.Errorf("invalid JWT: %w", err)
	}
	issued, expires := time.Unix(claims.IssuedAt, 0), time.Unix(claims.Expires, 0)
	switch {
	case claims.Issuer != account.ServiceAccount:
		return claims, fmt.Errorf("invalid grant: account not found")
	case claims.Audience != googleTokenURL && claims.Audience != "http://"+c.Host+googlePrefix+"/token":
		return claims, fmt.Errorf("invalid JWT: aud is not the token server")
	case claims.Subject != "" && claims.Subject != claims.Issuer:
		return claims, fmt.Errorf("invalid JWT: nobody is acted for")
	case issued.After(c.now.Add(time.Minute)) || !expires.After(c.now) || expires.Sub(issued) > time.Hour:
		return claims, fmt.Errorf("invalid JWT: the token must be short-lived (60 minutes) and in a reasonable timeframe")
	}
	return claims, nil
}

func (s *Server) googleRevoke(c *call) answer {
	value := c.one("token")
	if value == "" {
		return c.refuse(http.StatusBadRequest, "token is missing")
	}
	id := "tokens/" + fingerprint(value)
	if s.state(GoogleLogin, id) == Revoked {
		return answer{status: http.StatusBadRequest, body: oauthError{"invalid_token", "Token expired or revoked"}}
	}
	s.put(c, id, Revoked)
	return answer{status: http.StatusOK, body: struct{}{}}
}

// googleError is how the APIs say no.
type googleError struct {
	Error googleStatus `json:"error"`
}

type googleStatus struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Status  string `json:"status"`
}

func googleRefusal(status int, why string) any {
	name, ok := map[int]string{
		http.StatusBadRequest: "INVALID_ARGUMENT", http.StatusUnauthorized: "UNAUTHENTICATED", http.StatusForbidden: "PERMISSION_DENIED",
		http.StatusNotFound: "NOT_FOUND", http.StatusConflict: "ALREADY_EXISTS", http.StatusTooManyRequests: "RESOURCE_EXHAUSTED",
		http.StatusInternalServerError: "INTERNAL",
	}[status]
	if !ok {
		name = "UNKNOWN"
	}
	return googleError{googleStatus{status, why, name}}
}

// googleAPI is a recipient behind a token with one of the scopes.
func (s *Server) googleAPI(name, prefix string, scopes ...string) *recipient {
	return &recipient{name: name, prefix: prefix, headers: []string{"Authorization"}, refuse: googleRefusal,
		authorize: func(c *call) (answer, bool) {
			t, ok := s.bearer(c, GoogleOAuth)
			switch {
			case !ok:
				return c.refuse(http.StatusUnauthorized, "Request had invalid authentication credentials."), false
			case !t.allowed(scopes...):
				return c.refuse(http.StatusForbidden, "Request had insufficient authentication scopes."), false
			}
			return answer{}, true
		}}
}

// verb splits what Google writes as name:verb, in a path of which the mux knows
// whole segments only.
func verb(segment string, verbs ...string) (name, verb string, ok bool) {
	name, verb, ok = strings.Cut(segment, ":")
	return name, verb, ok && slices.Contains(verbs, verb)
}
