package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"elekt.no/innsyn/privacy"
)

// The kinds of events that a provider may send of its accounts.
const (
	EventsVipps  = "vipps"  // an unsigned token: a hint
	EventsApple  = "apple"  // server-to-server notifications
	EventsGoogle = "google" // Cross-Account Protection (RISC)
)

// leastSecret is how long the secret in the address of Vipps' events must be.
const leastSecret = 32

func (c ProviderConfig) checkEvents() error {
	switch c.Events {
	case "", EventsApple, EventsGoogle:
		return nil
	case EventsVipps:
		if len(c.EventSecret) < leastSecret {
			return fmt.Errorf("event_secret is missing, or shorter than %d characters", leastSecret)
		}
		return nil
	}
	return fmt.Errorf("events is %q, must be %s, %s or %s", c.Events, EventsVipps, EventsApple, EventsGoogle)
}

// eventLife is how old an event may be: providers send it again for some days when
// it wasn't taken.
const eventLife = 7 * 24 * time.Hour

// maxEvent bounds an event, in bytes.
const maxEvent = 16 << 10

// AccountEvent takes what a provider sends of one of its accounts, as it came. It
// ends the sessions that rest on the account, and notes it, if the account is gone,
// closed or no longer to be used here; anything else it lets be. Whether the
// account is known isn't told.
//
// secret is the last part of the address, for a provider that doesn't sign: who
// knows it can at most log people out whose subject they know as well.
//
// NotFound if the provider sends no events, or the secret is wrong; Invalid, with a
// reason code, if the event isn't what it should be; Unavailable if the provider's
// keys can't be fetched: then it should be sent again.
func (a *Auth) AccountEvent(ctx context.Context, provider, secret string, body []byte) error {
	p := a.providers[provider]
	if p == nil || p.cfg.Events == "" {
		return &privacy.Error{Kind: privacy.NotFound, Key: "error.not-found", Reason: "no-events"}
	}
	if len(body) > maxEvent {
		return badEvent("too-long")
	}
	var events []accountEvent
	var err error
	switch p.cfg.Events {
	case EventsVipps:
		if subtle.ConstantTimeCompare([]byte(secret), []byte(p.cfg.EventSecret)) != 1 {
			return &privacy.Error{Kind: privacy.NotFound, Key: "error.not-found", Reason: "event-secret"}
		}
		events, err = p.vippsEvents(string(body))
	case EventsApple:
		events, err = p.appleEvents(ctx, body)
	case EventsGoogle:
		events, err = p.googleEvents(ctx, string(body))
	}
	if err != nil {
		return err
	}
	for _, e := range events {
		if err := a.store.AccountEvent(ctx, p.cfg.Issuer, e.subject, e.what); err != nil {
			return err
		}
	}
	return nil
}

// accountEvent is something that ends sessions.
type accountEvent struct{ subject, what string }

func badEvent(reason string) error {
	return &privacy.Error{Kind: privacy.Invalid, Key: "error.form", Reason: "event-" + reason}
}

// vippsEvents reads an unsigned token. It proves nothing, so its times are checked
// and its effect is small. One that is signed would be another kind of event.
func (p *provider) vippsEvents(raw string) ([]accountEvent, error) {
	parts := strings.Split(strings.TrimSpace(raw), ".")
	if len(parts) != 2 && (len(parts) != 3 || parts[2] != "") {
		return nil, badEvent("form")
	}
	h, err := readHeader(raw)
	if err != nil || h.Algorithm != "none" {
		return nil, badEvent("alg")
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, badEvent("form")
	}
	var c claims
	if json.Unmarshal(b, &c) != nil {
		return nil, badEvent("claims")
	}
	if err := p.recent(c); err != nil {
		return nil, err
	}
	if c.text("event") != "CONSENT_REVOKED" {
		return nil, nil
	}
	if c.text("sub") == "" {
		return nil, badEvent("subject")
	}
	return []accountEvent{{c.text("sub"), "consent-revoked"}}, nil
}

// appleEvent is one event, which stands as text in the token.
type appleEvent struct {
	Type    string `json:"type"`
	Subject string `json:"sub"`
}

// appleEnds are those after which the account isn't to be used here. The last has
// been documented under two names.
var appleEnds = []string{"consent-revoked", "account-delete", "account-deleted"}

func (p *provider) appleEvents(ctx context.Context, body []byte) ([]accountEvent, error) {
	var envelope struct {
		Payload string `json:"payload"`
	}
	if json.Unmarshal(body, &envelope) != nil {
		return nil, badEvent("form")
	}
	c, err := p.signedEvent(ctx, envelope.Payload)
	if err != nil {
		return nil, err
	}
	raw := []byte(c["events"])
	if text := c.text("events"); text != "" {
		raw = []byte(text)
	}
	var e appleEvent
	if json.Unmarshal(raw, &e) != nil || e.Type == "" || e.Subject == "" {
		return nil, badEvent("claims")
	}
	if !slices.Contains(appleEnds, e.Type) {
		return nil, nil
	}
	return []accountEvent{{e.Subject, e.Type}}, nil
}

// googleEnds are the last parts of the names of events after which the account
// isn't to be used here without a new login.
var googleEnds = []string{"sessions-revoked", "tokens-revoked", "account-disabled", "account-purged"}

// googleEvents reads a security event token (RFC 8417).
func (p *provider) googleEvents(ctx context.Context, raw string) ([]accountEvent, error) {
	c, err := p.signedEvent(ctx, strings.TrimSpace(raw))
	if err != nil {
		return nil, err
	}
	var all map[string]struct {
		Subject struct {
			Issuer  string `json:"iss"`
			Subject string `json:"sub"`
		} `json:"subject"`
	}
	if json.Unmarshal(c["events"], &all) != nil {
		return nil, badEvent("claims")
	}
	var out []accountEvent
	for name, e := range all {
		what := name[strings.LastIndexByte(name, '/')+1:]
		if !strings.HasPrefix(name, "https://schemas.openid.net/secevent/") || !slices.Contains(googleEnds, what) {
			continue
		}
		if e.Subject.Subject == "" || !sameIssuer(e.Subject.Issuer, p.cfg.Issuer) {
			return nil, badEvent("subject")
		}
		out = append(out, accountEvent{e.Subject.Subject, what})
	}
	return out, nil
}

// signedEvent verifies a token with the provider's own keys: that it is signed as
// its logins are, is for us, is an event and no login, and is recent.
func (p *provider) signedEvent(ctx context.Context, raw string) (claims, error) {
	h, err := readHeader(raw)
	switch {
	case err != nil:
		return nil, badEvent("form")
	case !slices.Contains(p.cfg.Algorithms, h.Algorithm):
		return nil, badEvent("alg")
	case h.Type != "" && !strings.EqualFold(h.Type, "JWT") && !strings.EqualFold(h.Type, "secevent+jwt"):
		return nil, badEvent("typ")
	}
	m, err := p.ready(ctx)
	if err != nil {
		return nil, err
	}
	payload, err := m.keys.VerifySignature(ctx, raw)
	if errors.Is(err, errKeysAway) {
		p.learnt(true)
		return nil, p.away("keys", err)
	}
	if err != nil {
		return nil, badEvent("signature")
	}
	var c claims
	if json.Unmarshal(payload, &c) != nil {
		return nil, badEvent("claims")
	}
	ours := append([]string{p.cfg.ClientID}, p.cfg.EventAudiences...)
	switch {
	case !sameIssuer(c.text("iss"), p.cfg.Issuer):
		return nil, badEvent("issuer")
	case !slices.ContainsFunc(c.texts("aud"), func(aud string) bool { return slices.Contains(ours, aud) }):
		return nil, badEvent("audience")
	case !c.has("events") || c.has("nonce"):
		return nil, badEvent("not-an-event")
	}
	return c, p.recent(c)
}

// recent checks when an event was made. One without an end has eventLife.
func (p *provider) recent(c claims) error {
	now := p.now()
	made, ok := c.time("iat")
	if !ok || made.After(now.Add(skew)) || now.Sub(made) > eventLife {
		return badEvent("time")
	}
	return nil
}

// sameIssuer compares issuers: in their events some write theirs with a slash at
// the end.
func sameIssuer(a, b string) bool {
	return a != "" && strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/")
}
