package e2e

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"elekt.no/innsyn/i18n"
)

// visitor is somebody at a browser: one tab.
type visitor struct {
	t    *testing.T
	ctx  context.Context
	eye  *watch
	lang string // of the pages, for says
}

// arrive opens a browser that has never been here: no cookie, bokmål, 1280 px.
func arrive(t *testing.T) *visitor {
	t.Helper()
	return tab(t, world.browser, chromedp.WithNewBrowserContext())
}

// another opens a further tab of the same browser.
func (v *visitor) another(t *testing.T) *visitor {
	t.Helper()
	w := tab(t, v.ctx)
	w.lang = v.lang
	return w
}

func tab(t *testing.T, parent context.Context, options ...chromedp.ContextOption) *visitor {
	t.Helper()
	eye := newWatch()
	ctx, cancel := chromedp.NewContext(parent, append(options, chromedp.WithListener(eye.see))...)
	v := &visitor{t: t, ctx: ctx, eye: eye, lang: i18n.Bokmal}
	t.Cleanup(func() {
		v.faultless()
		if t.Failed() {
			v.lastSight()
		}
		cancel()
	})
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900)); err != nil {
		t.Fatalf("a new tab: %v", err)
	}
	return v
}

// faultless fails the test for everything that the watch saw and no page may do.
func (v *visitor) faultless() {
	v.t.Helper()
	for _, f := range v.eye.take() {
		v.t.Errorf("%s", f)
	}
}

// do runs steps, each of which must succeed.
func (v *visitor) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		v.t.Fatalf("%s: %v%s", what, err, v.where())
	}
}

// ask evaluates a script, which must succeed.
func ask[T any](v *visitor, script string) T {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	answer, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		v.t.Fatalf("%s: %v%s", script, err, v.where())
	}
	return answer
}

// where is the tab's place, for messages.
func (v *visitor) where() string {
	ctx, cancel := context.WithTimeout(v.ctx, time.Second)
	defer cancel()
	at, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.pathname + " (" + document.title + ")"`))
	if err != nil {
		return ""
	}
	return "\nat " + at
}

// visit opens a page of the portal and looks at it.
func (v *visitor) visit(path string) {
	v.t.Helper()
	v.do("visit "+path, chromedp.Navigate(world.Portal+path))
	v.look()
}

// press clicks what a person would click: it must be visible and in reach.
func (v *visitor) press(selector string) {
	v.t.Helper()
	v.do("press "+selector, v.reach(selector), chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// reach scrolls to an element and makes sure that a click would hit it, not
// something that covers it.
func (v *visitor) reach(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if err := wait(ctx, v, `(() => {
			const e = document.querySelector(`+quote(selector)+`);
			if (!e || !e.checkVisibility({visibilityProperty: true})) return false;
			e.scrollIntoView({block: "center", behavior: "instant"});
			const r = e.getBoundingClientRect();
			const hit = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);
			return hit !== null && (e.contains(hit) || hit.contains(e));
		})()`); err != nil {
			return fmt.Errorf("not there, or covered: %w", err)
		}
		return nil
	})
}

// follow presses what leads to another page, and looks at that.
func (v *visitor) follow(selector string) {
	v.t.Helper()
	v.do("follow "+selector, v.reach(selector))
	v.leaving("follow "+selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
	v.look()
}

// leaving does what ends in another page having been loaded.
func (v *visitor) leaving(what string, by chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.WaitEvent(page.LoadEventFired, nil, by)); err != nil {
		v.t.Fatalf("%s: %v%s", what, err, v.where())
	}
}

// login logs in with a provider as a demo person, from the front page.
func (v *visitor) login(provider, person string) {
	v.t.Helper()
	v.visit("/")
	v.follow(loginLink(provider))
	v.choose(person)
}

// comes is somebody who has logged in with BankID before the test begins: their
// browser has the session's cookie, and nothing has been looked at.
func (v *visitor) comes(person string) {
	v.t.Helper()
	c := call(v.t)
	c.login("bankid", person)
	v.setCookie("innsyn", c.cookie("innsyn"))
}

// choose picks a test person at the identity provider, with a fault if one is named.
func (v *visitor) choose(person string, fault ...string) {
	v.t.Helper()
	if len(fault) > 0 {
		v.do("set the fault", chromedp.SetValue(chromedp.CSS("#fault"), fault[0]))
	}
	v.follow(`button[name=person][value="` + person + `"]`)
}

func loginLink(provider string) string { return `a.login[href^="/login/` + provider + `"]` }

// at fails unless the tab shows this path, whatever its query.
func (v *visitor) at(path string) {
	v.t.Helper()
	if now := v.path(); now != path {
		v.t.Fatalf("at %s, want %s: %s", now, path, v.text("h1"))
	}
}

func (v *visitor) path() string {
	v.t.Helper()
	return ask[string](v, "location.pathname")
}

func (v *visitor) address() *url.URL {
	v.t.Helper()
	u, err := url.Parse(ask[string](v, "location.href"))
	if err != nil {
		v.t.Fatal(err)
	}
	return u
}

// sees waits until the element holds the text.
func (v *visitor) sees(selector, text string) {
	v.t.Helper()
	var last string
	v.until(fmt.Sprintf("%q in %s", text, selector), func() bool {
		last, _ = v.glance(selector)
		return strings.Contains(last, plain(text))
	}, func() string { return "it says: " + last })
}

// seesNot waits until no such element is visible.
func (v *visitor) seesNot(selector string) {
	v.t.Helper()
	v.until("no "+selector, func() bool {
		return v.holds(`![...document.querySelectorAll(` + quote(selector) + `)].some(e => e.checkVisibility())`)
	}, nil)
}

// becomes waits until a condition about the page is true.
func (v *visitor) becomes(script string) {
	v.t.Helper()
	v.until(script, func() bool { return v.holds(script) }, nil)
}

// text is what an element says, as plain text.
func (v *visitor) text(selector string) string {
	v.t.Helper()
	s, ok := v.glance(selector)
	if !ok {
		v.t.Fatalf("there is no %s%s", selector, v.where())
	}
	return s
}

// glance is text without insisting.
func (v *visitor) glance(selector string) (string, bool) {
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[*string](`(e => e && e.innerText)(document.querySelector(`+quote(selector)+`))`))
	if err != nil || s == nil {
		return "", false
	}
	return plain(*s), true
}

// has tells whether there is such an element now.
func (v *visitor) has(selector string) bool {
	v.t.Helper()
	return ask[bool](v, `document.querySelector(`+quote(selector)+`) !== null`)
}

// count is how many such elements there are.
func (v *visitor) count(selector string) int {
	v.t.Helper()
	return ask[int](v, `document.querySelectorAll(`+quote(selector)+`).length`)
}

// attribute is an attribute of an element that must be there; empty without it.
func (v *visitor) attribute(selector, name string) string {
	v.t.Helper()
	return ask[string](v, `document.querySelector(`+quote(selector)+`).getAttribute(`+quote(name)+`) ?? ""`)
}

// fill types into an empty field.
func (v *visitor) fill(selector, text string) {
	v.t.Helper()
	v.do("fill "+selector, v.reach(selector), chromedp.Clear(chromedp.CSS(selector)), chromedp.SendKeys(chromedp.CSS(selector), text))
}

// key is one key, pressed where the focus is.
func key(k string) chromedp.Action[chromedp.Void] { return chromedp.KeyEvent(k) }

// keys presses keys where the focus is.
func (v *visitor) keys(keys string) {
	v.t.Helper()
	v.do("press a key", key(keys))
}

// tabTo presses the tab key until the element has the focus.
func (v *visitor) tabTo(selector string) {
	v.t.Helper()
	const most = 400
	for range most {
		v.keys(kb.Tab)
		if ask[bool](v, `document.activeElement?.matches(`+quote(selector)+`) ?? false`) {
			return
		}
	}
	v.t.Fatalf("the tab key never came to %s%s", selector, v.where())
}

// focus names what has the focus: its id, or its tag and text.
func (v *visitor) focus() string {
	v.t.Helper()
	return ask[string](v, `(e => !e ? "" : e.id || e.tagName.toLowerCase() + " " + e.innerText.trim().slice(0, 40))(document.activeElement)`)
}

// says is a text of the portal in the visitor's language, as plain text.
func (v *visitor) says(key string, args ...any) string {
	v.t.Helper()
	if !i18n.Has(key) {
		v.t.Fatalf("no text %q", key)
	}
	return plain(i18n.T(i18n.With(v.ctx, v.lang), key, args...))
}

// until waits for something to be seen. That no event of the browser says it is
// why this asks again and again.
func (v *visitor) until(what string, done func() bool, instead func() string) {
	v.t.Helper()
	end := time.Now().Add(patience)
	for !done() {
		if time.Now().After(end) {
			more := ""
			if instead != nil {
				more = "\n" + instead()
			}
			v.t.Fatalf("never came: %s%s%s", what, v.where(), more)
		}
		select {
		case <-v.ctx.Done():
			v.t.Fatal(v.ctx.Err())
		case <-time.After(15 * time.Millisecond):
		}
	}
}

// holds asks once; a page that is just being left answers no.
func (v *visitor) holds(script string) bool {
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool](script))
	return err == nil && yes
}

func wait(ctx context.Context, v *visitor, script string) error {
	for !v.holds(script) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(15 * time.Millisecond):
		}
	}
	return nil
}

// size makes the window this wide.
func (v *visitor) size(width int64) {
	v.t.Helper()
	v.do("resize", chromedp.EmulateViewport(width, 900))
}

// scheme makes the browser ask for light or dark, with everything standing still.
func (v *visitor) scheme(scheme string) {
	v.t.Helper()
	v.call("colour scheme", func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
		return err
	})
}

// withoutScripts switches the page's scripts off, as some people do.
func (v *visitor) withoutScripts() {
	v.t.Helper()
	v.call("scripts off", func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	})
}

func (v *visitor) call(what string, f func(context.Context, *chromedp.Target) error) {
	v.t.Helper()
	v.do(what, chromedp.Func(f))
}

// cookie is the value of one of the portal's cookies; empty without it.
func (v *visitor) cookie(name string) string {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	got, err := chromedp.Call(ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{world.Portal + "/"}})
	if err != nil {
		v.t.Fatal(err)
	}
	for _, c := range got.Cookies {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// setCookie gives the browser a cookie of the portal.
func (v *visitor) setCookie(name, value string) {
	v.t.Helper()
	v.call("set a cookie", func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: world.Portal + "/",
			HTTPOnly: new(true), SameSite: network.CookieSameSiteLax})
		return err
	})
}

// quote writes a text as a string of a script.
func quote(s string) string { return fmt.Sprintf("%q", s) }

// plain is a text as people read it: one space between words, whatever kind, and
// no hyphens that show only where a line breaks.
func plain(s string) string {
	s = strings.NewReplacer("\u00ad", "", "\u200b", "").Replace(s)
	return strings.Join(strings.Fields(s), " ")
}
