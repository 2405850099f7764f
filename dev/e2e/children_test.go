package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// TestChild stops somebody under the age limit before anything is stored. If the
// company knows the child, a case is opened that erases what is there.
func TestChild(t *testing.T) {
	for key, cases := range map[string]int{"tuva": 1, "storm": 0} {
		t.Run(key, func(t *testing.T) {
			anew(t)
			mark := world.logs.mark()
			v := arrive(t)
			v.eye.expect(http.StatusForbidden)
			v.visit("/")
			v.follow(loginLink("bankid"))
			v.choose(key)
			v.sees("h1", v.says("child.title", "Age", 13))
			v.sees("main", v.says("child.guardian-text"))
			logged(t, mark, "too-young")
			nobody(t, v.cookie("innsyn"))
			if n := number(t, `SELECT count(*) FROM child_case`); n != cases {
				t.Errorf("%d cases, want %d", n, cases)
			}
			v.follow(`main a[href="/contact#child"]`)
			v.at("/contact")
			if !v.has("#child") {
				t.Error("the contact page has no place for a guardian")
			}
		})
	}
}

// TestAge asks somebody whose provider gives no birth date. Yes: in. No: stopped,
// and nothing is kept.
func TestAge(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.visit("/")
	v.follow(loginLink("vipps"))
	v.choose("kari", "no-birth-date")
	v.at("/age")
	nobody(t, v.cookie("innsyn"))
	v.inspect("age")
	v.follow(`button[name=of_age][value=yes]`)
	v.at("/overview")
	if n := number(t, `SELECT count(*) FROM person WHERE age_declared_at IS NOT NULL`); n != 1 {
		t.Error("the declaration isn't on record")
	}
	// Asked once only.
	call(t).login("vipps", "kari", "no-birth-date")

	anew(t)
	w := arrive(t)
	w.eye.expect(http.StatusForbidden, http.StatusGone)
	w.visit("/")
	w.follow(loginLink("vipps"))
	w.choose("kari", "no-birth-date")
	w.follow(`button[name=of_age][value=no]`)
	w.sees("h1", w.says("child.title", "Age", 13))
	nobody(t, w.cookie("innsyn"))
	w.visit("/age")
	if strings.Contains(w.text("main"), w.says("age.yes", "Age", 13)) {
		t.Error("the question can be answered again")
	}
}
