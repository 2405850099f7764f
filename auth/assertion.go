package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// assertion proves the portal at a token endpoint with a key of its own instead
// of a shared secret. RFC 7523, private_key_jwt of OpenID Connect. (checklist 13)
type assertion struct {
	signer   jose.Signer
	client   string
	audience string
}

// assertionLife is how long an assertion is good; it is used at once, and once.
const assertionLife = time.Minute

// newAssertion reads the private key of a configuration: PEM (PKCS 8, PKCS 1 or
// SEC 1) or a JWK. Its text never stands in an error.
func newAssertion(c ProviderConfig) (*assertion, error) {
	key, kid, err := parseKey(c.Key)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	alg, err := algorithmOf(key)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	if kid = or(c.KeyID, kid); kid == "" {
		return nil, errors.New("key_id is missing: the provider finds the public key by it")
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: kid}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, errors.New("key: can't sign")
	}
	return &assertion{signer: s, client: c.ClientID, audience: c.AssertionAudience}, nil
}

// make makes an assertion for one request.
func (a *assertion) make(now time.Time) (string, error) {
	return jwt.Signed(a.signer).Claims(jwt.Claims{
		Issuer: a.client, Subject: a.client, Audience: jwt.Audience{a.audience}, ID: randomText(),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(assertionLife)),
	}).Serialize()
}

func parseKey(text string) (key crypto.Signer, kid string, err error) {
	unreadable := errors.New("neither a PEM block with a private key nor a JWK")
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		var jwk jose.JSONWebKey
		if err := json.Unmarshal([]byte(text), &jwk); err != nil || jwk.IsPublic() {
			return nil, "", unreadable
		}
		if s, ok := jwk.Key.(crypto.Signer); ok {
			return s, jwk.KeyID, nil
		}
		return nil, "", unreadable
	}
	b, _ := pem.Decode([]byte(text))
	if b == nil {
		return nil, "", unreadable
	}
	if k, err := x509.ParsePKCS8PrivateKey(b.Bytes); err == nil {
		if s, ok := k.(crypto.Signer); ok {
			return s, "", nil
		}
	}
	if k, err := x509.ParseECPrivateKey(b.Bytes); err == nil {
		return k, "", nil
	}
	if k, err := x509.ParsePKCS1PrivateKey(b.Bytes); err == nil {
		return k, "", nil
	}
	return nil, "", unreadable
}

func algorithmOf(key crypto.Signer) (jose.SignatureAlgorithm, error) {
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		switch k.Curve {
		case elliptic.P256():
			return jose.ES256, nil
		case elliptic.P384():
			return jose.ES384, nil
		}
	case *rsa.PrivateKey:
		if k.N.BitLen() >= 2048 {
			return jose.PS256, nil
		}
	case ed25519.PrivateKey:
		return jose.EdDSA, nil
	}
	return "", errors.New("must be P-256, P-384, Ed25519, or RSA of 2048 bits or more")
}
