package web_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"elekt.no/innsyn/auth"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
	"elekt.no/innsyn/store/storetest"
	"elekt.no/innsyn/web"
)

// portal is the whole portal in this process, on a real database, with the
// company's real catalogue. Its logins lead nowhere: sessions are made as the
// callback makes them.
type portal struct {
	*httptest.Server
	web   *web.Server
	store *store.Store
	db    *storetest.DB
	cat   *privacy.Catalogue
	log   *safeBuffer
	api   *issuer

	mu  sync.Mutex
	now time.Time
}

type safeBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *safeBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (p *portal) clock() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *portal) pass(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
}

func open(t *testing.T) *portal {
	t.Helper()
	db := storetest.New(t)
	return openOn(t, db, db.AppURL, db.CompanyURL)
}

func openOn(t *testing.T, db *storetest.DB, appURL, companyURL string) *portal {
	t.Helper()
	p := &portal{db: db, log: &safeBuffer{}, now: time.Date(2026, 11, 24, 13, 32, 0, 0, time.UTC)}
	var err error
	if p.cat, err = privacy.LoadCatalogue("catalogue.yaml", privacy.EmbeddedCatalogue); err != nil {
		t.Fatal(err)
	}
	if p.store, err = store.Open(store.Options{URL: appURL, CompanyURL: companyURL}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.store.Close() })
	p.store.Now = p.clock
	if err := p.store.KeepCatalogue(t.Context(), p.cat); err != nil {
		t.Fatal(err)
	}
	key := make([]byte, 32)
	rand.Read(key)
	log := slog.New(slog.NewJSONHandler(p.log, nil))
	// The server's address is known only once it listens, and the portal must know it.
	p.Server = httptest.NewUnstartedServer(nil)
	base := "http://" + p.Listener.Addr().String()
	p.api = newIssuer(t, p.clock)
	a, err := auth.New(auth.Options{BaseURL: base, API: p.api.config(), Store: p.store, Catalogue: p.cat, SessionKey: key, NationalIDKey: key, Log: log,
		Providers: []auth.ProviderConfig{{ID: "bankid", Preset: "bankid", Issuer: "http://127.0.0.1:1/", ClientID: "c", ClientAuth: auth.SecretBasic, ClientSecret: "s"}}})
	if err != nil {
		t.Fatal(err)
	}
	if p.web, err = web.New(web.Options{BaseURL: base, Catalogue: p.cat, Store: p.store, Auth: a, Log: log, Now: p.clock, Systems: p.api.config().Systems}); err != nil {
		t.Fatal(err)
	}
	p.web.SetReady()
	p.Config.Handler = p.web
	p.Start()
	t.Cleanup(p.Close)
	return p
}

// visitor is a browser without scripts.
type visitor struct {
	t      *testing.T
	p      *portal
	client *http.Client
	person privacy.PersonRef
	header http.Header
}

// visit is a browser in which nobody is logged in.
func (p *portal) visit(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t: t, p: p, header: http.Header{}, client: &http.Client{Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// login is a browser in which a new person is logged in at a level.
func (p *portal) login(t *testing.T, level privacy.Assurance) *visitor {
	t.Helper()
	v := p.visit(t)
	subject := rand.Text()
	out, err := p.store.LogIn(t.Context(), store.Identity{Provider: "bankid", Issuer: "http://127.0.0.1:1/", Subject: subject, Assurance: level}, store.Match{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	v.person = out.Person
	p.session(t, v, out.Login, level)
	return v
}

// answer is what came back.
type answer struct {
	*http.Response
	body string
}

func (v *visitor) do(r *http.Request) answer {
	v.t.Helper()
	for name, values := range v.header {
		r.Header[name] = values
	}
	res, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer{res, strings.ReplaceAll(string(b), "\u00a0", " ")}
}

func (v *visitor) get(path string) answer {
	v.t.Helper()
	r, err := http.NewRequest("GET", v.p.URL+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.do(r)
}

func (v *visitor) post(path string, fields url.Values) answer {
	v.t.Helper()
	r, err := http.NewRequest("POST", v.p.URL+path, strings.NewReader(fields.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(r)
}

// token is the token of a form on a page of the visitor.
func (v *visitor) token() string {
	v.t.Helper()
	m := regexp.MustCompile(`name="csrf" value="([^"]+)"`).FindStringSubmatch(v.get("/overview").body)
	if m == nil {
		v.t.Fatal("no token on the overview")
	}
	return m[1]
}

// form is the form of a purpose as its page has it.
func (v *visitor) form(purpose string) url.Values {
	v.t.Helper()
	body := v.get("/consents/" + purpose).body
	m := regexp.MustCompile(`(?s)<form[^>]*action="/consents/` + purpose + `".*?</form>`).FindString(body)
	if m == "" {
		v.t.Fatalf("no form for %s", purpose)
	}
	f := url.Values{}
	for _, field := range regexp.MustCompile(`name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(m, -1) {
		f.Set(field[1], html.UnescapeString(field[2]))
	}
	return f
}

// rows are counts of everything that a post could write.
func (p *portal) rows(t *testing.T) string {
	t.Helper()
	var out string
	for _, table := range []string{"ledger_leaf", "ledger_entry", "choice", "delivery", "request", "person_link", "one_time_code", "session", "login"} {
		var n int
		if err := p.db.App(t).QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		out += fmt.Sprintf("%s %d, ", table, n)
	}
	return out
}

func (p *portal) verify(t *testing.T) {
	t.Helper()
	if _, err := p.store.VerifyLedger(context.Background()); err != nil {
		t.Error(err)
	}
}

// path is a path that a route's pattern matches.
func path(pattern string) string {
	return strings.NewReplacer("{$}", "", "{provider}", "bankid", "{purpose}", "newsletter", "{area}", "marketing",
		"{form}", "00000000-0000-4000-8000-000000000000", "{id}", "00000000-0000-4000-8000-000000000000").Replace(pattern)
}

func noInternals(t testing.TB, where string, a answer) {
	t.Helper()
	for _, word := range []string{"pq:", "sql:", "panic", "goroutine", ".go:", "dial ", "context ", "privacy.", "127.0.0.1:1"} {
		if strings.Contains(a.body, word) {
			t.Errorf("%s: the answer holds %q", where, word)
		}
	}
}

// again is the same person in a new session, after time has passed.
func (p *portal) again(t *testing.T, v *visitor) *visitor {
	t.Helper()
	n := p.visit(t)
	n.person = v.person
	logins, err := p.store.Logins(t.Context(), v.person)
	if err != nil {
		t.Fatal(err)
	}
	p.session(t, n, logins[0].ID, logins[0].Assurance)
	return n
}

func (p *portal) session(t *testing.T, v *visitor, login string, level privacy.Assurance) {
	t.Helper()
	var id [32]byte
	rand.Read(id[:])
	cookie := base64.RawURLEncoding.EncodeToString(id[:])
	hash := sha256.Sum256(id[:])
	now := p.clock()
	if err := p.store.StartSession(t.Context(), hash[:], &store.Session{Person: v.person, Login: login, Provider: "bankid", Class: store.ClassCustomer,
		Assurance: level, AuthAt: now, GivenName: "Test", CreatedAt: now, ExpiresAt: now.Add(12 * time.Hour)}, nil, store.EventLogin); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	v.client.Jar.SetCookies(u, []*http.Cookie{{Name: "innsyn", Value: cookie, Path: "/"}})
}
