package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"elekt.no/innsyn/auth"
	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/privacy"
)

type contextKey int

const (
	keyRequest contextKey = iota
	keySession
	keyClient
)

// record is what the access log needs to know when a request ends. Only ids: the
// route's pattern and not the path, the person's reference and not the person.
type record struct {
	id     string
	route  string
	person privacy.PersonRef
	client string // that calls the API
}

func requestID(ctx context.Context) string {
	if rec, ok := ctx.Value(keyRequest).(*record); ok {
		return rec.id
	}
	return ""
}

// session is who is calling, nil for nobody.
func session(ctx context.Context) *auth.Session {
	s, _ := ctx.Value(keySession).(*auth.Session)
	return s
}

// statusWriter remembers what was answered.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the real writer.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// outermost gives each request an id, logs how it ended and turns a panic into
// the page for internal errors.
func (s *Server) outermost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b [8]byte
		rand.Read(b[:])
		rec := &record{id: hex.EncodeToString(b[:])}
		r = r.WithContext(context.WithValue(r.Context(), keyRequest, rec))
		sw := &statusWriter{ResponseWriter: w}
		start := time.Now()
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				s.log.Error("panic", "request", rec.id, "route", rec.route, "value", p, "stack", string(debug.Stack()))
				if sw.status == 0 {
					s.fail(sw, r, &privacy.Error{Kind: privacy.Internal, Key: "error.internal", Reason: "panic"})
				}
			}
			caller := slog.String("person", string(rec.person))
			if rec.client != "" {
				caller = slog.String("client", rec.client)
			}
			s.log.LogAttrs(r.Context(), slog.LevelInfo, "request",
				slog.String("request", rec.id), slog.String("method", r.Method), slog.String("route", rec.route),
				slog.Int("status", sw.status), slog.Duration("took", time.Since(start)), caller)
		}()
		next.ServeHTTP(sw, r)
	})
}

// policy is the Content-Security-Policy of every page: nothing but our own
// files, no inline script or style, and nobody may frame us. (checklist 42)
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"

// headers sets what every answer carries. (checklist 42-44)
func (s *Server) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), browsing-topics=()")
		h.Set("Cache-Control", "no-store")
		if s.https {
			h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
		}
		next.ServeHTTP(w, r)
	})
}

// languageCookie remembers a language that was asked for; it is set on that act only.
const languageCookie = "innsyn-lang"

// language finds the language of a request, and answers ?lang= by remembering it
// and going to the same page without it.
func (s *Server) language(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if want := r.URL.Query().Get("lang"); want != "" && r.Method == http.MethodGet {
			if slices.Contains(i18n.Languages, want) {
				http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: want, Path: "/", MaxAge: 365 * 24 * 3600,
					Secure: s.https, HttpOnly: true, SameSite: http.SameSiteLaxMode})
			}
			u := *r.URL
			q := u.Query()
			q.Del("lang")
			u.RawQuery, u.Scheme, u.Host, u.User = q.Encode(), "", "", nil
			http.Redirect(w, r, ownPath(u.RequestURI()), http.StatusSeeOther)
			return
		}
		var cookie string
		if c, err := r.Cookie(languageCookie); err == nil {
			cookie = c.Value
		}
		lang := i18n.Match(r.Header.Get("Accept-Language"), cookie)
		w.Header().Set("Content-Language", lang)
		next.ServeHTTP(w, r.WithContext(i18n.With(r.Context(), lang)))
	})
}
