package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"elekt.no/innsyn/dev/standin"
	"elekt.no/innsyn/privacy"
)

// The purposes that these tests steer, one of each kind.
const (
	newsletter = "newsletter"                // a consent, told to Mailgun
	marketing  = "direct-marketing-customer" // an absolute objection
	breakdown  = "home-breakdown"            // an objection that a human assesses
	debt       = "debt-collection"           // the same, and goes on meanwhile
	account    = "user-profile"              // no choice
)

func row(purpose string) string       { return "#purpose-" + purpose }
func switchOf(purpose string) string  { return "#purpose-" + purpose + "-switch" }
func messageOf(purpose string) string { return "#purpose-" + purpose + "-message" }

// isOn tells what the switch of a purpose says.
func (v *visitor) isOn(purpose string) bool {
	v.t.Helper()
	return v.attribute(switchOf(purpose), "aria-checked") == "true"
}

// turns presses the switch of a purpose and waits until it says so.
func (v *visitor) turns(purpose string, on bool) {
	v.t.Helper()
	v.press(switchOf(purpose))
	want := "false"
	if on {
		want = "true"
	}
	v.becomes(`document.querySelector(` + quote(switchOf(purpose)) + `)?.getAttribute("aria-checked") === "` + want + `"`)
}

// texts are the catalogue's words about a purpose, in the visitor's language.
func (v *visitor) texts(purpose string) privacy.PurposeText {
	v.t.Helper()
	p, err := world.catalogue.Purpose(purpose)
	if err != nil {
		v.t.Fatal(err)
	}
	return p.Texts.In(v.lang)
}

// decisions are those in the ledger about a purpose, oldest first.
func decisions(t *testing.T, purpose string) string {
	t.Helper()
	return one[string](t, `SELECT coalesce(string_agg(decision, ' ' ORDER BY leaf_id), '') FROM ledger_entry WHERE purpose = $1`, purpose)
}

// arrives waits for a call of Mailgun's stand-in that was answered well.
func arrives(t *testing.T, what string, match func(standin.Request) bool) standin.Request {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := world.Standin.Wait(ctx, func(r standin.Request) bool {
		return r.Recipient == standin.Mailgun && r.Status == http.StatusOK && match(r)
	})
	if err != nil {
		t.Fatalf("%s never arrived: %v\n%v", what, err, world.Standin.Requests())
	}
	return r
}

// subscribes waits until an address is put on the newsletter's list.
func subscribes(t *testing.T, email string) {
	t.Helper()
	r := arrives(t, "the yes", func(r standin.Request) bool {
		return r.Method == http.MethodPost && r.Path == "/v3/lists/"+newsList+"/members"
	})
	if r.Fields.Get("address") != email || r.Fields.Get("subscribed") != "yes" {
		t.Errorf("Mailgun got %v", r.Fields)
	}
}

// suppressed waits until an address is stopped for a tag, after a request.
func suppressed(t *testing.T, email, tag string) {
	t.Helper()
	r := arrives(t, "the stop", func(r standin.Request) bool {
		return r.Method == http.MethodPost && r.Path == "/v3/"+newsDomain+"/unsubscribes" && strings.Contains(r.JSON, quote(tag))
	})
	var got []struct {
		Address string
		Tags    []string
	}
	if err := json.Unmarshal([]byte(r.JSON), &got); err != nil || len(got) != 1 || got[0].Address != email || !slices.Contains(got[0].Tags, tag) {
		t.Errorf("Mailgun got %q, want %s stopped for %s", r.JSON, email, tag)
	}
	if tags := world.Standin.Suppressed(newsDomain, email); !slices.Contains(tags, tag) || slices.Contains(tags, "*") {
		t.Errorf("suppressed for %q", tags)
	}
}

// settled waits until everything that can be told at once about a purpose is told.
func settled(t *testing.T, purpose string) {
	t.Helper()
	until(t, "deliveries of "+purpose, func() bool {
		return number(t, `SELECT count(*) FROM delivery WHERE purpose = $1 AND state IN ('queued', 'sent', 'failed') AND not_before <= now()`, purpose) == 0
	})
}

// TestNewcomer is the whole way of somebody who has never been here: log in, say
// yes to the newsletter, say no, and read what became of it.
func TestNewcomer(t *testing.T) {
	for _, provider := range []string{"bankid", "vipps"} {
		t.Run(provider, func(t *testing.T) {
			anew(t)
			email := person(t, "ingrid").Email
			v := arrive(t)
			v.login(provider, "ingrid")
			v.at("/overview")
			v.sees("h1", "Ingrid")
			v.follow(`.rail a[href="/consents"]`)

			if v.isOn(newsletter) {
				t.Fatal("the newsletter was on before anybody said yes")
			}
			v.turns(newsletter, true)
			v.sees(messageOf(newsletter), v.texts(newsletter).On)
			subscribes(t, email)

			v.turns(newsletter, false)
			v.sees(messageOf(newsletter), v.texts(newsletter).Off)
			suppressed(t, email, newsTag)
			settled(t, newsletter)

			v.follow(row(newsletter) + " .consent-title a")
			v.at("/consents/" + newsletter)
			v.sees("#board li.is-confirmed:nth-of-type(2)", "Mailgun")
			v.sees("#board li.is-confirmed:nth-of-type(2)", v.says("delivery.confirmed"))
			if n := v.count(".timeline > li"); n != 2 {
				t.Fatalf("the history has %d entries", n)
			}
			v.sees(".timeline > li:nth-child(1) .what", v.says("event.withdraw"))
			v.sees(".timeline > li:nth-child(2) .what", v.says("event.give"))
			for _, n := range []string{"1", "2"} {
				entry := ".timeline > li:nth-child(" + n + ")"
				v.press(entry + " summary")
				v.sees(entry+" .quote", v.texts(newsletter).Title)
				v.sees(entry+" .quote", v.texts(newsletter).Summary)
				v.sees(entry+" .quote", v.texts(newsletter).Retention)
			}
			if got := decisions(t, newsletter); got != "give withdraw" {
				t.Errorf("the ledger says %q", got)
			}
			if also := one[string](t, `SELECT also FROM ledger_entry WHERE decision = 'withdraw'`); also != privacy.AlsoObjection {
				t.Errorf("the withdrawal is also %q", also)
			}
		})
	}
}

// TestErasureFollows is what comes 24 hours after a withdrawal: the row says
// when, and then the data that rested on the yes alone go at the recipient too.
func TestErasureFollows(t *testing.T) {
	anew(t)
	email := person(t, "ingrid").Email
	v := arrive(t)
	v.comes("ingrid")
	v.visit("/consents")
	v.turns(newsletter, true)
	subscribes(t, email)
	v.turns(newsletter, false)
	suppressed(t, email, newsTag)
	settled(t, newsletter)
	if _, on := world.Standin.MemberOf(newsList, email); !on {
		t.Fatal("taken off the list at once: there would be nothing to undo")
	}
	v.visit("/overview")
	v.sees("main", v.says("attention.erase-act"))

	owner(t, `UPDATE delivery SET not_before = now() - interval '1 second' WHERE action = 'erase'`)
	owner(t, `UPDATE river_job SET state = 'available', scheduled_at = now() WHERE state = 'scheduled'`)
	arrives(t, "the erasure", func(r standin.Request) bool {
		return r.Method == http.MethodDelete && r.Path == "/v3/lists/"+newsList+"/members/"+email
	})
	if _, on := world.Standin.MemberOf(newsList, email); on {
		t.Error("still on the list")
	}
	if tags := world.Standin.Suppressed(newsDomain, email); !slices.Contains(tags, newsTag) {
		t.Errorf("the stop is forgotten: %q", tags)
	}
}

// TestOnePerson is somebody who comes with BankID and later with Vipps: the
// identity number makes them one, and the new login is told of.
func TestOnePerson(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.login("bankid", "ingrid")
	v.visit("/consents")
	v.turns(newsletter, true)
	v.follow(".who button")
	v.at("/")

	v.login("vipps", "ingrid")
	v.at("/logins")
	v.sees("main", v.says("logins.new"))
	v.visit("/consents")
	if !v.isOn(newsletter) {
		t.Error("with Vipps the choice of BankID isn't there")
	}
	if people, logins := number(t, `SELECT count(*) FROM person`), number(t, `SELECT count(*) FROM login`); people != 1 || logins != 2 {
		t.Errorf("%d people, %d logins", people, logins)
	}
}

// TestWithoutScripts does everything with plain forms.
func TestWithoutScripts(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.withoutScripts()
	v.login("bankid", "ingrid")
	v.at("/overview")
	v.visit("/consents")
	v.follow(switchOf(newsletter))
	if at := v.address(); at.Path != "/consents" || at.Fragment != "purpose-newsletter" {
		t.Errorf("came to %s", at)
	}
	v.sees(messageOf(newsletter), v.texts(newsletter).On)
	if !v.isOn(newsletter) {
		t.Error("the switch isn't on")
	}
	v.follow(row(newsletter) + "-undo")
	v.sees(messageOf(newsletter), v.texts(newsletter).Off)
	if v.isOn(newsletter) {
		t.Error("undo left the switch on")
	}
	v.follow("#purpose-" + breakdown + "-protest")
	v.sees(row(breakdown), v.says("state.paused"))
	v.follow("#off-marketing button")
	v.sees("#area-marketing-message", v.says("saved.area"))
	if got := decisions(t, newsletter); got != "give withdraw" {
		t.Errorf("the ledger says %q", got)
	}
	v.visit("/consents/" + newsletter)
	v.follow(switchOf(newsletter))
	v.at("/consents/" + newsletter)
	v.sees(messageOf(newsletter), v.texts(newsletter).On)
	v.follow(".who button")
	v.at("/")
	if v.cookie("innsyn") != "" {
		t.Error("the session's cookie is still there")
	}
}

// TestInPlace is a press with scripts: the page stays, the focus stays, the row
// speaks, the counts follow.
func TestInPlace(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.comes("ingrid")
	v.visit("/consents")
	v.do("mark the page", chromedp.Evaluate[chromedp.Void](`window.here = true; document.querySelector("`+messageOf(newsletter)+`").here = true; 0`))
	if live := v.attribute(messageOf(newsletter), "aria-live"); live != "polite" {
		t.Errorf("the row's message is announced %q", live)
	}
	before := v.text("#jump-marketing")
	v.turns(newsletter, true)
	v.sees(messageOf(newsletter), v.texts(newsletter).On)
	v.becomes(`document.querySelector("#jump-marketing").innerText !== ` + quote(before))
	if after := v.text("#jump-marketing"); after != v.text("#fold-marketing") && v.text("#fold-marketing") != "" {
		t.Errorf("two counts: %q and %q", after, v.text("#fold-marketing"))
	}
	if focus := v.focus(); focus != "purpose-newsletter-switch" {
		t.Errorf("the focus went to %s", focus)
	}
	if !ask[bool](v, `window.here === true && document.querySelector("`+messageOf(newsletter)+`").here === true`) {
		t.Error("the page or the place that speaks was made anew, so nothing is read aloud")
	}
	v.press("#purpose-newsletter-undo")
	v.sees(messageOf(newsletter), v.texts(newsletter).Off)
	if v.isOn(newsletter) {
		t.Error("undo left the switch on")
	}
	v.becomes(`document.querySelector("#jump-marketing").innerText.trim() !== ""`)
	if after := v.text("#jump-marketing"); after != before {
		t.Errorf("the counts are %q, were %q", after, before)
	}
}

// TestTwoTabs is a page that was drawn before another tab changed the choice: it
// is told, shows what is true, and overwrites nothing.
func TestTwoTabs(t *testing.T) {
	anew(t)
	first := arrive(t)
	first.comes("ingrid")
	first.visit("/consents")
	second := first.another(t)
	second.visit("/consents")

	first.turns(newsletter, true)
	first.turns(newsletter, false)
	second.eye.expect(http.StatusConflict)
	second.press(switchOf(newsletter))
	second.sees(messageOf(newsletter), second.says("error.changed-elsewhere"))
	if second.isOn(newsletter) {
		t.Error("the stale tab shows on, and the choice is off")
	}
	if got := decisions(t, newsletter); got != "give withdraw" {
		t.Errorf("the ledger says %q", got)
	}
	second.turns(newsletter, true) // the row that it got is a fresh one
	if got := decisions(t, newsletter); got != "give withdraw give" {
		t.Errorf("the ledger says %q", got)
	}
}

// TestStaleNo is a no on a page that another tab has overtaken: it counts, since
// a no is never refused for the age of a page, and the person is told.
func TestStaleNo(t *testing.T) {
	anew(t)
	first := arrive(t)
	first.comes("ingrid")
	first.visit("/consents")
	first.turns(newsletter, true)
	second := first.another(t)
	second.visit("/consents")
	first.turns(newsletter, false)
	first.turns(newsletter, true)
	second.turns(newsletter, false)
	second.sees(messageOf(newsletter), second.says("stale.title"))
	if got := decisions(t, newsletter); got != "give withdraw give withdraw" {
		t.Errorf("the ledger says %q", got)
	}
}

// TestStopMarketing is the button of the right to object: no to all of it at once.
func TestStopMarketing(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.comes("ingrid")
	v.visit("/consents")
	v.turns(newsletter, true)
	v.visit("/overview")
	v.follow(".right-to-object form button")
	v.at("/overview")
	v.sees("main", v.says("saved.marketing"))
	if v.has(".right-to-object form") {
		t.Error("the button is still there, with nothing to stop")
	}
	if got := decisions(t, newsletter) + ", " + decisions(t, marketing) + ", " + decisions(t, "profiling-marketing"); got != "give withdraw, object, object" {
		t.Errorf("the ledger says %q", got)
	}
	suppressed(t, person(t, "ingrid").Email, newsTag)
}

// TestAbsoluteObjection is a no to direct marketing: off at once, no questions.
func TestAbsoluteObjection(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.comes("ingrid")
	v.visit("/consents")
	if !v.isOn(marketing) {
		t.Fatal("direct marketing to a customer is off before any objection")
	}
	v.turns(marketing, false)
	v.sees(messageOf(marketing), v.texts(marketing).Off)
	suppressed(t, person(t, "ingrid").Email, "marketing")
	if n := number(t, `SELECT count(*) FROM request`); n != 0 {
		t.Errorf("%d cases were opened: nobody is to assess this", n)
	}
	v.turns(marketing, true)
	if got := decisions(t, marketing); got != "object retract" {
		t.Errorf("the ledger says %q", got)
	}
}

// TestObjection is one that a human assesses: paused at once, with the day of the
// answer, and taken back.
func TestObjection(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.comes("ingrid")
	v.visit("/consents")
	v.press("#purpose-" + breakdown + "-protest")
	v.sees(row(breakdown), v.says("state.paused"))
	due := one[string](t, `SELECT to_char(due_on, 'FMDD. ') || (ARRAY['januar','februar','mars','april','mai','juni','juli','august','september','oktober','november','desember'])[extract(month FROM due_on)::int] || to_char(due_on, ' YYYY')
		FROM request WHERE kind = 'objection' AND purpose = $1 AND state = 'open'`, breakdown)
	v.sees(row(breakdown)+" .box", due)
	if days := number(t, `SELECT due_on - (received_at AT TIME ZONE 'Europe/Oslo')::date FROM request`); days < 28 || days > 30 {
		t.Errorf("the answer is due after %d days", days)
	}
	if focus := v.focus(); focus == "body" || focus == "" {
		t.Error("the focus is lost: the button that was pressed is gone")
	}
	v.visit("/overview")
	v.sees("main .rows", v.says("attention.objection-paused", "Due", due))

	v.visit("/consents")
	v.press("#purpose-" + breakdown + "-retract")
	v.becomes(`document.querySelector("#purpose-` + breakdown + `-protest") !== null`)
	if got := decisions(t, breakdown); got != "object retract" {
		t.Errorf("the ledger says %q", got)
	}
	if state := one[string](t, `SELECT state FROM request`); state != "withdrawn" {
		t.Errorf("the case is %s", state)
	}
}

// TestLegalClaims is an objection that stops nothing yet, and says why.
func TestLegalClaims(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.comes("ingrid")
	v.visit("/consents")
	v.sees(row(debt)+" .protest", v.says("consents.protest-contested"))
	v.press("#purpose-" + debt + "-protest")
	v.sees(row(debt), v.says("state.contested"))
	v.sees(row(debt), v.says("reason.contested"))
	if n := number(t, `SELECT count(*) FROM delivery`); n != 0 {
		t.Errorf("%d recipients are told to stop what goes on", n)
	}
	if n := number(t, `SELECT count(*) FROM request WHERE kind = 'objection' AND purpose = $1`, debt); n != 1 {
		t.Errorf("%d cases", n)
	}
}

// TestNoChoice looks at every purpose that has no switch: the reason stands there.
func TestNoChoice(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.comes("ingrid") // pays for the app, and has bought something
	v.visit("/consents")
	seen := map[privacy.State]int{}
	for i := range world.catalogue.Purposes {
		p := &world.catalogue.Purposes[i]
		reason := v.texts(p.ID).Reason
		state := p.State(nil, privacy.Circumstances{Plus: true, Shop: true})
		switch state {
		case privacy.StateNeeded:
		case privacy.StateNotApplicable:
			reason = v.says("reason." + string(p.When))
		case privacy.StateDormant:
			reason = v.says("reason.dormant")
		default:
			if n := v.count(row(p.ID) + " form"); n == 0 {
				t.Errorf("%s: there is a choice, and no form", p.ID)
			}
			continue
		}
		seen[state]++
		if v.has(row(p.ID) + " form") {
			t.Errorf("%s: a form, and no choice", p.ID)
		}
		if reason == "" {
			t.Errorf("%s: the catalogue gives no reason", p.ID)
		}
		v.sees(row(p.ID), reason)
	}
	for _, s := range []privacy.State{privacy.StateNeeded, privacy.StateNotApplicable, privacy.StateDormant} {
		if seen[s] == 0 {
			t.Errorf("no purpose is %s, so nothing was tried", s)
		}
	}
}

// TestAllOff turns off an area at once: consents withdrawn, marketing objected
// to, nothing turned on, and the yes only one by one.
func TestAllOff(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.comes("ingrid")
	v.visit("/consents")
	v.turns(newsletter, true)
	v.press("#off-marketing button")
	v.sees("#area-marketing-message", v.says("saved.area"))
	for _, p := range world.catalogue.In("marketing") {
		if v.has(switchOf(p.ID)) && v.isOn(p.ID) {
			t.Errorf("%s is on", p.ID)
		}
	}
	v.seesNot("#off-marketing button")
	if got := decisions(t, newsletter) + ", " + decisions(t, marketing) + ", " + decisions(t, "partner-offers"); got != "give withdraw, object, " {
		t.Errorf("the ledger says %q", got)
	}
	if n := number(t, `SELECT count(*) FROM request`); n != 0 {
		t.Errorf("%d cases were opened", n)
	}
}

// TestRenewedText is a page whose text has changed since: a yes to words that
// nobody uses any more is refused, a no never fails on wording.
func TestRenewedText(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.comes("ingrid")
	v.visit("/consents")
	old := func() {
		v.do("an old text", chromedp.Evaluate[chromedp.Void](`for (const f of document.querySelectorAll("`+row(newsletter)+` input[name=text]")) f.value = "`+strings.Repeat("ab", 32)+`"`))
	}
	old()
	v.eye.expect(http.StatusConflict)
	v.press(switchOf(newsletter))
	v.sees(messageOf(newsletter), v.says("error.text-changed"))
	if got := decisions(t, newsletter); got != "" {
		t.Fatalf("the ledger says %q", got)
	}
	v.turns(newsletter, true) // the row that came back has today's text
	old()
	v.turns(newsletter, false)
	if got := decisions(t, newsletter); got != "give withdraw" {
		t.Errorf("the ledger says %q", got)
	}
}

// TestMaterialChange is a consent to a text that has changed so much that it
// counts no longer: off, asked anew, and answered.
func TestMaterialChange(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.comes("ingrid")
	v.visit("/consents")
	v.turns(newsletter, true)
	rest(t)
	// A yes to revision 0: what a catalogue with a material revision makes of it.
	if n := owner(t, `UPDATE choice SET revision = $1 WHERE purpose = $2`, -1, newsletter); n != 1 {
		t.Fatal("no choice")
	}
	v.visit("/consents")
	v.sees(row(newsletter), v.says("state.renew"))
	v.sees(row(newsletter)+" .box", v.says("renew.text"))
	v.visit("/overview")
	v.sees("main .rows", v.says("attention.renew-act"))
	v.visit("/consents")
	v.press("#purpose-newsletter-yes")
	v.becomes(`document.querySelector("` + switchOf(newsletter) + `")?.getAttribute("aria-checked") === "true"`)
	if got := decisions(t, newsletter); got != "give give" {
		t.Errorf("the ledger says %q", got)
	}
}

// TestRefused is a no where there was no yes: recorded as what it is.
func TestRefused(t *testing.T) {
	anew(t)
	c := call(t)
	c.login("bankid", "ingrid")
	form := c.choice(newsletter)
	form.Set("decision", string(privacy.Withdraw))
	if r := c.post("/consents/"+newsletter, form); r.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s: %s", r.Status, r.main())
	}
	if got := decisions(t, newsletter); got != "refuse" {
		t.Errorf("the ledger says %q", got)
	}
	if r := c.post("/consents/"+newsletter, form); r.StatusCode != http.StatusSeeOther {
		t.Errorf("the same again: %s", r.Status)
	}
	if got := decisions(t, newsletter); got != "refuse" {
		t.Errorf("pressed twice, the ledger says %q", got)
	}
}
