package web_test

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
)

var (
	aToken = regexp.MustCompile(`name="csrf" value="([^"]+)"`)
	aRow   = regexp.MustCompile(`(?s)<li class="consent" id="purpose-([^"]+)".*?</details></li>`)
)

// listed are the rows of a page by purpose, without the tokens, which differ from
// page to page.
func listed(page string) map[string]string {
	out := map[string]string{}
	for _, m := range aRow.FindAllStringSubmatch(page, -1) {
		out[m[1]] = aToken.ReplaceAllString(m[0], "")
	}
	return out
}

// TestKeptRowsAreWhatWouldBeDrawn holds rows that are put together from kept
// pieces against rows that are drawn for the one request: that of a purpose with
// news, which has none left an hour after the act.
func TestKeptRowsAreWhatWouldBeDrawn(t *testing.T) {
	p := open(t)
	first, second := p.login(t, privacy.AssuranceLow), p.login(t, privacy.AssuranceLow)
	chosen := map[privacy.Control]int{}
	for i, purpose := range p.cat.Purposes {
		if purpose.Control == privacy.ControlNone || purpose.When != "" || purpose.Dormant || i%2 == 1 {
			continue
		}
		for _, v := range []*visitor{first, second} {
			if a := v.post("/consents/"+purpose.ID, v.form(purpose.ID)); a.StatusCode != 303 {
				t.Fatalf("%s: %s", purpose.ID, a.Status)
			}
		}
		chosen[purpose.Control]++
		if purpose.Control != privacy.ControlConsent {
			continue
		}
		if a := second.post("/consents/"+purpose.ID, second.form(purpose.ID)); a.StatusCode != 303 {
			t.Fatalf("%s: %s", purpose.ID, a.Status)
		}
		p.pass(24 * time.Hour) // another day
		first, second = p.again(t, first), p.again(t, second)
	}
	for _, c := range []privacy.Control{privacy.ControlConsent, privacy.ControlAbsolute, privacy.ControlObjection} {
		if chosen[c] == 0 {
			t.Errorf("nothing with control %s was chosen", c)
		}
	}
	p.pass(2 * time.Hour) // nothing is news any more
	first, second = p.again(t, first), p.again(t, second)
	for _, lang := range privacy.Languages {
		for i, v := range []*visitor{first, second} {
			v.header.Set("Accept-Language", lang)
			page := v.get("/consents").body
			tokens := aToken.FindAllStringSubmatch(strings.Join(aRow.FindAllString(page, -1), ""), -1)
			if len(tokens) < 20 || slices.ContainsFunc(tokens, func(m []string) bool { return m[1] != tokens[0][1] }) {
				t.Errorf("%s: of %d tokens of rows some differ", lang, len(tokens))
			}
			if strings.ContainsAny(page, "\x00\ufffd") || strings.Contains(page, "-9223372036854775808") {
				t.Errorf("%s: a mark is on the page", lang)
			}
			kept := listed(page)
			if len(kept) != len(p.cat.Purposes) {
				t.Fatalf("%s: %d rows of %d", lang, len(kept), len(p.cat.Purposes))
			}
			for id := range kept {
				drawn := listed(v.get("/consents?" + url.Values{"saved": {id}}.Encode()).body)
				if kept[id] != drawn[id] {
					t.Errorf("%s, person %d, %s:\nkept  %s\ndrawn %s", lang, i+1, id, kept[id], drawn[id])
				}
			}
		}
	}
	if kept := listed(first.get("/consents").body); fmt.Sprint(kept) == fmt.Sprint(listed(second.get("/consents").body)) {
		t.Error("two persons who chose differently have the same rows")
	}
}
