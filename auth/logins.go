package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// transactionLife is how long a login may take, and how long the browser's
// cookie lives after the last page with a login link. (checklist 3)
const transactionLife = 10 * time.Minute

// LinkParam is the query parameter in which a login link carries its token.
const LinkParam = "t"

// LinkToken is the token that links to /login/{provider} on this page must
// carry: it proves that the login was begun on a page of ours in this browser, so
// that no other site can start one. Sets the cookie that it is bound to.
// (checklist 39)
func (a *Auth) LinkToken(w http.ResponseWriter, r *http.Request) string {
	browser := a.cookie(r, cookieBrowser)
	if _, ok := decode(browser); !ok {
		browser = randomText()
	}
	a.setCookie(w, cookieBrowser, browser, transactionLife)
	return encode(mac(a.linkKey, browser))
}

// Want is what a login is for.
type Want struct {
	Need     privacy.Assurance // the least level that will do; none if the page doesn't ask
	Fresh    bool              // the person must prove themself anew
	ReturnTo string            // a path of ours; the overview if it is anything else
	Language string
	Session  *Session // set: a step-up of this session, by the same person or not at all
}

// Begin sends the browser to a provider. r is the GET of a login link with its
// token as LinkParam. Faults: link (not from a page of ours), provider, level
// (the provider can't reach it), unavailable, embedded (a webview).
func (a *Auth) Begin(w http.ResponseWriter, r *http.Request, providerID string, want Want) error {
	p, err := a.provider(providerID)
	if err != nil {
		return err
	}
	browser, err := a.fromOwnPage(r)
	if err != nil {
		return a.failed(r.Context(), providerID, "", err)
	}
	if want.Session != nil && want.Session.Embedded {
		// BankID and Vipps forbid webviews: the app logs in and hands over anew.
		return &privacy.Error{Kind: privacy.Forbidden, Key: "login.fault.embedded", Reason: "embedded"}
	}
	acr, ok := p.cfg.acrValues(want.Need)
	if !ok {
		return &privacy.Error{Kind: privacy.Invalid, Key: "login.fault.level", Reason: "level-out-of-reach"}
	}
	m, err := p.ready(r.Context())
	if err != nil {
		return a.failed(r.Context(), providerID, "", err)
	}
	if !OwnPath(want.ReturnTo) {
		want.ReturnTo = "/overview"
	}
	now, state := a.now(), randomText()
	t := store.Transaction{StateHash: hash(state), BrowserHash: hash(browser), Kind: store.TransactionLogin, Provider: providerID,
		Nonce: randomText(), Verifier: oauth2.GenerateVerifier(), Need: want.Need, Fresh: want.Fresh, ReturnTo: want.ReturnTo,
		CreatedAt: now, ExpiresAt: now.Add(transactionLife)}
	if want.Session != nil {
		t.Person, t.Session = want.Session.Person, want.Session.PublicID
	}
	if err := a.store.PutTransaction(r.Context(), t); err != nil {
		return err
	}
	// S256 always (checklist 2); an id_token_hint never, since BankID then logs in without asking.
	params := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(t.Verifier), oidc.Nonce(t.Nonce)}
	add := func(name, value string) {
		if value != "" {
			params = append(params, oauth2.SetAuthURLParam(name, value))
		}
	}
	for name, value := range p.cfg.Params {
		add(name, value)
	}
	if want.Fresh {
		for name, value := range p.cfg.FreshParams {
			add(name, value)
		}
	}
	add("acr_values", acr)
	add("ui_locales", p.cfg.Locales[want.Language])
	a.setCookie(w, cookieBrowser, browser, transactionLife)
	private(w)
	http.Redirect(w, r, m.oauth.AuthCodeURL(state, params...), http.StatusSeeOther)
	return nil
}

// private sets the headers of answers that carry a code or lead to a provider.
// (checklist 10)
func private(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
}

// fromOwnPage tells whether a login is begun from a page of ours, and in which
// browser. A page that lay open until its cookie was gone still works where the
// browser itself says that the link is ours.
func (a *Auth) fromOwnPage(r *http.Request) (browser string, err error) {
	foreign := &privacy.Error{Kind: privacy.Forbidden, Key: "login.fault.link", Reason: "foreign-link"}
	site := r.Header.Get("Sec-Fetch-Site")
	if r.Method != http.MethodGet || site == "cross-site" || site == "same-site" {
		return "", foreign
	}
	browser = a.cookie(r, cookieBrowser)
	if _, ok := decode(browser); !ok {
		if site == "same-origin" {
			return randomText(), nil
		}
		return "", &privacy.Error{Kind: privacy.Forbidden, Key: "login.fault.link", Reason: "old-link"}
	}
	if !equal(r.URL.Query().Get(LinkParam), encode(mac(a.linkKey, browser))) {
		if site == "same-origin" {
			return browser, nil
		}
		return "", foreign
	}
	return browser, nil
}

// equal compares in constant time; nothing equals an empty text.
func equal(given, want string) bool {
	return given != "" && want != "" && subtle.ConstantTimeCompare([]byte(given), []byte(want)) == 1
}

func decodeAny(s string) ([]byte, bool) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	return b, err == nil && len(b) > 0
}

// Outcome is what came of a login.
type Outcome struct {
	Session   *Session // nil if NeedsAge
	ReturnTo  string
	NeedsAge  bool // nothing is stored yet: send the browser to the page of DeclareAge
	NewPerson bool
	NewLogin  bool             // a further login of a person known before; tell them (checklist 56)
	SteppedUp bool             // the same person proved themself again
	TooLow    bool             // logged in, but weaker than the page asks for
	Match     store.LinkResult // what became of the customer record
}

// Finish takes a provider's answer. On success the session's cookie is set and
// the caller redirects to Outcome.ReturnTo, or to the page of the age declaration
// if NeedsAge. On a fault there is no new session; an old one stays, unless a
// step-up came back with somebody else. The transaction is spent in either case.
func (a *Auth) Finish(w http.ResponseWriter, r *http.Request, providerID string) (*Outcome, error) {
	private(w)
	out, person, err := a.finish(w, r, providerID)
	if err != nil {
		return nil, a.failed(r.Context(), providerID, person, err)
	}
	return out, nil
}

// failed records a fault (checklist 54) and passes it on.
func (a *Auth) failed(ctx context.Context, providerID string, person privacy.PersonRef, fault error) error {
	var e *privacy.Error
	if !errors.As(fault, &e) || errors.Is(fault, context.Canceled) {
		return fault
	}
	a.log.Info("login failed", "provider", providerID, "reason", e.Reason)
	if e.Reason == "database-away" || e.Reason == "too-young" { // can't be recorded; is recorded already
		return fault
	}
	event := store.Event{Kind: store.EventLoginFailed, Reason: e.Reason, Provider: providerID, Person: person}
	if err := a.store.Note(context.WithoutCancel(ctx), event); err != nil {
		a.log.Error("event not recorded", "kind", string(event.Kind), "reason", event.Reason)
	}
	return fault
}

func (a *Auth) finish(w http.ResponseWriter, r *http.Request, providerID string) (*Outcome, privacy.PersonRef, error) {
	p, err := a.provider(providerID)
	if err != nil {
		return nil, "", err
	}
	q, err := readAnswer(r.URL)
	if err != nil {
		return nil, "", err
	}
	t, err := a.take(r, p, q)
	if err != nil {
		return nil, "", err
	}
	m, err := p.ready(r.Context())
	if err != nil {
		return nil, t.Person, err
	}
	if q.iss != "" && !equal(q.iss, p.cfg.Issuer) || q.iss == "" && m.issParam {
		return nil, t.Person, badAnswer("iss-param") // (checklist 6)
	}
	if q.fault != "" {
		return nil, t.Person, refusal(q.fault)
	}
	if q.code == "" {
		return nil, t.Person, badAnswer("code-missing")
	}
	proved, err := a.exchange(r.Context(), p, m, t, q.code)
	if err != nil {
		return nil, t.Person, err
	}
	out, err := a.complete(w, r, t, proved)
	return out, t.Person, err
}

// answer is what the browser carried back.
type answer struct{ state, code, iss, fault string }

func badAnswer(reason string) error {
	return &privacy.Error{Kind: privacy.Invalid, Key: "login.fault.response", Reason: reason}
}

// readAnswer reads the callback's parameters; each at most once, none too long.
func readAnswer(u *url.URL) (a answer, err error) {
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return a, badAnswer("query")
	}
	for name, field := range map[string]*string{"state": &a.state, "code": &a.code, "iss": &a.iss, "error": &a.fault} {
		v := q[name]
		if len(v) > 1 || len(v) == 1 && len(v[0]) > 4096 {
			return a, badAnswer("parameter-" + name)
		}
		if len(v) == 1 {
			*field = v[0]
		}
	}
	return a, nil
}

// take spends the transaction that the answer belongs to. Also an error that a
// provider sends needs a valid state. State and cookie are looked up by their
// hashes, so that how long it takes tells nothing of them. (checklist 3-6)
func (a *Auth) take(r *http.Request, p *provider, q answer) (*store.Transaction, error) {
	bad := func(reason string) error {
		return &privacy.Error{Kind: privacy.Invalid, Key: "login.fault.state", Reason: reason}
	}
	browser := a.cookie(r, cookieBrowser)
	if _, ok := decode(browser); !ok {
		return nil, bad("no-cookie")
	}
	if q.state == "" {
		return nil, bad("state-missing") // two empty texts are equal: nothing is compared with nothing
	}
	t, err := a.store.TakeTransaction(r.Context(), hash(q.state), hash(browser))
	var e *privacy.Error
	switch {
	case errors.As(err, &e) && e.Kind == privacy.NotFound:
		return nil, bad(e.Reason)
	case err != nil:
		return nil, err
	case t.Kind != store.TransactionLogin || t.Provider != p.cfg.ID:
		return nil, bad("state-of-other-provider")
	case !t.ExpiresAt.After(a.now()):
		return nil, bad("state-expired")
	}
	return t, nil
}

// providerErrors are the error codes of RFC 6749 and OpenID Connect that may
// stand in our log; anything else is "other". (checklist 5)
var providerErrors = map[string]bool{"invalid_request": true, "unauthorized_client": true, "unsupported_response_type": true,
	"invalid_scope": true, "server_error": true, "temporarily_unavailable": true, "interaction_required": true,
	"login_required": true, "account_selection_required": true, "consent_required": true, "unmet_authentication_requirements": true}

// refusal turns a provider's error into a fault.
func refusal(code string) error {
	switch code {
	case "access_denied":
		return &privacy.Error{Kind: privacy.Invalid, Key: "login.fault.cancelled", Reason: "cancelled"}
	case "server_error", "temporarily_unavailable":
		return &privacy.Error{Kind: privacy.Unavailable, Key: "login.fault.unavailable", Reason: "provider-" + code}
	}
	if !providerErrors[code] {
		code = "other"
	}
	return &privacy.Error{Kind: privacy.Invalid, Key: "login.fault.refused", Reason: "provider-" + code}
}

// exchange turns the code into a proof. The tokens end here. (checklist 25)
func (a *Auth) exchange(ctx context.Context, p *provider, m *metadata, t *store.Transaction, code string) (*proof, error) {
	options := []oauth2.AuthCodeOption{oauth2.VerifierOption(t.Verifier)}
	if p.assertion != nil {
		jwt, err := p.assertion.make(p.now())
		if err != nil {
			return nil, err
		}
		options = append(options, oauth2.SetAuthURLParam("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
			oauth2.SetAuthURLParam("client_assertion", jwt))
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := m.oauth.Exchange(ctx, code, options...)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var refused *oauth2.RetrieveError
		if errors.As(err, &refused) && refused.Response != nil && refused.Response.StatusCode < 500 && refused.Response.StatusCode >= 400 {
			e := badAnswer("code-refused")
			if refused.Response.StatusCode == http.StatusUnauthorized || refused.ErrorCode == "invalid_client" {
				a.log.Error("the login provider doesn't accept the portal's credentials", "provider", p.cfg.ID)
				e = p.away("client-refused", err)
			}
			return nil, e
		}
		p.learnt(true)
		return nil, p.away("token-endpoint", err)
	}
	id, c, err := p.verify(ctx, m, token, t.Nonce)
	if err != nil {
		return nil, err
	}
	if p.cfg.UserInfo {
		if err := p.merge(ctx, m, token, id, c); err != nil {
			return nil, err
		}
	}
	p.learnt(false)
	return p.read(id, c, a.ninKey)
}

// complete decides what a proof means: stopped, asked, stepped up or logged in.
// Nothing is stored before the age is known to do. law: personopplysningsloven § 5
func (a *Auth) complete(w http.ResponseWriter, r *http.Request, t *store.Transaction, p *proof) (*Outcome, error) {
	ctx := r.Context()
	known, err := a.store.FindPerson(ctx, p.Identity)
	if err != nil {
		return nil, err
	}
	if a.tooYoung(p.Born) {
		return nil, a.stopChild(ctx, p, known)
	}
	if t.Person != "" {
		if known != t.Person {
			return nil, a.otherPerson(w, r, t)
		}
		if err := a.enough(t, p); err != nil {
			return nil, err
		}
	}
	match, err := a.find(ctx, p.keys())
	if err != nil {
		return nil, err
	}
	if !p.Born.known() && len(match.Found) == 1 && a.tooYoung(birthOf(match.Found[0].BirthDate)) {
		return nil, a.stopChild(ctx, p, known)
	}
	if known == "" && !p.Born.known() {
		if err := a.askAge(w, r, t, p); err != nil {
			return nil, err
		}
		return &Outcome{NeedsAge: true, ReturnTo: t.ReturnTo}, nil
	}
	return a.enter(w, r, t, p, match, time.Time{})
}

// otherPerson ends the session whose step-up somebody else answered, or a login
// that nobody has connected to the person: a session in a stranger's hands must
// not become the stranger's. (checklist 22)
func (a *Auth) otherPerson(w http.ResponseWriter, r *http.Request, t *store.Transaction) error {
	if err := a.store.EndSession(r.Context(), t.Person, t.Session, "other-person"); err != nil && privacy.KindOf(err) != privacy.NotFound {
		return err
	}
	if err := a.drop(w, r, "other-person"); err != nil {
		return err
	}
	return &privacy.Error{Kind: privacy.Forbidden, Key: "login.fault.other-person", Reason: "other-person"}
}

// enough tells whether a step-up reached what it was for.
func (a *Auth) enough(t *store.Transaction, p *proof) error {
	if p.Identity.Assurance < t.Need {
		return &privacy.Error{Kind: privacy.StepUp, Key: "login.fault.too-low", Reason: "too-low", Needs: t.Need}
	}
	if t.Fresh && p.At.Before(t.CreatedAt.Add(-skew)) {
		return &privacy.Error{Kind: privacy.StepUp, Key: "login.fault.not-fresh", Reason: "not-fresh", Needs: t.Need}
	}
	return nil
}

// enter stores the login and makes the session, with a new id; the one that the
// browser had ends. (checklist 28)
func (a *Auth) enter(w http.ResponseWriter, r *http.Request, t *store.Transaction, p *proof, m store.Match, declared time.Time) (*Outcome, error) {
	in, err := a.store.LogIn(r.Context(), p.Identity, m, declared)
	if err != nil {
		return nil, err
	}
	if t.Person != "" && in.Person != t.Person { // the login was removed in this very moment
		return nil, a.otherPerson(w, r, t)
	}
	s := &Session{Person: in.Person, Login: in.Login, Provider: p.Identity.Provider, Class: store.ClassCustomer,
		Assurance: p.Identity.Assurance, AuthAt: p.At, GivenName: p.GivenName, FamilyName: p.FamilyName}
	if s.AuthAt.After(a.now()) {
		s.AuthAt = a.now() // the provider's clock is ahead, within bounds
	}
	kind := store.EventLogin
	if t.Person != "" {
		kind = store.EventStepUp
	}
	if err := a.begin(w, r, s, kind); err != nil {
		return nil, err
	}
	a.log.Info("logged in", "provider", p.Identity.Provider, "person", string(in.Person), "assurance", s.Assurance.String(), "match", string(in.Match))
	return &Outcome{Session: s, ReturnTo: t.ReturnTo, NewPerson: in.NewPerson, NewLogin: in.NewLogin, SteppedUp: t.Person != "",
		TooLow: s.Assurance < t.Need, Match: in.Match}, nil
}

// stopChild stops a child. If the company's own database knows the identity
// number, or the portal the login, a case is opened that erases what is there.
// If the database can't be asked the case would be lost, so the fault is that.
func (a *Auth) stopChild(ctx context.Context, p *proof, known privacy.PersonRef) error {
	var found []store.Customer
	if p.Identity.NINHash != nil {
		var err error
		if found, _, err = a.store.FindCustomers(ctx, store.CustomerKeys{NINHash: p.Identity.NINHash}); err != nil {
			return err
		}
	}
	if err := a.store.StopChild(ctx, found, known, p.Identity.Provider); err != nil {
		return err
	}
	return childError()
}

// Logins lists the ways in which the caller logs in.
func (a *Auth) Logins(ctx context.Context, s *Session) ([]store.Login, error) {
	return a.store.Logins(ctx, s.Person)
}

// EndLogin removes one of the caller's logins and the sessions that rest on it,
// the caller's own perhaps among them. The last one stays: Conflict (last-login).
// Somebody who comes back with a removed login is a new person, unless the
// provider proves by identity number that they are this one.
func (a *Auth) EndLogin(ctx context.Context, s *Session, login string) error {
	return a.store.EndLogin(ctx, s.Person, login)
}

// ProviderName is a provider's name for people, its id if it isn't configured
// any more.
func (a *Auth) ProviderName(id string) string {
	if p := a.providers[id]; p != nil {
		return p.cfg.Name
	}
	return strings.ToUpper(id[:min(1, len(id))]) + id[min(1, len(id)):]
}
