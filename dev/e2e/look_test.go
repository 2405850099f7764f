package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"elekt.no/innsyn/dev/axe"
)

// sight is what a look at a page finds.
type sight struct {
	Own       bool // a page of the portal, not of the identity provider
	Lang      string
	Title     string
	Headings  int      // of level one
	Mains     int      // main landmarks
	Keys      []string // texts that look like the key of a text
	Inline    int      // style attributes and inline scripts
	Wide      int      // how much the page is wider than the window, px
	Doubles   []string // ids that stand twice
	Nameless  []string // forms without the hidden token
	Stretched string   // the element that makes the page wide
}

// look reads the page that is open.
const look = `(() => {
	const own = location.origin === ORIGIN;
	const key = /^[a-z]+(-[a-z]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+$/;
	const place = /\.(no|com|eu|org|example|net|se|dk|de|ie)$/;
	const keys = [];
	const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
	for (let n = walker.nextNode(); n; n = walker.nextNode()) {
		const texts = n.nodeType === 3 ? (["SCRIPT", "STYLE"].includes(n.parentElement.tagName) ? [] : [n.data])
			: ["aria-label", "title", "alt", "placeholder", "label"].map(a => n.getAttribute(a)).filter(Boolean);
		for (const t of texts) for (const w of t.trim().split(/\s+/))
			if (key.test(w) && !place.test(w) && !w.startsWith("www.")) keys.push(w);
	}
	const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
	const wide = document.documentElement.scrollWidth - innerWidth;
	let stretched = "";
	if (wide > 0) for (const e of document.body.querySelectorAll("*")) {
		if (e.getBoundingClientRect().right > innerWidth + 0.5) { stretched = e.tagName + "." + e.className + "#" + e.id; break; }
	}
	return {
		Own: own, Lang: document.documentElement.lang, Title: document.title,
		Headings: document.querySelectorAll("h1").length, Mains: document.querySelectorAll("main").length,
		Keys: keys, Inline: document.querySelectorAll("[style], script:not([src]), style").length,
		Wide: wide, Stretched: stretched, Doubles: ids.filter((id, i) => ids.indexOf(id) !== i),
		Nameless: [...document.querySelectorAll("form[method=post]")].filter(f => !f.querySelector("input[type=hidden][name=csrf]")?.value).map(f => f.getAttribute("action")),
	};
})()`

// look checks the page that is open for what no page may have. What the
// identity provider shows is not ours to judge.
func (v *visitor) look() {
	v.t.Helper()
	defer v.faultless()
	s := ask[sight](v, strings.Replace(look, "ORIGIN", quote(world.Portal), 1))
	if !s.Own {
		return
	}
	fault := func(format string, args ...any) {
		v.t.Helper()
		v.t.Errorf("%s: %s", v.path(), fmt.Sprintf(format, args...))
	}
	if r := v.eye.answered(); r != nil {
		if want := header(r.Headers, "Content-Language"); s.Lang == "" || s.Lang != want {
			fault("the page's language is %q, the header says %q", s.Lang, want)
		}
	}
	if s.Headings != 1 || s.Mains != 1 {
		fault("%d headings of level one, %d main landmarks", s.Headings, s.Mains)
	}
	if strings.TrimSpace(s.Title) == "" || strings.HasPrefix(strings.TrimSpace(s.Title), "·") {
		fault("the title is %q", s.Title)
	}
	if len(s.Keys) > 0 {
		fault("untranslated: %q", s.Keys)
	}
	if s.Inline > 0 {
		fault("%d style attributes or inline scripts", s.Inline)
	}
	if s.Wide > 0 {
		fault("%d px wider than the window: %s", s.Wide, s.Stretched)
	}
	if len(s.Doubles) > 0 {
		fault("ids that stand twice: %q", s.Doubles)
	}
	if len(s.Nameless) > 0 {
		fault("forms without a token: %q", s.Nameless)
	}
}

// axeRun runs axe-core and gives a line for each breach, the first three of each
// rule.
const axeRun = `axe.run(document, {runOnly: RULES, resultTypes: ["violations"]})
	.then(r => r.violations.flatMap(v => v.nodes.slice(0, 3).map(n =>
		v.id + ": " + n.target.join(" ") + " " + [...n.any, ...n.all, ...n.none].map(c => c.message).join("; ") + (v.nodes.length > 3 ? " (" + v.nodes.length + " in all)" : ""))))`

// What axe-core looks for: WCAG 2.0 to 2.2, A and AA, and its best practices; and
// the part of that which another colour scheme can change.
const (
	everyRule  = `["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]`
	colourRule = `{type: "rule", values: ["color-contrast", "link-in-text-block"]}`
)

// axe looks for breaches of WCAG in the page as it stands.
func (v *visitor) axe() {
	v.t.Helper()
	v.axeFor(everyRule)
}

func (v *visitor) axeFor(rules string) {
	v.t.Helper()
	if !ask[bool](v, `typeof axe === "object"`) {
		v.do("axe", chromedp.Evaluate[chromedp.Void](axe.Source+";0"))
	}
	for _, finding := range ask[[]string](v, strings.Replace(axeRun, "RULES", rules, 1)) {
		v.t.Errorf("%s: axe: %s", v.path(), finding)
	}
}

// widths and schemes are how every page is looked at.
var (
	widths  = []int64{390, 1280}
	schemes = []string{"light", "dark"}
)

// inspect looks at the page that is open in every width and scheme: axe-core, no
// sideways scrolling, a picture under this name if pictures are wanted; then at
// 320 px, and with text twice as large.
func (v *visitor) inspect(name string) {
	v.t.Helper()
	for _, scheme := range schemes {
		v.scheme(scheme)
		rules := everyRule
		if scheme == "dark" {
			rules = colourRule
		}
		for _, width := range widths {
			v.size(width)
			v.becomes(`document.fonts.status === "loaded" && document.getAnimations().length === 0`)
			v.axeFor(rules)
			v.look()
			v.picture(fmt.Sprintf("%s-%d-%s", name, width, scheme))
		}
	}
	v.scheme("light")
	v.size(320)
	v.look()
	v.largeText()
	v.size(1280)
}

// largeText doubles the browser's own size of text, as its settings do, and
// looks whether the page follows and everything still fits.
func (v *visitor) largeText() {
	v.t.Helper()
	v.size(1280)
	const size = `parseFloat(getComputedStyle(document.body).fontSize)`
	usual := ask[float64](v, size)
	v.fontSize(32)
	v.becomes(fmt.Sprintf("%s > %f", size, usual*1.9))
	if wide := ask[int](v, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
		v.t.Errorf("%s: with text twice as large the page is %d px wider than the window", v.path(), wide)
	}
	v.fontSize(16)
	v.becomes(fmt.Sprintf("%s < %f", size, usual*1.1))
}

func (v *visitor) fontSize(px int64) {
	v.t.Helper()
	v.call("size of text", func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.SetFontSizes, page.SetFontSizesParams{FontSizes: &page.FontSizes{Standard: px, Fixed: px}})
		return err
	})
}

// picture takes a picture of the whole page, if INNSYN_PICTURES is set.
func (v *visitor) picture(name string) {
	v.t.Helper()
	if os.Getenv("INNSYN_PICTURES") == "" {
		return
	}
	dir := filepath.Join(world.root, ".cache", "pictures")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		v.t.Fatal(err)
	}
	v.save(filepath.Join(dir, name+".png"))
}

// lastSight is a picture of where a test failed.
func (v *visitor) lastSight() {
	dir := filepath.Join(world.root, ".cache", "failed")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		v.t.Log(err)
		return
	}
	path := filepath.Join(dir, strings.ReplaceAll(v.t.Name(), "/", "-")+".png")
	v.save(path)
	v.t.Logf("%s; the picture is in %s", strings.TrimSpace(v.where()), path)
}

func (v *visitor) save(path string) {
	shot, err := chromedp.Run(v.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(path, shot, 0o644)
	}
	if err != nil {
		v.t.Logf("%s: %v", path, err)
	}
}
