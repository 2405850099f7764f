package fulfil

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// GoogleConfig is the service account under which Google's interfaces are called.
type GoogleConfig struct {
	Credentials     string `yaml:"credentials"` // the JSON key of the service account
	CredentialsFile string `yaml:"credentials_file"`
	TokenURL        string `yaml:"token_url"` // that of the key if empty
}

// Scopes of Google's interfaces. Each token has one.
const (
	scopeAnalytics = "https://www.googleapis.com/auth/analytics.edit"
	scopeAds       = "https://www.googleapis.com/auth/datamanager"
	scopeMessaging = "https://www.googleapis.com/auth/firebase.messaging"
	scopeFirebase  = "https://www.googleapis.com/auth/firebase"
)

// googleKey is what the JSON key of a service account holds, as far as it is used.
type googleKey struct {
	Type     string `json:"type"`
	Email    string `json:"client_email"`
	KeyID    string `json:"private_key_id"`
	Key      string `json:"private_key"` // PEM, PKCS #8
	TokenURL string `json:"token_uri"`
}

// Validate names the first fault of the configuration.
func (c *GoogleConfig) Validate() error {
	_, err := newGoogle(*c, time.Now)
	return err
}

// google gives out access tokens of a service account (RFC 7523).
type google struct {
	caller
	email, keyID, url string
	key               *rsa.PrivateKey
}

func newGoogle(c GoogleConfig, now func() time.Time) (*google, error) {
	var k googleKey
	if c.Credentials == "" {
		return nil, errors.New("credentials is missing")
	}
	if err := json.Unmarshal([]byte(c.Credentials), &k); err != nil || k.Type != "service_account" || k.Email == "" {
		return nil, errors.New("credentials: not the JSON key of a service account")
	}
	block, _ := pem.Decode([]byte(k.Key))
	if block == nil {
		return nil, errors.New("credentials: private_key is not PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("credentials: private_key is not PKCS #8")
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("credentials: private_key is not an RSA key")
	}
	g := &google{caller: newCaller(now), email: k.Email, keyID: k.KeyID, url: or(c.TokenURL, k.TokenURL), key: key}
	if g.url == "" {
		return nil, errors.New("token_url is missing")
	}
	return g, validURLs(map[string]string{"token_url": g.url})
}

// tokens are those of one scope.
func (g *google) tokens(scope string) *tokens {
	return &tokens{now: g.now, parse: oauthToken, fetch: func(ctx context.Context) (answer, error) {
		assertion, err := g.assertion(scope)
		if err != nil {
			return answer{}, err
		}
		return g.do(ctx, request{method: http.MethodPost, url: g.url, form: url.Values{
			"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}})
	}}
}

// assertionLife is how long an assertion is good for.
const assertionLife = 5 * time.Minute

type googleHeader struct {
	Algorithm string `json:"alg"`
	Type      string `json:"typ"`
	KeyID     string `json:"kid,omitempty"`
}

type googleClaims struct {
	Issuer   string `json:"iss"`
	Scope    string `json:"scope"`
	Audience string `json:"aud"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

func (g *google) assertion(scope string) (string, error) {
	now := g.now()
	var signed string
	for _, part := range []any{
		googleHeader{"RS256", "JWT", g.keyID},
		googleClaims{g.email, scope, g.url, now.Unix(), now.Add(assertionLife).Unix()},
	} {
		b, err := json.Marshal(part)
		if err != nil {
			return "", err
		}
		if signed != "" {
			signed += "."
		}
		signed += base64.RawURLEncoding.EncodeToString(b)
	}
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, g.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("google: assertion: %w", err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
