package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"

	"elekt.no/innsyn/privacy"
)

// What calls to a provider may take.
const (
	maxAnswer       = 1 << 20 // bytes of one answer
	discoveryTries  = 3       // at the start of a login
	discoveryWait   = 150 * time.Millisecond
	metadataLife    = time.Hour
	checkTimeout    = 3 * time.Second // of the check that the front page waits for
	recheckDefault  = time.Minute
	recheckIfFailed = 10 * time.Second
)

// provider is one configured OpenID provider and what is known of it.
type provider struct {
	cfg       ProviderConfig
	redirect  string // redirect_uri, from the configuration alone (checklist 7)
	client    *http.Client
	assertion *assertion // nil unless private_key_jwt
	now       func() time.Time
	recheck   time.Duration
	log       *slog.Logger

	mu       sync.Mutex
	meta     *metadata // nil until discovery has worked once
	found    time.Time // when it last did
	checked  time.Time // last time that anybody learnt how the provider is
	failed   bool      // what they learnt
	checking bool
}

// metadata is what discovery says.
type metadata struct {
	oidc     *oidc.Provider
	oauth    oauth2.Config
	keys     *keySet
	issParam bool // the callback must carry iss. RFC 9207
}

func newProvider(cfg ProviderConfig, o Options) (*provider, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	if u, err := url.Parse(cfg.Issuer); o.Production && (err != nil || u.Scheme != "https" || loopback(u.Host)) {
		return nil, fmt.Errorf("provider %q: the issuer of a production login must be another machine, by https", cfg.ID)
	}
	p := &provider{cfg: cfg, redirect: o.BaseURL + cfg.Callback, client: newClient(o.Transport, cfg.Timeout),
		now: o.Now, recheck: o.Recheck, log: o.Log}
	if cfg.ClientAuth == PrivateKeyJWT {
		if p.assertion, err = newAssertion(cfg); err != nil {
			return nil, fmt.Errorf("provider %q: %w", cfg.ID, err)
		}
	} else if cfg.ClientSecret == "" {
		return nil, fmt.Errorf("provider %q: client_secret is empty", cfg.ID)
	}
	return p, nil
}

// newClient makes the client for one provider: time-outs, a limit on what is
// read, and no redirects, since everything is asked for at its exact address.
func newClient(rt http.RoundTripper, timeout time.Duration) *http.Client {
	if rt == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.TLSHandshakeTimeout, t.ResponseHeaderTimeout, t.MaxResponseHeaderBytes = 5*time.Second, timeout, 64<<10
		rt = t
	}
	return &http.Client{
		Timeout: timeout, Transport: limited{rt},
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("a provider's answer redirects") },
	}
}

// limited cuts answers that are too long.
type limited struct{ next http.RoundTripper }

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	if err == nil {
		resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	}
	return resp, err
}

// ready gives the provider's metadata, discovering it if need be, with a few
// tries in the time of one request. The error is a fault for a person.
func (p *provider) ready(ctx context.Context) (*metadata, error) {
	p.mu.Lock()
	m, good := p.meta, !p.failed && p.now().Sub(p.found) < metadataLife
	p.mu.Unlock()
	if m != nil && good {
		return m, nil
	}
	whole, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	var err error
	for try := range discoveryTries {
		if try > 0 {
			wait := discoveryWait << (try - 1)
			t := time.NewTimer(wait/2 + rand.N(wait))
			select {
			case <-whole.Done():
				t.Stop()
			case <-t.C:
			}
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if whole.Err() != nil {
			break
		}
		if m, err = p.discover(whole); err == nil {
			return m, nil
		}
		var mismatch *oidc.IssuerMismatchError
		if errors.As(err, &mismatch) {
			break // asking again doesn't help
		}
	}
	return nil, p.away("discovery", err)
}

// away is the fault of a provider that doesn't answer as it should. cause stays
// in the log as a class, not a text: it can hold anything.
func (p *provider) away(reason string, cause error) error {
	return &privacy.Error{Kind: privacy.Unavailable, Key: "login.fault.unavailable", Reason: reason,
		Err: fmt.Errorf("provider %s: %s", p.cfg.ID, causeOf(cause))}
}

// causeOf names the class of an error from outside.
func causeOf(err error) string {
	var mismatch *oidc.IssuerMismatchError
	var big *http.MaxBytesError
	var answer *oauth2.RetrieveError
	var ue *url.Error
	switch {
	case err == nil:
		return "no answer"
	case errors.As(err, &mismatch):
		return "another issuer than configured"
	case errors.As(err, &big):
		return "answer too long"
	case errors.As(err, &answer) && answer.Response != nil:
		return fmt.Sprintf("status %d", answer.Response.StatusCode)
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &ue) && ue.Timeout():
		return "no answer in time"
	case errors.As(err, &ue):
		return "no connection"
	}
	return "unusable answer"
}

// discover asks once and keeps what it learns.
func (p *provider) discover(ctx context.Context) (*metadata, error) {
	m, err := p.fetch(ctx)
	if ctx.Err() != nil && err != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, err // we were interrupted; that says nothing of the provider
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.checked, p.failed = p.now(), err != nil
	if err != nil {
		p.log.Warn("login provider unavailable", "provider", p.cfg.ID, "cause", causeOf(err))
		return nil, err
	}
	if p.meta != nil && p.meta.keys.url == m.keys.url {
		m.keys = p.meta.keys // with the keys that are known
	}
	p.meta, p.found = m, p.checked
	return m, nil
}

func (p *provider) fetch(ctx context.Context) (*metadata, error) {
	op, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.cfg.Issuer) // issuer exact (checklist 16)
	if err != nil {
		return nil, err
	}
	var more struct {
		JWKS     string `json:"jwks_uri"`
		UserInfo string `json:"userinfo_endpoint"`
		IssParam bool   `json:"authorization_response_iss_parameter_supported"`
	}
	if err := op.Claims(&more); err != nil {
		return nil, errors.New("discovery can't be read")
	}
	endpoint := op.Endpoint()
	for _, address := range []string{endpoint.AuthURL, endpoint.TokenURL, more.JWKS} {
		if !safeEndpoint(address, p.cfg.Issuer) {
			return nil, errors.New("discovery names an address that isn't https")
		}
	}
	if p.cfg.UserInfo && !safeEndpoint(more.UserInfo, p.cfg.Issuer) {
		return nil, errors.New("discovery names no userinfo address")
	}
	// Said explicitly: with auto-detection the library sends a failed request again,
	// with the code that is spent and the secret in the body.
	endpoint.AuthStyle = oauth2.AuthStyleInParams
	if p.cfg.ClientAuth == SecretBasic {
		endpoint.AuthStyle = oauth2.AuthStyleInHeader
	}
	m := &metadata{oidc: op, issParam: more.IssParam, oauth: oauth2.Config{
		ClientID: p.cfg.ClientID, Endpoint: endpoint, RedirectURL: p.redirect, Scopes: p.cfg.Scopes}}
	if p.cfg.ClientAuth != PrivateKeyJWT {
		m.oauth.ClientSecret = p.cfg.ClientSecret
	}
	m.keys = &keySet{url: more.JWKS, client: p.client, now: p.now}
	for _, a := range p.cfg.Algorithms {
		m.keys.algs = append(m.keys.algs, jose.SignatureAlgorithm(a))
	}
	return m, nil
}

// safeEndpoint tells whether an address from discovery may be called: https, or
// http on this machine if the issuer is that too.
func safeEndpoint(address, issuer string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && loopback(u.Host) && strings.HasPrefix(issuer, "http:")
}

// learnt notes how the provider behaved in a login.
func (p *provider) learnt(failed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.checked, p.failed = p.now(), failed
}

// ProviderStatus is what a login page shows of a provider.
type ProviderStatus struct {
	ID        string
	Name      string
	Level     privacy.Assurance // the highest it can give
	Available bool
	CheckedAt time.Time // when that was learnt; zero if it wasn't yet
}

// status tells how the provider is, asking it if the last time is long ago. Of
// several callers one asks; the others are told what was known.
func (p *provider) status(ctx context.Context) ProviderStatus {
	p.mu.Lock()
	every := p.recheck
	if p.failed {
		every = min(every, recheckIfFailed)
	}
	due := !p.checking && (p.checked.IsZero() || p.now().Sub(p.checked) >= every)
	p.checking = p.checking || due
	p.mu.Unlock()
	if due {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
		_, err := p.discover(ctx) // what it means is kept there
		cancel()
		p.mu.Lock()
		p.checking = false
		if err != nil && p.checked.IsZero() {
			p.checked, p.failed = p.now(), true
		}
		p.mu.Unlock()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return ProviderStatus{ID: p.cfg.ID, Name: p.cfg.Name, Level: p.cfg.top(), Available: !p.failed, CheckedAt: p.checked}
}

// Providers lists the configured providers in order, with how they are. Asks a
// provider at most once a minute (every ten seconds while it is down) and waits
// for its answer three seconds at most.
func (a *Auth) Providers(ctx context.Context) []ProviderStatus {
	out := make([]ProviderStatus, len(a.order))
	var wg sync.WaitGroup
	for i, id := range a.order {
		wg.Go(func() { out[i] = a.providers[id].status(ctx) })
	}
	wg.Wait()
	return out
}
