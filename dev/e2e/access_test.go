package e2e

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// publicPages are those that anybody sees.
var publicPages = map[string]string{
	"front": "/", "privacy-notice": "/privacy-notice", "recipients": "/recipients", "contact": "/contact", "cookies": "/cookies",
}

// personalPages are those of somebody who is logged in.
var personalPages = map[string]string{
	"overview": "/overview", "consents": "/consents", "consent": "/consents/" + newsletter, "consent-needed": "/consents/" + account,
	"consent-objection": "/consents/" + breakdown, "logins": "/logins", "customer": "/customer",
}

// each looks at pages in every width and scheme, several at the same time, each
// in a browser of its own with the visitor's session.
func each(t *testing.T, v *visitor, pages map[string]string, suffix string) {
	session := v.cookie("innsyn")
	for name, path := range pages {
		t.Run(name+suffix, func(t *testing.T) {
			t.Parallel()
			w := arrive(t)
			w.eye.expect(http.StatusNotFound)
			if session != "" {
				w.setCookie("innsyn", session)
			}
			w.visit(path)
			w.inspect(name + suffix)
		})
	}
}

// TestAccessPublic looks at every public page in every width and scheme, with
// axe-core.
func TestAccessPublic(t *testing.T) {
	anew(t)
	pages := maps.Clone(publicPages)
	pages["not-found"] = "/nothing-here"
	pages["logged-out"] = "/?out=1"
	each(t, arrive(t), pages, "")
}

// TestAccessPersonal looks at the pages of somebody who has just come.
func TestAccessPersonal(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.comes("ingrid")
	pages := maps.Clone(personalPages)
	pages["not-found-inside"] = "/consents/nothing-here"
	pages["logins-added"] = "/logins?new=1"
	each(t, v, pages, "-new")
}

// TestAccessStates looks at the same pages when much has happened: saved, undone,
// paused, contested, a conflict, deliveries in every state.
func TestAccessStates(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.comes("ingrid")
	v.visit("/consents")
	other := v.another(t)
	other.visit("/consents")
	v.turns(newsletter, true)
	v.turns("analytics", true)
	v.turns("analytics", false)
	v.turns(marketing, false)
	v.press("#purpose-" + breakdown + "-protest")
	v.sees(row(breakdown), v.says("state.paused"))
	v.press("#purpose-" + debt + "-protest")
	v.sees(row(debt), v.says("state.contested"))
	v.press("#off-marketing button")
	v.sees("#area-marketing-message", v.says("saved.area"))
	v.inspect("consents-saved")

	other.eye.expect(http.StatusConflict)
	other.press(switchOf(newsletter))
	other.sees(messageOf(newsletter), other.says("error.changed-elsewhere"))
	other.size(390)
	other.axe()
	other.picture("consents-conflict-390-light")

	// Everything unfolded, as somebody who wants to read it all.
	v.visit("/consents")
	v.do("unfold", chromedp.Evaluate[chromedp.Void](`for (const d of document.querySelectorAll("main details")) d.open = true`))
	v.size(390)
	v.axe()
	v.size(320)
	v.look()
	v.picture("consents-open-320-light")
	v.size(1280)

	// Boards with every state that there is.
	v.visit("/consents")
	boards := map[string]string{}
	states := []string{"queued", "sent", "accepted", "confirmed", "needs_manual", "failed", "refused", "not_connected", "superseded"}
	for _, purpose := range []string{"personalised-ads", "cross-app-tracking"} {
		v.turns(purpose, true)
		settled(t, purpose)
	}
	rest(t)
	for i, purpose := range []string{"personalised-ads", "cross-app-tracking"} {
		for j, recipient := range []string{"admob", "addapptr", "xandr", "applovin", "google-analytics"} {
			owner(t, `UPDATE delivery SET state = $1, changed_at = now(), next_attempt = now() + interval '1 hour'
				WHERE purpose = $2 AND recipient = $3`, states[(4*i+j)%len(states)], purpose, recipient)
		}
		boards["consent-board-"+purpose] = "/consents/" + purpose
	}
	settled(t, newsletter)
	pages := maps.Clone(personalPages)
	for _, same := range []string{"consents", "consent-needed", "customer"} { // looked at above, and as a newcomer's
		delete(pages, same)
	}
	maps.Copy(pages, boards)
	each(t, v, pages, "")
}

// TestAccessLongWords is somebody with a long name and Sámi letters.
func TestAccessLongWords(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.comes("maret")
	v.visit("/overview")
	v.sees("h1", "Máret-Elle")
	v.inspect("overview-long")
	v.size(320)
	v.visit("/logins")
	v.axe()
}

// TestLanguages reads every page in nynorsk and English, in the narrowest window,
// where long words show. What no page may have is looked at on each; here the
// language itself is.
func TestLanguages(t *testing.T) {
	anew(t)
	outside, inside := arrive(t), arrive(t)
	inside.comes("ingrid")
	inside.visit("/consents")
	inside.turns(newsletter, true)
	inside.size(320)
	outside.size(320)
	inside.eye.expect(http.StatusNotFound)
	bokmal := map[string]string{}
	for _, lang := range []string{"nb", "nn", "en"} {
		for v, paths := range map[*visitor][]string{
			outside: {"/", "/privacy-notice", "/recipients", "/contact", "/cookies"},
			inside:  append(slices.Sorted(maps.Values(personalPages)), "/step-up?next=/consents", "/nothing-here"),
		} {
			v.setCookie("innsyn-lang", lang)
			for _, path := range paths {
				v.visit(path)
				if got := v.attribute("html", "lang"); got != lang {
					t.Errorf("%s: the page's language is %q, want %q", path, got, lang)
				}
				text := v.text("body")
				if bokmal[path] == text {
					t.Errorf("%s: the same text in bokmål and in %s", path, lang)
				}
				if lang == "nb" {
					bokmal[path] = text
				}
			}
		}
	}
}

// TestLanguageStays: the choice is remembered in a cookie that no script reads,
// and without one the browser's own wish counts.
func TestLanguageStays(t *testing.T) {
	anew(t)
	c := call(t)
	for wish, want := range map[string]string{"en-GB,en;q=0.9": "en", "nn-NO": "nn", "no": "nb", "de": "nb", "": "nb", "xx;;q=": "nb"} {
		if got := c.get("/", with("Accept-Language", wish)).Header.Get("Content-Language"); got != want {
			t.Errorf("Accept-Language %q: %s, want %s", wish, got, want)
		}
	}
	if c.cookie("innsyn-lang") != "" {
		t.Error("a cookie that nobody asked for")
	}
	r := c.get("/contact?lang=nn")
	if set := r.Header.Get("Set-Cookie"); r.StatusCode != http.StatusSeeOther || !strings.Contains(set, "HttpOnly") || !strings.Contains(set, "innsyn-lang=nn") {
		t.Errorf("%s, %q", r.Status, set)
	}
	if got := c.get("/contact", with("Accept-Language", "en")).Header.Get("Content-Language"); got != "nn" {
		t.Errorf("chosen nynorsk, got %s", got)
	}
	if set := call(t).get("/contact?lang=xx").Header.Get("Set-Cookie"); strings.Contains(set, "innsyn-lang") {
		t.Errorf("an unknown language is remembered: %q", set)
	}
}
