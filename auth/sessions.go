package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/sessions"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// Limits are how long sessions live, by class. Zero fields have defaults.
// (checklist 30)
type Limits struct {
	Customer Limit `yaml:"customer"` // 30m idle, 12h in all
	App      Limit `yaml:"app"`      // 15m idle, 30m in all
	Staff    Limit `yaml:"staff"`    // 15m idle, 8h in all
}

// Limit is how long a session lives unused, and in all.
type Limit struct {
	Idle     time.Duration `yaml:"idle"`
	Absolute time.Duration `yaml:"absolute"`
}

func (l Limits) complete() (Limits, error) {
	for _, c := range []struct {
		name  string
		limit *Limit
		usual Limit
	}{
		{"customer", &l.Customer, Limit{30 * time.Minute, 12 * time.Hour}},
		{"app", &l.App, Limit{15 * time.Minute, 30 * time.Minute}},
		{"staff", &l.Staff, Limit{15 * time.Minute, 8 * time.Hour}},
	} {
		if c.limit.Idle == 0 {
			c.limit.Idle = c.usual.Idle
		}
		if c.limit.Absolute == 0 {
			c.limit.Absolute = c.usual.Absolute
		}
		if c.limit.Idle < 2*touchEvery || c.limit.Absolute < c.limit.Idle || c.limit.Absolute > 24*time.Hour {
			return l, fmt.Errorf("auth: sessions.%s: idle must be 2m or more, absolute at least idle and at most 24h", c.name)
		}
	}
	return l, nil
}

func (l Limits) of(class store.SessionClass) Limit {
	switch class {
	case store.ClassApp:
		return l.App
	case store.ClassStaff:
		return l.Staff
	}
	return l.Customer
}

// touchEvery is how often the use of a session is written down.
const touchEvery = time.Minute

// Session is who is calling.
type Session struct {
	Person     privacy.PersonRef
	Login      string // id of the login that it rests on
	Provider   string // of that login
	PublicID   string // names the session on pages; opens nothing
	Class      store.SessionClass
	Assurance  privacy.Assurance
	AuthAt     time.Time // when the person proved who they are
	GivenName  string
	FamilyName string
	CreatedAt  time.Time
	ExpiresAt  time.Time
	Embedded   bool // in the app's webview

	idHash []byte
}

// sessionKey is where our record stands in a gorilla session's values.
type sessionKey struct{}

// brokenKey marks a cookie that names no session.
type brokenKey struct{}

// sessionStore keeps sessions of the gorilla kind in PostgreSQL: the cookie
// carries a random 256-bit id and nothing else, the row lies under the id's hash.
// A session holds one value, the *Session.
type sessionStore struct{ a *Auth }

var _ sessions.Store = (*sessionStore)(nil)

// Get is the session of a request; of several calls the first one asks the
// database.
func (st *sessionStore) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(st, name)
}

// New reads the session that the request's cookie names. A cookie that is
// broken, unknown or past its time gives a new, empty session and no error; an
// error means that the database could not be asked.
func (st *sessionStore) New(r *http.Request, name string) (*sessions.Session, error) {
	s := sessions.NewSession(st, name)
	s.Options = st.options()
	s.IsNew = true
	if len(r.CookiesNamed(name)) == 0 {
		return s, nil
	}
	id, ok := decode(st.a.cookie(r, cookieSession))
	if !ok {
		s.Values[brokenKey{}] = true
		return s, nil
	}
	record, err := st.a.lookUp(r.Context(), id)
	if privacy.KindOf(err) == privacy.NotFound {
		s.Values[brokenKey{}] = true
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.IsNew, s.ID = false, encode(id[:])
	s.Values[sessionKey{}] = record
	return s, nil
}

// Save starts a session (one without an ID) and sets its cookie, or ends it
// (MaxAge below zero) and takes the cookie away. A session that is there already
// isn't written: nothing of it changes but the time of its last use.
func (st *sessionStore) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	record, _ := s.Values[sessionKey{}].(*Session)
	if s.Options.MaxAge < 0 || record == nil {
		http.SetCookie(w, sessions.NewCookie(s.Name(), "", &sessions.Options{Path: "/", MaxAge: -1, Secure: st.a.secure,
			HttpOnly: true, SameSite: http.SameSiteLaxMode}))
		if record == nil || record.idHash == nil {
			return nil
		}
		reason, _ := s.Values[reasonKey{}].(string)
		kind := store.EventSessionEnded
		if reason == "" {
			kind = store.EventLogout
		}
		return st.a.store.EndSessionByHash(r.Context(), record.idHash, kind, reason)
	}
	if s.ID != "" {
		return nil
	}
	id := random()
	kind, _ := s.Values[kindKey{}].(store.EventKind)
	replaces, _ := s.Values[replacesKey{}].([]byte)
	if err := st.a.write(r, id, record, replaces, kind); err != nil {
		return err
	}
	s.ID, s.IsNew = encode(id[:]), false
	http.SetCookie(w, sessions.NewCookie(s.Name(), s.ID, s.Options))
	return nil
}

// Values that tell Save what a change is.
type (
	reasonKey   struct{} // why a session ends; absent: logout
	kindKey     struct{} // the event of a start
	replacesKey struct{} // hash of the session that ends by it
)

// options are the cookie's. No Max-Age: it ends with the browser, and the
// database knows better when the session does.
func (st *sessionStore) options() *sessions.Options {
	return &sessions.Options{Path: "/", Secure: st.a.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

func (a *Auth) gorilla(r *http.Request) (*sessions.Session, error) {
	return a.sessions.Get(r, a.cookieName(cookieSession))
}

// lookUp reads a session by its id, if neither limit is over.
func (a *Auth) lookUp(ctx context.Context, id [32]byte) (*Session, error) {
	sum := sha256.Sum256(id[:])
	row, err := a.store.Session(ctx, sum[:])
	if err != nil {
		return nil, err
	}
	now := a.now()
	if !a.alive(row, now) {
		return nil, &privacy.Error{Kind: privacy.NotFound, Key: "error.logged-out", Reason: "session-over"}
	}
	if now.Sub(row.SeenAt) >= touchEvery {
		if err := a.store.TouchSession(ctx, sum[:]); err != nil {
			return nil, err
		}
	}
	return &Session{Person: row.Person, Login: row.Login, Provider: row.Provider, PublicID: row.PublicID, Class: row.Class,
		Assurance: row.Assurance, AuthAt: row.AuthAt, GivenName: row.GivenName, FamilyName: row.FamilyName,
		CreatedAt: row.CreatedAt, ExpiresAt: row.ExpiresAt, Embedded: row.Class == store.ClassApp, idHash: sum[:]}, nil
}

// alive tells whether a session's limits, by the configuration of today, are not over.
func (a *Auth) alive(s *store.Session, now time.Time) bool {
	l := a.limits.of(s.Class)
	return now.Before(s.ExpiresAt) && now.Before(s.CreatedAt.Add(l.Absolute)) && now.Sub(s.SeenAt) < l.Idle
}

// write stores a new session under an id that nobody has seen yet.
func (a *Auth) write(r *http.Request, id [32]byte, s *Session, replaces []byte, kind store.EventKind) error {
	now, sum := a.now(), sha256.Sum256(id[:])
	row := &store.Session{Person: s.Person, Login: s.Login, Provider: s.Provider, Class: s.Class, Assurance: s.Assurance, AuthAt: s.AuthAt,
		GivenName: s.GivenName, FamilyName: s.FamilyName, UserAgent: browserName(r.UserAgent()), CreatedAt: now,
		ExpiresAt: now.Add(a.limits.of(s.Class).Absolute)}
	if err := a.store.StartSession(r.Context(), sum[:], row, replaces, kind); err != nil {
		return err
	}
	s.PublicID, s.CreatedAt, s.ExpiresAt, s.idHash, s.Embedded = row.PublicID, row.CreatedAt, row.ExpiresAt, sum[:], s.Class == store.ClassApp
	return nil
}

// begin makes s the session of this browser, with an id of its own; the one that
// the browser had ends in the same transaction. (checklist 28)
func (a *Auth) begin(w http.ResponseWriter, r *http.Request, s *Session, kind store.EventKind) error {
	g, err := a.gorilla(r)
	if err != nil {
		return err
	}
	if old, _ := g.Values[sessionKey{}].(*Session); old != nil {
		g.Values[replacesKey{}] = old.idHash
	}
	delete(g.Values, brokenKey{})
	g.ID, g.Values[sessionKey{}], g.Values[kindKey{}] = "", s, kind
	return g.Save(r, w)
}

// Session is who is calling; nil and no error for nobody. A cookie that names no
// session is taken away. An error means that the database could not be asked.
// One query; the first call of a request does it.
func (a *Auth) Session(w http.ResponseWriter, r *http.Request) (*Session, error) {
	g, err := a.gorilla(r)
	if err != nil {
		return nil, err
	}
	if g.Values[brokenKey{}] != nil {
		delete(g.Values, brokenKey{})
		a.setCookie(w, cookieSession, "", -1)
	}
	s, _ := g.Values[sessionKey{}].(*Session)
	return s, nil
}

// drop ends the session that the browser has, if any, for a reason other than
// logging out.
func (a *Auth) drop(w http.ResponseWriter, r *http.Request, reason string) error {
	g, err := a.gorilla(r)
	if err != nil {
		return err
	}
	if g.Values[sessionKey{}] == nil {
		return nil
	}
	g.Values[reasonKey{}] = reason
	return a.finishSession(w, r, g)
}

// End logs out: the record is gone, and the cookie's value opens nothing any
// more, wherever it was copied to. The browser is told to forget what it keeps.
// (checklist 31, 44)
func (a *Auth) End(w http.ResponseWriter, r *http.Request) error {
	g, err := a.gorilla(r)
	if err != nil {
		return err
	}
	if err := a.finishSession(w, r, g); err != nil {
		return err
	}
	w.Header().Set("Clear-Site-Data", `"cookies", "storage"`)
	return nil
}

func (a *Auth) finishSession(w http.ResponseWriter, r *http.Request, g *sessions.Session) error {
	g.Options.MaxAge = -1
	if err := g.Save(r, w); err != nil {
		return err
	}
	clear(g.Values)
	g.ID, g.IsNew, g.Options = "", true, a.sessions.options()
	return nil
}

// Require tells whether a session may do what needs a level and a freshness
// (zero: none): Unauthenticated for nobody, StepUp with the level that is needed.
func (a *Auth) Require(s *Session, need privacy.Assurance, fresh time.Duration) error {
	switch {
	case s == nil:
		return &privacy.Error{Kind: privacy.Unauthenticated, Key: "error.logged-out", Reason: "no-session"}
	case s.Assurance < need:
		return &privacy.Error{Kind: privacy.StepUp, Key: "error.step-up", Reason: "assurance", Needs: need}
	case fresh > 0 && a.now().Sub(s.AuthAt) > fresh:
		return &privacy.Error{Kind: privacy.StepUp, Key: "error.step-up", Reason: "stale-login", Needs: max(need, s.Assurance)}
	}
	return nil
}

// Token is the token of a session's forms. It differs from page to page, so that
// its bytes can't be guessed from the length of compressed pages, and is good as
// long as the session. (checklist 41)
func (a *Auth) Token(s *Session) string {
	if s == nil || s.idHash == nil {
		return ""
	}
	mask, want := random(), mac(a.formKey, "form", string(s.idHash))
	out := append(mask[:], want...)
	subtle.XORBytes(out[len(mask):], want, mask[:])
	return encode(out)
}

// CheckToken tells whether a form's token is this session's.
func (a *Auth) CheckToken(s *Session, token string) bool {
	b, ok := decodeAny(token)
	if s == nil || s.idHash == nil || !ok || len(b) != 64 {
		return false
	}
	subtle.XORBytes(b[32:], b[32:], b[:32])
	return subtle.ConstantTimeCompare(b[32:], mac(a.formKey, "form", string(s.idHash))) == 1
}

// SessionInfo is a session on the page of logins and devices.
type SessionInfo struct {
	PublicID  string
	Provider  string // id
	Class     store.SessionClass
	Assurance privacy.Assurance
	Browser   string // "Firefox, Windows"; empty if it can't be told
	CreatedAt time.Time
	SeenAt    time.Time
	Current   bool
}

// Sessions lists the caller's sessions that are alive, the last used first.
func (a *Auth) Sessions(ctx context.Context, s *Session) ([]SessionInfo, error) {
	rows, err := a.store.Sessions(ctx, s.Person)
	if err != nil {
		return nil, err
	}
	var out []SessionInfo
	for _, r := range rows {
		if a.alive(r, a.now()) {
			out = append(out, SessionInfo{PublicID: r.PublicID, Provider: r.Provider, Class: r.Class, Assurance: r.Assurance,
				Browser: r.UserAgent, CreatedAt: r.CreatedAt, SeenAt: r.SeenAt, Current: r.PublicID == s.PublicID})
		}
	}
	return out, nil
}

// EndSession ends one of the caller's sessions; NotFound if it isn't theirs.
func (a *Auth) EndSession(ctx context.Context, s *Session, publicID string) error {
	return a.store.EndSession(ctx, s.Person, publicID, "by-person")
}

// EndOtherSessions ends all of the caller's sessions but this one.
func (a *Auth) EndOtherSessions(ctx context.Context, s *Session) (int64, error) {
	if s.PublicID == "" {
		return 0, errors.New("auth: a session without a name")
	}
	return a.store.EndSessions(ctx, s.Person, s.PublicID, "by-person")
}
