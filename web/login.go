package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"elekt.no/innsyn/auth"
	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/views"
)

// front is GET /: what this is, and the logins.
func (s *Server) front(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	next := r.URL.Query().Get("next")
	if session(ctx) != nil {
		http.Redirect(w, r, ownPath(next), http.StatusSeeOther)
		return nil
	}
	page := views.Front{Shell: s.shell(r, "front.title", views.PlaceNone), Logins: s.loginLinks(w, r, next, privacy.AssuranceNone, false)}
	switch {
	case r.URL.Query().Get("out") != "":
		page.Notice = &views.Notice{Tone: views.ToneGood, Title: i18n.T(ctx, "front.logged-out"), Text: i18n.T(ctx, "front.logged-out-text")}
	case next != "":
		page.Notice = &views.Notice{Title: i18n.T(ctx, "front.login-first"), Text: i18n.T(ctx, "front.login-first-text")}
	}
	return s.render(w, r, http.StatusOK, views.FrontPage(page))
}

// loginLinks are the ways to log in that reach a level, each with what it needs
// to begin (checklist 39) and where it leads afterwards.
func (s *Server) loginLinks(w http.ResponseWriter, r *http.Request, next string, need privacy.Assurance, fresh bool) []views.Login {
	token := s.auth.LinkToken(w, r)
	var out []views.Login
	for _, p := range s.auth.Providers(r.Context()) {
		if p.Level < need {
			continue
		}
		pairs := []string{auth.LinkParam, token}
		if next != "" {
			pairs = append(pairs, "next", ownPath(next))
		}
		if need > privacy.AssuranceNone {
			pairs = append(pairs, "need", need.String())
		}
		if fresh {
			pairs = append(pairs, "fresh", "1")
		}
		out = append(out, views.Login{Name: p.Name, URL: query("/login/"+p.ID, pairs...), Unavailable: !p.Available})
	}
	return out
}

// beginLogin is GET /login/{provider}: off to the provider. A GET, since a
// redirect after a form post would meet form-action in the browser.
func (s *Server) beginLogin(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	want := auth.Want{ReturnTo: ownPath(q.Get("next")), Language: i18n.Lang(r.Context()), Session: session(r.Context()), Fresh: q.Get("fresh") != ""}
	if need, err := privacy.ParseAssurance(q.Get("need")); err == nil {
		want.Need = need
	}
	if want.Session != nil && want.Need == privacy.AssuranceNone && !want.Fresh {
		want.Session = nil // another login in a browser that is logged in: it takes the other's place
	}
	id := r.PathValue("provider")
	if err := s.auth.Begin(w, r, id, want); err != nil {
		return s.loginFault(w, r, id, want.ReturnTo, err)
	}
	return nil
}

// finishLogin is the provider's answer.
func (s *Server) finishLogin(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("provider")
	out, err := s.auth.Finish(w, r, id)
	if err != nil {
		return s.loginFault(w, r, id, "", err)
	}
	return s.afterLogin(w, r, out)
}

func (s *Server) afterLogin(w http.ResponseWriter, r *http.Request, out *auth.Outcome) error {
	to := ownPath(out.ReturnTo)
	switch {
	case out.NeedsAge:
		to = "/age"
	case out.TooLow:
		return s.loginFault(w, r, "", out.ReturnTo, &privacy.Error{Kind: privacy.Forbidden, Key: "login.fault.too-low", Reason: "too-low"})
	case out.NewLogin:
		to = "/logins?new=1" // checklist 56: a login that is new to a person known before
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// faultKinds are the pages of login faults, by the key of the fault.
var faultKinds = map[string]views.FaultKind{
	"cancelled": views.FaultCancelled, "unavailable": views.FaultDown, "state": views.FaultExpired, "age-expired": views.FaultExpired,
	"link": views.FaultExpired, "token": views.FaultAnswer, "response": views.FaultAnswer, "refused": views.FaultAnswer,
	"too-low": views.FaultTooLow, "not-fresh": views.FaultTooLow, "level": views.FaultTooLow, "other-person": views.FaultOther,
}

// loginFault shows what became of a login that came to nothing, with a way on.
// Nothing that the provider wrote is shown. (checklist 5)
func (s *Server) loginFault(w http.ResponseWriter, r *http.Request, provider, next string, err error) error {
	var known *privacy.Error
	if !errors.As(err, &known) {
		return err
	}
	key, ours := strings.CutPrefix(known.Key, "login.fault.")
	if !ours {
		return err
	}
	ctx := r.Context()
	status := statuses[known.Kind]
	if key == "child" {
		page := views.Under13{Shell: s.shell(r, "login-fault.child", views.PlaceNone), Age: s.catalogue.Ages.Least}
		return s.render(w, r, status, views.Under13Page(page))
	}
	kind, ok := faultKinds[key]
	if !ok {
		return err
	}
	page := views.LoginFault{Shell: s.shell(r, "login-fault.title", views.PlaceNone), Kind: kind, Provider: s.auth.ProviderName(provider),
		Code: known.Reason}
	for _, l := range s.loginLinks(w, r, next, privacy.AssuranceNone, false) {
		if strings.HasPrefix(l.URL, "/login/"+provider+"?") {
			page.Retry = l.URL
		} else {
			page.Others = append(page.Others, l)
		}
	}
	for _, p := range s.auth.Providers(ctx) {
		if p.ID == provider && !p.CheckedAt.IsZero() {
			page.Checked = i18n.Clock(ctx, p.CheckedAt)
		}
	}
	return s.render(w, r, status, views.LoginFaultPage(page))
}

// logout is POST /logout.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) error {
	if err := s.auth.End(w, r); err != nil {
		return err
	}
	return s.seeOther(w, r, "/?out=1")
}

// stepUp is GET /step-up: asks for a surer or fresher login, and says why.
func (s *Server) stepUp(w http.ResponseWriter, r *http.Request) error {
	me, q := session(r.Context()), r.URL.Query()
	need, err := privacy.ParseAssurance(q.Get("need"))
	if err != nil {
		need = me.Assurance
	}
	next := ownPath(q.Get("next"))
	back := next
	if q.Get("typed") != "" {
		back = "/overview"
	}
	page := views.StepUp{
		Shell: s.shell(r, "step-up.title", views.PlaceNone), Level: need, Fresh: me.Assurance >= need,
		Logins: s.loginLinks(w, r, next, need, true), Kept: q.Get("typed") != "", Back: back,
	}
	if me.Embedded {
		page.Logins, page.InApp = nil, query("/app/step-up", "need", need.String(), "next", next)
	}
	return s.render(w, r, http.StatusOK, views.StepUpPage(page))
}

// resume is GET /resume/{form}: after a step-up, what was typed stands ready to
// be sent by one press.
func (s *Server) resume(w http.ResponseWriter, r *http.Request) error {
	me := session(r.Context())
	path, fields, err := s.auth.Unpark(r.Context(), me.Person, r.PathValue("form"))
	if err != nil {
		return err
	}
	page := views.Resume{Shell: s.shell(r, "resume.title", views.PlaceNone), Action: path, CSRF: s.auth.Token(me), Cancel: "/overview"}
	for _, name := range sortedFields(fields) {
		for _, v := range fields[name] {
			page.Fields = append(page.Fields, views.Hidden{Name: name, Value: v})
		}
	}
	if number := fields.Get("number"); number != "" {
		page.Facts = append(page.Facts, views.Fact{Label: i18n.T(r.Context(), "resume.number"), Value: number})
	}
	return s.render(w, r, http.StatusOK, views.ResumePage(page))
}

// sortedFields are the names of what was typed; the old token stays behind.
func sortedFields(v url.Values) []string {
	var out []string
	for name := range v {
		if name != "csrf" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// age is GET /age: the declaration of somebody whose provider gave no birth date.
func (s *Server) age(w http.ResponseWriter, r *http.Request) error {
	p, err := s.auth.PendingAge(r)
	if err != nil {
		return s.loginFault(w, r, "", "", err)
	}
	page := views.Age{Shell: s.shell(r, "age.title", views.PlaceNone), Age: p.Least, CSRF: p.Token}
	return s.render(w, r, http.StatusOK, views.AgePage(page))
}

// declareAge is POST /age.
func (s *Server) declareAge(w http.ResponseWriter, r *http.Request) error {
	answer := r.PostForm.Get("of_age")
	if answer != "yes" && answer != "no" {
		return &privacy.Error{Kind: privacy.Invalid, Key: "error.form", Reason: "no-answer"}
	}
	out, err := s.auth.DeclareAge(w, r, r.PostForm.Get("csrf"), answer == "yes")
	if err != nil {
		return s.loginFault(w, r, "", "", err)
	}
	return s.afterLogin(w, r, out)
}
