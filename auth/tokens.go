package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// skew is how far the provider's clock may be from ours. (checklist 18)
const skew = 2 * time.Minute

// proof is what a provider proved about whoever is there, after all checks.
type proof struct {
	Identity   store.Identity
	At         time.Time // when the person proved who they are; the zero time of Unix if the token doesn't say
	GivenName  string
	FamilyName string
	Born       birth
	Phone      string // verified, E.164; empty otherwise or below substantial
	AppAccount string
}

// keys is what the customer record can be found by.
func (p *proof) keys() store.CustomerKeys {
	return store.CustomerKeys{NINHash: p.Identity.NINHash, Phone: p.Phone, AppAccount: p.AppAccount, BirthDate: p.Born.day()}
}

// badToken is the fault of a token that fails a check.
func badToken(reason string) error {
	return &privacy.Error{Kind: privacy.Invalid, Key: "login.fault.token", Reason: reason}
}

// verifying hands go-oidc our keys and keeps what came of it: the library's error
// is a text only.
type verifying struct {
	keys    *keySet
	payload []byte
	err     error
}

func (v *verifying) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	v.payload, v.err = v.keys.VerifySignature(ctx, raw)
	return v.payload, v.err
}

// verify checks the ID token of an answer: everything that go-oidc checks, and
// what it leaves to its caller. (checklist 14-21)
func (p *provider) verify(ctx context.Context, m *metadata, t *oauth2.Token, nonce string) (*oidc.IDToken, claims, error) {
	raw, _ := t.Extra("id_token").(string)
	if raw == "" {
		return nil, nil, badToken("token-missing")
	}
	if err := p.checkHeader(raw); err != nil {
		return nil, nil, err
	}
	v := &verifying{keys: m.keys}
	id, err := oidc.NewVerifier(p.cfg.Issuer, v, &oidc.Config{
		ClientID: p.cfg.ClientID, SupportedSigningAlgs: p.cfg.Algorithms, Now: p.now}).Verify(ctx, raw)
	if err != nil {
		return nil, nil, p.classify(v, err)
	}
	var c claims
	if err := id.Claims(&c); err != nil {
		return nil, nil, badToken("claims")
	}
	if err := p.checkClaims(id, c, nonce); err != nil {
		return nil, nil, err
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(t.AccessToken); err != nil {
			return nil, nil, badToken("at-hash")
		}
	}
	return id, c, nil
}

// tokenHeader is what a token says of itself before anything is verified.
type tokenHeader struct {
	Algorithm string `json:"alg"`
	Type      string `json:"typ"`
}

func readHeader(raw string) (h tokenHeader, err error) {
	head, _, _ := strings.Cut(raw, ".")
	b, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		return h, err
	}
	return h, json.Unmarshal(b, &h)
}

// checkHeader refuses algorithms that aren't configured and tokens that aren't
// ID tokens, before anything is verified.
func (p *provider) checkHeader(raw string) error {
	h, err := readHeader(raw)
	if err != nil {
		return badToken("form")
	}
	if !slices.Contains(p.cfg.Algorithms, h.Algorithm) {
		return badToken("alg")
	}
	if h.Type != "" && !strings.EqualFold(h.Type, "JWT") {
		return badToken("typ") // a logout or access token passes go-oidc's Verify
	}
	return nil
}

// classify gives a refusal of go-oidc its reason code.
func (p *provider) classify(v *verifying, err error) error {
	if errors.Is(v.err, errKeysAway) {
		p.learnt(true)
		return p.away("keys", v.err)
	}
	return badToken(whyNot(v, err, p.cfg.Issuer, p.cfg.ClientID))
}

// whyNot is the reason code of a refusal of go-oidc, whose own words are a text.
func whyNot(v *verifying, err error, issuer, audience string) string {
	var expired *oidc.TokenExpiredError
	switch {
	case errors.Is(v.err, errUnknownKey):
		return "unknown-key"
	case v.err != nil || v.payload == nil:
		return "signature"
	case errors.As(err, &expired):
		return "expired"
	}
	var c claims
	if json.Unmarshal(v.payload, &c) != nil {
		return "claims"
	}
	if c.text("iss") != issuer {
		return "issuer"
	}
	if !slices.Contains(c.texts("aud"), audience) {
		return "audience"
	}
	return "not-yet"
}

// checkClaims is what go-oidc leaves open.
func (p *provider) checkClaims(id *oidc.IDToken, c claims, nonce string) error {
	now := p.now()
	azp := c.text("azp")
	switch typ := c.text("typ"); {
	case id.Issuer != p.cfg.Issuer:
		return badToken("issuer") // go-oidc lets one provider have two
	case nonce == "" || id.Nonce == "" || subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1:
		return badToken("nonce")
	case c.has("azp") && azp != p.cfg.ClientID, len(id.Audience) > 1 && azp == "":
		return badToken("azp")
	case id.IssuedAt.Before(now.Add(-skew)) || id.IssuedAt.After(now.Add(skew)):
		return badToken("iat")
	case c.has("events"), typ != "" && !strings.EqualFold(typ, "ID") && !strings.EqualFold(typ, "JWT"):
		return badToken("typ")
	case id.Subject == "":
		return badToken("subject")
	}
	return nil
}

// merge adds the claims that only userinfo has, after checking that it is about
// the same subject. (checklist 23)
func (p *provider) merge(ctx context.Context, m *metadata, t *oauth2.Token, id *oidc.IDToken, c claims) error {
	info, err := m.oidc.UserInfo(oidc.ClientContext(ctx, p.client), oauth2.StaticTokenSource(t))
	if err != nil {
		return p.away("userinfo", err)
	}
	if info.Subject == "" || subtle.ConstantTimeCompare([]byte(info.Subject), []byte(id.Subject)) != 1 {
		return badToken("userinfo-subject")
	}
	var more claims
	if err := info.Claims(&more); err != nil {
		return badToken("userinfo")
	}
	// Only what is about the person: assurance and time come from the signed token.
	for _, name := range []string{p.cfg.NationalID, p.cfg.Phone, p.cfg.PhoneVerified, p.cfg.GivenName, p.cfg.FamilyName,
		p.cfg.BirthDate, p.cfg.AppAccount} {
		if v, ok := more[name]; ok && name != "" && name != Always && !c.has(name) {
			c[name] = v
		}
	}
	return nil
}

// read makes the proof of checked claims. The identity number and the telephone
// number count from substantial on; of the number only its hash leaves here.
func (p *provider) read(id *oidc.IDToken, c claims, ninKey []byte) (*proof, error) {
	subject := c.text(p.cfg.Subject)
	if subject == "" || len(subject) > 255 || strings.ContainsFunc(subject, unicode.IsControl) {
		return nil, badToken("subject")
	}
	out := &proof{
		Identity: store.Identity{Provider: p.cfg.ID, Issuer: id.Issuer, Subject: subject, Assurance: p.cfg.level(c.text("acr"))},
		At:       time.Unix(0, 0).UTC(), GivenName: name(c.text(p.cfg.GivenName)), FamilyName: name(c.text(p.cfg.FamilyName)),
		Born: parseBirth(c.text(p.cfg.BirthDate)),
	}
	if at, ok := c.time(p.cfg.TimeClaim); ok {
		if at.After(p.now().Add(skew)) {
			return nil, badToken("auth-time")
		}
		out.At = at
	}
	if p.cfg.AppAccount != "" {
		out.AppAccount = c.text(p.cfg.AppAccount)
	}
	if out.Identity.Assurance < privacy.AssuranceSubstantial {
		return out, nil
	}
	if nin := c.text(p.cfg.NationalID); p.cfg.NationalID != "" && nin != "" {
		if !privacy.ValidNationalID(nin) {
			return nil, badToken("national-id")
		}
		out.Identity.NINHash = privacy.HashNationalID(ninKey, nin)
	}
	if p.cfg.Phone != "" && (p.cfg.PhoneVerified == Always || c.yes(p.cfg.PhoneVerified)) {
		out.Phone = e164(c.text(p.cfg.Phone))
	}
	return out, nil
}

// e164 is a telephone number as the company's database writes it. Providers
// leave out the plus; a number without a country code can't be told from
// another and counts as none.
func e164(s string) string {
	s = strings.TrimPrefix(strings.NewReplacer(" ", "", "-", "").Replace(s), "+")
	if len(s) < 8 || len(s) > 15 || s[0] == '0' || strings.Trim(s, "0123456789") != "" {
		return ""
	}
	return "+" + s
}

// name is a name for a greeting: one line, of a length that a page can hold.
func name(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
	}), " ")
	if r := []rune(s); len(r) > 100 {
		s = string(r[:100])
	}
	return s
}

// claims are the claims of a token, read one by one.
type claims map[string]json.RawMessage

func (c claims) has(name string) bool { _, ok := c[name]; return ok }

// text is a claim that is a string; empty if it is absent or anything else.
func (c claims) text(name string) string {
	var s string
	if json.Unmarshal(c[name], &s) != nil {
		return ""
	}
	return s
}

// texts is a claim that is a string or a list of them.
func (c claims) texts(name string) []string {
	var l []string
	if json.Unmarshal(c[name], &l) == nil {
		return l
	}
	if s := c.text(name); s != "" {
		return []string{s}
	}
	return nil
}

// yes is a claim that is true, or "true" as some providers write it.
func (c claims) yes(name string) bool {
	var b bool
	return json.Unmarshal(c[name], &b) == nil && b || c.text(name) == "true"
}

// time is a claim in seconds since 1970.
func (c claims) time(name string) (time.Time, bool) {
	var f float64
	if json.Unmarshal(c[name], &f) != nil || !(f > 0 && f < math.MaxInt32*8) {
		return time.Time{}, false
	}
	return time.Unix(int64(f), 0).UTC(), true
}

func (c claims) String() string { return fmt.Sprintf("%d claims", len(c)) } // never the claims themselves
