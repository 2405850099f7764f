package privacy

import (
	"strings"
	"testing"
	"time"
)

const testCatalogue = `
version: "2026-11-24"
controller:
  name: Test AS
  short: Test
  org_no: "1"
  street: Gata 1
  postal: 0001 Oslo
  support: hei@example.com
  dpo: ombud@example.com
  authority: {name: Datatilsynet, url: "https://example.com", street: S, postal: P, phone: "1", email: a@example.com}
ages: {least: 13}
proof: {months: 36}
sections: [{no: "1", title: &t {nb: En, nn: Ein, en: One}}]
areas: [{id: area, title: {nb: En, nn: Ein, en: One}, lead: {nb: En, nn: Ein, en: One}}]
data:
  - {id: contact, title: {nb: Navn, nn: Namn, en: Name}, examples: {nb: a, nn: b, en: c}, sources: [person], origin: provided, sensitivity: low, portability: "yes"}
recipients:
  - {id: mail, name: Mail, country: "NO", role: processor, mode: api, does: {nb: a, nn: b, en: c}}
  - {id: silent, name: Silent, country: "NO", role: controller, mode: none, does: {nb: a, nn: b, en: c}}
purposes:
`

func testPurpose(id, basis, control, more string) string {
	text := "{title: T, summary: S, gain: g, loss: l, retention: r, off: o, on: p, reason: w}"
	return `
  - id: ` + id + `
    section: "1"
    area: area
    page: consents
    basis: ` + basis + `
    control: ` + control + `
    data: [contact]
    recipients: [mail, silent]
    retention: {rule: withdrawn, on_stop: delete}
` + more + `
    texts: {nb: ` + text + `, nn: ` + text + `, en: ` + text + `}`
}

func testLoad(t *testing.T) *Catalogue {
	t.Helper()
	src := strings.Replace(testCatalogue, "&t ", "", 1) +
		testPurpose("news", "a", "consent", "    revision: 1\n    also_objection: true") +
		testPurpose("renewed", "a", "consent", "    revision: 3\n    material: 2") +
		testPurpose("advice", "f", "objection", "    revision: 1") +
		testPurpose("debt", "f", "objection", "    revision: 1\n    legal_claims: true") +
		testPurpose("segments", "f", "absolute", "    revision: 1") +
		testPurpose("account", "b", "none", "    revision: 1") +
		testPurpose("aml", "c", "none", "    revision: 1\n    dormant: true") +
		testPurpose("free-only", "f", "absolute", "    revision: 1\n    when: free") +
		testPurpose("paying-consent", "a", "consent", "    revision: 1\n    when: paying")
	c, err := LoadCatalogue("test.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var (
	testPerson = PersonRef("aaaaaaaaaaaaaaaaaaaaaaaaaa")
	testTime   = time.Date(2026, 11, 24, 14, 32, 0, 0, time.UTC)
)

// decide makes a change as a page would, with the text and version it was drawn from.
func decide(t *testing.T, c *Catalogue, id string, now *Choice, d Decision) (*Change, error) {
	t.Helper()
	p, err := c.Purpose(id)
	if err != nil {
		t.Fatal(err)
	}
	f := Form{Decision: d, Text: c.Shown(p, Bokmal).Hash(), Language: Bokmal, Channel: ChannelWeb, Actor: ActorPerson}
	if now != nil {
		f.Version = now.Version
	}
	return c.Change(testPerson, p, now, Circumstances{}, f, testTime)
}

func TestStates(t *testing.T) {
	c := testLoad(t)
	was := func(d Decision, revision int) *Choice { return &Choice{Decision: d, Revision: revision} }
	for _, x := range []struct {
		purpose string
		now     *Choice
		who     Circumstances
		want    State
	}{
		{"news", nil, Circumstances{}, StateOff},
		{"news", was(Give, 1), Circumstances{}, StateOn},
		{"news", was(Withdraw, 1), Circumstances{}, StateOff},
		{"news", was(Refuse, 1), Circumstances{}, StateOff},
		{"renewed", was(Give, 1), Circumstances{}, StateRenew},
		{"renewed", was(Give, 2), Circumstances{}, StateOn},
		{"advice", nil, Circumstances{}, StateOn},
		{"advice", was(Object, 1), Circumstances{}, StatePaused},
		{"advice", was(Retract, 1), Circumstances{}, StateOn},
		{"debt", was(Object, 1), Circumstances{}, StateContested},
		{"segments", nil, Circumstances{}, StateOn},
		{"segments", was(Object, 1), Circumstances{}, StateOff},
		{"segments", was(Withdraw, 1), Circumstances{}, StateOff}, // a consent before, refused then
		{"advice", was(Refuse, 1), Circumstances{}, StateOff},
		{"account", nil, Circumstances{}, StateNeeded},
		{"aml", nil, Circumstances{}, StateDormant},
		{"free-only", nil, Circumstances{}, StateOn},
		{"free-only", nil, Circumstances{Shop: true}, StateOn},
		{"free-only", nil, Circumstances{Plus: true}, StateNotApplicable},
		{"paying-consent", was(Give, 1), Circumstances{}, StateNotApplicable},
		{"paying-consent", was(Give, 1), Circumstances{Shop: true}, StateOn},
	} {
		p, err := c.Purpose(x.purpose)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.State(x.now, x.who); got != x.want {
			t.Errorf("%s with %+v for %+v: %s, want %s", x.purpose, x.now, x.who, got, x.want)
		}
	}
	for s, allowed := range map[State]bool{StateOn: true, StateContested: true, StateNeeded: true,
		StateOff: false, StatePaused: false, StateRenew: false, StateNotApplicable: false, StateDormant: false} {
		if s.Allowed() != allowed {
			t.Errorf("%s: allowed is %v", s, s.Allowed())
		}
	}
}

// law: GDPR 7(3), 17(1)(b): stopped now, deleted a day later, and the recipients are told both.
func TestWithdrawalStopsNowAndErasesLater(t *testing.T) {
	c := testLoad(t)
	ch, err := decide(t, c, "news", &Choice{Purpose: "news", Decision: Give, Revision: 1, Version: 4}, Withdraw)
	if err != nil {
		t.Fatal(err)
	}
	if ch.Entry.Decision != Withdraw || ch.Entry.Also != AlsoObjection || ch.Entry.At != testTime {
		t.Errorf("entry %+v", ch.Entry)
	}
	if !ch.Choice.EraseAfter.Equal(testTime.Add(24 * time.Hour)) {
		t.Errorf("erase after %v", ch.Choice.EraseAfter)
	}
	want := []Notice{{"mail", ActionStop, time.Time{}}, {"mail", ActionErase, testTime.Add(24 * time.Hour)}}
	if len(ch.Notices) != 2 || ch.Notices[0] != want[0] || ch.Notices[1] != want[1] {
		t.Errorf("notices %+v", ch.Notices)
	}
	if ch.OpensCase {
		t.Error("a withdrawal opened a case")
	}
}

func TestNoWithoutAYesIsARefusal(t *testing.T) {
	c := testLoad(t)
	ch, err := decide(t, c, "news", nil, Withdraw)
	if err != nil {
		t.Fatal(err)
	}
	if ch.Entry.Decision != Refuse || !ch.Choice.EraseAfter.IsZero() {
		t.Errorf("change %+v", ch)
	}
	again, err := decide(t, c, "news", &ch.Choice, Withdraw)
	if err != nil || again != nil {
		t.Errorf("a second refusal: %+v, %v", again, err)
	}
}

// law: GDPR 7(3): that another system doesn't answer is no reason to refuse a no.
func TestUnknownCircumstancesNeverStopANo(t *testing.T) {
	c := testLoad(t)
	unknown := Circumstances{Unknown: true}
	for purpose, d := range map[string]Decision{"news": Withdraw, "paying-consent": Withdraw, "free-only": Object, "advice": Object} {
		p, err := c.Purpose(purpose)
		if err != nil {
			t.Fatal(err)
		}
		ch, err := c.Change(testPerson, p, nil, unknown, Form{Decision: d, Language: Bokmal}, testTime)
		if err != nil || ch == nil {
			t.Errorf("%s: %+v, %v", purpose, ch, err)
		}
	}
	for purpose, want := range map[string]ErrorKind{"news": Internal, "paying-consent": Unavailable} {
		p, err := c.Purpose(purpose)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Change(testPerson, p, nil, unknown, Form{Decision: Give, Text: c.Shown(p, Bokmal).Hash(), Language: Bokmal}, testTime)
		if (err != nil) != (want == Unavailable) || err != nil && KindOf(err) != want {
			t.Errorf("yes to %s: %v", purpose, err)
		}
	}
}

func TestUndoOfAWithdrawalIsANewGrant(t *testing.T) {
	c := testLoad(t)
	off, err := decide(t, c, "news", &Choice{Decision: Give, Revision: 1, Version: 1}, Withdraw)
	if err != nil {
		t.Fatal(err)
	}
	on, err := decide(t, c, "news", &off.Choice, Give)
	if err != nil {
		t.Fatal(err)
	}
	if on.Entry.Decision != Give || on.Entry.Salt == off.Entry.Salt || !on.Choice.EraseAfter.IsZero() || on.Notices[0].Action != ActionAllow {
		t.Errorf("change %+v", on)
	}
}

// law: GDPR 21(1), 18(1)(d)
func TestObjectionRestsAndOpensACase(t *testing.T) {
	c := testLoad(t)
	ch, err := decide(t, c, "advice", nil, Object)
	if err != nil {
		t.Fatal(err)
	}
	if !ch.OpensCase || !ch.Choice.Due.Equal(Due(testTime)) || ch.Notices[0].Action != ActionStop {
		t.Errorf("change %+v", ch)
	}
	if !ch.Choice.EraseAfter.IsZero() {
		t.Error("data is deleted before the objection is decided")
	}
	back, err := decide(t, c, "advice", &ch.Choice, Retract)
	if err != nil {
		t.Fatal(err)
	}
	if !back.ClosesCase || back.OpensCase || !back.Choice.Due.IsZero() || back.Notices[0].Action != ActionAllow {
		t.Errorf("change %+v", back)
	}
}

func TestObjectionToLegalClaimsTellsNobody(t *testing.T) {
	c := testLoad(t)
	ch, err := decide(t, c, "debt", nil, Object)
	if err != nil {
		t.Fatal(err)
	}
	if !ch.OpensCase || len(ch.Notices) != 0 {
		t.Errorf("change %+v", ch)
	}
	back, err := decide(t, c, "debt", &ch.Choice, Retract)
	if err != nil || !back.ClosesCase || len(back.Notices) != 0 {
		t.Errorf("taken back: %+v, %v", back, err)
	}
}

// law: GDPR 21(2)-(3)
func TestAbsoluteObjectionIsFinal(t *testing.T) {
	c := testLoad(t)
	ch, err := decide(t, c, "segments", nil, Object)
	if err != nil {
		t.Fatal(err)
	}
	if ch.OpensCase || ch.Notices[0].Action != ActionStop || ch.Choice.EraseAfter.IsZero() {
		t.Errorf("change %+v", ch)
	}
}

func TestChangeRefusesWhatIsNotOnOffer(t *testing.T) {
	c := testLoad(t)
	for _, x := range []struct {
		purpose  string
		decision Decision
	}{
		{"account", Withdraw}, {"account", Give}, {"account", ""}, {"news", Object}, {"news", Retract}, {"news", Refuse},
		{"advice", Withdraw}, {"segments", Give}, {"aml", Object}, {"news", "yes"}, {"news", ""}, {"paying-consent", Give},
	} {
		ch, err := decide(t, c, x.purpose, nil, x.decision)
		if KindOf(err) != Invalid || ch != nil {
			t.Errorf("%s %q: %+v, %v", x.purpose, x.decision, ch, err)
		}
	}
	if _, err := c.Purpose("nothing"); KindOf(err) != NotFound {
		t.Errorf("unknown purpose: %v", err)
	}
}

func TestTwoTabsNeverOverwriteSilently(t *testing.T) {
	c := testLoad(t)
	p, err := c.Purpose("news")
	if err != nil {
		t.Fatal(err)
	}
	shown := c.Shown(p, Bokmal).Hash()
	now := &Choice{Decision: Withdraw, Revision: 1, Version: 7}
	_, err = c.Change(testPerson, p, now, Circumstances{}, Form{Decision: Give, Text: shown, Version: 5, Language: Bokmal}, testTime)
	if KindOf(err) != Conflict {
		t.Errorf("stale yes: %v", err)
	}
	ch, err := c.Change(testPerson, p, now, Circumstances{}, Form{Decision: Withdraw, Version: 5, Language: Bokmal}, testTime)
	if err != nil || ch != nil {
		t.Errorf("stale no that is true already: %+v, %v", ch, err)
	}
	now = &Choice{Decision: Give, Revision: 1, Version: 7}
	ch, err = c.Change(testPerson, p, now, Circumstances{}, Form{Decision: Withdraw, Version: 5, Language: Bokmal}, testTime)
	if err != nil || ch == nil || !ch.Stale || ch.Entry.Decision != Withdraw {
		t.Errorf("stale no: %+v, %v", ch, err)
	}
}

func TestOutdatedTextStopsAYesButNeverANo(t *testing.T) {
	c := testLoad(t)
	p, err := c.Purpose("news")
	if err != nil {
		t.Fatal(err)
	}
	old := Hash{1}
	_, err = c.Change(testPerson, p, nil, Circumstances{}, Form{Decision: Give, Text: old, Language: Bokmal}, testTime)
	if KindOf(err) != Conflict {
		t.Errorf("yes to an old text: %v", err)
	}
	_, err = c.Change(testPerson, p, nil, Circumstances{}, Form{Decision: Give, Language: Bokmal}, testTime)
	if KindOf(err) != Conflict {
		t.Errorf("yes to no text: %v", err)
	}
	on := &Choice{Decision: Give, Revision: 1, Version: 1}
	for _, text := range []Hash{old, {}} {
		ch, err := c.Change(testPerson, p, on, Circumstances{}, Form{Decision: Withdraw, Text: text, Version: 1, Language: Bokmal}, testTime)
		if err != nil || ch == nil {
			t.Errorf("no with text %v: %+v, %v", text, ch, err)
		}
	}
}

// Another tab may have changed the language since the page was drawn.
func TestTextIsFoundInTheLanguageThatWasShown(t *testing.T) {
	c := testLoad(t)
	src := strings.Replace(string(c.Source()), "en: {title: T", "en: {title: Title", 1)
	c, err := LoadCatalogue("test.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Purpose("news")
	if err != nil {
		t.Fatal(err)
	}
	ch, err := c.Change(testPerson, p, nil, Circumstances{}, Form{Decision: Give, Text: c.Shown(p, English).Hash(), Language: Bokmal}, testTime)
	if err != nil || ch.Entry.Language != English || ch.Entry.Text != c.Shown(p, English).Hash() {
		t.Errorf("%+v, %v", ch, err)
	}
}

func TestRenewalIsAnsweredByGivingAnew(t *testing.T) {
	c := testLoad(t)
	ch, err := decide(t, c, "renewed", &Choice{Decision: Give, Revision: 1, Version: 2}, Give)
	if err != nil || ch == nil || ch.Choice.Revision != 3 {
		t.Errorf("%+v, %v", ch, err)
	}
}

func TestParseForm(t *testing.T) {
	f, err := ParseForm("give", strings.Repeat("ab", 32), "12")
	if err != nil || f.Version != 12 || f.Text.String() != strings.Repeat("ab", 32) {
		t.Errorf("%+v, %v", f, err)
	}
	for _, version := range []string{"-1", "x", "99999999999999999999", "1;2"} {
		if _, err := ParseForm("give", "", version); KindOf(err) != Invalid {
			t.Errorf("version %q: %v", version, err)
		}
	}
	if f, err := ParseForm("withdraw", "not a hash", ""); err != nil || !f.Text.IsZero() {
		t.Errorf("%+v, %v", f, err)
	}
}

// A choice made elsewhere rests on the text that was shown there: an older one counts
// with its own revision, unless the purpose has changed in substance since; a no counts
// always.
func TestChoiceOnAnOlderText(t *testing.T) {
	c := testLoad(t)
	p, err := c.Purpose("renewed")
	if err != nil {
		t.Fatal(err)
	}
	old := c.Shown(p, "nn")
	old.Text.Summary = "Before"
	for _, k := range []struct {
		name     string
		revision int
		purpose  string
		decision Decision
		taken    bool
	}{
		{"the one before, the same in substance", 2, "renewed", Give, true},
		{"one before it became another", 1, "renewed", Give, false},
		{"another purpose's", 2, "news", Give, false},
		{"a no, on any of them", 1, "renewed", Withdraw, true},
	} {
		old.Revision, old.Purpose = k.revision, k.purpose
		shown := old
		ch, err := c.Change("p", p, nil, Circumstances{}, Form{Decision: k.decision, Text: shown.Hash(), Shown: &shown, Language: "nb", Channel: ChannelAPI, Actor: ActorPerson}, time.Unix(0, 0))
		switch {
		case !k.taken && KindOf(err) != Conflict:
			t.Errorf("%s: %v", k.name, err)
		case k.taken && err != nil:
			t.Errorf("%s: %v", k.name, err)
		case k.taken && (ch.Choice.Revision != k.revision || ch.Choice.Text != shown.Hash() || ch.Entry.Text != shown.Hash() || ch.Entry.Language != "nn"):
			t.Errorf("%s: %+v", k.name, ch.Choice)
		}
	}
}

// Of two choices of one human a no holds.
func TestNoWins(t *testing.T) {
	for _, k := range []struct {
		own, other Decision
		yields     bool
	}{
		{Give, Withdraw, true}, {Give, Refuse, true}, {Retract, Object, true}, {Give, Give, false},
		{Withdraw, Give, false}, {Object, Retract, false}, {Withdraw, Refuse, false},
	} {
		if got := (&Choice{Decision: k.own}).YieldsTo(&Choice{Decision: k.other}); got != k.yields {
			t.Errorf("%s to %s: %v", k.own, k.other, got)
		}
	}
}
