package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"

	"elekt.no/innsyn/dev/demo"
	"elekt.no/innsyn/dev/stack"
)

// visitor is a demo person who is logged in.
type visitor struct {
	key    string
	cookie string // name=value, as the request says it
}

// adult is the age from which everybody may log in, with a margin.
const adult = 18

// logIn logs in every grown demo person, with the first login that they have.
// Who is asked for more than a login is left out.
func logIn(ctx context.Context, s *stack.Stack) ([]*visitor, error) {
	var all []*visitor
	for _, p := range demo.People() {
		provider := demo.BankID
		if !p.Has(provider) {
			provider = demo.Vipps
		}
		if !p.Has(provider) || p.Born().AddDate(adult, 0, 0).After(time.Now()) {
			continue
		}
		v, err := logInOne(ctx, s, provider, p.Key)
		if err != nil {
			return nil, fmt.Errorf("login of %s: %w", p.Key, err)
		}
		if v != nil {
			all = append(all, v)
		}
	}
	return all, nil
}

// logInOne goes the way of a browser: front page, identity provider, its page of
// test persons, and back. nil if the way doesn't end on a page of the person's.
func logInOne(ctx context.Context, s *stack.Stack, provider, person string) (*visitor, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	c := &http.Client{Jar: jar, Timeout: 20 * time.Second}
	_, front, err := fetch(ctx, c, s.Portal+"/", nil)
	if err != nil {
		return nil, err
	}
	link := find(front, "a", "href", func(v string) bool { return strings.HasPrefix(v, "/login/"+provider) })
	at, page, err := fetch(ctx, c, s.Portal+attribute(link, "href"), nil)
	if err != nil {
		return nil, err
	}
	login := find(page, "input", "name", func(v string) bool { return v == "login" })
	at, _, err = fetch(ctx, c, at.String(), url.Values{"login": {attribute(login, "value")}, "person": {person}})
	if err != nil {
		return nil, err
	}
	if at.Path != "/overview" {
		return nil, nil
	}
	portal, err := url.Parse(s.Portal)
	if err != nil {
		return nil, err
	}
	for _, k := range jar.Cookies(portal) {
		if k.Name == "innsyn" {
			return &visitor{key: person, cookie: k.Name + "=" + k.Value}, nil
		}
	}
	return nil, errors.New("no session")
}

// fetch gets a page, or posts a form, and follows where it leads to.
func fetch(ctx context.Context, c *http.Client, address string, form url.Values) (*url.URL, *html.Node, error) {
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Accept", "text/html")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := c.Do(r)
	if err != nil {
		return nil, nil, err
	}
	page, err := html.Parse(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return nil, nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("%s answers %s", answer.Request.URL.Path, answer.Status)
	}
	return answer.Request.URL, page, nil
}

// form is what the switch of the purpose would send now.
func (v *visitor) form(ctx context.Context, portal string) (url.Values, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, portal+"/consents", nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Cookie", v.cookie)
	r.Header.Set("Accept-Language", "nb")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	page, err := html.Parse(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return nil, err
	}
	form := find(page, "form", "action", func(v string) bool { return v == "/consents/"+purpose })
	if form == nil {
		return nil, fmt.Errorf("no form for %s on the page of %s: %s", purpose, v.key, answer.Status)
	}
	out := url.Values{}
	for n := range form.Descendants() {
		if n.Type == html.ElementNode && n.Data == "input" {
			out.Set(attribute(n, "name"), attribute(n, "value"))
		}
	}
	return out, nil
}

// find is the first element whose attribute is as wanted; nil if there is none.
func find(root *html.Node, element, name string, wanted func(string) bool) *html.Node {
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == element && wanted(attribute(n, name)) {
			return n
		}
	}
	return nil
}

func attribute(n *html.Node, name string) string {
	if n == nil {
		return ""
	}
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
