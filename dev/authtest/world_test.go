// Package authtest drives package auth through whole logins at the development
// identity provider, with every fault that it can make, against a real database.
// It stands here and not beside package auth because the provider belongs to the
// module dev.
package authtest

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"

	"github.com/go-jose/go-jose/v4"

	"elekt.no/innsyn/auth"
	"elekt.no/innsyn/dev/demo"
	"elekt.no/innsyn/dev/idp"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
	"elekt.no/innsyn/store/storetest"
)

var (
	sessionKey = bytes.Repeat([]byte{7}, 32)
	ninKey     = bytes.Repeat([]byte{9}, 32)
)

// world is a portal that can do nothing but log in, an identity provider, and a
// database with the demo people.
type world struct {
	t       *testing.T
	db      *storetest.DB
	sql     *sql.DB           // the owner's, to look behind the scenes
	company *storetest.Outage // the way to the company's database
	store   *store.Store
	auth    *auth.Auth
	idp     *idp.Server
	idpURL  string
	portal  string
	log     *syncBuffer
	clock   *clock
}

type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newKey(t *testing.T, kid string) (private string, public *jose.JSONWebKey) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b, err := jose.JSONWebKey{Key: k, KeyID: kid, Algorithm: "ES256", Use: "sig"}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(b), &jose.JSONWebKey{Key: k.Public(), KeyID: kid, Algorithm: "ES256", Use: "sig"}
}

// newWorld builds everything; change may alter the options before auth starts.
func newWorld(t *testing.T, change ...func(*auth.Options)) *world {
	t.Helper()
	w := &world{t: t, db: storetest.New(t), log: &syncBuffer{}, clock: &clock{}}
	w.sql = w.db.Owner(t)
	behind := *w.db
	behind.AppURL = w.db.CompanyURL
	w.company = behind.Outage(t)
	if err := demo.Load(t.Context(), w.sql, ninKey); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.store, err = store.Open(store.Options{URL: w.db.AppURL, CompanyURL: w.company.AppURL, MaxOpen: 4}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close() })
	w.store.Now = w.clock.now

	listen := func(host string) (net.Listener, string) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return l, "http://" + host + ":" + port
	}
	portalListener, portal := listen("127.0.0.1")
	idpListener, idpURL := listen("localhost")
	w.portal, w.idpURL = portal, idpURL
	private, public := newKey(t, "portal-1")
	w.idp, err = idp.New(idp.Options{BaseURL: idpURL, Now: w.clock.now, Slow: 1500 * time.Millisecond, Clients: []idp.Client{
		{Provider: idp.BankID, ID: "innsyn", PublicJWK: public, AuthMethod: idp.PrivateKeyJWT, RedirectURIs: []string{portal + "/login/bankid/callback"}},
		{Provider: idp.Vipps, ID: "innsyn-v", Secret: "s3cret/+ å", AuthMethod: idp.SecretBasic, RedirectURIs: []string{portal + "/login/vipps/callback"}},
		{Provider: idp.Vipps, ID: "innsyn-post", Secret: "another", AuthMethod: idp.SecretPost, RedirectURIs: []string{portal + "/login/vipps/callback"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	serve := func(l net.Listener, h http.Handler) {
		s := httptest.NewUnstartedServer(h)
		s.Listener.Close()
		s.Listener = l
		s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		s.Start()
		t.Cleanup(s.Close)
	}
	o := auth.Options{
		BaseURL: portal, Store: w.store, Catalogue: &privacy.Catalogue{Ages: privacy.Ages{Least: 13}},
		SessionKey: sessionKey, NationalIDKey: ninKey,
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Providers: []auth.ProviderConfig{
			{ID: "bankid", Preset: "bankid", Issuer: w.idp.Issuer(idp.BankID), ClientID: "innsyn", Key: private,
				Scopes: []string{"openid", "profile", "nnin_altsub"}, Timeout: time.Second},
			{ID: "vipps", Preset: "vipps", Issuer: w.idp.Issuer(idp.Vipps), ClientID: "innsyn-v", ClientSecret: "s3cret/+ å",
				Timeout: time.Second},
		},
	}
	for _, c := range change {
		c(&o)
	}
	if w.auth, err = auth.New(o); err != nil {
		t.Fatal(err)
	}
	serve(idpListener, w.idp)
	serve(portalListener, w.handler())
	return w
}

// who is what /whoami answers.
type who struct {
	Person, Provider, Given, Token, PublicID string
	Assurance                                privacy.Assurance
	AuthAt                                   time.Time
}

// handler is the portal: pages as bare as can be.
func (w *world) handler() http.Handler {
	mux := http.NewServeMux()
	page := func(pattern string, h func(http.ResponseWriter, *http.Request) error) {
		mux.HandleFunc(pattern, func(rw http.ResponseWriter, r *http.Request) {
			err := h(rw, r)
			var e *privacy.Error
			switch {
			case err == nil:
			case errors.As(err, &e):
				rw.WriteHeader(map[privacy.ErrorKind]int{privacy.Invalid: 400, privacy.Unauthenticated: 401, privacy.Forbidden: 403, privacy.StepUp: 403,
					privacy.NotFound: 404, privacy.Gone: 410, privacy.Conflict: 409, privacy.RateLimited: 429, privacy.Unavailable: 503}[e.Kind])
				fmt.Fprintf(rw, "%s %s", e.Key, e.Reason)
			default:
				w.t.Errorf("%s: %v", pattern, err)
				rw.WriteHeader(500)
			}
		})
	}
	page("GET /{$}", func(rw http.ResponseWriter, r *http.Request) error {
		_, err := io.WriteString(rw, w.auth.LinkToken(rw, r))
		return err
	})
	page("GET /login/{provider}", func(rw http.ResponseWriter, r *http.Request) error {
		s, err := w.auth.Session(rw, r)
		if err != nil {
			return err
		}
		q := r.URL.Query()
		want := auth.Want{ReturnTo: q.Get("to"), Fresh: q.Has("fresh"), Language: "nb"}
		if n := q.Get("need"); n != "" {
			if want.Need, err = privacy.ParseAssurance(n); err != nil {
				return err
			}
		}
		if q.Has("step") {
			want.Session = s
		}
		return w.auth.Begin(rw, r, r.PathValue("provider"), want)
	})
	page("GET /login/{provider}/callback", func(rw http.ResponseWriter, r *http.Request) error {
		out, err := w.auth.Finish(rw, r, r.PathValue("provider"))
		if err != nil {
			return err
		}
		to := out.ReturnTo
		if out.NeedsAge {
			to = "/age"
		}
		rw.Header().Set("X-Outcome", fmt.Sprintf("new=%t login=%t up=%t low=%t match=%s", out.NewPerson, out.NewLogin, out.SteppedUp, out.TooLow, out.Match))
		http.Redirect(rw, r, to, http.StatusSeeOther)
		return nil
	})
	page("GET /age", func(rw http.ResponseWriter, r *http.Request) error {
		p, err := w.auth.PendingAge(r)
		if err != nil {
			return err
		}
		return json.NewEncoder(rw).Encode(p)
	})
	page("POST /age", func(rw http.ResponseWriter, r *http.Request) error {
		out, err := w.auth.DeclareAge(rw, r, r.PostFormValue("token"), r.PostFormValue("old") == "yes")
		if err != nil {
			return err
		}
		http.Redirect(rw, r, out.ReturnTo, http.StatusSeeOther)
		return nil
	})
	page("GET /whoami", func(rw http.ResponseWriter, r *http.Request) error {
		s, err := w.auth.Session(rw, r)
		if err != nil {
			return err
		}
		if s == nil {
			return &privacy.Error{Kind: privacy.Unauthenticated, Key: "error.logged-out"}
		}
		return json.NewEncoder(rw).Encode(who{string(s.Person), s.Provider, s.GivenName, w.auth.Token(s), s.PublicID, s.Assurance, s.AuthAt})
	})
	page("POST /logout", func(rw http.ResponseWriter, r *http.Request) error { return w.auth.End(rw, r) })
	return mux
}

// browser is one browser, that doesn't follow redirects by itself.
type browser struct {
	w *world
	c *http.Client
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &browser{w, &http.Client{Jar: jar, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// page is an answer, read to its end.
type page struct {
	Status int
	Header http.Header
	Body   string
}

func (p page) to() string { return p.Header.Get("Location") }

func (b *browser) do(r *http.Request) page {
	b.w.t.Helper()
	resp, err := b.c.Do(r)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return page{resp.StatusCode, resp.Header, string(body)}
}

func (b *browser) get(address string, header ...string) page {
	b.w.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.w.portal + address
	}
	r, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.w.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return b.do(r)
}

func (b *browser) post(address string, form url.Values) page {
	b.w.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.w.portal + address
	}
	r, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

// start follows a login link; extra is more of the query, as "&need=high".
func (b *browser) start(provider, extra string) page {
	b.w.t.Helper()
	token := b.get("/").Body
	return b.get("/login/" + provider + "?" + auth.LinkParam + "=" + token + extra)
}

// choose goes from the answer to a login link to the callback's address.
func (b *browser) choose(provider string, begun page, person, fault string) string {
	b.w.t.Helper()
	if begun.Status != http.StatusSeeOther {
		b.w.t.Fatalf("login start: %d %s", begun.Status, begun.Body)
	}
	choice := b.get(begun.to())
	if choice.Status != http.StatusSeeOther {
		b.w.t.Fatalf("authorization: %d %s", choice.Status, choice.Body)
	}
	to, err := url.Parse(choice.to())
	if err != nil {
		b.w.t.Fatal(err)
	}
	if strings.HasSuffix(to.Path, "/callback") { // refused at once
		return to.String()
	}
	done := b.post(b.w.idpURL+"/choose/"+provider, url.Values{"login": {to.Query().Get("login")}, "person": {person}, "fault": {fault}})
	if done.Status != http.StatusSeeOther {
		b.w.t.Fatalf("choice: %d %s", done.Status, done.Body)
	}
	return done.to()
}

// login logs a person in and returns the callback's answer.
func (b *browser) login(provider, person string) page {
	b.w.t.Helper()
	return b.loginWith(provider, person, "", "")
}

func (b *browser) loginWith(provider, person, fault, extra string) page {
	b.w.t.Helper()
	return b.get(b.choose(provider, b.start(provider, extra), person, fault))
}

func (b *browser) mustLogin(provider, person string) who {
	b.w.t.Helper()
	if p := b.login(provider, person); p.Status != http.StatusSeeOther || p.to() == "/age" {
		b.w.t.Fatalf("login: %d %s %s", p.Status, p.to(), p.Body)
	}
	me, ok := b.who()
	if !ok {
		b.w.t.Fatal("nobody is logged in after a login")
	}
	return me
}

func (b *browser) who() (me who, ok bool) {
	b.w.t.Helper()
	p := b.get("/whoami")
	switch p.Status {
	case http.StatusOK:
		if err := json.Unmarshal([]byte(p.Body), &me); err != nil {
			b.w.t.Fatal(err)
		}
		return me, true
	case http.StatusUnauthorized:
		return me, false
	}
	b.w.t.Fatalf("whoami: %d %s", p.Status, p.Body)
	return me, false
}

// count is the number of rows that a query finds.
func (w *world) count(query string, args ...any) int {
	w.t.Helper()
	var n int
	if err := w.sql.QueryRowContext(context.WithoutCancel(w.t.Context()), query, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// mustRefuse checks a fault's answer, that nobody is logged in, and that the
// reason is recorded.
func (b *browser) mustRefuse(p page, status int, key, reason string) {
	b.w.t.Helper()
	if want := key + " " + reason; p.Status != status || p.Body != want {
		b.w.t.Errorf("got %d %q, want %d %q", p.Status, p.Body, status, want)
	}
	if me, ok := b.who(); ok {
		b.w.t.Errorf("%s is logged in", me.Given)
	}
	if reason != "too-young" && b.w.count(`SELECT count(*) FROM auth_event WHERE kind = 'login-failed' AND reason = $1`, reason) == 0 {
		b.w.t.Errorf("no event with reason %s", reason)
	}
}
