package views

import (
	"context"
	"strings"

	"github.com/a-h/templ"

	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/privacy"
)

// Consents is the page with every purpose by area.
type Consents struct {
	Shell
	Notice *Notice // what the whole page has to say
	Areas  []Area
}

// Area is a heading with its purposes. It folds on a phone; on a wide screen
// everything stands open.
type Area struct {
	ID     string
	Title  string
	Lead   string // one sentence: what is gathered here
	Counts Counts
	// Open: unfolded on a phone when the page arrives. Set it for the area of a
	// row that has something new to say: saved, a notice, a question.
	Open   bool
	Notice *Notice
	Saved  *Saved // after everything was turned off at once; its Undo stays empty
	CSRF   string
	Rows   []ConsentRow
}

// canOff tells whether "turn off all" would change anything.
func (a Area) canOff() bool { return a.Counts.CanOff > 0 }

// Counts says how many purposes of an area or of everything are in each state.
type Counts struct {
	On     int // by choice, or not objected to
	Off    int
	Paused int // objections under assessment
	Renew  int // questions that wait for an answer
	Needed int // without a choice
	CanOff int // of those on: how many "turn off all" would turn off
}

// text is the counts in words: "1 på, 3 av, 1 stanset". What is needed is left out
// unless there is nothing else, since there is nothing to decide about it.
func (c Counts) text(ctx context.Context) string {
	decide := c
	if c.On+c.Off+c.Paused+c.Renew > 0 {
		decide.Needed = 0
	}
	return decide.all(ctx)
}

// all is the counts in words, what is needed among them.
func (c Counts) all(ctx context.Context) string {
	var parts []string
	add := func(n int, key string) {
		if n > 0 {
			parts = append(parts, i18n.T(ctx, key, "Count", n))
		}
	}
	add(c.On, "counts.on")
	add(c.Off, "counts.off")
	add(c.Paused, "counts.paused")
	add(c.Renew, "counts.renew")
	add(c.Needed, "counts.needed")
	return strings.Join(parts, ", ")
}

// ConsentRow is one purpose: what happens, what the person can do about it, and
// what came of the last act. It stands in the list, and at the head of the
// purpose's own page.
//
// law: GDPR 7(3) (no is as near as yes), 13(1)(c)-(f), 21
type ConsentRow struct {
	ID      string
	Area    string
	Title   string // a few words; soft hyphens in long ones
	Summary string // what happens
	Gain    string // goes on from "Du får"
	Loss    string // goes on from "Uten dette"
	State   privacy.State
	Control privacy.Control
	Reason  string // why there is no choice, or why a contested use goes on
	// GoesOn: the use goes on while an objection is assessed, for legal claims.
	GoesOn bool
	Terms  Terms

	// The form.
	CSRF    string
	Text    string // hash of the text that is shown here
	Version int64  // of the choice that this row was drawn from
	From    string // list, page or overview: where the answer goes without scripts

	Saved     *Saved
	Notice    *Notice    // a conflict, an error, an outdated text
	Question  *Question  // asks anew, or asks about a conflict with the browser
	Objection *Objection // when State is paused or contested

	// Drawn is the markup that Row would write, kept from before; nil if there is none.
	Drawn templ.Component
}

// Terms are the facts behind "Grunnlag, mottakere og lagring".
type Terms struct {
	Basis      privacy.Basis
	Since      string   // when and how the choice now in force was made, a sentence; empty if never
	Data       []string // categories, by name
	Recipients []string // by name. law: GDPR 15(1)(c)
	Retention  string
	Section    string // of the privacy policy
}

// Saved is what the strip says after an act.
type Saved struct {
	Clock   string           // when: "14.32"
	Follows string           // what has happened or happens now
	Undo    privacy.Decision // the act that takes it back; empty if there is none
}

// Question is a choice between two equal answers.
type Question struct {
	Title, Text string
	Yes, No     string           // what the buttons say
	YesDecision privacy.Decision // what they send
	NoDecision  privacy.Decision
}

// Objection is an objection that a person at the company assesses. law: GDPR 18(1)(d), 21(1)
type Objection struct {
	Made      string // day: "18. november"
	Due       string // last day for the answer, in full
	DaysGone  int
	DaysTotal int
	CaseURL   string // empty until there is a page about it
}

// Offer is what the row's switch or button sends; empty if the row has none.
func (r ConsentRow) offer() privacy.Decision {
	switch r.State {
	case privacy.StateOn:
		switch r.Control {
		case privacy.ControlConsent:
			return privacy.Withdraw
		case privacy.ControlAbsolute, privacy.ControlObjection:
			return privacy.Object
		}
	case privacy.StateOff:
		switch r.Control {
		case privacy.ControlConsent:
			return privacy.Give
		case privacy.ControlAbsolute, privacy.ControlObjection:
			return privacy.Retract
		}
	}
	return ""
}

// hasSwitch tells whether the row has a switch: where one press settles it. An
// objection that somebody must assess gets a button that says so instead.
func (r ConsentRow) hasSwitch() bool {
	return r.offer() != "" && (r.Control != privacy.ControlObjection || r.State == privacy.StateOff)
}

func (r ConsentRow) hasProtest() bool { return r.offer() == privacy.Object && !r.hasSwitch() }

func (r ConsentRow) path() string   { return "/consents/" + r.ID }
func (r ConsentRow) rowID() string  { return "purpose-" + r.ID }
func (r ConsentRow) target() string { return "#" + r.rowID() }

// messagePlace is where the answer goes if something failed: beside the row's
// text, so that the row itself stays.
func (r ConsentRow) messagePlace() string { return "target:#" + r.rowID() + "-message swap:innerHTML" }

// stateWord is the state in a word or two, for rows without a switch.
func stateWord(ctx context.Context, r ConsentRow) string {
	switch r.State {
	case privacy.StatePaused:
		return i18n.T(ctx, "state.paused")
	case privacy.StateContested:
		return i18n.T(ctx, "state.contested")
	case privacy.StateNeeded:
		return i18n.T(ctx, "state.needed")
	case privacy.StateRenew:
		return i18n.T(ctx, "state.renew")
	case privacy.StateNotApplicable:
		return i18n.T(ctx, "state.not-applicable")
	case privacy.StateDormant:
		return i18n.T(ctx, "state.dormant")
	case privacy.StateOff:
		return i18n.T(ctx, "state.off")
	}
	return i18n.T(ctx, "state.on")
}

func stateIcon(s privacy.State) string {
	switch s {
	case privacy.StatePaused:
		return "pause"
	case privacy.StateContested, privacy.StateRenew:
		return "clock"
	case privacy.StateNeeded:
		return "lock"
	case privacy.StateOn:
		return "check"
	}
	return "minus"
}

// termFacts are the terms as labels and values.
func termFacts(ctx context.Context, t Terms) []Fact {
	basis := BasisText(ctx, t.Basis)
	if t.Since != "" {
		basis += ". " + t.Since
	}
	to := strings.Join(t.Recipients, ", ")
	if to == "" {
		to = i18n.T(ctx, "terms.nobody")
	}
	out := []Fact{
		{i18n.T(ctx, "terms.basis"), basis},
		{i18n.T(ctx, "terms.data"), Listing(t.Data)},
		{i18n.T(ctx, "terms.recipients"), to},
		{i18n.T(ctx, "terms.retention"), t.Retention},
	}
	if t.Section != "" {
		out = append(out, Fact{i18n.T(ctx, "terms.section"), i18n.T(ctx, "terms.section-no", "No", t.Section)})
	}
	return out
}
