package idp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// mint makes the ID token of a login in the provider's shape, with the faults
// that are on for it.
func (p *provider) mint(l *login, accessToken string) (string, error) {
	now := p.server.now()
	claims := p.claims(l)
	claims["iss"], claims["sub"] = p.issuer, l.subject
	claims["iat"], claims["exp"] = now.Unix(), now.Add(p.idTokenLife).Unix()
	if l.Nonce != "" {
		claims["nonce"] = l.Nonce
	}
	var err error
	if claims["at_hash"], err = oidc.ClaimHash(accessToken, p.alg); err != nil {
		return "", fmt.Errorf("at_hash: %w", err)
	}
	if err := p.spoil(l, claims, now); err != nil {
		return "", err
	}
	return p.sign(l, "JWT", claims)
}

// spoil turns the claims of a login into wrong ones.
func (p *provider) spoil(l *login, claims map[string]any, now time.Time) (err error) {
	const stranger = "another-client"
	if l.fault(FaultExpired) {
		claims["iat"], claims["exp"] = now.Add(-p.idTokenLife-5*time.Minute).Unix(), now.Add(-5*time.Minute).Unix()
	}
	if l.fault(FaultFuture) {
		claims["iat"], claims["exp"] = now.Add(time.Hour).Unix(), now.Add(time.Hour+p.idTokenLife).Unix()
	}
	if l.fault(FaultOldLogin) {
		old := now.Add(-2 * time.Hour).Unix()
		if _, has := claims["auth_time"]; has {
			claims["auth_time"] = old
		} else {
			claims["iat"] = old // where iat stands for the time of the login
		}
	}
	if l.fault(FaultWrongAudience) {
		claims["aud"], claims["azp"] = stranger, stranger
	}
	if l.fault(FaultForeignAZP) {
		claims["aud"], claims["azp"] = []string{l.ClientID, stranger}, stranger
	}
	if l.fault(FaultNoAZP) {
		claims["aud"] = []string{l.ClientID, stranger}
		delete(claims, "azp")
	}
	if l.fault(FaultWrongNonce) {
		claims["nonce"] = random()
	}
	if l.fault(FaultNoNonce) {
		delete(claims, "nonce")
	}
	if l.fault(FaultWrongIssuer) {
		claims["iss"] = p.issuer + "x"
	}
	if l.fault(FaultNoSubject) && p.name != BankID {
		delete(claims, "sub")
	}
	if l.fault(FaultWrongAtHash) {
		claims["at_hash"], err = oidc.ClaimHash(random(), p.alg)
	}
	return err
}

// sign signs with the current key, or wrongly.
func (p *provider) sign(l *login, typ string, claims map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("claims: %w", err)
	}
	k := p.keys.signing()
	switch {
	case l.fault(FaultAlgNone):
		return compact(map[string]any{"alg": "none", "typ": typ}, payload, func(string) []byte { return nil })
	case l.fault(FaultAlgHS256):
		secret, err := k.public().MarshalJSON()
		if err != nil {
			return "", fmt.Errorf("public key: %w", err)
		}
		return compact(map[string]any{"alg": "HS256", "typ": typ, "kid": k.id}, payload, func(input string) []byte {
			m := hmac.New(sha256.New, secret)
			m.Write([]byte(input))
			return m.Sum(nil)
		})
	case l.fault(FaultUnknownKey):
		if k, err = newKey(p.alg); err != nil {
			return "", err
		}
	case l.fault(FaultWrongSignature):
		id := k.id
		if k, err = newKey(p.alg); err != nil {
			return "", err
		}
		k.id = id
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: k.alg, Key: jose.JSONWebKey{Key: k.private, KeyID: k.id}},
		(&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		return "", fmt.Errorf("signer: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return signed.CompactSerialize()
}

// compact puts a token together by hand, which go-jose rightly refuses to do for
// the algorithms used here.
func compact(header map[string]any, payload []byte, signature func(string) []byte) (string, error) {
	h, err := json.Marshal(header)
	if err != nil {
		return "", fmt.Errorf("header: %w", err)
	}
	input := base64.RawURLEncoding.EncodeToString(h) + "." + base64.RawURLEncoding.EncodeToString(payload)
	return input + "." + base64.RawURLEncoding.EncodeToString(signature(input)), nil
}
