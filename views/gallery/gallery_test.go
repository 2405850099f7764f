package gallery

import (
	"bytes"
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/static"
	"elekt.no/innsyn/views"
)

func render(t testing.TB, p Page, lang string) []byte {
	t.Helper()
	ctx := views.With(i18n.With(context.Background(), lang), Setting(static.URL, static.Integrity))
	var b bytes.Buffer
	if err := p.Render(ctx).Render(ctx, &b); err != nil {
		t.Fatalf("%s in %s: %v", p.Name, lang, err)
	}
	return b.Bytes()
}

// elements lists every element of a page.
func elements(t testing.TB, page []byte) []*html.Node {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var out []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			out = append(out, n)
		}
	}
	return out
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func TestPages(t *testing.T) {
	pages := Pages()
	if len(pages) < 40 {
		t.Fatalf("only %d pages", len(pages))
	}
	var names []string
	for _, p := range pages {
		if slices.Contains(names, p.Name) {
			t.Errorf("%s stands twice", p.Name)
		}
		names = append(names, p.Name)
		for _, lang := range i18n.Languages {
			t.Run(p.Name+"/"+lang, func(t *testing.T) { page(t, render(t, p, lang), lang) })
		}
	}
}

// page holds what is true of every page: the policy allows no inline script or
// style, a form that acts carries the token and works without scripts, a label
// names each field and each switch, and ids are single.
func page(t *testing.T, body []byte, lang string) {
	ids, h1, mains := map[string]bool{}, 0, 0
	icons := string(static.Body("icons.svg"))
	for _, n := range elements(t, body) {
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on") {
				t.Errorf("<%s %s=%q>: the content policy forbids it", n.Data, a.Key, a.Val)
			}
			if a.Key == "href" && strings.Contains(a.Val, "icons.") {
				if _, name, ok := strings.Cut(a.Val, "#"); !ok || !strings.Contains(icons, `id="`+name+`"`) {
					t.Errorf("there is no icon %q", a.Val)
				}
			}
			if a.Key == "id" {
				if ids[a.Val] {
					t.Errorf("the id %q stands twice", a.Val)
				}
				ids[a.Val] = true
			}
		}
		switch n.Data {
		case "html":
			if attr(n, "lang") != lang {
				t.Errorf("the page says lang=%q", attr(n, "lang"))
			}
		case "h1":
			h1++
		case "main":
			mains++
		case "style":
			t.Error("an inline style sheet")
		case "script":
			if attr(n, "src") == "" || n.FirstChild != nil {
				t.Error("an inline script")
			}
			if attr(n, "integrity") == "" {
				t.Error("a script without its hash")
			}
		case "form":
			form(t, n)
		case "input":
			if attr(n, "type") != "hidden" && attr(n, "id") == "" {
				t.Errorf("the field %q has no label", attr(n, "name"))
			}
		case "button":
			if attr(n, "role") == "switch" && (attr(n, "aria-label") == "" || attr(n, "aria-checked") == "") {
				t.Error("a switch without a name or a state")
			}
		}
	}
	if h1 != 1 || mains != 1 {
		t.Errorf("%d headings of level one, %d main landmarks", h1, mains)
	}
}

func form(t *testing.T, n *html.Node) {
	t.Helper()
	if attr(n, "method") != "post" || attr(n, "action") == "" {
		t.Errorf("a form that doesn't act without scripts: %q", attr(n, "action"))
	}
	if hx := attr(n, "hx-post"); hx != "" && hx != attr(n, "action") {
		t.Errorf("with scripts the form goes to %q, without to %q", hx, attr(n, "action"))
	}
	token, submit := false, false
	for d := range n.Descendants() {
		token = token || attr(d, "name") == "csrf" && attr(d, "value") != ""
		submit = submit || d.Data == "button" && attr(d, "type") == "submit"
	}
	if !token || !submit {
		t.Errorf("the form to %q lacks its token or its button", attr(n, "action"))
	}
}

// A key that came out as itself, a placeholder that was never filled in.
var unfilled = regexp.MustCompile(`\{\{|<no value>|>\s*[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*\s*<`)

func TestNothingUnfilled(t *testing.T) {
	for _, p := range Pages() {
		for _, lang := range i18n.Languages {
			if m := unfilled.Find(render(t, p, lang)); m != nil {
				t.Errorf("%s in %s: %s", p.Name, lang, m)
			}
		}
	}
}

// Yes never gets more than no: the two answers to a question look alike, and no
// row offers a yes in bulk.
func TestAnswersAreEqual(t *testing.T) {
	for _, p := range Pages() {
		for _, n := range elements(t, render(t, p, i18n.Bokmal)) {
			if n.Data != "div" || attr(n, "class") != "box is-glow" {
				continue
			}
			var looks []string
			for d := range n.Descendants() {
				if d.Data == "button" {
					looks = append(looks, attr(d, "class")+" "+attr(d, "data-variant"))
				}
			}
			if len(looks) != 2 || looks[0] != looks[1] {
				t.Errorf("%s: the answers look like %q", p.Name, looks)
			}
		}
	}
}

// The page and what it fetches, compressed, are what a first visit costs.
func BenchmarkConsents(b *testing.B) {
	for _, p := range Pages() {
		if p.Name == "consents" {
			for b.Loop() {
				render(b, p, i18n.Bokmal)
			}
		}
	}
}
