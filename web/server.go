// Package web is the portal's HTTP side: one route table (routes.go), what each
// route demands before its handler runs (guard.go), and the handlers, a file a
// page. Handlers return errors; one place turns them into a page, a fragment or
// problem JSON (errors.go).
//
// A page is rendered into memory and then written, so that a fault never leaves
// half of one. Pages about people are never stored by anybody (Cache-Control:
// no-store); what is the same for everybody comes from package static under names
// that change with the content, and is kept for a year.
//
// Nothing about a person is kept in this process between two requests, so any
// number of nodes can serve.
package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/a-h/templ"

	"elekt.no/innsyn/auth"
	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/static"
	"elekt.no/innsyn/store"
	"elekt.no/innsyn/views"
)

// Store is what the pages need of the database; each file says what for.
type Store interface {
	choiceStore
	customerStore
	historyStore
	troubleStore
	questionStore
	recordingStore
	deviceStore
	readyStore
}

// Options for New. All are needed but Now.
type Options struct {
	BaseURL     string // scheme, host and port as people see them
	Catalogue   *privacy.Catalogue
	Store       Store
	Auth        *auth.Auth
	Log         *slog.Logger
	Now         func() time.Time // time.Now if nil
	Development bool             // adds the gallery of all pages
	Systems     []string         // whose ids of people the API takes, beside the customer register's and the portal's own
	Proxies     []netip.Prefix   // of ours, whose X-Forwarded-For is believed; for limits alone
}

// Server is the portal as an http.Handler.
type Server struct {
	catalogue *privacy.Catalogue
	store     Store
	auth      *auth.Auth
	log       *slog.Logger
	now       func() time.Time
	https     bool
	cross     *http.CrossOriginProtection
	proxies   []netip.Prefix
	setting   *views.Setting
	shown     map[string]map[string]shownText // by language and purpose
	rows      rows
	systems   map[string]bool
	busy      busy
	document  []byte // of the API
	ready     atomic.Bool
	handler   http.Handler
	buffers   sync.Pool
}

// shownText is a text with its hash, made once: both stand on every page of consents.
type shownText struct {
	text privacy.ShownText
	hash string
}

// New builds the portal. It fails if the route table has a hole.
func New(o Options) (*Server, error) {
	s := &Server{
		catalogue: o.Catalogue, store: o.Store, auth: o.Auth, log: o.Log, now: o.Now,
		https: strings.HasPrefix(o.BaseURL, "https://"), cross: http.NewCrossOriginProtection(), proxies: o.Proxies,
		setting: setting(o.Catalogue), shown: map[string]map[string]shownText{},
		systems: map[string]bool{store.CustomerSystem: true, store.PersonSystem: true},
		buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }},
	}
	if s.now == nil {
		s.now = time.Now
	}
	// A proxy may change Host; our own address is ours whatever it says.
	if err := s.cross.AddTrustedOrigin(o.BaseURL); err != nil {
		return nil, fmt.Errorf("base address: %w", err)
	}
	for _, name := range o.Systems {
		s.systems[name] = true
	}
	if err := i18n.Check(); err != nil {
		return nil, fmt.Errorf("texts: %w", err)
	}
	for _, lang := range privacy.Languages {
		s.shown[lang] = map[string]shownText{}
	}
	for _, t := range o.Catalogue.AllShown() {
		s.shown[t.Language][t.Purpose] = shownText{t, t.Hash().String()}
	}
	var err error
	if s.document, err = document(); err != nil {
		return nil, err
	}
	// The API has no language and no pages, and goes its own way.
	mux, api, methods := http.NewServeMux(), http.NewServeMux(), map[string][]string{}
	in := func(path string) *http.ServeMux {
		if strings.HasPrefix(path, "/api/") {
			return api
		}
		return mux
	}
	for _, rt := range s.Routes() {
		guard := s.guard
		switch {
		case rt.Method == "" || rt.Path == "" || rt.Handler == nil:
			return nil, fmt.Errorf("route %s %s isn't whole", rt.Method, rt.Path)
		case rt.Audience == Public, rt.Audience == Person && rt.Need != privacy.AssuranceNone:
		case rt.Audience == Client && slices.Contains(Scopes, rt.Scope):
			guard = s.guardClient
		default:
			return nil, fmt.Errorf("route %s %s doesn't say whom it is for", rt.Method, rt.Path)
		}
		in(rt.Path).Handle(rt.Method+" "+rt.Path, guard(rt))
		methods[rt.Path] = append(methods[rt.Path], rt.Method)
	}
	for path, allowed := range methods {
		in(path).Handle(path, s.otherMethod(allowed))
	}
	api.Handle("/", s.guard(Route{Path: "/", Audience: Public, Handler: s.nowhere}))
	mux.Handle("GET /static/", static.Handler())
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /robots.txt", robots)
	if o.Development {
		s.gallery(mux)
	}
	mux.Handle("/", s.guard(Route{Path: "/", Audience: Public, Handler: s.nowhere}))
	pages, err := compress(mux)
	if err != nil {
		return nil, err
	}
	top := http.NewServeMux()
	top.Handle("/api/", api)
	top.Handle("/", s.language(pages))
	s.handler = s.outermost(s.headers(top))
	return s, nil
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// SetReady says that the texts which the pages show are on record.
func (s *Server) SetReady() { s.ready.Store(true) }

func setting(c *privacy.Catalogue) *views.Setting {
	return &views.Setting{
		CSS: static.URL("app.css"), CSSIntegrity: static.Integrity("app.css"),
		HTMX: static.URL("htmx.min.js"), HTMXIntegrity: static.Integrity("htmx.min.js"),
		Script: static.URL("app.js"), ScriptIntegrity: static.Integrity("app.js"),
		Icons: static.URL("icons.svg"), Favicon: static.URL("favicon.svg"), Font: static.URL("schibsted-grotesk-latin.woff2"),
		Company: c.Controller.Short, LegalName: c.Controller.Name, DPO: c.Controller.DPO,
	}
}

// shell is what a page has around it. title is an i18n key.
func (s *Server) shell(r *http.Request, title string, here views.Place) views.Shell {
	shell := views.Shell{Title: i18n.T(r.Context(), title), Path: r.URL.Path, Here: here}
	if me := session(r.Context()); me != nil {
		shell.Embedded = me.Embedded
		shell.Visitor = &views.Visitor{
			Name: strings.TrimSpace(me.GivenName + " " + me.FamilyName), Given: me.GivenName, CSRF: s.auth.Token(me),
		}
	}
	return shell
}

// render writes a page or a fragment, whole or not at all.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) error {
	b := s.buffers.Get().(*bytes.Buffer)
	b.Reset()
	defer s.buffers.Put(b)
	if err := c.Render(views.With(r.Context(), s.setting), b); err != nil {
		return fmt.Errorf("rendering: %w", err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Add("Vary", "HX-Request, Accept-Language, Cookie")
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return nil
	}
	// What goes wrong from here on is the connection's, and nobody is there to be told.
	_, _ = w.Write(b.Bytes())
	return nil
}

// seeOther sends the browser on after a post; htmx is told to load the page.
// (checklist 9)
func (s *Server) seeOther(w http.ResponseWriter, r *http.Request, to string) error {
	if isHTMX(r) {
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// otherMethod is a path of the table, asked for by a method that it doesn't take.
func (s *Server) otherMethod(allowed []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		s.fail(w, r, &privacy.Error{Kind: privacy.NotAllowed, Key: "error.not-found", Reason: "other-method"})
	})
}

// nowhere is every path that isn't in the table.
func (s *Server) nowhere(http.ResponseWriter, *http.Request) error {
	return &privacy.Error{Kind: privacy.NotFound, Key: "error.not-found", Reason: "no-route"}
}

// notice is an error said in a line beside what it is about.
func (s *Server) notice(ctx context.Context, err error) *views.Notice {
	n := &views.Notice{Tone: views.ToneWarn, Title: views.FaultTitle(ctx, privacy.KindOf(err)), Assertive: true}
	var known *privacy.Error
	if errors.As(err, &known) {
		n.Text = errorText(ctx, known)
	}
	return n
}
