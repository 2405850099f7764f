package views

import (
	"context"

	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/privacy"
)

// Consent is the page of one purpose: what was chosen and when, with the text
// that was shown then, and where the choice has arrived.
type Consent struct {
	Shell
	Row     ConsentRow
	Lead    string  // what holds now, in one or two sentences
	Board   *Board  // nil if no choice has gone to anybody
	History []Event // newest first; empty if the person never chose
	Brief   []Fact  // the aside "Kort fortalt"
}

// Board is where a choice has arrived, recipient by recipient. law: GDPR 19
type Board struct {
	Lead  string // "2 av 7 har bekreftet. ..."
	Lines []BoardLine
}

// BoardLine is one recipient on the board.
type BoardLine struct {
	Name  string
	Glyph Glyph
	Word  string // replaces the glyph's own word; for the company itself, "Stanset"
	Time  string // when this state was reached: "14.32"; empty if nothing happened yet
	Text  string // what happens next, and whether the person must do anything
}

// Glyph is the sign of a delivery's state. It always stands with its word.
type Glyph string

// The glyphs.
const (
	GlyphConfirmed    Glyph = "confirmed"
	GlyphReceived     Glyph = "received" // and not confirmed: never shown as done
	GlyphSent         Glyph = "sent"
	GlyphQueued       Glyph = "queued"
	GlyphDevice       Glyph = "device" // waits for the phone
	GlyphFailed       Glyph = "failed" // trying again
	GlyphManual       Glyph = "manual" // needs a person
	GlyphRefused      Glyph = "refused"
	GlyphNotConnected Glyph = "not_connected"
	GlyphSuperseded   Glyph = "superseded"
)

// GlyphOf is the sign of a delivery to a recipient of a mode: what waits for a
// device or for the person says so.
func GlyphOf(s privacy.DeliveryState, mode privacy.RecipientMode) Glyph {
	switch s {
	case privacy.DeliveryConfirmed:
		return GlyphConfirmed
	case privacy.DeliveryAccepted:
		return GlyphReceived
	case privacy.DeliverySent:
		return GlyphSent
	case privacy.DeliveryNeedsManual:
		return GlyphManual
	case privacy.DeliveryFailed:
		return GlyphFailed
	case privacy.DeliveryRefused:
		return GlyphRefused
	case privacy.DeliveryNotConnected:
		return GlyphNotConnected
	case privacy.DeliverySuperseded:
		return GlyphSuperseded
	}
	if mode == privacy.ModeDevice {
		return GlyphDevice
	}
	return GlyphQueued
}

func (l BoardLine) word(ctx context.Context) string {
	if l.Word != "" {
		return l.Word
	}
	switch l.Glyph {
	case GlyphConfirmed:
		return i18n.T(ctx, "delivery.confirmed")
	case GlyphReceived:
		return i18n.T(ctx, "delivery.received")
	case GlyphSent:
		return i18n.T(ctx, "delivery.sent")
	case GlyphDevice:
		return i18n.T(ctx, "delivery.device")
	case GlyphFailed:
		return i18n.T(ctx, "delivery.failed")
	case GlyphManual:
		return i18n.T(ctx, "delivery.manual")
	case GlyphRefused:
		return i18n.T(ctx, "delivery.refused")
	case GlyphNotConnected:
		return i18n.T(ctx, "delivery.not-connected")
	case GlyphSuperseded:
		return i18n.T(ctx, "delivery.superseded")
	}
	return i18n.T(ctx, "delivery.queued")
}

// Event is one thing that happened to a purpose.
type Event struct {
	When  string // "I dag kl. 14.32, på nettsiden"
	Title string // the act in bold: "Du slo av"
	Text  string // the consequence, in grey
	Now   bool   // this is what holds
	On    bool   // it turned the use on
	Shown *ShownText
}

// ShownText is what the person was shown when they chose, as it was stored.
// law: GDPR 7(1)
type ShownText struct {
	Language string // of the text: "nb"; its markup says so
	Title    string
	Summary  string
	Gain     string
	Loss     string
	Facts    []Fact // labels in the reader's language, values as they were shown
	Hash     string // SHA-256 of the stored text, in hexadecimal
}
