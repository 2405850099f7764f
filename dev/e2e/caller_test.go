package e2e

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// caller is a program that talks to the portal without a browser: it sends what
// it is told, follows nothing, and keeps cookies by host.
type caller struct {
	t       *testing.T
	client  *http.Client
	cookies map[string]map[string]string // by host and name
}

func call(t *testing.T) *caller {
	return &caller{t: t, cookies: map[string]map[string]string{}, client: &http.Client{
		Transport:     &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// reply is what came back.
type reply struct {
	*http.Response
	Body string
}

// get asks for a page as a browser does that follows a link of the same site.
func (c *caller) get(address string, change ...func(*http.Request)) *reply {
	c.t.Helper()
	return c.send(http.MethodGet, address, nil, change...)
}

// post sends a form as the portal's own pages do.
func (c *caller) post(address string, form url.Values, change ...func(*http.Request)) *reply {
	c.t.Helper()
	return c.send(http.MethodPost, address, strings.NewReader(form.Encode()), change...)
}

// send sends a request with the headers of a browser on a page of ours, after
// what the test wants to be different. A path alone is one of the portal.
func (c *caller) send(method, address string, body io.Reader, change ...func(*http.Request)) *reply {
	c.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = world.Portal + address
	}
	r, err := http.NewRequestWithContext(c.t.Context(), method, address, body)
	if err != nil {
		c.t.Fatal(err)
	}
	secretsOf(r.URL)
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Accept-Language", "nb")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", r.URL.Scheme+"://"+r.URL.Host)
	}
	for name, value := range c.cookies[r.URL.Host] {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for _, f := range change {
		f(r)
	}
	answer, err := c.client.Do(r)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, address, err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, address, err)
	}
	c.keep(r.URL.Host, answer.Cookies())
	if r.URL.Host == mustHost(world.Portal) {
		for _, what := range headerFaults(r.URL.Path, answer.Header.Get) {
			c.t.Errorf("%s %s: %s", method, r.URL.Path, what)
		}
	}
	return &reply{answer, string(b)}
}

func (c *caller) keep(host string, cookies []*http.Cookie) {
	for _, k := range cookies {
		if c.cookies[host] == nil {
			c.cookies[host] = map[string]string{}
		}
		if k.MaxAge < 0 {
			delete(c.cookies[host], k.Name)
			continue
		}
		c.cookies[host][k.Name] = k.Value
		if k.Name != "innsyn-lang" {
			secret(k.Value, "the value of the cookie "+k.Name)
		}
	}
}

// cookie is a cookie of the portal, empty without it.
func (c *caller) cookie(name string) string { return c.cookies[mustHost(world.Portal)][name] }

func (c *caller) setCookie(name, value string) {
	c.keep(mustHost(world.Portal), []*http.Cookie{{Name: name, Value: value}})
}

// twin is another caller with the same cookies: the same browser, or one that
// has stolen them.
func (c *caller) twin() *caller {
	d := call(c.t)
	for host, all := range c.cookies {
		d.cookies[host] = maps.Clone(all)
	}
	return d
}

// login logs in as a person does, and fails unless that makes a session.
func (c *caller) login(provider, person string, fault ...string) *reply {
	c.t.Helper()
	r := c.tryLogin(provider, person, fault...)
	if r.StatusCode != http.StatusSeeOther || c.cookie("innsyn") == "" {
		c.t.Fatalf("login of %s with %s: %s\n%s", person, provider, r.Status, r.main())
	}
	return r
}

// tryLogin logs in and returns what the callback answers.
func (c *caller) tryLogin(provider, person string, fault ...string) *reply {
	c.t.Helper()
	return c.finish(c.get("/").link("/login/"+provider), person, fault...)
}

// finish follows a login link to the end.
func (c *caller) finish(link, person string, fault ...string) *reply {
	c.t.Helper()
	begun := c.get(link)
	if begun.StatusCode != http.StatusSeeOther {
		return begun
	}
	asked := c.get(begun.Header.Get("Location"))
	if strings.HasPrefix(asked.Header.Get("Location"), world.Portal) {
		return c.get(asked.Header.Get("Location"), crossSite)
	}
	choice := c.get(world.IdentityProvider + asked.Header.Get("Location"))
	form := url.Values{"login": {choice.input("login")}, "person": {person}, "fault": fault}
	back := c.post(choice.Request.URL.String(), form)
	if back.StatusCode != http.StatusSeeOther {
		c.t.Fatalf("the identity provider answers %s: %s", back.Status, back.main())
	}
	return c.get(back.Header.Get("Location"), crossSite)
}

// crossSite makes a request one that another site's page or redirect began.
func crossSite(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }

// htmx makes a request one of the page's own script.
func htmx(r *http.Request) { r.Header.Set("HX-Request", "true") }

// json makes a request one of a program.
func asJSON(r *http.Request) { r.Header.Set("Accept", "application/json") }

func with(name, value string) func(*http.Request) {
	return func(r *http.Request) {
		if value == "" {
			r.Header.Del(name)
			return
		}
		r.Header.Set(name, value)
	}
}

// choice reads the form of a purpose from its page: what the switch would send.
func (c *caller) choice(purpose string) url.Values {
	c.t.Helper()
	page := c.get("/consents")
	form := page.form("/consents/" + purpose)
	if form == nil {
		c.t.Fatalf("there is no form for %s: %s", purpose, page.Status)
	}
	return form
}

// form is the hidden fields of the first form with this action, nil without one.
func (r *reply) form(action string) url.Values {
	form := r.find(func(n *html.Node) bool { return n.Data == "form" && attribute(n, "action") == action })
	if form == nil {
		return nil
	}
	out := url.Values{}
	for n := range form.Descendants() {
		if n.Type == html.ElementNode && n.Data == "input" && attribute(n, "name") != "" {
			out.Add(attribute(n, "name"), attribute(n, "value"))
		}
	}
	secret(out.Get("csrf"), "the token of a form")
	return out
}

// input is the value of the first field of a name.
func (r *reply) input(name string) string {
	return attribute(r.find(func(n *html.Node) bool { return n.Data == "input" && attribute(n, "name") == name }), "value")
}

// link is where the first link whose address begins so leads to.
func (r *reply) link(prefix string) string {
	return attribute(r.find(func(n *html.Node) bool { return n.Data == "a" && strings.HasPrefix(attribute(n, "href"), prefix) }), "href")
}

// main is the text of the page, or of the whole fragment.
func (r *reply) main() string {
	n := r.find(func(n *html.Node) bool { return n.Data == "main" })
	if n == nil {
		n = r.find(func(n *html.Node) bool { return n.Data == "body" })
	}
	if n == nil {
		return plain(r.Body)
	}
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return plain(b.String())
}

func (r *reply) find(match func(*html.Node) bool) *html.Node {
	root, err := html.Parse(strings.NewReader(r.Body))
	if err != nil {
		return nil
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && match(n) {
			return n
		}
	}
	return nil
}

func attribute(n *html.Node, name string) string {
	if n == nil {
		return ""
	}
	if i := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name }); i >= 0 {
		return n.Attr[i].Val
	}
	return ""
}

func mustHost(address string) string {
	_, host, _ := strings.Cut(address, "://")
	return host
}
