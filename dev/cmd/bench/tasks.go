package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// purpose is what is toggled: a consent that has recipients to be told, so that a
// choice writes to every table that a choice writes to.
const purpose = "newsletter"

// task is a request of the portal that is measured. The bare handler answers the
// same request at the path "/" and its name.
type task struct {
	name  string
	title string
	write bool
	htmx  bool
	gzip  bool
	// compress: the bare handler compresses its constant for each request, as the
	// portal does its page. Else its constant is what goes over the wire.
	compress bool
	aim      float64 // least ratio to the bare handler; zero: none
}

var everything = []task{
	{name: "page", title: "Page: GET /consents", aim: 0.5},
	{name: "page-gzip", title: "Page: GET /consents, by gzip; the bare handler compresses its constant, too", gzip: true, compress: true, aim: 0.5},
	{name: "page-gzip-before", title: "Page: GET /consents, by gzip; the bare handler's constant was compressed before", gzip: true},
	{name: "toggle", title: "Toggle: POST /consents/" + purpose + ", plain form, answered by a redirect", write: true, gzip: true, aim: 0.6},
	{name: "toggle-htmx", title: "Toggle: POST /consents/" + purpose + ", HTMX, answered by the row", write: true, htmx: true, gzip: true, aim: 0.6},
}

// status is what a right answer has.
func (t task) status() int {
	if t.write && !t.htmx {
		return http.StatusSeeOther
	}
	return http.StatusOK
}

func (t task) path() string {
	if t.write {
		return "/consents/" + purpose
	}
	return "/consents"
}

// request is the bytes of a request of a visitor. form is for writes.
func (t task) request(path, host string, v *visitor, form url.Values) []byte {
	method, body := http.MethodGet, ""
	if t.write {
		method, body = http.MethodPost, form.Encode()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nAccept: text/html\r\nAccept-Language: nb\r\nSec-Fetch-Site: same-origin\r\nCookie: %s\r\n",
		method, path, host, v.cookie)
	if t.gzip {
		b.WriteString("Accept-Encoding: gzip\r\n")
	}
	if t.htmx {
		b.WriteString("HX-Request: true\r\n")
	}
	if t.write {
		fmt.Fprintf(&b, "Origin: http://%s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n", host, len(body))
	}
	b.WriteString("\r\n")
	b.WriteString(body)
	return []byte(b.String())
}

// toggled is the form of the next toggle, after form has been answered: the
// opposite decision on the version that it made.
func toggled(form url.Values) (url.Values, error) {
	version, err := strconv.ParseInt(form.Get("version"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("form: %w", err)
	}
	next := url.Values{}
	for name, values := range form {
		next[name] = values
	}
	next.Set("version", strconv.FormatInt(version+1, 10))
	next.Set("decision", "give")
	if form.Get("decision") == "give" {
		next.Set("decision", "withdraw")
	}
	return next, nil
}
