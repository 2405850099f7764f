package web

import (
	"context"
	"io"
	"net/http"
	"time"
)

// readyStore tells whether the database answers and is migrated.
type readyStore interface {
	Ready(context.Context) error
}

// healthz says that this process lives.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "alive\n")
}

// readyz says whether this node can serve people: the database answers, has this
// binary's schema, and keeps the texts that the pages show.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if !s.ready.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, "starting\n")
		return
	}
	if err := s.store.Ready(ctx); err != nil {
		s.log.Warn("not ready", "error", err)
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, "database\n")
		return
	}
	io.WriteString(w, "ready\n")
}

// robots keeps search engines to the public pages.
func robots(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "User-agent: *\nDisallow: /overview\nDisallow: /consents\nDisallow: /login\nDisallow: /logins\nDisallow: /customer\nDisallow: /age\n")
}
