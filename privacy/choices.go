package privacy

import (
	"strconv"
	"time"
)

// Decision is what a person did about a purpose.
type Decision string

// The decisions. A form sends give, withdraw, object or retract; withdraw is
// recorded as refuse when there was no yes to withdraw.
const (
	Give     Decision = "give"     // consent given. law: GDPR 6(1)(a)
	Withdraw Decision = "withdraw" // consent withdrawn. law: GDPR 7(3)
	Refuse   Decision = "refuse"   // consent refused
	Object   Decision = "object"   // objection. law: GDPR 21
	Retract  Decision = "retract"  // objection taken back
)

// Channel is where a decision was made.
type Channel string

// The channels.
const (
	ChannelWeb    Channel = "web"
	ChannelApp    Channel = "app"
	ChannelStaff  Channel = "staff"
	ChannelAPI    Channel = "api"
	ChannelImport Channel = "import"
	ChannelGPC    Channel = "gpc"
)

// Actor is who made a decision: ActorPerson, or a role and a stable pseudonym as
// "staff:4127".
type Actor string

// ActorPerson is the data subject.
const ActorPerson Actor = "person"

// AlsoObjection is the Entry.Also of a withdrawal that counts as an objection to
// direct marketing. law: GDPR 21(2)
const AlsoObjection = "object-21-2"

// Choice is the decision now in force.
type Choice struct {
	Purpose    string
	Decision   Decision
	At         time.Time
	Version    int64 // of the person's choices, when this one was made
	Revision   int   // of the purpose that was shown
	Text       Hash
	Language   string
	Channel    Channel
	EraseAfter time.Time // when the data that rested on a yes is deleted; zero if nothing is
	Due        time.Time // the day an objection is answered by; zero if none is assessed
}

// State is what a choice, or its absence, means for a purpose and a customer.
type State string

// The states.
const (
	StateOn            State = "on"             // by choice, or not objected to
	StateOff           State = "off"            // not used
	StatePaused        State = "paused"         // an objection is assessed; not used meanwhile. law: GDPR 18(1)(d)
	StateContested     State = "contested"      // an objection is assessed; used meanwhile, for legal claims
	StateNeeded        State = "needed"         // no choice
	StateRenew         State = "renew"          // a yes to an older text; off until given anew
	StateNotApplicable State = "not_applicable" // doesn't concern this customer
	StateDormant       State = "dormant"        // not done at all until the DPO decides
)

// Allowed tells whether the purpose may be carried out in this state.
func (s State) Allowed() bool {
	return s == StateOn || s == StateContested || s == StateNeeded
}

// State is the state of a purpose. choice is nil if the person never decided.
func (p *Purpose) State(choice *Choice, who Circumstances) State {
	switch {
	case p.Dormant:
		return StateDormant
	case !who.Meets(p.When):
		return StateNotApplicable
	}
	switch p.Control {
	case ControlNone:
		return StateNeeded
	case ControlConsent:
		switch {
		case choice == nil || choice.Decision != Give:
			return StateOff
		case choice.Revision < p.Material:
			return StateRenew
		}
		return StateOn
	}
	switch {
	case choice == nil || choice.Decision == Give || choice.Decision == Retract:
		return StateOn
	case choice.Decision != Object:
		return StateOff // a no to the consent that this was before. law: GDPR 21(2)
	case p.Control == ControlAbsolute:
		return StateOff
	case p.LegalClaims:
		return StateContested
	}
	return StatePaused
}

// No is the decision that says no to a purpose, and Yes the one that takes it
// back. Both are empty where there is no choice.
func (p *Purpose) No() Decision {
	switch p.Control {
	case ControlConsent:
		return Withdraw
	case ControlObjection, ControlAbsolute:
		return Object
	}
	return ""
}

// Yes is the decision that says yes to a purpose.
func (p *Purpose) Yes() Decision {
	switch p.Control {
	case ControlConsent:
		return Give
	case ControlObjection, ControlAbsolute:
		return Retract
	}
	return ""
}

// IsNo tells whether a decision says no.
func (d Decision) IsNo() bool { return d == Withdraw || d == Refuse || d == Object }

// YieldsTo tells, of two choices about one purpose that turn out to be of one
// human, whether the other holds: a no wins. law: GDPR 7(3), 21
func (c *Choice) YieldsTo(other *Choice) bool { return other.Decision.IsNo() && !c.Decision.IsNo() }

// Form is what a person sent to change a choice.
type Form struct {
	Decision Decision
	Text     Hash // of the text that was shown; zero if it wasn't kept
	// Shown is the text with that hash where the choice was made elsewhere, and may
	// have been made on an older one that is on record; nil: one of today's.
	Shown    *ShownText
	Version  int64 // Choice.Version that the page was drawn from, 0 if there was none
	Language string
	Channel  Channel
	Actor    Actor
}

// Change is a decision, ready to be recorded in one transaction.
type Change struct {
	Entry   Entry
	Choice  Choice // Version is set by the store
	Notices []Notice
	// OpensCase: an objection that a human must assess by Choice.Due.
	OpensCase bool
	// ClosesCase: the person took an objection back.
	ClosesCase bool
	// Stale: a no that was pressed on a page drawn from an older choice. It
	// counts all the same, and the person is told.
	Stale bool
}

// Notice is something that a recipient must be told. law: GDPR 19
type Notice struct {
	Recipient string
	Action    Action
	NotBefore time.Time // zero: at once
}

// Change decides what a form means: an error if it asks for something that isn't
// on offer or was drawn from an older state, nil if it changes nothing, else the
// change to record. Saying no never fails on wording, on age of the page, or on
// what another system knows.
//
// law: GDPR 7(3), 21
func (c *Catalogue) Change(person PersonRef, p *Purpose, now *Choice, who Circumstances, f Form, at time.Time) (*Change, error) {
	if f.Decision == "" || f.Decision != p.Yes() && f.Decision != p.No() || p.Dormant && f.Decision == p.Yes() {
		return nil, &Error{Kind: Invalid, Key: "error.not-offered", Reason: "decision-not-offered"}
	}
	yes := f.Decision == p.Yes()
	if yes && !who.Meets(p.When) {
		return nil, &Error{Kind: Invalid, Key: "error.not-offered", Reason: "condition-not-met"}
	}
	if yes && who.Unknown && p.When != Always {
		return nil, &Error{Kind: Unavailable, Key: "error.company-away", Reason: "condition-unknown"}
	}
	before := p.State(now, who)
	var version int64
	if now != nil {
		version = now.Version
	}
	shown, text, revision := c.read(p, f), Hash{}, p.Revision
	if text = shown.Hash(); f.Shown != nil {
		shown, text, revision = *f.Shown, f.Text, f.Shown.Revision
	}
	if says(now, p) == f.Decision && !(yes && before == StateRenew) {
		return nil, nil
	}
	if yes && f.Version != version {
		return nil, &Error{Kind: Conflict, Key: "error.changed-elsewhere", Reason: "stale-version"}
	}
	// What a yes to an older text is worth: nothing, if the purpose has become
	// another since. law: GDPR 4(11)
	if yes && (f.Text != text || shown.Purpose != p.ID || revision < p.Material) {
		return nil, &Error{Kind: Conflict, Key: "error.text-changed", Reason: "stale-text"}
	}

	at = EntryTime(at)
	decision := f.Decision
	if decision == Withdraw && (now == nil || now.Decision != Give) {
		decision = Refuse
	}
	ch := &Change{
		Stale: f.Version != version,
		Entry: Entry{
			Salt: NewSalt(), Person: person, Purpose: p.ID, Decision: decision, Catalogue: c.Hash(), Text: text,
			Language: shown.Language, Channel: f.Channel, Actor: f.Actor, At: at,
		},
		Choice: Choice{
			Purpose: p.ID, Decision: decision, At: at, Revision: revision, Text: text,
			Language: shown.Language, Channel: f.Channel,
		},
	}
	if !yes && p.AlsoObjection {
		ch.Entry.Also = AlsoObjection
	}
	if p.Control == ControlObjection {
		ch.OpensCase, ch.ClosesCase = !yes, yes
		if !yes {
			ch.Choice.Due = Due(at)
		}
	}
	action := ActionAllow
	if !yes {
		action = ActionStop
		// A paused or contested purpose keeps its data until the objection is decided.
		if p.Retention.OnStop == OnStopDelete && p.Control != ControlObjection && before != StateOff && before != StateNotApplicable {
			ch.Choice.EraseAfter = at.Add(EraseDelay)
		}
	}
	if p.LegalClaims {
		return ch, nil // goes on while it is assessed: nobody is told anything. law: GDPR 21(1), 5(1)(c)
	}
	// A refusal is told too: somebody who never said yes here may be on a
	// recipient's list from before.
	for _, r := range p.Recipients {
		if c.recipients[r].Mode == ModeNone {
			continue
		}
		ch.Notices = append(ch.Notices, Notice{Recipient: r, Action: action})
		if !ch.Choice.EraseAfter.IsZero() {
			ch.Notices = append(ch.Notices, Notice{Recipient: r, Action: ActionErase, NotBefore: ch.Choice.EraseAfter})
		}
	}
	return ch, nil
}

// read is the text that a form was drawn from: today's, in the language in which
// its hash is the form's, or in the form's own language if none is.
func (c *Catalogue) read(p *Purpose, f Form) ShownText {
	for _, lang := range Languages {
		if t := c.Shown(p, lang); t.Hash() == f.Text {
			return t
		}
	}
	return c.Shown(p, f.Language)
}

// says is the form's decision that the choice in force amounts to: a purpose
// that was never decided about says nothing for a consent, and yes for what is
// on until objected to.
func says(now *Choice, p *Purpose) Decision {
	switch {
	case now == nil && p.Control == ControlConsent:
		return ""
	case now == nil:
		return p.Yes()
	case now.Decision == Refuse:
		return Withdraw
	}
	return now.Decision
}

// ParseForm reads the fields of a form. A text hash that can't be read counts as
// none: it matters for a yes only, which then fails as outdated.
func ParseForm(decision, text, version string) (Form, error) {
	f := Form{Decision: Decision(decision)}
	if h, err := ParseHash(text); err == nil {
		f.Text = h
	}
	if version != "" {
		v, err := strconv.ParseInt(version, 10, 64)
		if err != nil || v < 0 {
			return f, &Error{Kind: Invalid, Key: "error.form", Reason: "bad-version"}
		}
		f.Version = v
	}
	return f, nil
}
