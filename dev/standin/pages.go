package standin

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed pages
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"join":  func(list []string) string { return strings.Join(list, ", ") },
	"clock": func(t time.Time) string { return t.Local().Format("15.04.05") },
	"line":  line,
}).ParseFS(files, "pages/*.html"))

// line writes fields in one line, in a fixed order.
func line(v url.Values) string {
	s, err := url.QueryUnescape(v.Encode())
	if err != nil {
		return v.Encode()
	}
	return s
}

// everything is the page and what GET /-/received.json answers.
type everything struct {
	Requests     []Request     `json:"requests"`
	Messages     []Message     `json:"messages"`
	Suppressions []Suppression `json:"suppressions"`
	Members      []Member      `json:"members"`
	Entries      []Entry       `json:"entries"`
	Operations   []Operation   `json:"operations"`
	Faults       []Fault       `json:"faults"`
	Kinds        []FaultKind   `json:"-"`
	Names        []string      `json:"-"`
}

// everything copies what is there, newest first if asked.
func (s *Server) everything(newestFirst bool) everything {
	faults := s.Faults()
	s.mu.Lock()
	defer s.mu.Unlock()
	e := everything{Requests: slices.Clone(s.requests), Messages: slices.Clone(s.messages), Faults: faults,
		Suppressions: s.suppressed(), Members: s.members(), Entries: s.sorted(), Operations: s.listOperations(), Kinds: FaultKinds(), Names: Names()}
	if newestFirst {
		slices.Reverse(e.Operations)
		slices.Reverse(e.Requests)
		slices.Reverse(e.Messages)
	}
	return e
}

// ownRoutes are the page, and JSON for tests in other processes. Forms from other
// sites are refused.
func (s *Server) ownRoutes() {
	own := http.NewCrossOriginProtection()
	add := func(pattern string, h http.HandlerFunc) { s.mux.Handle(pattern, own.Handler(h)) }
	add("GET /{$}", s.show)
	add("GET /-/style.css", s.style)
	add("GET /-/received.json", s.list)
	add("POST /-/faults", s.failForm)
	add("POST /-/faults.json", s.failJSON)
	add("DELETE /-/faults.json", func(w http.ResponseWriter, _ *http.Request) {
		s.Mend()
		w.WriteHeader(http.StatusNoContent)
	})
	add("POST /-/reset", func(w http.ResponseWriter, r *http.Request) {
		s.Reset()
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	s.mux.HandleFunc("/", s.nowhere(&recipient{}))
}

func (s *Server) show(w http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, "received.html", s.everything(true)); err != nil {
		s.options.Log.Error("page", "error", err)
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	w.Write(b.Bytes())
}

func (s *Server) style(w http.ResponseWriter, r *http.Request) {
	body, err := files.ReadFile("pages/style.css")
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.Write(body)
}

func (s *Server) list(w http.ResponseWriter, _ *http.Request) {
	a := answer{status: http.StatusOK, body: s.everything(false)}
	w.Header().Set("Cache-Control", "no-store")
	a.write(w, a.encode())
}

func (s *Server) failForm(w http.ResponseWriter, r *http.Request) {
	if r.PostFormValue("mend") != "" {
		s.Mend()
	} else {
		times, err := strconv.Atoi(r.PostFormValue("times"))
		if err != nil {
			http.Error(w, "times is not a number", http.StatusBadRequest)
			return
		}
		f := Fault{Kind: FaultKind(r.PostFormValue("kind")), Recipient: r.PostFormValue("recipient"), Path: r.PostFormValue("path"), Times: times}
		if err := s.Fail(f); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *Server) failJSON(w http.ResponseWriter, r *http.Request) {
	var f Fault
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := s.Fail(f); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
