package idp

import (
	"encoding/json"
	"net/http"
)

// routes mounts the providers under their issuers, and the pages. Forms from
// other sites are refused on the pages; the providers take none.
func (s *Server) routes() {
	for _, p := range s.providers {
		if p.name == Company {
			s.mux.Handle(p.path()+"/", s.company)
			continue
		}
		s.mux.Handle(p.path()+"/", p)
		s.mux.Handle(p.userinfoPath, p)
	}
	own := http.NewCrossOriginProtection()
	page := func(pattern string, h http.HandlerFunc) {
		s.mux.Handle(pattern, own.Handler(h))
	}
	page("GET /{$}", s.showIndex)
	page("GET /choose/{provider}", s.showChoice)
	page("POST /choose/{provider}", s.choose)
	page("GET /faults", s.showFaults)
	page("POST /faults", s.switchFault)
	page("GET /faults.json", s.listFaults)
	page("POST /faults.json", s.switchFaultJSON)
	page("DELETE /faults.json", s.resetFaults)
	page("GET /style.css", serveAsset("style.css", "text/css; charset=utf-8"))
	page("GET /form_post.js", serveAsset("form_post.js", "text/javascript; charset=utf-8"))
}

// indexPage is the front page.
type indexPage struct {
	Providers []indexProvider
}

type indexProvider struct {
	Title, Issuer, Discovery, Algorithm string
	Clients                             []Client
	People, Faults                      int
}

func (s *Server) showIndex(w http.ResponseWriter, _ *http.Request) {
	var data indexPage
	for _, p := range s.inOrder() {
		on, once := p.active()
		row := indexProvider{
			Title: p.title, Issuer: p.issuer, Algorithm: string(p.alg), Clients: p.clientList(),
			Discovery: p.path() + "/.well-known/openid-configuration", Faults: len(on) + len(once),
		}
		for _, q := range s.people {
			if q.Has(p.name) {
				row.People++
			}
		}
		data.Providers = append(data.Providers, row)
	}
	s.page(w, http.StatusOK, "index", data)
}

// faultsPage is the page of switches.
type faultsPage struct {
	Providers []string // titles
	Groups    []faultsGroup
}

type faultsGroup struct {
	Title string
	Rows  []faultsRow
}

type faultsRow struct {
	fault
	Momentary bool // nothing to switch off
	Cells     []faultsCell
}

type faultsCell struct {
	Provider, Title string
	Mode            string // on, once, off
}

func (s *Server) showFaults(w http.ResponseWriter, _ *http.Request) {
	var data faultsPage
	for _, p := range s.inOrder() {
		data.Providers = append(data.Providers, p.title)
	}
	for _, g := range faultGroups {
		group := faultsGroup{Title: g.Title}
		for _, f := range g.Faults {
			row := faultsRow{fault: f, Momentary: f.Name == FaultKeyRotation}
			for _, p := range s.inOrder() {
				row.Cells = append(row.Cells, faultsCell{Provider: p.name, Title: p.title, Mode: p.mode(f.Name)})
			}
			group.Rows = append(group.Rows, row)
		}
		data.Groups = append(data.Groups, group)
	}
	s.page(w, http.StatusOK, "faults", data)
}

func (s *Server) switchFault(w http.ResponseWriter, r *http.Request) {
	if r.PostFormValue("reset") != "" {
		s.Reset()
	} else if err := s.setFault(r.PostFormValue("provider"), r.PostFormValue("fault"), r.PostFormValue("mode")); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	http.Redirect(w, r, "/faults", http.StatusSeeOther)
}

// faultsState is what GET /faults.json answers, by provider.
type faultsState struct {
	On   []string `json:"on"`
	Once []string `json:"once"`
}

// faultSwitch is what POST /faults.json takes.
type faultSwitch struct {
	Provider string `json:"provider"`
	Fault    string `json:"fault"`
	Mode     string `json:"mode"` // on, once, off
}

func (s *Server) listFaults(w http.ResponseWriter, _ *http.Request) {
	out := map[string]faultsState{}
	for name, p := range s.providers {
		on, once := p.active()
		out[name] = faultsState{On: append([]string{}, on...), Once: append([]string{}, once...)}
	}
	writeJSON(w, http.StatusOK, out)
}

func (s *Server) switchFaultJSON(w http.ResponseWriter, r *http.Request) {
	var in faultSwitch
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := s.setFault(in.Provider, in.Fault, in.Mode); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) resetFaults(w http.ResponseWriter, _ *http.Request) {
	s.Reset()
	w.WriteHeader(http.StatusNoContent)
}
