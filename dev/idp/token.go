package idp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// hostileText is what an attacker would write where a description is shown.
const hostileText = `<script>alert(document.cookie)</script><img src=x onerror=alert(1)> ring 47000000 "'` + "\u202e\r\nSet-Cookie: a=b"

// serveToken lets op check the request, and then makes the token itself.
func (p *provider) serveToken(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		tokenError(w, http.StatusBadRequest, "invalid_request", "the form can't be read")
		return
	}
	method := authMethod(r)
	p.see("token", url.Values{
		"grant_type": r.PostForm["grant_type"], "redirect_uri": r.PostForm["redirect_uri"], "auth_method": {method},
		"code_verifier_sent": {fmt.Sprint(r.PostForm.Has("code_verifier"))}, "in_query": {fmt.Sprint(r.URL.RawQuery != "")},
	})
	code := r.PostForm.Get("code")
	p.mu.Lock()
	waiting := p.codes[code]
	p.mu.Unlock()
	if p.broken(w, r, waiting) {
		return
	}
	is := func(name string) bool { return p.has(name) || waiting != nil && waiting.fault(name) }
	switch {
	case is(FaultTokenError):
		tokenError(w, http.StatusBadRequest, "invalid_grant", hostileText)
		return
	case is(FaultGarbage):
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><title>Proxy</title><h1>"+hostileText)
		return
	case r.URL.RawQuery != "":
		tokenError(w, http.StatusBadRequest, "invalid_request", "parameters belong in the body")
		return
	case r.PostForm.Get("grant_type") != "authorization_code":
		tokenError(w, http.StatusBadRequest, "unsupported_grant_type", "authorization_code only")
		return
	}
	if waiting != nil {
		if want := p.clients[waiting.ClientID].AuthMethod; want != "" && want != method {
			tokenError(w, http.StatusUnauthorized, "invalid_client", "this client authenticates by "+want)
			return
		}
	}
	var answer recorder
	p.below(&answer, r)
	if answer.status != http.StatusOK {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(answer.status)
		w.Write(answer.body.Bytes())
		return
	}
	if method == PrivateKeyJWT && !p.firstUse(r.PostForm.Get("client_assertion")) {
		tokenError(w, http.StatusUnauthorized, "invalid_client", "the client assertion has no jti or has been used")
		return
	}
	body, err := p.tokenBody(waiting, answer.body.Bytes())
	if err != nil {
		p.server.log.Error("token", "provider", p.name, "error", err)
		tokenError(w, http.StatusInternalServerError, "server_error", "")
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, body)
}

// tokenBody puts this provider's own ID token into the answer that op gave.
func (p *provider) tokenBody(l *login, answer []byte) (map[string]any, error) {
	if l == nil {
		return nil, errors.New("op accepted a code that isn't known here")
	}
	var body map[string]any
	if err := json.Unmarshal(answer, &body); err != nil {
		return nil, fmt.Errorf("answer of op: %w", err)
	}
	access, _ := body["access_token"].(string)
	idToken, err := p.mint(l, access)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": int(p.accessLife.Seconds()),
		"id_token": idToken, "scope": strings.Join(l.Scopes, " "),
	}, nil
}

// authMethod is how the request proves which client it comes from.
func authMethod(r *http.Request) string {
	_, _, basic := r.BasicAuth()
	switch {
	case r.PostForm.Has("client_assertion"):
		return PrivateKeyJWT
	case basic:
		return SecretBasic
	case r.PostForm.Has("client_secret"):
		return SecretPost
	}
	return "none"
}

// firstUse remembers the jti of a client assertion that op has verified.
// RFC 7523 section 3: it counts once.
func (p *provider) firstUse(assertion string) bool {
	t, err := jwt.ParseSigned(assertion, []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.PS256})
	if err != nil {
		return false
	}
	var c jwt.Claims
	if err := t.UnsafeClaimsWithoutVerification(&c); err != nil || c.ID == "" {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.server.now()
	maps.DeleteFunc(p.assertions, func(_ string, until time.Time) bool { return until.Before(now) })
	if _, used := p.assertions[c.ID]; used {
		return false
	}
	p.assertions[c.ID] = now.Add(time.Hour)
	return true
}

func tokenError(w http.ResponseWriter, status int, code, description string) {
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, status, map[string]string{"error": code, "error_description": description})
}

// recorder keeps the answer of op, so that it can be changed before it is sent.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header {
	if r.header == nil {
		r.header = http.Header{}
	}
	return r.header
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}
