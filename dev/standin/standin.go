// Package standin plays the recipients of the development world, so that their
// connectors can be developed, tested and seen at work without any of them.
//
//	Mailgun, Sveve      e-mail and SMS; suppressions and list members
//	Eliq                token, users, locations, meters, consents, jobs
//	Enode               token, users, authorization
//	Meta                members of custom audiences
//	Google              token for service accounts, revocation; Analytics deletion;
//	                    Ads through the Data Manager; FCM topics; Firebase installations
//	Xandr               token, consumer requests
//	Aiia                consents and logout (Enterprise), or nothing (Data)
//	Elhub               third-party access, in place of a B2B message
//	Apple               revocation
//
// A stand-in is stricter than the real service. It knows the paths, methods,
// fields, headers and content types that the service documents and the portal
// needs, and refuses everything else: an unknown path or method with 404, an
// unknown, repeated or malformed field or header with 400 (Xandr: 422, as it
// does), wrong credentials with 401 (Sveve: with 200 and a fatalError, as it
// does). So a connector that works here has asked for nothing that isn't in the
// documents. What a document leaves open says the file of the recipient, and where
// two readings are possible there is an option.
//
// All are on one listener. Mailgun and Sveve have their paths at the root; every
// other has a prefix, which stands for its host (URLs).
//
// What was received stays in memory, without the credentials: requests, the state
// they led to (entries, operations that are done later, who is suppressed where,
// who is on which list) and messages. The page at / shows it all, so that a
// developer can read a one-time code; tests read it through Wait, WaitMessage,
// State and the other methods, or as JSON below /-/.
//
// Nobody is put in first: whatever a request names is there until it is deleted,
// and then it is gone. Homes at Eliq and lists at Mailgun can be filled.
//
// Fail makes faults on demand (faults.go).
//
// It answers this machine only. Listening is the caller's work.
package standin

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options for New. Now and Log have defaults.
type Options struct {
	MailgunKey    string
	Domains       []string // sending domains at Mailgun
	Lists         []string // addresses of mailing lists at Mailgun
	SveveUser     string
	SvevePassword string
	Eliq          EliqAccount
	Enode         EnodeAccount
	Meta          MetaAccount
	Google        GoogleAccount
	Xandr         XandrAccount
	Aiia          AiiaAccount
	Elhub         ElhubAccount
	Apple         AppleAccount
	// Polls is how often the outcome of something that is done later is asked for
	// in vain. 0: it is there at the first question.
	Polls int
	Now   func() time.Time // time.Now if nil
	Log   *slog.Logger     // discarded if nil; gets no addresses and no texts
}

// Server plays the recipients. Safe for use by many goroutines.
type Server struct {
	options Options
	mux     *http.ServeMux

	mu           sync.Mutex
	changed      chan struct{} // closed and renewed whenever something came in
	count        int
	requests     []Request
	messages     []Message
	suppressions map[string]map[string]Suppression // by domain and address
	lists        map[string]map[string]Member      // by list and address
	faults       []*Fault
	entries      map[entryKey]Entry
	operations   []*Operation
	tokens       map[string]token
	eliq         eliqState
	elhub        map[string]elhubMessage // by reference
}

// Request is one call of a recipient, without its credentials.
type Request struct {
	ID        int        `json:"id"` // counts from 1, also over a Reset
	At        time.Time  `json:"at"`
	Recipient string     `json:"recipient"` // empty for a path of nobody
	Method    string     `json:"method"`
	Path      string     `json:"path"`
	Fields    url.Values `json:"fields,omitempty"`
	JSON      string     `json:"json,omitempty"` // the body, if it was JSON
	File      string     `json:"file,omitempty"` // the file that came with it
	Status    int        `json:"status"`         // 0: there was no answer
	Answer    string     `json:"answer,omitempty"`
	Fault     FaultKind  `json:"fault,omitempty"` // the answer is this fault
}

// Suppression is an address that Mailgun doesn't send to from a domain, for the
// tags that it holds; the tag * is all of them.
type Suppression struct {
	Domain    string    `json:"domain"`
	Address   string    `json:"address"`
	Tags      []string  `json:"tags"`
	CreatedAt time.Time `json:"created_at"`
}

// Member is an address on a mailing list.
type Member struct {
	List       string          `json:"list,omitempty"`
	Address    string          `json:"address"`
	Name       string          `json:"name"`
	Subscribed bool            `json:"subscribed"`
	Vars       json.RawMessage `json:"vars"`
}

// noVars is the variables of a member who has none.
var noVars = json.RawMessage("{}")

// Message is an e-mail or an SMS that a recipient was given to send.
type Message struct {
	Request    int                 `json:"request"` // id of the request that brought it
	At         time.Time           `json:"at"`
	Recipient  string              `json:"recipient"`
	Domain     string              `json:"domain,omitempty"`
	From       string              `json:"from"`
	To         []string            `json:"to"`
	Subject    string              `json:"subject,omitempty"`
	Text       string              `json:"text"`
	HTML       string              `json:"html,omitempty"`
	Tags       []string            `json:"tags,omitempty"`
	Headers    map[string][]string `json:"headers,omitempty"`
	Ref        string              `json:"ref,omitempty"`
	Test       bool                `json:"test,omitempty"`       // asked not to be delivered
	Suppressed []string            `json:"suppressed,omitempty"` // those of To who don't get it
}

// New makes the stand-ins, with nothing received and nobody suppressed. A recipient
// without credentials in the options takes nobody's.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{options: o, mux: http.NewServeMux(), changed: make(chan struct{}), tokens: map[string]token{}}
	s.empty()
	for _, routes := range []func(){
		s.mailgunRoutes, s.sveveRoutes, s.eliqRoutes, s.enodeRoutes, s.metaRoutes, s.googleRoutes, s.analyticsRoutes,
		s.dataManagerRoutes, s.fcmRoutes, s.firebaseRoutes, s.xandrRoutes, s.aiiaRoutes, s.elhubRoutes, s.appleRoutes, s.ownRoutes,
	} {
		routes()
	}
	return s
}

// bodyLimit is the most that a request may carry, in bytes.
const bodyLimit = 4 << 20

// dirty is a path that the mux would answer with a redirect to a cleaner one.
var dirty = regexp.MustCompile(`//|/\.\.?(?:/|$)`)

// ServeHTTP answers this machine only.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !loopback(r.Host) || !loopback(r.RemoteAddr) {
		http.Error(w, "The stand-ins answer this machine only.", http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
	if dirty.MatchString(r.URL.EscapedPath()) {
		s.nowhere(&recipient{})(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// Reset forgets everything but the tokens: faults, requests, messages, entries,
// operations, suppressions, members, homes.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.empty()
}

func (s *Server) empty() {
	s.requests, s.messages, s.faults, s.operations = nil, nil, nil, nil
	s.entries, s.eliq, s.elhub = map[entryKey]Entry{}, newEliqState(), map[string]elhubMessage{}
	s.suppressions, s.lists = map[string]map[string]Suppression{}, map[string]map[string]Member{}
	for _, d := range s.options.Domains {
		s.suppressions[d] = map[string]Suppression{}
	}
	for _, l := range s.options.Lists {
		s.lists[l] = map[string]Member{}
	}
}

// Requests lists what was received, oldest first.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Messages lists the messages that were accepted, oldest first.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Suppressed lists the tags for which an address is suppressed at a domain; none
// if it isn't.
func (s *Server) Suppressed(domain, address string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.suppressions[domain][fold(address)].Tags)
}

// MemberOf finds an address on a list.
func (s *Server) MemberOf(list, address string) (Member, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.lists[list][fold(address)]
	return m, ok
}

// Subscribe puts an address on a list, as it was before the portal came.
func (s *Server) Subscribe(list, address, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	members, ok := s.lists[list]
	if !ok {
		return fmt.Errorf("standin: no list %q", list)
	}
	members[fold(address)] = Member{List: list, Address: address, Name: name, Subscribed: true, Vars: noVars}
	return nil
}

// Wait returns the first request for which match is true, among those received
// and those that come until ctx ends.
func (s *Server) Wait(ctx context.Context, match func(Request) bool) (Request, error) {
	return wait(ctx, s, func() []Request { return s.requests }, match)
}

// WaitMessage is Wait for messages.
func (s *Server) WaitMessage(ctx context.Context, match func(Message) bool) (Message, error) {
	return wait(ctx, s, func() []Message { return s.messages }, match)
}

func wait[T any](ctx context.Context, s *Server, list func() []T, match func(T) bool) (T, error) {
	for {
		s.mu.Lock()
		changed, all := s.changed, slices.Clone(list())
		s.mu.Unlock()
		if i := slices.IndexFunc(all, match); i >= 0 {
			return all[i], nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			var none T
			return none, fmt.Errorf("standin: waited in vain: %w", ctx.Err())
		}
	}
}

// keepLimit bounds what a long development session remembers.
const keepLimit = 1000

// record keeps a request. The caller holds s.mu.
func (s *Server) record(r Request) {
	if len(s.requests) >= keepLimit {
		s.requests = slices.Delete(s.requests, 0, keepLimit/2)
	}
	s.requests = append(s.requests, r)
	close(s.changed)
	s.changed = make(chan struct{})
}

// keep keeps a message. The caller holds s.mu.
func (s *Server) keep(m Message) {
	if len(s.messages) >= keepLimit {
		s.messages = slices.Delete(s.messages, 0, keepLimit/2)
	}
	s.messages = append(s.messages, m)
}

// suppressed lists all suppressions in a fixed order. The caller holds s.mu.
func (s *Server) suppressed() []Suppression {
	var out []Suppression
	for _, domain := range slices.Sorted(maps.Keys(s.suppressions)) {
		for _, address := range slices.Sorted(maps.Keys(s.suppressions[domain])) {
			out = append(out, s.suppressions[domain][address])
		}
	}
	return out
}

// members lists everybody on a list in a fixed order. The caller holds s.mu.
func (s *Server) members() []Member {
	var out []Member
	for _, list := range slices.Sorted(maps.Keys(s.lists)) {
		for _, address := range slices.Sorted(maps.Keys(s.lists[list])) {
			out = append(out, s.lists[list][address])
		}
	}
	return out
}

// fold is how addresses are compared.
func fold(address string) string { return strings.ToLower(address) }

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
