package auth

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// Options for New. BaseURL, Providers, Store, Catalogue and the keys are needed.
type Options struct {
	BaseURL       string // scheme, host and port as people see them
	Providers     []ProviderConfig
	Limits        Limits // of sessions; zero fields have defaults
	Store         *store.Store
	Catalogue     *privacy.Catalogue // for the age limit
	SessionKey    []byte             // 32 bytes or more
	NationalIDKey []byte             // 32 bytes or more; the same as the company's own hashes
	Production    bool               // refuses logins that only development may have
	API           *APIConfig         // nil: there is no API
	Log           *slog.Logger       // discarded if nil

	Now       func() time.Time  // the store's clock if nil
	Recheck   time.Duration     // between questions how a provider is; a minute if zero
	Transport http.RoundTripper // to the providers; for tests
}

// Auth finds out who is calling. Safe for use by many goroutines.
type Auth struct {
	base      string
	secure    bool // https: cookies get the prefix and Secure
	providers map[string]*provider
	order     []string
	limits    Limits
	store     *store.Store
	least     int
	ninKey    []byte
	formKey   []byte // tokens of forms
	linkKey   []byte // tokens of login links
	callerKey []byte // hashes of callers in rate limits
	codeKey   []byte // hashes of one-time codes
	seal      cipher.AEAD
	sessions  *sessionStore
	clients   *clients // of the API; nil if there is none
	now       func() time.Time
	log       *slog.Logger
}

// New checks the options. No provider is asked for anything yet: one that is
// down doesn't stop the portal.
func New(o Options) (*Auth, error) {
	base, err := url.Parse(o.BaseURL)
	switch {
	case err != nil || base.Host == "" || base.Path != "" || base.RawQuery != "" || base.User != nil:
		return nil, fmt.Errorf("auth: base address %q must be scheme, host and port", o.BaseURL)
	case base.Scheme == "http" && (o.Production || !loopback(base.Host)):
		return nil, fmt.Errorf("auth: base address %q must be https", o.BaseURL)
	case base.Scheme != "http" && base.Scheme != "https":
		return nil, fmt.Errorf("auth: base address %q must be https", o.BaseURL)
	case o.Store == nil || o.Catalogue == nil:
		return nil, errors.New("auth: no store or no catalogue")
	case len(o.SessionKey) < 32 || len(o.NationalIDKey) < 32:
		return nil, errors.New("auth: keys must be 32 bytes or more")
	case len(o.Providers) == 0:
		return nil, errors.New("auth: no login provider")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = func() time.Time { return o.Store.Now() }
	}
	if o.Recheck == 0 {
		o.Recheck = recheckDefault
	}
	limits, err := o.Limits.complete()
	if err != nil {
		return nil, err
	}
	a := &Auth{base: o.BaseURL, secure: base.Scheme == "https", providers: map[string]*provider{}, limits: limits, store: o.Store,
		least: o.Catalogue.Ages.Least, ninKey: o.NationalIDKey, now: o.Now, log: o.Log}
	callbacks := map[string]string{}
	for _, cfg := range o.Providers {
		p, err := newProvider(cfg, o)
		if err != nil {
			return nil, fmt.Errorf("auth: %w", err)
		}
		id := p.cfg.ID
		if a.providers[id] != nil {
			return nil, fmt.Errorf("auth: provider %q stands twice", id)
		}
		if other := callbacks[p.cfg.Callback]; other != "" {
			return nil, fmt.Errorf("auth: providers %q and %q have the same callback", other, id) // (checklist 6)
		}
		a.providers[id], callbacks[p.cfg.Callback] = p, id
		a.order = append(a.order, id)
	}
	if o.API != nil {
		if a.clients, err = newClients(*o.API, o); err != nil {
			return nil, fmt.Errorf("auth: %w", err)
		}
	}
	for name, key := range map[string]*[]byte{"forms": &a.formKey, "links": &a.linkKey, "callers": &a.callerKey} {
		if *key, err = subkey(o.SessionKey, name); err != nil {
			return nil, err
		}
	}
	if a.codeKey, err = CodeKey(o.SessionKey); err != nil {
		return nil, err
	}
	sealKey, err := subkey(o.SessionKey, "seal")
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(sealKey)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	if a.seal, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	a.sessions = &sessionStore{a}
	return a, nil
}

// subkey derives a key for one use, so that what is made for one can never pass
// for another.
func subkey(key []byte, use string) ([]byte, error) {
	return hkdf.Key(sha256.New, key, nil, "innsyn "+use, 32)
}

// CodeKey is the key under which one-time codes are hashed (privacy.HashCode),
// for the worker that makes them.
func CodeKey(sessionKey []byte) ([]byte, error) { return subkey(sessionKey, "codes") }

// random is 256 bits. crypto/rand never fails.
func random() (b [32]byte) {
	rand.Read(b[:])
	return b
}

func randomText() string { b := random(); return encode(b[:]) }

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// decode reads 256 bits; ok is false for anything else.
func decode(s string) (b [32]byte, ok bool) {
	if len(s) != base64.RawURLEncoding.EncodedLen(len(b)) {
		return b, false
	}
	n, err := base64.RawURLEncoding.Strict().Decode(b[:], []byte(s))
	return b, err == nil && n == len(b)
}

func hash(s string) []byte { h := sha256.Sum256([]byte(s)); return h[:] }

func mac(key []byte, parts ...string) []byte {
	m := hmac.New(sha256.New, key)
	for _, p := range parts {
		m.Write([]byte(p))
		m.Write([]byte{0})
	}
	return m.Sum(nil)
}

// Allow counts one use of something by a caller and answers RateLimited if there
// were more than times in per. Of the caller only a keyed hash is kept, for as
// long as it counts.
func (a *Auth) Allow(ctx context.Context, what, caller string, times int, per time.Duration) error {
	if times < 1 {
		return errors.New("auth: a limit of nothing")
	}
	_, err := a.store.Limit(ctx, what, encode(mac(a.callerKey, what, caller)), store.Quota{Every: per / time.Duration(times), Burst: times})
	return err
}

// provider finds a configured provider.
func (a *Auth) provider(id string) (*provider, error) {
	if p := a.providers[id]; p != nil {
		return p, nil
	}
	return nil, &privacy.Error{Kind: privacy.NotFound, Key: "login.fault.provider", Reason: "provider-unknown"}
}
