package fulfil

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
	"elekt.no/innsyn/store/storetest"
)

// post plays Mailgun: suppressions that replace what an entry held, so that a
// connector that trusts in the opposite is found out, and list members.
type post struct {
	*httptest.Server
	mu           sync.Mutex
	suppressions map[string][]string // by "domain address"
	members      map[string]bool     // by "list address"
	messages     []map[string]string
	calls        []string
	kept         []string // what the connector has put on record
	// before is asked first; true means that it has answered.
	before func(n int, w http.ResponseWriter, r *http.Request) bool
}

const testKey = "key-of-the-tests"

func newPost(t *testing.T) *post {
	t.Helper()
	p := &post{suppressions: map[string][]string{}, members: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v3/{domain}/unsubscribes/{address}", p.locked(func(w http.ResponseWriter, r *http.Request) {
		tags, ok := p.suppressions[r.PathValue("domain")+" "+r.PathValue("address")]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		json.NewEncoder(w).Encode(suppressionEntry{Address: r.PathValue("address"), Tags: tags})
	}))
	mux.HandleFunc("POST /v3/{domain}/unsubscribes", p.locked(func(w http.ResponseWriter, r *http.Request) {
		var in []suppressionEntry
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || len(in) != 1 || r.Header.Get("Content-Type") != "application/json" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		p.suppressions[r.PathValue("domain")+" "+in[0].Address] = in[0].Tags
	}))
	mux.HandleFunc("DELETE /v3/{domain}/unsubscribes/{address}", p.locked(func(w http.ResponseWriter, r *http.Request) {
		delete(p.suppressions, r.PathValue("domain")+" "+r.PathValue("address"))
	}))
	mux.HandleFunc("POST /v3/lists/{list}/members", p.locked(func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("subscribed") != "yes" || r.PostFormValue("upsert") != "yes" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		p.members[r.PathValue("list")+" "+r.PostFormValue("address")] = true
	}))
	mux.HandleFunc("DELETE /v3/lists/{list}/members/{address}", p.locked(func(w http.ResponseWriter, r *http.Request) {
		key := r.PathValue("list") + " " + r.PathValue("address")
		if !p.members[key] {
			w.WriteHeader(http.StatusNotFound)
		}
		delete(p.members, key)
	}))
	mux.HandleFunc("POST /v3/{domain}/messages", p.locked(func(w http.ResponseWriter, r *http.Request) {
		p.messages = append(p.messages, map[string]string{"domain": r.PathValue("domain"), "from": r.PostFormValue("from"),
			"to": r.PostFormValue("to"), "subject": r.PostFormValue("subject"), "text": r.PostFormValue("text")})
	}))
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, key, ok := r.BasicAuth(); !ok || user != "api" || key != testKey {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		p.mu.Lock()
		p.calls = append(p.calls, r.Method+" "+r.URL.Path)
		n, before := len(p.calls), p.before
		p.mu.Unlock()
		if before != nil && before(n, w, r) {
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *post) locked(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
			r.ParseForm() // before the lock: it reads from the network
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		h(w, r)
	}
}

// failing answers every call with a status until it is set to nil.
func failing(status int, headers ...string) func(int, http.ResponseWriter, *http.Request) bool {
	return func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		return true
	}
}

func (p *post) set(before func(int, http.ResponseWriter, *http.Request) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before = before
}

func (p *post) tags(domain, address string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := slices.Clone(p.suppressions[domain+" "+address])
	slices.Sort(t)
	return strings.Join(t, " ")
}

func (p *post) suppress(domain, address string, tags ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.suppressions[domain+" "+address] = tags
}

func (p *post) isMember(list, address string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.members[list+" "+address]
}

func (p *post) subscribe(list, address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.members[list+" "+address] = true
}

// took gives the calls since the last took.
func (p *post) took() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.calls
	p.calls = nil
	return c
}

const (
	domainA = "mg.example.no"
	domainB = "nyheter.example.no"
	news    = "nyhetsbrev@mg.example.no"
	kari    = "kari.demo+nytt@example.no"
)

func (p *post) config() MailgunConfig {
	return MailgunConfig{
		BaseURL: p.URL, Key: testKey, Domains: []string{domainA, domainB},
		From: "Elekt <personvern@mg.example.no>", FromDomain: domainA,
		Purposes: map[string]MailgunPurpose{
			"newsletter":                {Tag: "newsletter", List: news},
			"interest-list":             {Tag: "interest-list", List: "interesse@mg.example.no"},
			"direct-marketing-customer": {Tag: "marketing"},
			"partner-offers":            {Tag: "marketing"},
		},
	}
}

// stage is a database with one customer who has a login, the real catalogue, and
// a worker whose Mailgun is post.
type stage struct {
	*storetest.DB
	t       *testing.T
	st      *store.Store
	owner   *sql.DB
	c       *privacy.Catalogue
	person  privacy.PersonRef
	post    *post
	work    *deliveries
	log     *strings.Builder
	mu      sync.Mutex
	instant time.Time
}

// Write collects the log.
func (s *stage) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(b)
}

func (s *stage) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func (s *stage) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.instant
}

func (s *stage) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.instant = s.instant.Add(d)
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{DB: storetest.New(t), t: t, person: privacy.NewPersonRef(), post: newPost(t), log: &strings.Builder{},
		instant: time.Now().UTC().Truncate(time.Microsecond)}
	s.owner = s.Owner(t)
	var err error
	if s.c, err = privacy.LoadCatalogue("catalogue.yaml", privacy.EmbeddedCatalogue); err != nil {
		t.Fatal(err)
	}
	s.st = s.open()
	if err := s.st.KeepCatalogue(t.Context(), s.c); err != nil {
		t.Fatal(err)
	}
	s.exec(`INSERT INTO person (person_ref) VALUES ($1)`, s.person)
	s.exec(`INSERT INTO person_link (person_ref, system, external_id, evidence) VALUES ($1, 'customer', '100200', 'national-id')`, s.person)
	s.exec(`INSERT INTO elekt.customer (customer_no, given_name, family_name, email, phone, language, created_at)
		VALUES ('100200', 'Kari', 'Demo', $1, '+4799900123', 'nn', now())`, kari)
	s.work = s.worker(s.st)
	return s
}

// open is a store of its own on the database, as another node has it.
func (s *stage) open() *store.Store {
	s.t.Helper()
	st, err := store.Open(store.Options{URL: s.AppURL, CompanyURL: s.CompanyURL, MaxPairs: Pairs})
	if err != nil {
		s.t.Fatal(err)
	}
	st.Now = s.now
	s.t.Cleanup(func() {
		if err := st.Close(); err != nil {
			s.t.Error(err)
		}
	})
	return st
}

// steady waits as Backoff says, without chance.
var steady = Backoff{First: 5 * time.Second, Most: time.Hour, Chance: func() float64 { return 0.5 }}

func (s *stage) worker(st *store.Store) *deliveries {
	return &deliveries{store: st, contacts: st, backoff: steady, call: store.CallTime, log: slog.New(slog.NewTextHandler(s, nil)),
		connectors: map[string]Connector{"mailgun": newMailgun(s.post.config(), s.now)}}
}

func (s *stage) exec(query string, args ...any) {
	s.t.Helper()
	if _, err := s.owner.Exec(query, args...); err != nil {
		s.t.Fatal(err)
	}
}

// choose decides about a purpose as the page does: yes or no.
func (s *stage) choose(purpose string, yes bool) {
	s.t.Helper()
	if err := s.chooseNow(purpose, yes); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) chooseNow(purpose string, yes bool) error {
	p, err := s.c.Purpose(purpose)
	if err != nil {
		return err
	}
	d := p.No()
	if yes {
		d = p.Yes()
	}
	return s.st.RecordChoices(context.Background(), s.person, []string{purpose}, func(now map[string]*privacy.Choice) ([]*privacy.Change, error) {
		f := privacy.Form{Decision: d, Text: s.c.Shown(p, "nb").Hash(), Language: "nb", Channel: privacy.ChannelWeb, Actor: privacy.ActorPerson}
		if c := now[purpose]; c != nil {
			f.Version = c.Version
		}
		change, err := s.c.Change(s.person, p, now[purpose], privacy.Circumstances{}, f, s.now())
		if change == nil || err != nil {
			return nil, err
		}
		return []*privacy.Change{change}, nil
	})
}

// bring lets the worker run once.
func (s *stage) bring() {
	s.t.Helper()
	busy, err := s.work.bring(s.t.Context(), privacy.BringUpToDate{Person: s.person, Recipient: "mailgun"})
	if err != nil {
		s.t.Fatal(err)
	}
	if busy {
		s.t.Fatal("the pair is held by somebody else")
	}
}

// board is what Mailgun is to be told about a purpose, oldest first.
func (s *stage) board(purpose string) []privacy.Delivery {
	s.t.Helper()
	all, err := s.st.Deliveries(context.Background(), s.person, purpose)
	if err != nil {
		s.t.Fatal(err)
	}
	out := slices.DeleteFunc(all, func(d privacy.Delivery) bool { return d.Recipient != "mailgun" })
	order := map[privacy.Action]int{privacy.ActionErase: 1}
	slices.SortFunc(out, func(a, b privacy.Delivery) int {
		if a.Version != b.Version {
			return int(a.Version - b.Version)
		}
		return order[a.Action] - order[b.Action]
	})
	return out
}

// want compares the board with lines as "1 stop confirmed".
func (s *stage) want(purpose string, want ...string) {
	s.t.Helper()
	var got []string
	for _, d := range s.board(purpose) {
		line := fmt.Sprintf("%d %s %s", d.Version, d.Action, d.State)
		if d.Note != "" {
			line += " " + d.Note
		}
		got = append(got, line)
	}
	if !slices.Equal(got, want) {
		s.t.Fatalf("board of %s:\n got %q\nwant %q", purpose, got, want)
	}
}

// eventually waits until f is true.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	end := time.NewTimer(30 * time.Second)
	defer end.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// keyed is a connector that sends the row's id, for recipients in general.
type keyed struct {
	url  string
	http *http.Client
}

func (k keyed) Purposes() []string { return []string{"newsletter", "interest-list"} }

func (k keyed) Do(ctx context.Context, t Task) (Outcome, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.url, strings.NewReader(fmt.Sprintf("%d %s", t.Version, t.Action)))
	if err != nil {
		return Outcome{}, err
	}
	req.Header.Set("Idempotency-Key", t.ID)
	a, err := call(k.http, req, time.Now)
	return a.Outcome, err
}

// heard is what a keyed connector said.
type heard struct{ key, text string }

// listener answers keyed connectors through h, which may block, and passes on what they said.
func listener(t *testing.T, h func(heard) int) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.WriteHeader(h(heard{r.Header.Get("Idempotency-Key"), string(b)}))
	}))
	t.Cleanup(srv.Close)
	return srv
}
