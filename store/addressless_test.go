package store_test

import (
	"slices"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// told plays a worker: every row due now has been sent, with this outcome.
func (o *outbox) told(state privacy.DeliveryState, note string) {
	o.t.Helper()
	o.exec(`WITH d AS (
		UPDATE delivery SET state = $1, note = $2, attempts = attempts + 1, changed_at = $3
		WHERE state = 'queued' AND not_before <= $3 RETURNING delivery_id
	) INSERT INTO delivery_attempt (delivery_id, started_at, ended_at, status, note) SELECT delivery_id, $3, $3, 200, $2 FROM d`, state, note, o.now)
	o.exec(`DELETE FROM river_job`)
}

func (o *outbox) link(who privacy.PersonRef, no string) string {
	o.t.Helper()
	r, err := o.st.Link(o.t.Context(), who, no, store.EvidenceCode)
	if err != nil || r != store.LinkMade {
		o.t.Fatalf("%s, %v", r, err)
	}
	var id string
	if err := o.owner.QueryRow(`SELECT link_id FROM person_link WHERE person_ref = $1 AND ended_at IS NULL`, who).Scan(&id); err != nil {
		o.t.Fatal(err)
	}
	return id
}

// A choice that went to nobody, for want of an address, is told once a customer
// record gives one, with its erasure; what an older choice had to say stays untold.
func TestLinkingTellsThoseWhoHadNoAddress(t *testing.T) {
	o := newOutbox(t)
	o.give("newsletter")
	o.told(privacy.DeliveryNotConnected, privacy.NoteNoAddress)
	o.withdraw("newsletter")
	o.give("interest-list")
	o.now = o.now.Add(privacy.EraseDelay)
	o.told(privacy.DeliveryNotConnected, privacy.NoteNoAddress)
	o.want("newsletter", "1 allow superseded", "2 stop not_connected", "2 erase not_connected")
	o.link(o.person, "100245")
	o.want("newsletter", "1 allow superseded", "2 stop queued", "2 erase queued")
	o.want("interest-list", "3 allow queued")
	if got := o.jobs(); !slices.Equal(got, []string{"mailgun available"}) {
		t.Errorf("jobs %q", got)
	}
}

// What a yes has overtaken is not erased when an address comes.
func TestLinkingErasesNothingAfterAYes(t *testing.T) {
	o := newOutbox(t)
	o.withdraw("newsletter")
	o.now = o.now.Add(privacy.EraseDelay)
	o.told(privacy.DeliveryNotConnected, privacy.NoteNoAddress)
	o.give("newsletter")
	o.told(privacy.DeliveryNotConnected, privacy.NoteNoAddress)
	o.link(o.person, "100245")
	o.want("newsletter", "1 stop superseded", "1 erase superseded", "2 allow queued")
}

// A link taken back: what was told about somebody else's address counts as told to
// nobody, is on record for a human, and is told about the right address later.
func TestWrongLinkIsToldAnew(t *testing.T) {
	o := newOutbox(t)
	wrong := o.link(o.person, "100245")
	o.give("newsletter")
	o.told(privacy.DeliveryConfirmed, "")
	o.withdraw("newsletter")
	o.told(privacy.DeliveryConfirmed, "")
	o.give("interest-list")
	o.told(privacy.DeliveryAccepted, "")
	o.give("partner-offers") // not told yet
	if err := o.st.EndLink(t.Context(), wrong, "Kari Demo"); privacy.KindOf(err) != privacy.Invalid {
		t.Errorf("a name as reason: %v", err)
	}
	o.now = o.now.Add(time.Minute)
	if err := o.st.EndLink(t.Context(), wrong, "wrong-person"); err != nil {
		t.Fatal(err)
	}
	o.want("newsletter", "1 allow confirmed", "2 stop not_connected", "2 erase queued")
	o.want("interest-list", "3 allow not_connected")
	o.want("partner-offers", "4 allow queued")
	var told []string
	list, err := o.st.ToldThrough(t.Context(), wrong)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		told = append(told, d.Recipient+" "+d.Purpose+" "+string(d.Action))
	}
	if want := []string{"mailgun interest-list allow", "mailgun newsletter stop"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	// An answer that came in after the end changes nothing.
	o.exec(`UPDATE delivery SET state = 'confirmed', note = '' WHERE purpose = 'interest-list'`)

	o.now = o.now.Add(time.Minute)
	right := o.link(o.person, "100999")
	o.want("newsletter", "1 allow confirmed", "2 stop queued", "2 erase queued")
	o.want("interest-list", "3 allow queued")
	if list, err := o.st.ToldThrough(t.Context(), right); err != nil || len(list) > 0 {
		t.Errorf("told through the right one, where nothing has been sent: %+v, %v", list, err)
	}
}

// A record that is another's opens a request, and a link closes it.
func TestMatchRequestFollowsTheLink(t *testing.T) {
	o := newOutbox(t)
	other := privacy.NewPersonRef()
	o.exec(`INSERT INTO person (person_ref) VALUES ($1)`, other)
	o.link(other, "100245")
	open := func(want bool) {
		t.Helper()
		if got, err := o.st.MatchRequestOpen(t.Context(), o.person); err != nil || got != want {
			t.Errorf("open %v, %v; want %v", got, err, want)
		}
	}
	for range 2 {
		if r, err := o.st.Link(t.Context(), o.person, "100245", store.EvidenceCode); err != nil || r != store.LinkTaken {
			t.Fatalf("%s, %v", r, err)
		}
		open(true)
	}
	o.link(o.person, "100999")
	open(false)
	var state string
	var closed bool
	if err := o.owner.QueryRow(`SELECT state, closed_at IS NOT NULL FROM request WHERE person_ref = $1`, o.person).Scan(&state, &closed); err != nil {
		t.Fatal(err)
	}
	if state != "closed" || !closed {
		t.Errorf("state %s, closed %v", state, closed)
	}
}
