package e2e

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// stop is where the tab key has come to.
type stop struct {
	Name    string // what a screen reader would say first
	Visible bool   // in the window, and not covered
	Ring    bool   // something shows that it has the focus
}

// here reads the element that has the focus: an outline on it, or on what a big
// link covers, counts as a ring.
const here = `(e => {
	if (!e || e === document.body) return {Name: "", Visible: true, Ring: true};
	const r = e.getBoundingClientRect();
	const hit = document.elementFromPoint(r.x + r.width / 2, r.y + Math.min(r.height / 2, 40));
	const ring = [[e, ""], [e, "::before"], [e, "::after"], [e.querySelector(".switch-track"), ""]].some(([x, part]) => {
		if (!x) return false;
		const s = getComputedStyle(x, part || undefined);
		return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2;
	});
	return {
		Name: e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + " " + (e.getAttribute("aria-label") || e.innerText || "").trim().slice(0, 30),
		Visible: r.width > 0 && r.height > 0 && r.bottom > 0 && r.top < innerHeight && hit !== null && (e.contains(hit) || hit.contains(e)),
		Ring: ring,
	};
})(document.activeElement)`

// walk presses the tab key until the element has the focus. Wherever it stops on
// the way, the focus must be seen.
func (v *visitor) walk(to string) {
	v.t.Helper()
	const most = 400
	for range most {
		v.keys(kb.Tab)
		s := ask[stop](v, here)
		if s.Name != "" && !s.Visible {
			v.t.Errorf("%s: the focus on %q is out of sight", v.path(), s.Name)
		}
		if !s.Ring {
			v.t.Errorf("%s: nothing shows the focus on %q", v.path(), s.Name)
		}
		if v.holds(`document.activeElement?.matches(` + quote(to) + `) ?? false`) {
			return
		}
	}
	v.t.Fatalf("the tab key never came to %s%s", to, v.where())
}

// enter presses a key on what has the focus, and waits for the next page.
func (v *visitor) enter() {
	v.t.Helper()
	v.leaving("enter", key(kb.Enter))
	v.look()
}

// TestKeyboard goes from the front page to a choice and out again without a mouse.
func TestKeyboard(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.visit("/")
	v.walk(".ds-skip-link")
	v.keys(kb.Enter)
	v.becomes(`location.hash === "#content"`)
	v.walk(loginLink("bankid"))
	v.enter()
	v.tabTo(`button[name=person][value=ingrid]`)
	v.enter()
	v.at("/overview")
	v.walk(`.rail a[href="/consents"]`)
	v.enter()
	v.at("/consents")
	v.walk(".ds-skip-link")
	v.keys(kb.Enter)
	v.walk(switchOf(newsletter))

	is := func(on string) {
		t.Helper()
		v.becomes(`document.querySelector("` + switchOf(newsletter) + `").getAttribute("aria-checked") === "` + on + `"`)
		if focus := v.focus(); focus != "purpose-newsletter-switch" {
			t.Fatalf("the focus went to %s", focus)
		}
	}
	v.keys(" ")
	is("true")
	v.sees(messageOf(newsletter), v.texts(newsletter).On)
	v.keys(kb.Enter)
	is("false")
	v.sees(messageOf(newsletter), v.texts(newsletter).Off)
	v.walk("#purpose-newsletter-undo")
	v.keys(kb.Enter)
	v.becomes(`document.querySelector("` + switchOf(newsletter) + `").getAttribute("aria-checked") === "true"`)
	if focus := v.focus(); focus == "" || focus == "body" {
		t.Error("the focus is lost after undo")
	}
	v.walk(row(newsletter) + " summary")
	v.keys(kb.Enter)
	v.becomes(`document.querySelector("` + row(newsletter) + ` details").open`)
	if got := decisions(t, newsletter); got != "give withdraw give" {
		t.Errorf("the ledger says %q", got)
	}
	v.visit("/consents")
	v.walk(".who button")
	v.enter()
	v.at("/")
}

// TestKeyboardOnPhone opens and closes the menu of a narrow window.
func TestKeyboardOnPhone(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.comes("ingrid")
	v.size(390)
	v.visit("/overview")
	v.walk("details.menu > summary")
	v.keys(kb.Enter)
	v.becomes(`document.querySelector("details.menu").open`)
	v.walk(`.menu-list a[href="/consents"]`)
	v.keys(kb.Escape)
	v.becomes(`!document.querySelector("details.menu").open && document.activeElement.matches("details.menu > summary")`)
	v.keys(kb.Enter)
	v.walk(`.menu-list a[href="/consents"]`)
	v.enter()
	v.at("/consents")
	// Areas fold on a phone; the tab key opens nothing, and skips what is folded.
	v.walk("#area-marketing summary")
	v.keys(kb.Enter)
	v.walk(switchOf(newsletter))
	v.keys(" ")
	v.becomes(`document.querySelector("` + switchOf(newsletter) + `").getAttribute("aria-checked") === "true"`)
}
