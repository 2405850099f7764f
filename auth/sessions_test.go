package auth

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// logIn begins a session of a class and returns the answer with its cookie.
func (r *rig) logIn(t *testing.T, subject string, class store.SessionClass) (*Session, *httptest.ResponseRecorder) {
	t.Helper()
	in := r.person(t, subject, nil)
	w := httptest.NewRecorder()
	s := &Session{Person: in.Person, Login: in.Login, Provider: "stub", Class: class, Assurance: privacy.AssuranceHigh, AuthAt: r.now(), GivenName: "Prøve"}
	if err := r.begin(w, request("GET", "/"), s, store.EventLogin); err != nil {
		t.Fatal(err)
	}
	return s, w
}

func (r *rig) who(t *testing.T, earlier *httptest.ResponseRecorder) (*Session, *httptest.ResponseRecorder) {
	t.Helper()
	w := httptest.NewRecorder()
	s, err := r.Session(w, request("GET", "/overview", earlier))
	if err != nil {
		t.Fatal(err)
	}
	return s, w
}

// Cookies over https carry every flag; on a developer's http they lack the
// prefix and Secure. (checklist 27, 29)
func TestCookies(t *testing.T) {
	for base, secure := range map[string]bool{"https://innsyn.example.com": true, "http://127.0.0.1:8080": false} {
		r := newRig(t, base)
		_, w := r.logIn(t, "a", store.ClassCustomer)
		r.LinkToken(w, request("GET", "/"))
		cookies := w.Result().Cookies()
		if len(cookies) != 2 {
			t.Fatalf("%d cookies", len(cookies))
		}
		for i, want := range []string{"innsyn", "innsyn-login"} {
			c := cookies[i]
			if secure {
				want = "__Host-" + want
			}
			if c.Name != want || c.Secure != secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
				t.Errorf("%s: %+v", base, c)
			}
			if b, err := base64.RawURLEncoding.DecodeString(c.Value); err != nil || len(b) != 32 {
				t.Errorf("%s holds %d bytes", c.Name, len(b))
			}
		}
		if cookies[0].MaxAge != 0 || cookies[1].MaxAge != 600 {
			t.Errorf("lives %d and %d", cookies[0].MaxAge, cookies[1].MaxAge)
		}
	}
}

// Idle and absolute limits of each class, on a clock that the test sets. (checklist 30)
func TestSessionLimits(t *testing.T) {
	r := newRig(t, "http://127.0.0.1:1")
	for _, c := range []struct {
		class          store.SessionClass
		idle, absolute time.Duration
	}{{store.ClassCustomer, 30 * time.Minute, 12 * time.Hour}, {store.ClassApp, 15 * time.Minute, 30 * time.Minute}, {store.ClassStaff, 15 * time.Minute, 8 * time.Hour}} {
		r.ahead = 0
		s, w := r.logIn(t, string(c.class), c.class)
		if s.Embedded != (c.class == store.ClassApp) {
			t.Errorf("%s embedded: %v", c.class, s.Embedded)
		}
		r.ahead = c.idle - time.Second
		if who, _ := r.who(t, w); who == nil || who.Person != s.Person {
			t.Errorf("%s: gone before it was idle for long", c.class)
		}
		r.ahead += c.idle + time.Second
		who, cleared := r.who(t, w)
		if who != nil {
			t.Errorf("%s: lives on, unused for %s", c.class, c.idle)
		}
		if cs := cleared.Result().Cookies(); len(cs) != 1 || cs[0].MaxAge >= 0 {
			t.Errorf("%s: the cookie of an ended session stays: %v", c.class, cs)
		}

		r.ahead = 0
		_, w = r.logIn(t, string(c.class), c.class)
		for r.ahead = 0; r.ahead < c.absolute-time.Minute; r.ahead += c.idle - time.Minute {
			if who, _ := r.who(t, w); who == nil {
				t.Fatalf("%s: gone after %s, in use", c.class, r.ahead)
			}
		}
		r.ahead = c.absolute
		if who, _ := r.who(t, w); who != nil {
			t.Errorf("%s: lives on after %s", c.class, c.absolute)
		}
	}
	r.ahead = 13 * time.Hour
	if n, err := r.store.SweepAuth(t.Context()); err != nil || n < 6 {
		t.Errorf("swept %d, %v", n, err)
	}
	for _, bad := range []Limits{{Customer: Limit{Idle: time.Minute}}, {App: Limit{Idle: time.Hour}}, {Staff: Limit{Absolute: 48 * time.Hour}}} {
		if _, err := bad.complete(); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

// The use of a session is written at most once a minute.
func TestTouch(t *testing.T) {
	r := newRig(t, "http://127.0.0.1:1")
	_, w := r.logIn(t, "a", store.ClassCustomer)
	seen := func() (at time.Time) {
		t.Helper()
		if err := r.owner.QueryRowContext(t.Context(), `SELECT seen_at FROM session`).Scan(&at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	start := seen()
	r.ahead = 59 * time.Second
	r.who(t, w)
	if !seen().Equal(start) {
		t.Error("written within a minute")
	}
	r.ahead = 61 * time.Second
	r.who(t, w)
	if d := seen().Sub(start); d < time.Minute {
		t.Errorf("seen_at moved by %s", d)
	}
}

// Broken, unknown, doubled and foreign cookies are nobody, and are taken away.
func TestBrokenCookies(t *testing.T) {
	r := newRig(t, "http://127.0.0.1:1")
	_, w := r.logIn(t, "a", store.ClassCustomer)
	good := w.Result().Cookies()[0].Value
	for _, value := range []string{"", "x", strings.Repeat("A", 43), good + "A", good[:42], good[1:] + "!", strings.Repeat("a", 5000), good + "; innsyn=" + good} {
		q := httptest.NewRequest("GET", "/", nil)
		q.Header.Set("Cookie", "innsyn="+value)
		w := httptest.NewRecorder()
		s, err := r.Session(w, q)
		if err != nil || s != nil {
			t.Errorf("%.50q: %v %v", value, s, err)
		}
		if cs := w.Result().Cookies(); len(cs) != 1 || cs[0].MaxAge >= 0 || cs[0].Name != "innsyn" {
			t.Errorf("%.50q is not taken away: %v", value, cs)
		}
	}
	none := httptest.NewRecorder()
	if s, err := r.Session(none, httptest.NewRequest("GET", "/", nil)); s != nil || err != nil || len(none.Result().Cookies()) != 0 {
		t.Errorf("without a cookie: %v %v", s, err)
	}
}

// A session that can't be looked up is an error and not nobody; the cookie stays.
func TestDatabaseAway(t *testing.T) {
	r := newRig(t, "http://127.0.0.1:1")
	_, w := r.logIn(t, "a", store.ClassCustomer)
	out := r.db.Outage(t)
	s, err := store.Open(store.Options{URL: out.AppURL})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r.store = s
	out.Begin(t)
	answer := httptest.NewRecorder()
	who, err := r.Session(answer, request("GET", "/", w))
	if who != nil || privacy.KindOf(err) != privacy.Unavailable || len(answer.Result().Cookies()) != 0 {
		t.Errorf("%v %v %v", who, err, answer.Result().Cookies())
	}
	out.End(t)
	if who, _ := r.who(t, w); who == nil {
		t.Error("nobody, though the database is back")
	}
}

// One request asks the database once, however often it wants to know.
func TestSessionIsReadOnce(t *testing.T) {
	r := newRig(t, "http://127.0.0.1:1")
	_, w := r.logIn(t, "a", store.ClassCustomer)
	q := request("GET", "/", w)
	first, err := r.Session(httptest.NewRecorder(), q)
	if err != nil || first == nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(q.Context())
	cancel() // a second question to the database would fail
	second, err := r.Session(httptest.NewRecorder(), q.WithContext(ctx))
	if err != nil || second != first {
		t.Errorf("%v %v", second, err)
	}
}

// The tokens of forms. (checklist 41)
func TestFormToken(t *testing.T) {
	r := newRig(t, "http://127.0.0.1:1")
	one, _ := r.logIn(t, "a", store.ClassCustomer)
	two, _ := r.logIn(t, "b", store.ClassCustomer)
	token := r.Token(one)
	if again := r.Token(one); again == token || !r.CheckToken(one, again) || !r.CheckToken(one, token) {
		t.Error("tokens of one session must differ and all be good")
	}
	for name, bad := range map[string]string{"empty": "", "another session's": r.Token(two), "cut": token[:80], "longer": token + "AAAA",
		"zeroes": strings.Repeat("A", 86), "changed": "A" + token[1:79] + "AAAAAAA", "not base64": strings.Repeat("!", 86)} {
		if bad != token && r.CheckToken(one, bad) {
			t.Errorf("%s is taken", name)
		}
	}
	if r.CheckToken(nil, token) || r.Token(nil) != "" || r.CheckToken(&Session{}, token) {
		t.Error("nobody has a token")
	}
	other := newRig(t, "http://127.0.0.1:1")
	other.formKey = []byte("another key")
	if other.CheckToken(one, token) {
		t.Error("a token made with another key is taken")
	}
}

// What a route asks for. (checklist 38)
func TestRequire(t *testing.T) {
	r := newRig(t, "http://127.0.0.1:1")
	now := r.now()
	for _, c := range []struct {
		s     *Session
		need  privacy.Assurance
		fresh time.Duration
		kind  privacy.ErrorKind
		needs privacy.Assurance
	}{
		{nil, privacy.AssuranceNone, 0, privacy.Unauthenticated, 0},
		{&Session{Assurance: privacy.AssuranceLow, AuthAt: now}, privacy.AssuranceLow, time.Minute, -1, 0},
		{&Session{Assurance: privacy.AssuranceLow, AuthAt: now}, privacy.AssuranceSubstantial, 0, privacy.StepUp, privacy.AssuranceSubstantial},
		{&Session{Assurance: privacy.AssuranceHigh, AuthAt: now.Add(-6 * time.Minute)}, privacy.AssuranceLow, 5 * time.Minute, privacy.StepUp, privacy.AssuranceHigh},
		{&Session{Assurance: privacy.AssuranceHigh, AuthAt: now.Add(-4 * time.Minute)}, privacy.AssuranceHigh, 5 * time.Minute, -1, 0},
		{&Session{Assurance: privacy.AssuranceHigh, AuthAt: now.Add(-11 * time.Hour)}, privacy.AssuranceHigh, 0, -1, 0},
	} {
		err := r.Require(c.s, c.need, c.fresh)
		if c.kind < 0 {
			if err != nil {
				t.Errorf("%+v: %v", c, err)
			}
			continue
		}
		var e *privacy.Error
		if e, _ = err.(*privacy.Error); e == nil || e.Kind != c.kind || e.Needs != c.needs {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// A person sees and ends their own sessions and nobody else's. (checklist 34, 35, 36, 47)
func TestOwnSessions(t *testing.T) {
	r := newRig(t, "http://127.0.0.1:1")
	here, w := r.logIn(t, "a", store.ClassCustomer)
	there, elsewhere := r.logIn(t, "a", store.ClassCustomer)
	app, _ := r.logIn(t, "a", store.ClassApp)
	stranger, theirs := r.logIn(t, "b", store.ClassCustomer)
	list, err := r.Sessions(t.Context(), here)
	if err != nil || len(list) != 3 {
		t.Fatalf("%d sessions, %v", len(list), err)
	}
	current := 0
	for _, s := range list {
		if s.Current {
			current++
			if s.PublicID != here.PublicID {
				t.Error("another session counts as this one")
			}
		}
		if s.PublicID == stranger.PublicID {
			t.Error("a stranger's session is listed")
		}
	}
	if current != 1 {
		t.Errorf("%d current sessions", current)
	}
	for _, id := range []string{stranger.PublicID, "", "x", "00000000-0000-0000-0000-000000000000"} {
		if err := r.EndSession(t.Context(), here, id); privacy.KindOf(err) != privacy.NotFound {
			t.Errorf("ending %q: %v", id, err)
		}
	}
	if err := r.EndSession(t.Context(), here, there.PublicID); err != nil {
		t.Fatal(err)
	}
	if s, _ := r.who(t, elsewhere); s != nil {
		t.Error("an ended session lives on")
	}
	r.ahead = 20 * time.Minute // the app's is idle by now
	if list, err = r.Sessions(t.Context(), here); err != nil || len(list) != 1 {
		t.Errorf("%d sessions, %v", len(list), err)
	}
	r.ahead = 0
	if n, err := r.EndOtherSessions(t.Context(), here); err != nil || n != 1 {
		t.Errorf("ended %d, %v", n, err)
	}
	if s, _ := r.who(t, w); s == nil {
		t.Error("the own session ended too")
	}
	if n, err := r.store.EndSessions(t.Context(), here.Person, "", "all"); err != nil || n != 1 { // erased, or by staff
		t.Errorf("ended %d, %v", n, err)
	}
	if s, _ := r.who(t, w); s != nil {
		t.Error("a session lives on after all were ended")
	}
	if s, _ := r.who(t, theirs); s == nil {
		t.Error("the stranger's session ended")
	}
	_ = app
}

// Ending a login ends its sessions; the last one stays. (checklist 47)
func TestOwnLogins(t *testing.T) {
	r := newRig(t, "http://127.0.0.1:1")
	nin := privacy.HashNationalID(testNIN, "12858421045")
	first, second := r.person(t, "a", nin), r.person(t, "b", nin)
	stranger := r.person(t, "c", nil)
	if first.Person != second.Person || !second.NewLogin {
		t.Fatalf("%+v %+v", first, second)
	}
	begin := func(in store.LoginResult) (*Session, *httptest.ResponseRecorder) {
		w := httptest.NewRecorder()
		s := &Session{Person: in.Person, Login: in.Login, Provider: "stub", Class: store.ClassCustomer, Assurance: privacy.AssuranceHigh, AuthAt: r.now()}
		if err := r.begin(w, request("GET", "/"), s, store.EventLogin); err != nil {
			t.Fatal(err)
		}
		return s, w
	}
	me, w := begin(first)
	_, other := begin(second)
	for _, id := range []string{stranger.Login, "", "x", me.PublicID} {
		if err := r.EndLogin(t.Context(), me, id); privacy.KindOf(err) != privacy.NotFound {
			t.Errorf("ending %q: %v", id, err)
		}
	}
	list, err := r.Logins(t.Context(), me)
	if err != nil || len(list) != 2 || list[0].ID != first.Login || list[0].OnlyWayIn || !list[0].HasNIN || list[0].SessionsOn != 1 {
		t.Errorf("%+v %v", list, err)
	}
	if err := r.EndLogin(t.Context(), me, second.Login); err != nil {
		t.Fatal(err)
	}
	if s, _ := r.who(t, other); s != nil {
		t.Error("a session outlives its login")
	}
	if s, _ := r.who(t, w); s == nil {
		t.Error("the other login's session ended")
	}
	if err := r.EndLogin(t.Context(), me, first.Login); privacy.KindOf(err) != privacy.Conflict || reasonOf(err) != "last-login" {
		t.Errorf("the last login: %v", err)
	}
	if list, err = r.Logins(t.Context(), me); err != nil || len(list) != 1 || !list[0].OnlyWayIn {
		t.Errorf("%+v %v", list, err)
	}
	// A session can't begin on a login that was ended meanwhile.
	late := &Session{Person: second.Person, Login: second.Login, Class: store.ClassCustomer, Assurance: privacy.AssuranceHigh, AuthAt: r.now()}
	if err := r.begin(httptest.NewRecorder(), request("GET", "/"), late, store.EventLogin); privacy.KindOf(err) != privacy.Unauthenticated {
		t.Errorf("%v", err)
	}
}

func TestBrowserName(t *testing.T) {
	for ua, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                        "Firefox, Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":           "Edge, Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1": "Safari, iPhone",
		"Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36":        "Samsung Internet, Android",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15":                   "Safari, macOS",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                                   "Chrome, Linux",
		"curl/8": "", "": "", "<script>": "",
	} {
		if got := browserName(ua); got != want {
			t.Errorf("%s: %q, want %q", ua, got, want)
		}
	}
}
