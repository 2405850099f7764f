package auth

import (
	"net/http"
	"time"
)

// Cookies, without the prefix that they have over https. (checklist 29)
const (
	cookieSession = "innsyn"
	cookieBrowser = "innsyn-login" // binds login links and transactions to the browser
	cookieAge     = "innsyn-age"   // who waits to say that they are old enough
)

// CookieNames are the names of the cookies as they are set here, for the page
// that explains them.
func (a *Auth) CookieNames() (session, login, age string) {
	return a.cookieName(cookieSession), a.cookieName(cookieBrowser), a.cookieName(cookieAge)
}

// cookieName is the name with __Host- over https: then no other host, subdomain
// or plain-http page can set it. Plain http exists on a developer's machine only.
func (a *Auth) cookieName(name string) string {
	if a.secure {
		return "__Host-" + name
	}
	return name
}

// setCookie sets a cookie for life (zero: until the browser ends), or takes it
// away (negative).
func (a *Auth) setCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	c := &http.Cookie{Name: a.cookieName(name), Value: value, Path: "/", Secure: a.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	switch {
	case life < 0:
		c.MaxAge = -1
	case life > 0:
		c.MaxAge = int(life.Seconds())
	}
	http.SetCookie(w, c)
}

// cookie reads a cookie; empty if there is none, or more than one of the name.
func (a *Auth) cookie(r *http.Request, name string) string {
	all := r.CookiesNamed(a.cookieName(name))
	if len(all) != 1 {
		return ""
	}
	return all[0].Value
}
