// Package idp is the identity provider of the development world. One handler
// plays several providers, each under a path of its own and in its real shape:
// issuer with or without a trailing slash, signing algorithm, required
// parameters, names and forms of claims, the claims that are missing, and what
// comes back as assurance. Where a real provider refuses, this one refuses.
//
// Requests of browsers are taken and answered here (authorize.go, choice.go), with
// the parameters that each provider requires; op's own answers would log the state.
// Token requests are checked by zitadel/oidc's op package: PKCE, client
// authentication, that a code belongs to its client and its redirect address. Codes
// that are spent at the first use, client assertions that count once, and every
// token are ours. The ID token is always built and signed here (mint.go), since op
// makes one shape only and never a wrong one.
//
// Nobody types a password: a page shows the demo people, and one press logs in.
// Switches at /faults make a provider err, for every login or for the next one
// only; tests set them with SetFault, SetFaultOnce or as JSON.
//
// It must never be reachable by anybody else. New refuses in production and with
// a base address that isn't this machine; requests from other machines, or for
// other host names, get 403. Listening is the caller's work.
package idp

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"elekt.no/innsyn/dev/demo"
)

// Names of the providers.
const (
	BankID = demo.BankID
	Vipps  = demo.Vipps
)

// Ways in which a client proves itself at the token endpoint.
const (
	SecretBasic   = "client_secret_basic"
	SecretPost    = "client_secret_post"
	PrivateKeyJWT = "private_key_jwt"
)

// Options for New. BaseURL and Clients are needed, the rest has defaults.
type Options struct {
	BaseURL string        // scheme, host and port as the browser sees them, e.g. http://localhost:8081
	People  []demo.Person // demo.People() if nil
	Clients []Client
	API     string           // audience of the access tokens of Company, which is there if it has clients
	Now     func() time.Time // time.Now if nil
	Log     *slog.Logger     // discarded if nil
	Slow    time.Duration    // how long the fault "slow" waits; 20 s if zero
}

// Client is a relying party that is registered at one provider.
type Client struct {
	Provider               string
	ID                     string
	Secret                 string           // for SecretBasic and SecretPost
	PublicJWK              *jose.JSONWebKey // for PrivateKeyJWT
	AuthMethod             string           // the only one allowed; any that fits the credentials if empty
	RedirectURIs           []string
	PostLogoutRedirectURIs []string
	Scopes                 []string // that it may have, at Company
}

// Server plays the providers. Safe for use by many goroutines.
type Server struct {
	base      string
	people    []demo.Person
	now       func() time.Time
	log       *slog.Logger
	slow      time.Duration
	providers map[string]*provider
	company   *company // nil if it has no clients
	mux       *http.ServeMux

	mu   sync.Mutex
	seen []Request
}

// New builds the providers. It fails in production (INNSYN_ENV=production), for
// a base address that isn't on this machine, and for a client that is not whole.
func New(o Options) (*Server, error) {
	if os.Getenv("INNSYN_ENV") == "production" {
		return nil, errors.New("idp: the development identity provider doesn't run in production")
	}
	base, err := url.Parse(o.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("idp: base address: %w", err)
	}
	if base.Scheme != "http" && base.Scheme != "https" || strings.Trim(base.Path, "/") != "" || !loopback(base.Host) {
		return nil, fmt.Errorf("idp: base address %q is not scheme, host and port of this machine", o.BaseURL)
	}
	s := &Server{
		base: base.Scheme + "://" + base.Host, people: o.People, now: o.Now, log: o.Log, slow: o.Slow,
		providers: map[string]*provider{}, mux: http.NewServeMux(),
	}
	if s.people == nil {
		s.people = demo.People()
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.slow == 0 {
		s.slow = 20 * time.Second
	}
	for _, sh := range []shape{bankID(), vipps()} {
		var clients []Client
		for _, c := range o.Clients {
			if c.Provider == sh.name {
				clients = append(clients, c)
			}
		}
		if s.providers[sh.name], err = newProvider(s, sh, clients); err != nil {
			return nil, fmt.Errorf("idp: %s: %w", sh.name, err)
		}
	}
	var systems []Client
	for _, c := range o.Clients {
		if c.Provider == Company {
			systems = append(systems, c)
		}
	}
	if len(systems) > 0 {
		if s.company, err = newCompany(s, o.API, systems); err != nil {
			return nil, fmt.Errorf("idp: %s: %w", Company, err)
		}
		s.providers[Company] = s.company.provider
	}
	for _, c := range o.Clients {
		if s.providers[c.Provider] == nil {
			return nil, fmt.Errorf("idp: client %q: no provider %q", c.ID, c.Provider)
		}
	}
	s.routes()
	return s, nil
}

// bodyLimit is the most that a request may carry, in bytes.
const bodyLimit = 64 << 10

// ServeHTTP answers this machine only.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !loopback(r.Host) || !loopback(r.RemoteAddr) {
		http.Error(w, "The development identity provider answers this machine only.", http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
	s.mux.ServeHTTP(w, r)
}

// Issuer is the exact issuer of a provider, as in its discovery document; empty
// for a provider that isn't played.
func (s *Server) Issuer(provider string) string {
	p := s.providers[provider]
	if p == nil {
		return ""
	}
	return p.issuer
}

// Reset turns all faults off and forgets logins under way and requests seen.
// Keys stay, so that a relying party's cache stays right.
func (s *Server) Reset() {
	for _, p := range s.providers {
		p.reset()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = nil
}

// Request is what a relying party asked of a provider. Of a token request only
// names and harmless values are kept: neither secret, code, verifier nor assertion.
type Request struct {
	Provider string
	Endpoint string // discovery, authorize, token, keys, userinfo, end_session
	Values   url.Values
}

// Seen lists what has been asked of one endpoint of a provider, oldest first.
func (s *Server) Seen(provider, endpoint string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Request
	for _, r := range s.seen {
		if r.Provider == provider && r.Endpoint == endpoint {
			out = append(out, r)
		}
	}
	return out
}

// seenLimit bounds what a long development session remembers.
const seenLimit = 2000

func (s *Server) note(r Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seen) >= seenLimit {
		s.seen = slices.Delete(s.seen, 0, seenLimit/2)
	}
	s.seen = append(s.seen, r)
}

// inOrder lists the providers by title.
func (s *Server) inOrder() []*provider {
	return slices.SortedFunc(maps.Values(s.providers), func(a, b *provider) int { return strings.Compare(a.title, b.title) })
}

func (s *Server) person(key string) (demo.Person, bool) {
	for _, p := range s.people {
		if p.Key == key {
			return p, true
		}
	}
	return demo.Person{}, false
}

// loopback tells whether host, with or without a port, is this machine.
func loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback()
}

// random is 144 bits as text.
func random() string {
	var b [18]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// randomUUID is a version 4 UUID.
func randomUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
