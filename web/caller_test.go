package web_test

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"
	"testing"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
	"elekt.no/innsyn/web"
)

// caller is a system of the company. Every answer that it gets is held against the
// document: status, type and shape.
type caller struct {
	t        testing.TB
	p        *portal
	token    string
	document schemas
	header   http.Header
}

func (p *portal) caller(t testing.TB, client string, scopes ...string) *caller {
	t.Helper()
	return &caller{t: t, p: p, token: p.api.token(t, client, scopes, spoilt{}), document: p.described(t), header: http.Header{}}
}

// with is the same caller with a header more.
func (c *caller) with(name, value string) *caller {
	n := *c
	n.header = c.header.Clone()
	n.header.Set(name, value)
	return &n
}

// said is what the API answered.
type said struct {
	*http.Response
	body []byte
	m    map[string]any
}

// str is a field of the answer as text.
func (s said) str(name string) string {
	v, _ := s.m[name].(string)
	return v
}

func (s said) num(name string) int64 {
	v, _ := s.m[name].(float64)
	return int64(v)
}

func (c *caller) get(path string) said { return c.do("GET", path, nil) }

func (c *caller) post(path string, body any) said { return c.do("POST", path, body) }

// do sends a body as JSON, or as it is if it is a string.
func (c *caller) do(method, path string, body any) said {
	c.t.Helper()
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			c.t.Fatal(err)
		}
		in = bytes.NewReader(text)
	}
	r, err := http.NewRequest(method, c.p.URL+path, in)
	if err != nil {
		c.t.Fatal(err)
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	for name, values := range c.header {
		if r.Header[name] = values; values[0] == "" {
			delete(r.Header, name)
		}
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	out := said{Response: res, body: b}
	if len(b) > 0 {
		if err := json.Unmarshal(b, &out.m); err != nil {
			c.t.Fatalf("%s %s: %d, %v: %s", method, path, res.StatusCode, err, b)
		}
	}
	c.hold(method, path, out)
	return out
}

// hold holds an answer against the document.
func (c *caller) hold(method, path string, a said) {
	c.t.Helper()
	path, _, _ = strings.Cut(path, "?")
	noInternals(c.t, path, answer{a.Response, string(a.body)})
	problem := map[string]any{"$ref": "#/components/schemas/Problem"}
	o := c.document.operation(method, template(c.document, path))
	kind, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if o == nil {
		if kind != "application/problem+json" {
			c.t.Errorf("%s %s isn't in the document and answers %d with %s", method, path, a.StatusCode, kind)
		} else if err := c.document.check(problem, a.m, path); err != nil {
			c.t.Error(err)
		}
		return
	}
	m, ok := c.document.answer(c.t, o, a.StatusCode)
	if !ok {
		c.t.Errorf("%s %s: %d isn't in the document: %s", method, path, a.StatusCode, a.body)
		return
	}
	content, _ := m["content"].(map[string]any)
	if content == nil && len(a.body) > 0 {
		c.t.Errorf("%s %s: %d has a body", method, path, a.StatusCode)
	}
	if content == nil {
		return
	}
	media, ok := content[kind].(map[string]any)
	if !ok {
		c.t.Errorf("%s %s: %d is %s", method, path, a.StatusCode, kind)
		return
	}
	if err := c.document.check(media["schema"], any(a.m), method+" "+path); err != nil {
		c.t.Errorf("%d: %v", a.StatusCode, err)
	}
	if status, ok := a.m["status"].(float64); kind == "application/problem+json" && (!ok || int(status) != a.StatusCode) {
		c.t.Errorf("%s %s: status %d, and %v in the body", method, path, a.StatusCode, a.m["status"])
	}
}

// template is the path of the document that a path of a request is one of.
func template(s schemas, path string) string {
	have := strings.Split(path, "/")
	for t := range s.document["paths"].(map[string]any) {
		want, same := strings.Split(t, "/"), true
		if len(want) != len(have) {
			continue
		}
		for i := range want {
			same = same && (want[i] == have[i] || strings.HasPrefix(want[i], "{"))
		}
		if same {
			return t
		}
	}
	return ""
}

// customer puts a record into the company's database.
func (p *portal) customer(t testing.TB, no, plan string) {
	t.Helper()
	owner := p.db.Owner(t)
	if _, err := owner.ExecContext(t.Context(), `INSERT INTO elekt.customer (customer_no, given_name, family_name, plan, created_at)
		VALUES ($1, 'Prøve', 'Prøvesen', $2, now())`, no, plan); err != nil {
		t.Fatal(err)
	}
}

// linked is a visitor whose customer record is no.
func (p *portal) linked(t *testing.T, no, plan string) *visitor {
	t.Helper()
	p.customer(t, no, plan)
	v := p.login(t, privacy.AssuranceHigh)
	if r, err := p.store.Link(t.Context(), v.person, no, store.EvidenceStaff); err != nil || r != store.LinkMade {
		t.Fatalf("link: %s, %v", r, err)
	}
	return v
}

// choose says something about a purpose as the visitor's own page has it.
func (v *visitor) choose(purpose string) {
	v.t.Helper()
	if a := v.post("/consents/"+purpose, v.form(purpose)); a.StatusCode != http.StatusSeeOther {
		v.t.Fatalf("%s: %d", purpose, a.StatusCode)
	}
}

func mayI(system, id, purpose string) string {
	return "/api/v1/may-i?system=" + system + "&id=" + id + "&purpose=" + purpose
}

func choices(system, id string) string { return "/api/v1/people/" + system + "/" + id + "/choices" }

var everyScope = web.Scopes
