package idp

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"elekt.no/innsyn/dev/demo"
)

// choicePage is the page "choose a test person".
type choicePage struct {
	Provider string // title
	Login    string // id
	Client   string
	Scopes   string
	ACR      string
	Active   []fault // of this login already
	People   []demo.Person
	Groups   []faultGroup
}

// choicePath is where the browser chooses who it is.
func (p *provider) choicePath(login string) string {
	return "/choose/" + p.name + "?login=" + url.QueryEscape(login)
}

// showChoice shows everybody who has this login.
func (s *Server) showChoice(w http.ResponseWriter, r *http.Request) {
	p := s.providers[r.PathValue("provider")]
	if p == nil {
		http.NotFound(w, r)
		return
	}
	l, err := p.find(r.URL.Query().Get("login"))
	if err != nil {
		s.page(w, http.StatusGone, "gone", p.title)
		return
	}
	data := choicePage{
		Provider: p.title, Login: l.id, Client: l.ClientID, Scopes: strings.Join(l.Scopes, " "),
		ACR: strings.Join(l.ACRValues, " "), Groups: faultGroups,
		People: slices.DeleteFunc(slices.Clone(s.people), func(q demo.Person) bool { return !q.Has(p.name) }),
	}
	for _, g := range faultGroups {
		for _, f := range g.Faults {
			if l.fault(f.Name) {
				data.Active = append(data.Active, f)
			}
		}
	}
	to, err := url.Parse(l.RedirectURI)
	if err != nil {
		http.Error(w, "The redirect address can't be read.", http.StatusBadRequest)
		return
	}
	s.page(w, http.StatusOK, "choice", data, to)
}

// choose takes the one press that logs in or cancels, and sends the browser back.
func (s *Server) choose(w http.ResponseWriter, r *http.Request) {
	p := s.providers[r.PathValue("provider")]
	if p == nil {
		http.NotFound(w, r)
		return
	}
	id, extra := r.PostFormValue("login"), r.PostFormValue("fault")
	if extra != "" && !slices.Contains(Faults(), extra) {
		http.Error(w, "There is no such fault.", http.StatusBadRequest)
		return
	}
	var l *login
	var err error
	if r.PostForm.Has("cancel") {
		l, err = p.drop(id)
	} else {
		person, known := s.person(r.PostFormValue("person"))
		if !known || !person.Has(p.name) {
			http.Error(w, "There is no such person with this login.", http.StatusBadRequest)
			return
		}
		l, err = p.choose(id, person, extra)
	}
	if err != nil {
		s.page(w, http.StatusGone, "gone", p.title)
		return
	}
	s.log.Info("login", "provider", p.name, "done", l.done)
	p.answer(w, r, l.AuthRequest, l.outcome())
}

// outcome is what the browser carries back to the client, right or wrong.
func (l *login) outcome() url.Values {
	state := l.State
	if l.fault(FaultWrongState) {
		state = random()
	}
	switch {
	case !l.done, l.fault(FaultCancelled):
		return url.Values{"error": {"access_denied"}, "error_description": {"The user cancelled."}, "state": {state}}
	case l.fault(FaultHostileError):
		return url.Values{"error": {"server_error" + hostileText}, "error_description": {hostileText},
			"error_uri": {"javascript:alert(1)"}, "state": {state}}
	}
	out := url.Values{"code": {l.code}, "state": {state}}
	if l.fault(FaultWrongIssuerArg) {
		out.Set("iss", "https://stranger.example.com")
	}
	return out
}
