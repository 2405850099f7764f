package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"elekt.no/innsyn/auth"
	"elekt.no/innsyn/privacy"
)

// maxBody is the most that a form may send, in bytes.
const maxBody = 64 << 10

// patience is how long a request may take. A database that hangs instead of
// refusing must not hold every connection.
const patience = 15 * time.Second

// guard enforces what a route's line asks for and serves its errors.
func (s *Server) guard(rt Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		r = r.WithContext(ctx)
		rec, _ := r.Context().Value(keyRequest).(*record)
		if rec != nil {
			rec.route = rt.Path
		}
		r, err := s.admit(rt, w, r)
		if p := session(r.Context()); p != nil && rec != nil {
			rec.person = p.Person
		}
		if err == nil {
			err = rt.Handler(w, r)
		}
		if err == nil {
			return
		}
		if s.detour(w, r, err) {
			return
		}
		s.fail(w, r, err)
	})
}

// admit checks, in this order: forged posts, size, session, token, limit,
// assurance and freshness. The request that it returns carries the session.
func (s *Server) admit(rt Route, w http.ResponseWriter, r *http.Request) (*http.Request, error) {
	unsafe := r.Method != http.MethodGet && r.Method != http.MethodHead
	// Old webviews send Origin: null and no Sec-Fetch-Site. Like requests without
	// any of these headers they are judged by the token alone, below. (checklist 41)
	if err := s.cross.Check(r); err != nil && !(r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "null") {
		return r, &privacy.Error{Kind: privacy.Forbidden, Key: "error.forged", Reason: "cross-origin", Err: err}
	}
	if unsafe {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if err := r.ParseForm(); err != nil {
			var big *http.MaxBytesError
			if errors.As(err, &big) {
				return r, &privacy.Error{Kind: privacy.TooLarge, Key: "error.too-large", Reason: "body-too-large"}
			}
			return r, &privacy.Error{Kind: privacy.Invalid, Key: "error.form", Reason: "unreadable-form"}
		}
	}
	who, err := s.auth.Session(w, r)
	if err != nil {
		if rt.Audience == Person || unsafe {
			return r, err
		}
		who = nil // a public page is shown even when we can't ask who is there
	}
	r = r.WithContext(context.WithValue(r.Context(), keySession, who))
	if rt.Audience == Person && who == nil {
		return r, &privacy.Error{Kind: privacy.Unauthenticated, Key: "error.logged-out", Reason: "no-session"}
	}
	if unsafe && who != nil && !s.auth.CheckToken(who, r.PostForm.Get("csrf")) {
		return r, &privacy.Error{Kind: privacy.Forbidden, Key: "error.forged", Reason: "bad-token"}
	}
	if rt.Limit.Times > 0 {
		caller := s.address(r)
		if who != nil {
			caller = string(who.Person)
		}
		if err := s.auth.Allow(r.Context(), rt.Method+" "+rt.Path, caller, rt.Limit.Times, rt.Limit.Per); err != nil {
			return r, err
		}
	}
	if rt.Audience == Person {
		if err := s.auth.Require(who, rt.Need, rt.Fresh); err != nil {
			return r, err
		}
	}
	return r, nil
}

// detour sends a person whom a login would help to where they can log in, with
// what they typed kept. It tells whether it answered.
func (s *Server) detour(w http.ResponseWriter, r *http.Request, err error) bool {
	get := r.Method == http.MethodGet
	var to string
	var known *privacy.Error
	switch kind := privacy.KindOf(err); {
	case wantsJSON(r):
		return false
	case kind == privacy.Unauthenticated && get:
		to = query("/", "next", r.URL.RequestURI())
	case kind == privacy.StepUp && errors.As(err, &known):
		next, form := r.URL.RequestURI(), ""
		if !get {
			id, err := s.auth.Park(r.Context(), session(r.Context()).Person, r.URL.Path, r.PostForm)
			if err != nil {
				s.fail(w, r, err)
				return true
			}
			next, form = "/resume/"+id, "1"
		}
		to = query("/step-up", "need", known.Needs.String(), "typed", form, "next", next)
	default:
		return false
	}
	if isHTMX(r) {
		// htmx follows this with a whole page.
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusNoContent)
		return true
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return true
}

// ownPath is p if it leads to a page of this portal, and else the overview. (checklist 8)
func ownPath(p string) string {
	if auth.OwnPath(p) {
		return p
	}
	return "/overview"
}

// address is the caller's network, for limits alone: behind proxies of ours, the
// last address in X-Forwarded-For that isn't one of theirs; of an IPv6 address
// the part that one household has.
func (s *Server) address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	hops := append(strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ","), host)
	for i := len(hops) - 1; i >= 0; i-- {
		ip, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		ip = ip.Unmap()
		host = ip.String()
		if ip.Is6() {
			if p, err := ip.Prefix(64); err == nil {
				host = p.String()
			}
		}
		if !s.trusts(ip) {
			break
		}
	}
	return host
}

func (s *Server) trusts(ip netip.Addr) bool {
	for _, p := range s.proxies {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}
