package e2e

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"elekt.no/innsyn/privacy"
)

// leaks are words of the inside that no answer may hold.
var leaks = []string{"pq:", "sql:", "SQLSTATE", "dial ", "panic", "goroutine", ".go:", "runtime error", "innsyn_", "privacy.", "http: ", "strconv", "templ:", "localhost:"}

// refused checks an answer to bad input in each of its three forms: a page, a
// fragment for the page's script, problem JSON for a program.
func refused(t *testing.T, form string, r *reply, status int) {
	t.Helper()
	if r.StatusCode != status {
		t.Errorf("%s: %s, want %d: %.300s", form, r.Status, status, r.main())
	}
	for _, leak := range leaks {
		if strings.Contains(r.Body, leak) {
			t.Errorf("%s: the answer holds %q", form, leak)
		}
	}
	switch form {
	case "page":
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") || !strings.Contains(r.Body, "</html>") || r.main() == "" {
			t.Errorf("page: no whole page: %s %.200s", r.Header.Get("Content-Type"), r.Body)
		}
	case "fragment":
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") || strings.Contains(r.Body, "<html") || strings.TrimSpace(r.Body) == "" {
			t.Errorf("fragment: not a part of a page: %.200s", r.Body)
		}
	case "JSON":
		var p struct {
			Type, Title, Code string
			Status            int
		}
		if ct := r.Header.Get("Content-Type"); ct != "application/problem+json" {
			t.Errorf("JSON: Content-Type %q", ct)
		}
		if err := json.Unmarshal([]byte(r.Body), &p); err != nil || p.Status != status || p.Title == "" || p.Code == "" {
			t.Errorf("JSON: %v %q", err, r.Body)
		}
	}
}

// forms are the three forms that an answer can have, by what the caller asks for.
var forms = map[string]func(*http.Request){"page": func(*http.Request) {}, "fragment": htmx, "JSON": asJSON}

// written counts everything that a choice writes.
func written(t *testing.T) int {
	t.Helper()
	return number(t, `SELECT (SELECT count(*) FROM ledger_leaf) + (SELECT count(*) FROM ledger_entry) + (SELECT count(*) FROM choice)
		+ (SELECT count(*) FROM delivery) + (SELECT count(*) FROM request) + (SELECT coalesce(sum(choices_version), 0) FROM person)`)
}

// TestBadInput sends what no page of ours would send. Each gets a clear answer of
// the right status in the form that was asked for, and writes nothing.
func TestBadInput(t *testing.T) {
	anew(t)
	c := call(t)
	c.login("bankid", "ingrid")
	other := call(t)
	other.login("bankid", "amund")
	foreignToken := other.get("/overview").input("csrf")
	good := c.choice(newsletter)
	path := "/consents/" + newsletter
	set := func(name, value string) url.Values {
		v := maps.Clone(good)
		v[name] = []string{value}
		return v
	}
	without := func(name string) url.Values {
		v := maps.Clone(good)
		v.Del(name)
		return v
	}
	big := set("more", strings.Repeat("x", 70<<10))
	nothing := func(*http.Request) {}
	chunked := func(r *http.Request) { // no Content-Length to judge it by
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(big.Encode())), -1
	}
	headers := func(pairs ...string) func(*http.Request) {
		return func(r *http.Request) {
			for i := 0; i < len(pairs); i += 2 {
				with(pairs[i], pairs[i+1])(r)
			}
		}
	}
	pages := map[string]bool{"no number": true, "code without asking": true} // forms that the script never sends
	for name, try := range map[string]struct {
		method string // POST if empty
		path   string // the newsletter's if empty
		form   url.Values
		change func(*http.Request)
		status int
	}{
		"another site":          {form: good, change: headers("Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"), status: http.StatusForbidden},
		"a sibling site":        {form: good, change: headers("Sec-Fetch-Site", "same-site", "Origin", "http://localhost:1"), status: http.StatusForbidden},
		"a foreign origin":      {form: good, change: headers("Sec-Fetch-Site", "", "Origin", "https://evil.example"), status: http.StatusForbidden},
		"no token":              {form: without("csrf"), change: nothing, status: http.StatusForbidden},
		"an empty token":        {form: set("csrf", ""), change: nothing, status: http.StatusForbidden},
		"a wrong token":         {form: set("csrf", strings.Repeat("A", len(good.Get("csrf")))), change: nothing, status: http.StatusForbidden},
		"another's token":       {form: set("csrf", foreignToken), change: nothing, status: http.StatusForbidden},
		"null, no token":        {form: without("csrf"), change: headers("Sec-Fetch-Site", "", "Origin", "null"), status: http.StatusForbidden},
		"null from elsewhere":   {form: good, change: headers("Sec-Fetch-Site", "cross-site", "Origin", "null"), status: http.StatusForbidden},
		"no headers, no token":  {form: without("csrf"), change: headers("Sec-Fetch-Site", "", "Origin", ""), status: http.StatusForbidden},
		"token in the address":  {path: path + "?" + good.Encode(), form: url.Values{}, change: nothing, status: http.StatusForbidden},
		"unknown purpose":       {path: "/consents/nothing-at-all", form: good, change: nothing, status: http.StatusNotFound},
		"strange purpose":       {path: "/consents/%00%ff'--", form: good, change: nothing, status: http.StatusNotFound},
		"unknown area":          {path: "/consents/areas/nowhere/off", form: good, change: nothing, status: http.StatusNotFound},
		"no decision":           {form: without("decision"), change: nothing, status: http.StatusBadRequest},
		"unknown decision":      {form: set("decision", "maybe"), change: nothing, status: http.StatusBadRequest},
		"decision not on offer": {form: set("decision", "object"), change: nothing, status: http.StatusBadRequest},
		"recorder's own word":   {form: set("decision", "refuse"), change: nothing, status: http.StatusBadRequest},
		"no choice to make":     {path: "/consents/" + account, form: set("decision", "withdraw"), change: nothing, status: http.StatusBadRequest},
		"outdated text":         {form: set("text", strings.Repeat("ab", 32)), change: nothing, status: http.StatusConflict},
		"no text":               {form: without("text"), change: nothing, status: http.StatusConflict},
		"no hash":               {form: set("text", "zz"), change: nothing, status: http.StatusConflict},
		"a version to come":     {form: set("version", "7"), change: nothing, status: http.StatusConflict},
		"no version":            {form: set("version", "first"), change: nothing, status: http.StatusBadRequest},
		"a negative version":    {form: set("version", "-1"), change: nothing, status: http.StatusBadRequest},
		"too large":             {form: big, change: nothing, status: http.StatusRequestEntityTooLarge},
		"too large, unsaid":     {form: big, change: chunked, status: http.StatusRequestEntityTooLarge},
		"not a form":            {form: good, change: headers("Content-Type", "application/json"), status: http.StatusForbidden},
		"broken form": {form: nil, change: func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader("a=%zz&csrf=" + good.Get("csrf")))
			r.ContentLength = -1
		}, status: http.StatusBadRequest},
		"wrong method":           {method: http.MethodPut, form: good, change: nothing, status: http.StatusMethodNotAllowed},
		"wrong method of a page": {method: http.MethodDelete, path: "/overview", form: good, change: nothing, status: http.StatusMethodNotAllowed},
		"post to a page":         {path: "/overview", form: good, change: nothing, status: http.StatusMethodNotAllowed},
		"unknown path":           {method: http.MethodGet, path: "/no/such/page", change: nothing, status: http.StatusNotFound},
		"another's session":      {path: "/logins/sessions/" + one[string](t, `SELECT public_id FROM session WHERE given_name = 'Amund'`) + "/end", form: good, change: nothing, status: http.StatusNotFound},
		"another's login":        {path: "/logins/" + one[string](t, `SELECT login_id FROM session WHERE given_name = 'Amund'`) + "/end", form: good, change: nothing, status: http.StatusNotFound},
		"no session's id":        {path: "/logins/sessions/1%20or%201/end", form: good, change: nothing, status: http.StatusNotFound},
		"no parked form":         {method: http.MethodGet, path: "/resume/4f0c5a52-9b1e-4c57-8a36-0d6f2e7b1a01", change: nothing, status: http.StatusGone},
		"strange parked form":    {method: http.MethodGet, path: "/resume/x", change: nothing, status: http.StatusGone},
		"no step":                {path: "/customer", form: good, change: nothing, status: http.StatusBadRequest},
		"no number":              {path: "/customer", form: url.Values{"csrf": good["csrf"], "step": {"number"}, "number": {"'; DROP TABLE person"}}, change: nothing, status: http.StatusBadRequest},
		"code without asking":    {path: "/customer", form: url.Values{"csrf": good["csrf"], "step": {"code"}, "code": {"123456"}}, change: nothing, status: http.StatusGone},
	} {
		t.Run(name, func(t *testing.T) {
			owner(t, `DELETE FROM rate_limit`)
			before, sessions := written(t), number(t, `SELECT count(*) FROM session`)
			method, to := try.method, try.path
			if method == "" {
				method = http.MethodPost
			}
			if to == "" {
				to = path
			}
			for form, asks := range forms {
				if form == "fragment" && pages[name] {
					continue
				}
				who := c.twin()
				who.t = t
				var body io.Reader
				if method != http.MethodGet {
					body = strings.NewReader(try.form.Encode())
				}
				r := who.send(method, to, body, asks, try.change)
				refused(t, form, r, try.status)
			}
			if after := written(t); after != before {
				t.Errorf("something was written: %d before, %d after", before, after)
			}
			if after := number(t, `SELECT count(*) FROM session`); after != sessions {
				t.Errorf("%d sessions before, %d after", sessions, after)
			}
		})
	}
	// What all of this was measured against: the same form, as it was meant.
	if r := c.post(path, good); r.StatusCode != http.StatusSeeOther {
		t.Fatalf("the good form: %s %s", r.Status, r.main())
	}
	if got := decisions(t, newsletter); got != "give" {
		t.Errorf("the ledger says %q", got)
	}
}

// TestOldWebview is a form from a browser that sends no usable headers: it passes
// with the token, and only with it.
func TestOldWebview(t *testing.T) {
	anew(t)
	c := call(t)
	c.login("bankid", "ingrid")
	for i, change := range []func(*http.Request){
		func(r *http.Request) { with("Sec-Fetch-Site", "")(r); with("Origin", "null")(r) },
		func(r *http.Request) { with("Sec-Fetch-Site", "")(r); with("Origin", "")(r) },
	} {
		if r := c.post("/consents/"+newsletter, c.choice(newsletter), change); r.StatusCode != http.StatusSeeOther {
			t.Errorf("%d: %s: %s", i, r.Status, r.main())
		}
	}
	if got := decisions(t, newsletter); got != "give withdraw" {
		t.Errorf("the ledger says %q", got)
	}
}

// TestBrokenCookie is a session's cookie that names nothing: nobody is there, no
// error, and the cookie is taken away.
func TestBrokenCookie(t *testing.T) {
	anew(t)
	real := call(t)
	real.login("bankid", "ingrid")
	form := real.choice(newsletter)
	for name, value := range map[string]string{
		"nonsense": "nonsense", "empty": "", "too long": strings.Repeat("A", 4000), "unknown": strings.Repeat("A", 43), "unclean": "%00%ff",
	} {
		t.Run(name, func(t *testing.T) {
			c := call(t)
			c.setCookie("innsyn", value)
			if r := c.get("/"); r.StatusCode != http.StatusOK {
				t.Errorf("the front page: %s", r.Status)
			}
			if r := c.get("/overview"); r.StatusCode != http.StatusSeeOther || !strings.HasPrefix(r.Header.Get("Location"), "/?") {
				t.Errorf("the overview: %s to %q", r.Status, r.Header.Get("Location"))
			}
			c.setCookie("innsyn", value)
			for f, asks := range forms {
				refused(t, f, c.twin().post("/consents/"+newsletter, form, asks), http.StatusUnauthorized)
			}
		})
	}
	two := real.twin()
	r := two.get("/overview", func(r *http.Request) { r.Header.Add("Cookie", "innsyn=other") })
	if r.StatusCode != http.StatusSeeOther {
		t.Errorf("two cookies of the name: %s", r.Status)
	}
	if got := decisions(t, newsletter); got != "" {
		t.Errorf("the ledger says %q", got)
	}
}

// TestOthersChoices: what one person chooses, and what the portal knows of them,
// is nowhere to be seen for another.
func TestOthersChoices(t *testing.T) {
	anew(t)
	ingrid, amund := call(t), call(t)
	ingrid.login("bankid", "ingrid")
	amund.login("bankid", "amund")
	if r := ingrid.post("/consents/"+newsletter, ingrid.choice(newsletter)); r.StatusCode != http.StatusSeeOther {
		t.Fatal(r.Status)
	}
	if form := amund.choice(newsletter); form.Get("decision") != string(privacy.Give) || form.Get("version") != "0" {
		t.Errorf("Amund is offered to %q at version %s", form.Get("decision"), form.Get("version"))
	}
	for _, path := range []string{"/overview", "/consents", "/consents/" + newsletter, "/logins", "/customer"} {
		r := amund.get(path)
		for _, of := range []string{"Ingrid", customerNo(t, "ingrid")} {
			if strings.Contains(r.Body, of) {
				t.Errorf("%s shows %q", path, of)
			}
		}
	}
}

// TestPublicPages: what needs no login needs none, and everything else does.
func TestPublicPages(t *testing.T) {
	anew(t)
	c := call(t)
	for _, path := range []string{"/", "/privacy-notice", "/recipients", "/contact", "/cookies", "/robots.txt", "/healthz", "/readyz"} {
		if r := c.get(path); r.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, r.Status)
		}
	}
	for _, path := range []string{"/overview", "/consents", "/consents/" + newsletter, "/logins", "/customer", "/step-up", "/resume/x"} {
		if r := c.get(path); r.StatusCode != http.StatusSeeOther || !strings.HasPrefix(r.Header.Get("Location"), "/?next=") {
			t.Errorf("%s without a login: %s to %q", path, r.Status, r.Header.Get("Location"))
		}
		if r := c.get(path, asJSON); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s without a login, for a program: %s", path, r.Status)
		}
	}
}
