package web

import (
	"context"
	"net/http"

	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/views"
)

// troubleStore finds deliveries that a person should hear of.
type troubleStore interface {
	Troubles(context.Context, privacy.PersonRef) ([]privacy.Delivery, error)
}

// overview is GET /overview: what is worth knowing, what is on, off and waiting,
// and the right to object in a block of its own.
func (s *Server) overview(w http.ResponseWriter, r *http.Request) error {
	ctx, me := r.Context(), session(r.Context())
	see, err := s.see(r, "overview")
	if err != nil {
		return err
	}
	troubles, err := s.store.Troubles(ctx, me.Person)
	if err != nil {
		return err
	}
	page := views.Overview{Shell: s.shell(r, "menu.overview", views.PlaceOverview)}
	if page.Notice, err = s.customerNotice(ctx, see, me.Person); err != nil {
		return err
	}
	if r.URL.Query().Get("saved") == "marketing" && !s.anyMarketing(see) {
		page.Notice = &views.Notice{Tone: views.ToneGood, Title: i18n.T(ctx, "saved.marketing"), Text: i18n.T(ctx, "saved.marketing-text")}
	}
	for i := range s.catalogue.Areas {
		a := s.heading(see, &s.catalogue.Areas[i])
		page.Areas = append(page.Areas, views.AreaSummary{ID: a.ID, Title: a.Title, Counts: a.Counts})
		add(&page.Total, a.Counts)
	}
	page.Attention = s.attention(ctx, see, troubles)
	page.Right = s.rightToObject(see)
	return s.render(w, r, http.StatusOK, views.OverviewPage(page))
}

func add(total *views.Counts, c views.Counts) {
	total.On += c.On
	total.Off += c.Off
	total.Paused += c.Paused
	total.Renew += c.Renew
	total.Needed += c.Needed
	total.CanOff += c.CanOff
}

// attention lists what is worth knowing, what waits for the person first.
func (s *Server) attention(ctx context.Context, see *sight, troubles []privacy.Delivery) []views.Attention {
	var renew, objections, erasures, deliveries []views.Attention
	for i := range s.catalogue.Purposes {
		p := &s.catalogue.Purposes[i]
		choice := see.choices[p.ID]
		if choice == nil {
			continue
		}
		title := plain(p.Texts.In(see.lang).Title)
		url := "/consents/" + p.ID
		switch state := p.State(choice, see.who); {
		case state == privacy.StateRenew:
			renew = append(renew, views.Attention{Icon: "clock", Tone: views.ToneWarn, Title: i18n.T(ctx, "attention.renew-title", "Title", title),
				Text: i18n.T(ctx, "attention.renew-text"), Action: i18n.T(ctx, "attention.renew-act"), URL: url})
		case state == privacy.StatePaused, state == privacy.StateContested:
			objections = append(objections, views.Attention{Icon: "scales", Title: i18n.T(ctx, "attention.objection-title", "Title", title),
				Text:   i18n.T(ctx, "attention.objection-"+string(state), "Due", i18n.Day(ctx, choice.Due)),
				Action: i18n.T(ctx, "attention.objection-act"), URL: url + "#case"})
		case choice.EraseAfter.After(see.now):
			erasures = append(erasures, views.Attention{Icon: "trash", Title: i18n.T(ctx, "attention.erase-title", "Title", title),
				Text:   i18n.T(ctx, "attention.erase-text", "At", i18n.At(ctx, choice.EraseAfter, see.now)),
				Action: i18n.T(ctx, "attention.erase-act"), URL: url})
		}
	}
	for _, d := range troubles {
		p, err := s.catalogue.Purpose(d.Purpose)
		rec := s.catalogue.Recipient(d.Recipient)
		if err != nil || rec == nil {
			continue // from an older catalogue: the page of the purpose is gone too
		}
		key, tone := "attention.failed", views.ToneInfo
		switch d.State {
		case privacy.DeliveryNeedsManual:
			key, tone = "attention.manual", views.ToneWarn
			if d.Note == privacy.NoteUserLink {
				key = "attention.user-link"
			}
		case privacy.DeliveryRefused:
			key, tone = "attention.refused", views.ToneBad
		}
		title := plain(p.Texts.In(see.lang).Title)
		deliveries = append(deliveries, views.Attention{Icon: "clock", Tone: tone,
			Title: i18n.T(ctx, key+"-title", "Name", rec.NameIn(see.lang)), Text: i18n.T(ctx, key+"-text", "Title", title, "Name", rec.NameIn(see.lang)),
			Action: i18n.T(ctx, "attention.delivery-act"), URL: "/consents/" + d.Purpose})
	}
	out := append(renew, objections...)
	return append(append(out, deliveries...), erasures...)
}

// rightToObject gathers what can be objected to and is on. law: GDPR 21(4)
func (s *Server) rightToObject(see *sight) views.RightToObject {
	out := views.RightToObject{CSRF: see.csrf, Marketing: s.anyMarketing(see)}
	for i := range s.catalogue.Purposes {
		p := &s.catalogue.Purposes[i]
		if p.No() != privacy.Object || p.State(see.choices[p.ID], see.who) != privacy.StateOn {
			continue
		}
		out.Purposes = append(out.Purposes, views.Link{Text: p.Texts.In(see.lang).Title, URL: "/consents/" + p.ID})
	}
	return out
}

// anyMarketing tells whether "stop all marketing" has something to stop.
func (s *Server) anyMarketing(see *sight) bool {
	for i := range s.catalogue.Purposes {
		p := &s.catalogue.Purposes[i]
		if p.Marketing() && canOff(p.State(see.choices[p.ID], see.who), p.Control) {
			return true
		}
	}
	return false
}
