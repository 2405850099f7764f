package web

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/views"
)

// statuses maps kinds of errors to HTTP statuses, here and nowhere else.
var statuses = map[privacy.ErrorKind]int{
	privacy.Internal:        http.StatusInternalServerError,
	privacy.Invalid:         http.StatusBadRequest,
	privacy.Unauthenticated: http.StatusUnauthorized,
	privacy.StepUp:          http.StatusForbidden,
	privacy.Forbidden:       http.StatusForbidden,
	privacy.NotFound:        http.StatusNotFound,
	privacy.Conflict:        http.StatusConflict,
	privacy.Gone:            http.StatusGone,
	privacy.TooLarge:        http.StatusRequestEntityTooLarge,
	privacy.RateLimited:     http.StatusTooManyRequests,
	privacy.Unavailable:     http.StatusServiceUnavailable,
	privacy.NotAllowed:      http.StatusMethodNotAllowed,
	privacy.Precondition:    http.StatusPreconditionFailed,
}

// fail turns an error into what the person, the script or the program meets:
// a page, a fragment or problem JSON (RFC 9457). What isn't a *privacy.Error is
// internal, and its text stays in the log.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	kind := privacy.KindOf(err)
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // nobody is there any more
	}
	var known *privacy.Error
	if !errors.As(err, &known) {
		known = &privacy.Error{Kind: privacy.Internal, Key: "error.internal", Reason: "internal"}
	}
	level := slog.LevelInfo
	if kind == privacy.Internal || kind == privacy.Unavailable {
		level = slog.LevelError
	}
	attrs := []any{"kind", kind.String(), "reason", known.Reason, "request", requestID(r.Context())}
	if level == slog.LevelError {
		attrs = append(attrs, "error", err)
	}
	s.log.Log(r.Context(), level, "refused", attrs...)

	status := statuses[kind]
	if kind == privacy.Unavailable || kind == privacy.RateLimited {
		w.Header().Set("Retry-After", "10")
	}
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case wantsJSON(r):
		problem(w, r, status, known)
	case isHTMX(r):
		s.renderError(w, r, status, known, true)
	default:
		s.renderError(w, r, status, known, false)
	}
}

func wantsJSON(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/api/") || strings.Contains(r.Header.Get("Accept"), "json")
}

func isHTMX(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// problemAnswer is a problem as a program gets it. What comes after the first
// line of names is for the API.
type problemAnswer struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`     // the kind
	ID     string `json:"instance"` // the request, for whoever writes to us about it
	Reason string `json:"reason,omitempty"`
	Field  string `json:"field,omitempty"` // a parameter, a header, or a field of the body
	Detail string `json:"detail,omitempty"`
}

// problem answers a program. RFC 9457
func problem(w http.ResponseWriter, r *http.Request, status int, e *privacy.Error) {
	p := problemAnswer{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: e.Kind.String(),
		ID: "urn:request:" + requestID(r.Context())}
	if strings.HasPrefix(r.URL.Path, "/api/") {
		p.Reason = e.Reason
		var h *hint
		if errors.As(e, &h) {
			p.Field, p.Detail = h.field, h.detail
		}
	}
	b, err := json.Marshal(p)
	if err != nil {
		status, b = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	w.Write(b)
}

// renderError shows an error to a person.
func (s *Server) renderError(w http.ResponseWriter, r *http.Request, status int, e *privacy.Error, fragment bool) {
	page := views.Fault{Shell: s.shell(r, "fault.title", views.PlaceNone), Kind: e.Kind, Text: errorText(r.Context(), e), Code: requestID(r.Context())}
	if r.Method == http.MethodGet && (e.Kind == privacy.Unavailable || e.Kind == privacy.Internal || e.Kind == privacy.RateLimited) {
		page.Retry = r.URL.RequestURI()
	}
	c := views.FaultPage(page)
	if fragment {
		c = views.FaultNote(page)
	}
	if err := s.render(w, r, status, c); err != nil {
		s.log.Error("error page", "request", requestID(r.Context()), "error", err)
		http.Error(w, http.StatusText(status), status)
	}
}

// errorText is what an error has to say beyond its kind, empty if nothing.
func errorText(ctx context.Context, e *privacy.Error) string {
	if i18n.Has(e.Key) {
		return i18n.T(ctx, e.Key)
	}
	return ""
}
