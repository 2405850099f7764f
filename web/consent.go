package web

import (
	"context"
	"net/http"
	"strings"

	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
	"elekt.no/innsyn/views"
)

// historyStore is what the page of one purpose needs of the store.
type historyStore interface {
	History(context.Context, privacy.PersonRef, string) ([]store.HistoryEntry, error)
	Deliveries(context.Context, privacy.PersonRef, string) ([]privacy.Delivery, error)
}

// consent is GET /consents/{purpose}: one purpose, where the choice has arrived,
// and everything that was decided about it. law: GDPR 7(1), 15(1), 19
func (s *Server) consent(w http.ResponseWriter, r *http.Request) error {
	p, err := s.catalogue.Purpose(r.PathValue("purpose"))
	if err != nil {
		return err
	}
	var notice *views.Notice
	switch r.URL.Query().Get("conflict") {
	case "stale-version":
		notice = s.notice(r.Context(), &privacy.Error{Kind: privacy.Conflict, Key: "error.changed-elsewhere"})
	case "stale-text":
		notice = s.notice(r.Context(), &privacy.Error{Kind: privacy.Conflict, Key: "error.text-changed"})
	}
	return s.consentPage(w, r, http.StatusOK, p, notice)
}

func (s *Server) consentPage(w http.ResponseWriter, r *http.Request, status int, p *privacy.Purpose, notice *views.Notice) error {
	ctx, me := r.Context(), session(r.Context())
	see, err := s.see(r, "page")
	if err != nil {
		return err
	}
	history, err := s.store.History(ctx, me.Person, p.ID)
	if err != nil {
		return err
	}
	deliveries, err := s.store.Deliveries(ctx, me.Person, p.ID)
	if err != nil {
		return err
	}
	row := s.row(ctx, see, p)
	if saved := r.URL.Query().Get("saved"); saved != "" && notice == nil {
		s.afterAct(ctx, see, &row)
		if saved == "stale" {
			notice = staleNotice(ctx)
		}
	}
	if notice == nil {
		notice = unsureNotice(ctx, see)
	}
	row.Notice = notice
	page := views.Consent{
		Shell: s.shell(r, "menu.consents", views.PlaceConsents), Row: row,
		Lead: s.consentLead(ctx, see, p, row), Brief: s.brief(ctx, see, p, row),
		Board: s.board(ctx, see, p, row, deliveries),
	}
	page.Title = plain(row.Title)
	for i, h := range history {
		page.History = append(page.History, s.event(ctx, see, h, i == 0))
	}
	return s.render(w, r, status, views.ConsentPage(page))
}

// plain is a title without soft hyphens, for where no line breaks.
func plain(title string) string { return strings.ReplaceAll(title, "\u00ad", "") }

// consentLead says what holds now and since when.
func (s *Server) consentLead(ctx context.Context, see *sight, p *privacy.Purpose, row views.ConsentRow) string {
	choice, text := see.choices[p.ID], p.Texts.In(see.lang)
	since := func(key string) string {
		return i18n.T(ctx, key, "At", i18n.At(ctx, choice.At, see.now))
	}
	switch {
	case row.State == privacy.StateNeeded || row.State == privacy.StateNotApplicable || row.State == privacy.StateDormant:
		return text.Summary
	case choice == nil && row.State == privacy.StateOn:
		return i18n.T(ctx, "lead.on-never") + " " + text.Summary
	case choice == nil:
		return i18n.T(ctx, "lead.off-never") + " " + text.Summary
	}
	switch row.State {
	case privacy.StateOn:
		return since("lead.on-since") + " " + text.On
	case privacy.StatePaused:
		return since("lead.paused-since")
	case privacy.StateContested:
		return since("lead.contested-since")
	case privacy.StateRenew:
		return since("lead.renew")
	}
	if choice.Decision == privacy.Refuse {
		return since("lead.refused-since") + " " + text.Summary
	}
	return since("lead.off-since") + " " + text.Off
}

// brief is the aside: the facts of a purpose in a few words.
func (s *Server) brief(ctx context.Context, see *sight, p *privacy.Purpose, row views.ConsentRow) []views.Fact {
	out := []views.Fact{
		{Label: i18n.T(ctx, "terms.basis"), Value: views.BasisText(ctx, p.Basis)},
		{Label: i18n.T(ctx, "terms.data"), Value: views.Listing(row.Terms.Data)},
	}
	var outside []string
	for _, id := range p.Recipients {
		if rec := s.catalogue.Recipient(id); rec.OutsideEEA {
			outside = append(outside, rec.NameIn(see.lang)+" ("+views.CountryName(ctx, rec.Country)+")")
		}
	}
	if len(outside) > 0 {
		// law: GDPR 13(1)(f)
		out = append(out, views.Fact{Label: i18n.T(ctx, "brief.outside-eea"), Value: i18n.List(ctx, outside)})
	}
	out = append(out, views.Fact{Label: i18n.T(ctx, "terms.retention"), Value: row.Terms.Retention})
	if c := see.choices[p.ID]; c != nil && c.EraseAfter.After(see.now) {
		out = append(out, views.Fact{Label: i18n.T(ctx, "brief.erase"), Value: i18n.T(ctx, "brief.erase-after", "At", i18n.At(ctx, c.EraseAfter, see.now))})
	}
	return out
}

// board is where the newest choice has arrived, the company itself first; nil if
// nobody had to be told.
func (s *Server) board(ctx context.Context, see *sight, p *privacy.Purpose, row views.ConsentRow, all []privacy.Delivery) *views.Board {
	choice := see.choices[p.ID]
	if choice == nil || row.State == privacy.StateRenew || row.State == privacy.StateNotApplicable || row.State == privacy.StateDormant {
		return nil // nothing of what was once told is what holds now
	}
	told, erased := map[string]privacy.Delivery{}, map[string]privacy.Delivery{}
	for _, d := range all {
		switch {
		case d.Version != choice.Version:
		case d.Action == privacy.ActionErase:
			erased[d.Recipient] = d
		default:
			told[d.Recipient] = d
		}
	}
	if len(told) == 0 {
		return nil
	}
	own := views.BoardLine{Name: s.catalogue.Controller.Short, Glyph: views.GlyphConfirmed, Word: i18n.T(ctx, "board.own"), Time: i18n.Clock(ctx, choice.At)}
	b := &views.Board{Lines: []views.BoardLine{own}}
	confirmed := 1
	for _, id := range p.Recipients {
		d, ok := told[id]
		if !ok {
			continue
		}
		if d.State == privacy.DeliveryConfirmed {
			confirmed++
		}
		b.Lines = append(b.Lines, s.boardLine(ctx, see, d, erased[id]))
	}
	b.Lead = i18n.T(ctx, "board.lead", "Confirmed", confirmed, "Total", len(b.Lines))
	return b
}

// boardLine is one recipient: what we know, and nothing more.
func (s *Server) boardLine(ctx context.Context, see *sight, d, erase privacy.Delivery) views.BoardLine {
	rec := s.catalogue.Recipient(d.Recipient)
	name := rec.NameIn(see.lang)
	line := views.BoardLine{Name: name, Glyph: views.GlyphOf(d.State, rec.Mode)}
	if d.State != privacy.DeliveryQueued {
		line.Time = i18n.Clock(ctx, d.ChangedAt)
	}
	switch d.State {
	case privacy.DeliveryFailed:
		line.Text = i18n.T(ctx, "board.failed-soon")
		if d.NextAttempt.After(see.now) {
			line.Text = i18n.T(ctx, "board.failed", "At", i18n.At(ctx, d.NextAttempt, see.now))
		}
	case privacy.DeliveryNeedsManual:
		line.Text = i18n.T(ctx, "board.manual")
	case privacy.DeliveryRefused:
		line.Text = i18n.T(ctx, "board.refused", "Name", name)
	case privacy.DeliveryNotConnected:
		line.Text = i18n.T(ctx, "board.not-connected", "Name", name)
		if d.Note == privacy.NoteNoAddress {
			line.Word, line.Text = i18n.T(ctx, "board.not-sent"), i18n.T(ctx, "board.no-address", "Name", name)
		}
	case privacy.DeliverySuperseded:
		line.Text = i18n.T(ctx, "board.superseded")
	case privacy.DeliveryQueued:
		line.Text = i18n.T(ctx, "board.queued")
	case privacy.DeliverySent:
		line.Text = i18n.T(ctx, "board.sent")
	case privacy.DeliveryAccepted:
		line.Text = i18n.T(ctx, "board.received")
	case privacy.DeliveryConfirmed:
		line.Text = eraseText(ctx, see, erase)
	}
	return noted(ctx, line, d, name)
}

// noted makes a line say what the state alone doesn't.
func noted(ctx context.Context, line views.BoardLine, d privacy.Delivery, name string) views.BoardLine {
	switch d.Note {
	case privacy.NoteDevice:
		line.Glyph, line.Text = views.GlyphDevice, i18n.T(ctx, "board.device")
	case privacy.NoteNotSignalled:
		line.Text = i18n.T(ctx, "board.not-signalled", "Name", name)
	case privacy.NoteManual:
		line.Text = i18n.T(ctx, "board.by-hand", "Name", name)
	case privacy.NoteUserLink:
		line.Text = i18n.T(ctx, "board.user-link", "Name", name)
	case privacy.NoteKeptByLaw:
		line.Text = i18n.T(ctx, "board.kept-by-law", "Name", name)
	case privacy.NoteOwnStop: // the recipient has confirmed nothing
		line.Word = i18n.T(ctx, "board.own-word")
		if d.Action == privacy.ActionAllow {
			line.Word = i18n.T(ctx, "board.own-word-on")
		}
		if line.Text == "" {
			line.Text = i18n.T(ctx, "board.own-stop", "Name", name)
		}
	}
	return line
}

// eraseText is how far a recipient has come in deleting what rested on a yes.
func eraseText(ctx context.Context, see *sight, erase privacy.Delivery) string {
	switch erase.Note { // what these don't say is that something was deleted
	case privacy.NoteStillNeeded:
		return i18n.T(ctx, "board.erase-still-needed")
	case privacy.NoteNothingKept:
		return i18n.T(ctx, "board.erase-nothing")
	case privacy.NoteUserLink:
		return i18n.T(ctx, "board.erase-user-link")
	}
	switch erase.State {
	case privacy.DeliveryConfirmed:
		return i18n.T(ctx, "board.erased", "At", i18n.At(ctx, erase.ChangedAt, see.now))
	case privacy.DeliveryFailed, privacy.DeliverySent, privacy.DeliveryAccepted:
		return i18n.T(ctx, "board.erasing")
	case privacy.DeliveryNeedsManual, privacy.DeliveryRefused:
		return i18n.T(ctx, "board.erase-manual")
	case privacy.DeliveryQueued:
		if erase.NotBefore.After(see.now) {
			return i18n.T(ctx, "board.erase-later", "At", i18n.At(ctx, erase.NotBefore, see.now))
		}
		return i18n.T(ctx, "board.erasing")
	}
	return ""
}

// event is one decision of the history, with the text that was shown then.
func (s *Server) event(ctx context.Context, see *sight, h store.HistoryEntry, newest bool) views.Event {
	t := h.Shown
	e := views.Event{
		When:  i18n.T(ctx, "event."+string(h.Entry.Channel), "At", i18n.At(ctx, h.Entry.At, see.now)),
		Title: i18n.T(ctx, "event."+string(h.Entry.Decision)),
		Now:   newest,
		On:    h.Entry.Decision == privacy.Give || h.Entry.Decision == privacy.Retract,
		Shown: &views.ShownText{
			Language: t.Language, Title: t.Text.Title, Summary: t.Text.Summary, Gain: t.Text.Gain, Loss: t.Text.Loss,
			Hash: h.Entry.Text.String(),
			Facts: []views.Fact{
				{Label: i18n.T(ctx, "terms.basis"), Value: views.BasisText(ctx, t.Basis)},
				{Label: i18n.T(ctx, "terms.data"), Value: strings.Join(t.Data, ", ")},
				{Label: i18n.T(ctx, "terms.recipients"), Value: strings.Join(t.Recipients, ", ")},
				{Label: i18n.T(ctx, "terms.retention"), Value: t.Text.Retention},
			},
		},
	}
	if h.Entry.Also == privacy.AlsoObjection {
		e.Text = i18n.T(ctx, "event.also") // law: GDPR 21(2)
	}
	return e
}
