package web

import (
	"testing"
	"time"

	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/views"
)

// A line says what is known of a recipient, and never more.
func TestBoardLinesSayWhatIsKnown(t *testing.T) {
	c, err := privacy.LoadCatalogue("catalogue.yaml", privacy.EmbeddedCatalogue)
	if err != nil {
		t.Fatal(err)
	}
	s, see := &Server{catalogue: c}, &sight{lang: "nb", now: time.Now()}
	ctx := i18n.With(t.Context(), "nb")
	stop := func(recipient string, state privacy.DeliveryState, note string) privacy.Delivery {
		return privacy.Delivery{Recipient: recipient, Action: privacy.ActionStop, State: state, Note: note, ChangedAt: see.now}
	}
	for _, tc := range []struct {
		told, erase privacy.Delivery
		glyph       views.Glyph
		word, text  string // keys; empty: the glyph's word, no text
	}{
		{stop("admob", privacy.DeliveryAccepted, privacy.NoteDevice), privacy.Delivery{}, views.GlyphDevice, "", "board.device"},
		{stop("admob", privacy.DeliveryConfirmed, privacy.NoteDeviceDone), privacy.Delivery{}, views.GlyphConfirmed, "", ""},
		{stop("meta", privacy.DeliveryAccepted, privacy.NoteNotSignalled), privacy.Delivery{}, views.GlyphReceived, "", "board.not-signalled"},
		{stop("google-ads", privacy.DeliveryAccepted, ""), privacy.Delivery{}, views.GlyphReceived, "", "board.received"},
		{stop("kundo", privacy.DeliveryNeedsManual, privacy.NoteManual), privacy.Delivery{}, views.GlyphManual, "", "board.by-hand"},
		{stop("kundo", privacy.DeliveryNeedsManual, "http-401"), privacy.Delivery{}, views.GlyphManual, "", "board.manual"},
		{stop("vipps", privacy.DeliveryNeedsManual, privacy.NoteUserLink), privacy.Delivery{}, views.GlyphManual, "", "board.user-link"},
		{stop("elhub", privacy.DeliveryRefused, privacy.NoteKeptByLaw), privacy.Delivery{}, views.GlyphRefused, "", "board.kept-by-law"},
		{stop("enode", privacy.DeliveryConfirmed, privacy.NoteOwnStop), privacy.Delivery{}, views.GlyphConfirmed, "board.own-word", "board.own-stop"},
		{stop("firebase", privacy.DeliveryConfirmed, privacy.NoteDeviceDone), privacy.Delivery{State: privacy.DeliveryConfirmed, Note: privacy.NoteStillNeeded},
			views.GlyphConfirmed, "", "board.erase-still-needed"},
		{stop("enode", privacy.DeliveryConfirmed, privacy.NoteOwnStop), privacy.Delivery{State: privacy.DeliveryConfirmed, Note: privacy.NoteNothingKept},
			views.GlyphConfirmed, "board.own-word", "board.erase-nothing"},
		{stop("admob", privacy.DeliveryConfirmed, privacy.NoteDeviceDone), privacy.Delivery{State: privacy.DeliveryNeedsManual, Note: privacy.NoteUserLink},
			views.GlyphConfirmed, "", "board.erase-user-link"},
	} {
		line := s.boardLine(ctx, see, tc.told, tc.erase)
		name := c.Recipient(tc.told.Recipient).NameIn("nb")
		word, text := "", ""
		if tc.word != "" {
			word = i18n.T(ctx, tc.word)
		}
		if tc.text != "" {
			text = i18n.T(ctx, tc.text, "Name", name)
		}
		if line.Glyph != tc.glyph || line.Word != word || line.Text != text {
			t.Errorf("%s %s %q: %s %q %q, want %s %q %q", tc.told.Recipient, tc.told.State, tc.told.Note, line.Glyph, line.Word, line.Text, tc.glyph, word, text)
		}
	}
}
