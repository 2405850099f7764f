package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"elekt.no/innsyn/privacy"
)

// APIConfig says whose access tokens the API takes. docs/CONFIG.md explains each
// field.
type APIConfig struct {
	Issuer      string   `yaml:"issuer"`
	Audience    string   `yaml:"audience"`
	Algorithms  []string `yaml:"algorithms"`
	Types       []string `yaml:"types"` // of token, in the header, besides at+jwt
	ClientClaim string   `yaml:"client_claim"`
	ScopeClaim  string   `yaml:"scope_claim"`
	Systems     []string `yaml:"systems"` // whose ids of people the API takes, besides the customer register's
}

var systemName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

// Validate tells what is wrong with a configuration, in words for whoever wrote it.
func (c APIConfig) Validate() error {
	_, err := c.complete()
	return err
}

func (c APIConfig) complete() (APIConfig, error) {
	c.ClientClaim, c.ScopeClaim = or(c.ClientClaim, "client_id"), or(c.ScopeClaim, "scope")
	if c.Algorithms == nil {
		c.Algorithms = []string{"ES256", "RS256"}
	}
	if err := checkIssuer(c.Issuer); err != nil {
		return c, err
	}
	if c.Audience == "" {
		return c, errors.New("audience is missing: without it a token for any other service would do")
	}
	if len(c.Algorithms) == 0 {
		return c, errors.New("algorithms is empty")
	}
	for _, a := range c.Algorithms {
		if !slices.Contains(algorithms, a) {
			return c, fmt.Errorf("algorithms: %q may not sign; there are %s", a, strings.Join(algorithms, ", "))
		}
	}
	for _, t := range c.Types {
		if t == "" {
			return c, errors.New("types: an empty one")
		}
	}
	for _, s := range c.Systems {
		if !systemName.MatchString(s) {
			return c, fmt.Errorf("systems: %q must be a short word of a-z, 0-9 and -, beginning with a letter", s)
		}
	}
	return c, nil
}

// Client is a system of the company, or the app's backend, that calls the API.
type Client struct {
	ID     string
	scopes []string
}

// May tells whether the client's token carries a scope. The empty scope is nobody's.
func (c *Client) May(scope string) bool { return scope != "" && slices.Contains(c.scopes, scope) }

// Lengths in bytes, and how much of what was verified is remembered.
const (
	maxToken   = 8 << 10
	tokenLife  = time.Minute // a key that was withdrawn counts for at most this long
	knownLimit = 4096
)

var clientID = regexp.MustCompile(`^[!-~]{1,128}$`)

// clients verifies access tokens (RFC 9068) of the company's issuer.
//
// A token that has been verified is remembered under its hash, until it runs out
// and for a minute at most: a signature costs as much as the question that most
// calls ask.
type clients struct {
	cfg    APIConfig
	client *http.Client
	now    func() time.Time

	mu     sync.Mutex // held while discovering, so that one call serves all who wait
	keys   *keySet
	found  time.Time
	failed time.Time

	known   map[[sha256.Size]byte]knownClient
	knownMu sync.RWMutex
}

type knownClient struct {
	client *Client
	until  time.Time
}

func newClients(cfg APIConfig, o Options) (*clients, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	if u, err := url.Parse(cfg.Issuer); o.Production && (err != nil || u.Scheme != "https" || loopback(u.Host)) {
		return nil, errors.New("api: the issuer must be another machine, by https, in production")
	}
	return &clients{cfg: cfg, client: newClient(o.Transport, checkTimeout), now: o.Now, known: map[[sha256.Size]byte]knownClient{}}, nil
}

// badClient is the fault of a call without a good token.
func badClient(reason string) error {
	return &privacy.Error{Kind: privacy.Unauthenticated, Reason: reason}
}

// Client finds out which system is calling, by the bearer token of its
// Authorization header and by nothing else. Unauthenticated with a reason code if
// there is no token or not a good one; Unavailable if the issuer's keys can't be
// fetched; NotFound if no issuer is configured.
func (a *Auth) Client(r *http.Request) (*Client, error) {
	if a.clients == nil {
		return nil, &privacy.Error{Kind: privacy.NotFound, Reason: "api-off"}
	}
	header := r.Header.Values("Authorization")
	if len(header) == 0 {
		return nil, badClient("token-missing")
	}
	scheme, token, _ := strings.Cut(header[0], " ")
	if len(header) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxToken {
		return nil, badClient("token-form")
	}
	return a.clients.verify(r.Context(), token)
}

func (c *clients) verify(ctx context.Context, raw string) (*Client, error) {
	now, key := c.now(), sha256.Sum256([]byte(raw))
	c.knownMu.RLock()
	k, ok := c.known[key]
	c.knownMu.RUnlock()
	if ok && now.Before(k.until) {
		return k.client, nil
	}
	client, expiry, err := c.check(ctx, raw)
	if err != nil {
		return nil, err
	}
	until := now.Add(tokenLife)
	if expiry.Before(until) {
		until = expiry
	}
	c.knownMu.Lock()
	defer c.knownMu.Unlock()
	if len(c.known) >= knownLimit {
		clear(c.known)
	}
	c.known[key] = knownClient{client, until}
	return client, nil
}

// check verifies a token: what go-oidc checks, and what it leaves to its caller.
// RFC 9068 section 4
func (c *clients) check(ctx context.Context, raw string) (*Client, time.Time, error) {
	var none time.Time
	h, err := readHeader(raw)
	switch {
	case err != nil:
		return nil, none, badClient("token-form")
	case !slices.Contains(c.cfg.Algorithms, h.Algorithm):
		return nil, none, badClient("token-alg")
	case h.Type != "" && !strings.EqualFold(strings.TrimPrefix(strings.ToLower(h.Type), "application/"), "at+jwt") &&
		!slices.ContainsFunc(c.cfg.Types, func(t string) bool { return strings.EqualFold(t, h.Type) }):
		return nil, none, badClient("token-typ")
	}
	keys, err := c.ready(ctx)
	if err != nil {
		return nil, none, c.away("discovery", err)
	}
	v := &verifying{keys: keys}
	token, err := oidc.NewVerifier(c.cfg.Issuer, v, &oidc.Config{
		ClientID: c.cfg.Audience, SupportedSigningAlgs: c.cfg.Algorithms, Now: c.now}).Verify(ctx, raw)
	if err != nil {
		if errors.Is(v.err, errKeysAway) {
			return nil, none, c.away("keys", v.err)
		}
		return nil, none, badClient("token-" + whyNot(v, err, c.cfg.Issuer, c.cfg.Audience))
	}
	var cl claims
	if err := token.Claims(&cl); err != nil {
		return nil, none, badClient("token-claims")
	}
	id := cl.text(c.cfg.ClientClaim)
	switch {
	case token.Issuer != c.cfg.Issuer:
		return nil, none, badClient("token-issuer") // go-oidc lets one issuer have two names
	case token.IssuedAt.Unix() <= 0, token.IssuedAt.After(c.now().Add(skew)):
		return nil, none, badClient("token-iat")
	case !clientID.MatchString(id):
		return nil, none, badClient("token-client")
	}
	out := &Client{ID: id}
	for _, s := range cl.texts(c.cfg.ScopeClaim) {
		out.scopes = append(out.scopes, strings.Fields(s)...)
	}
	return out, token.Expiry, nil
}

// ready gives the issuer's keys. Where they are is discovered at the first call
// and each hour; what was known stays in use while the issuer is away, and an
// issuer that is away is asked every ten seconds only.
func (c *clients) ready(ctx context.Context) (*keySet, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.keys != nil && now.Sub(c.found) < metadataLife {
		return c.keys, nil
	}
	if !c.failed.IsZero() && now.Sub(c.failed) < recheckIfFailed {
		if c.keys != nil {
			return c.keys, nil
		}
		return nil, errors.New("was away a moment ago")
	}
	// Whoever hangs up must not make the issuer look away to the others.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
	defer cancel()
	address, err := c.discover(ctx)
	if err != nil {
		if c.failed = now; c.keys != nil {
			return c.keys, nil
		}
		return nil, err
	}
	c.found, c.failed = now, time.Time{}
	if c.keys == nil || c.keys.url != address {
		c.keys = &keySet{url: address, client: c.client, now: c.now}
		for _, a := range c.cfg.Algorithms {
			c.keys.algs = append(c.keys.algs, jose.SignatureAlgorithm(a))
		}
	}
	return c.keys, nil
}

func (c *clients) discover(ctx context.Context) (jwks string, err error) {
	op, err := oidc.NewProvider(oidc.ClientContext(ctx, c.client), c.cfg.Issuer)
	if err != nil {
		return "", err
	}
	var more struct {
		JWKS string `json:"jwks_uri"`
	}
	if err := op.Claims(&more); err != nil || !safeEndpoint(more.JWKS, c.cfg.Issuer) {
		return "", errors.New("discovery names no keys at a safe address")
	}
	return more.JWKS, nil
}

func (c *clients) away(reason string, cause error) error {
	return &privacy.Error{Kind: privacy.Unavailable, Reason: "issuer-" + reason, Err: fmt.Errorf("issuer of the API: %s", causeOf(cause))}
}
