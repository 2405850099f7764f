package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"elekt.no/innsyn/auth"
	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
	"elekt.no/innsyn/views"
)

// choiceStore is what the pages about consents need of the store.
type choiceStore interface {
	Choices(context.Context, privacy.PersonRef) (map[string]*privacy.Choice, error)
	RecordChoices(context.Context, privacy.PersonRef, []string, func(map[string]*privacy.Choice) ([]*privacy.Change, error)) error
}

// sight is everything that a row is drawn from.
type sight struct {
	lang     string
	now      time.Time
	csrf     string
	from     string
	news     string          // the purpose whose row has something new to say
	customer *store.Customer // nil: none, or not known
	who      privacy.Circumstances
	choices  map[string]*privacy.Choice
}

func (s *Server) see(r *http.Request, from string) (*sight, error) {
	ctx, me := r.Context(), session(r.Context())
	customer, who, err := s.circumstances(ctx, me.Person)
	if err != nil {
		return nil, err
	}
	if customer != nil {
		// What depends on plan and purchases is shown through the link.
		if err := s.store.NoteShown(ctx, customer.Link, "/consents"); err != nil {
			return nil, err
		}
	}
	see, err := s.seeAs(r, from, who)
	if err == nil {
		see.customer = customer
	}
	return see, err
}

// seeAs is see for a request that knows the circumstances already.
func (s *Server) seeAs(r *http.Request, from string, who privacy.Circumstances) (*sight, error) {
	ctx, me := r.Context(), session(r.Context())
	choices, err := s.store.Choices(ctx, me.Person)
	if err != nil {
		return nil, err
	}
	return &sight{lang: i18n.Lang(ctx), now: s.now(), csrf: s.auth.Token(me), from: from, who: who, choices: choices}, nil
}

// unsureNotice says that the customer record could not be asked for; nil if it could.
func unsureNotice(ctx context.Context, see *sight) *views.Notice {
	if !see.who.Unknown {
		return nil
	}
	return &views.Notice{Tone: views.ToneWarn, Title: i18n.T(ctx, "unsure.title"), Text: i18n.T(ctx, "unsure.text")}
}

// consents is GET /consents: every purpose by area.
func (s *Server) consents(w http.ResponseWriter, r *http.Request) error {
	see, err := s.see(r, "list")
	if err != nil {
		return err
	}
	page := views.Consents{Shell: s.shell(r, "menu.consents", views.PlaceConsents), Notice: unsureNotice(r.Context(), see)}
	saved := r.URL.Query().Get("saved")
	see.news = saved
	for i := range s.catalogue.Areas {
		a, err := s.area(r.Context(), see, &s.catalogue.Areas[i])
		if err != nil {
			return err
		}
		for j := range a.Rows {
			if a.Rows[j].ID == saved {
				s.afterAct(r.Context(), see, &a.Rows[j])
				a.Open = true
			}
		}
		if saved == "area-"+a.ID {
			a.Saved, a.Open = s.areaSaved(r.Context(), see, a), true
		}
		page.Areas = append(page.Areas, a)
	}
	return s.render(w, r, http.StatusOK, views.ConsentsPage(page))
}

// heading is an area without its rows.
func (s *Server) heading(see *sight, a *privacy.Area) views.Area {
	out := views.Area{ID: a.ID, Title: a.Title.In(see.lang), Lead: a.Lead.In(see.lang), CSRF: see.csrf}
	for _, p := range s.catalogue.In(a.ID) {
		state := p.State(see.choices[p.ID], see.who)
		count(&out.Counts, state, p.Control)
		out.Open = out.Open || state == privacy.StateRenew
	}
	return out
}

// area is an area with its rows.
func (s *Server) area(ctx context.Context, see *sight, a *privacy.Area) (views.Area, error) {
	out, purposes := s.heading(see, a), s.catalogue.In(a.ID)
	out.Rows = make([]views.ConsentRow, 0, len(purposes))
	for _, p := range purposes {
		row, err := s.listRow(ctx, see, p)
		if err != nil {
			return out, err
		}
		out.Rows = append(out.Rows, row)
	}
	return out, nil
}

// row is one purpose as the person has it now.
func (s *Server) row(ctx context.Context, see *sight, p *privacy.Purpose) views.ConsentRow {
	text, choice := p.Texts.In(see.lang), see.choices[p.ID]
	shown := s.shown[see.lang][p.ID]
	row := views.ConsentRow{
		ID: p.ID, Area: p.Area, Title: text.Title, Summary: text.Summary, Gain: text.Gain, Loss: text.Loss,
		State: p.State(choice, see.who), Control: p.Control, GoesOn: p.LegalClaims,
		CSRF: see.csrf, Text: shown.hash, From: see.from,
		Terms: views.Terms{Basis: p.Basis, Data: shown.text.Data, Recipients: shown.text.Recipients, Retention: text.Retention, Section: p.Section},
	}
	if choice != nil {
		row.Version = choice.Version
		row.Terms.Since = since(ctx, choice.Decision, i18n.Day(ctx, choice.At))
	}
	switch row.State {
	case privacy.StateNeeded:
		row.Reason = text.Reason
	case privacy.StateNotApplicable:
		row.Reason = i18n.T(ctx, "reason."+string(p.When))
	case privacy.StateDormant:
		row.Reason = i18n.T(ctx, "reason.dormant")
	case privacy.StateContested:
		row.Reason = i18n.T(ctx, "reason.contested")
	case privacy.StateRenew:
		row.Question = &views.Question{
			Title: i18n.T(ctx, "renew.title"), Text: i18n.T(ctx, "renew.text"), Yes: i18n.T(ctx, "renew.yes"), No: i18n.T(ctx, "renew.no"),
			YesDecision: privacy.Give, NoDecision: privacy.Withdraw,
		}
	}
	if row.State == privacy.StatePaused || row.State == privacy.StateContested {
		row.Objection = objectionOf(ctx, choice, see.now)
	}
	return row
}

// since says how and on which day a choice was made.
func since(ctx context.Context, d privacy.Decision, day string) string {
	return i18n.T(ctx, "since."+string(d), "Day", day)
}

func objectionOf(ctx context.Context, c *privacy.Choice, now time.Time) *views.Objection {
	days := func(from, to time.Time) int { return int(privacy.Day(to).Sub(privacy.Day(from)).Hours()+12) / 24 }
	total := days(c.At, c.Due)
	return &views.Objection{
		Made: i18n.DayMonth(ctx, c.At), Due: i18n.Day(ctx, c.Due), DaysGone: max(0, min(days(c.At, now), total)), DaysTotal: total,
		CaseURL: "/consents/" + c.Purpose + "#case",
	}
}

// afterAct says in the row what the person's last act did, and how to take it back.
func (s *Server) afterAct(ctx context.Context, see *sight, row *views.ConsentRow) {
	choice := see.choices[row.ID]
	p, err := s.catalogue.Purpose(row.ID)
	if choice == nil || err != nil || see.now.Sub(choice.At) > time.Hour {
		return
	}
	text := p.Texts.In(see.lang)
	saved := &views.Saved{Clock: i18n.Clock(ctx, choice.At)}
	switch row.State {
	case privacy.StateOn:
		saved.Follows = text.On
		if p.Control == privacy.ControlConsent {
			saved.Undo = p.No()
		}
	case privacy.StateOff:
		saved.Follows, saved.Undo = text.Off, p.Yes()
	case privacy.StatePaused:
		saved.Follows = text.Off
	case privacy.StateContested:
		saved.Follows = row.Reason
	default:
		return
	}
	if choice.EraseAfter.After(see.now) {
		// law: GDPR 17(1)(b)
		saved.Follows += " " + i18n.T(ctx, "saved.erase", "At", i18n.At(ctx, choice.EraseAfter, see.now))
	}
	row.Saved = saved
}

// areaSaved says that everything in an area that one press can turn off is off,
// if that is so and was done just now.
func (s *Server) areaSaved(ctx context.Context, see *sight, a views.Area) *views.Saved {
	var last time.Time
	objections := false
	for _, p := range s.catalogue.In(a.ID) {
		choice := see.choices[p.ID]
		if choice != nil && choice.At.After(last) {
			last = choice.At
		}
		objections = objections || p.Control == privacy.ControlObjection && p.State(choice, see.who) == privacy.StateOn
	}
	if a.Counts.CanOff > 0 || last.IsZero() || see.now.Sub(last) > time.Hour {
		return nil
	}
	saved := &views.Saved{Clock: i18n.Clock(ctx, last), Follows: i18n.T(ctx, "saved.area")}
	if objections {
		saved.Follows += " " + i18n.T(ctx, "saved.area-objections")
	}
	return saved
}

// record makes changes of the caller's choices. It goes on when the browser has
// hung up: a no that was pressed is not lost to a bad connection.
func (s *Server) record(r *http.Request, purposes []*privacy.Purpose, who privacy.Circumstances,
	form func(*privacy.Purpose, *privacy.Choice) *privacy.Form) (stale bool, err error) {
	me, at := session(r.Context()), s.now()
	ids := make([]string, len(purposes))
	for i, p := range purposes {
		ids[i] = p.ID
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 10*time.Second)
	defer cancel()
	err = s.store.RecordChoices(ctx, me.Person, ids, func(now map[string]*privacy.Choice) ([]*privacy.Change, error) {
		var out []*privacy.Change
		for _, p := range purposes {
			f := form(p, now[p.ID])
			if f == nil {
				continue
			}
			f.Channel, f.Actor = channel(me), privacy.ActorPerson
			c, err := s.catalogue.Change(me.Person, p, now[p.ID], who, *f, at)
			if err != nil {
				return nil, err
			}
			if c != nil {
				stale = stale || c.Stale
				out = append(out, c)
			}
		}
		return out, nil
	})
	return stale, err
}

// choose is POST /consents/{purpose}: one decision about one purpose.
// law: GDPR 7(3), 21
func (s *Server) choose(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	p, err := s.catalogue.Purpose(r.PathValue("purpose"))
	if err != nil {
		return err
	}
	form, err := privacy.ParseForm(r.PostForm.Get("decision"), r.PostForm.Get("text"), r.PostForm.Get("version"))
	if err != nil {
		return err
	}
	form.Language = i18n.Lang(ctx)
	var who privacy.Circumstances
	// The customer record matters to conditions alone: of the purpose, and of those
	// beside it that the answer counts.
	if slices.ContainsFunc(s.catalogue.In(p.Area), func(p *privacy.Purpose) bool { return p.When != privacy.Always }) {
		if _, who, err = s.circumstances(ctx, session(ctx).Person); err != nil {
			return err
		}
	}
	stale, err := s.record(r, []*privacy.Purpose{p}, who, func(*privacy.Purpose, *privacy.Choice) *privacy.Form { return &form })
	if err != nil && privacy.KindOf(err) != privacy.Conflict {
		return err
	}
	return s.afterChoice(w, r, p, who, stale, err)
}

// afterChoice shows what is true now: the row as a fragment, the list, or the
// purpose's own page. A conflict shows the newer state, and says so.
func (s *Server) afterChoice(w http.ResponseWriter, r *http.Request, p *privacy.Purpose, who privacy.Circumstances, stale bool, conflict error) error {
	ctx, from := r.Context(), r.PostForm.Get("from")
	page := from == "page"
	saved := "1"
	if stale {
		saved = "stale"
	}
	done := query("/consents", "saved", p.ID) + "#purpose-" + p.ID
	if page {
		done = query("/consents/"+p.ID, "saved", saved)
	}
	switch {
	case conflict != nil && wantsJSON(r):
		return conflict
	case conflict == nil && (page || !isHTMX(r)):
		return s.seeOther(w, r, done)
	case conflict != nil && page && isHTMX(r):
		var known *privacy.Error
		errors.As(conflict, &known)
		return s.seeOther(w, r, query("/consents/"+p.ID, "conflict", known.Reason))
	case conflict != nil && !isHTMX(r):
		return s.consentPage(w, r, http.StatusConflict, p, s.notice(ctx, conflict))
	}
	see, err := s.seeAs(r, "list", who)
	switch {
	case err != nil && conflict == nil:
		return s.seeOther(w, r, done) // it is saved: an error here would say that it isn't
	case err != nil:
		return err
	}
	status := http.StatusOK
	row := s.row(ctx, see, p)
	switch {
	case conflict != nil:
		status, row.Notice = http.StatusConflict, s.notice(ctx, conflict)
	default:
		s.afterAct(ctx, see, &row)
		if stale {
			row.Notice = staleNotice(ctx)
		}
	}
	return s.render(w, r, status, views.ConsentChange(row, s.heading(see, s.catalogue.Area(p.Area))))
}

// staleNotice says that a no counted, though the page was older than the choice.
func staleNotice(ctx context.Context) *views.Notice {
	return &views.Notice{Title: i18n.T(ctx, "stale.title"), Text: i18n.T(ctx, "stale.text")}
}

// areaOff is POST /consents/areas/{area}/off: no to everything in an area that
// one press can say no to. An objection that a human must assess is not among
// it: the person makes each of those by itself.
func (s *Server) areaOff(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	area := s.catalogue.Area(r.PathValue("area"))
	if area == nil {
		return &privacy.Error{Kind: privacy.NotFound, Key: "error.not-found", Reason: "unknown-area"}
	}
	who, err := s.turnOff(r, s.catalogue.In(area.ID))
	if err != nil {
		return err
	}
	done := query("/consents", "saved", "area-"+area.ID) + "#area-" + area.ID
	if !isHTMX(r) {
		return s.seeOther(w, r, done)
	}
	see, err := s.seeAs(r, "list", who)
	if err != nil {
		return s.seeOther(w, r, done) // it is saved
	}
	a, err := s.area(ctx, see, area)
	if err != nil {
		return err
	}
	a.Saved, a.Open = s.areaSaved(ctx, see, a), true
	return s.render(w, r, http.StatusOK, views.ConsentAreaChange(a))
}

// marketingOff is POST /consents/marketing/off: no to all marketing at once,
// wherever it stands. law: GDPR 21(2)-(3)
func (s *Server) marketingOff(w http.ResponseWriter, r *http.Request) error {
	var purposes []*privacy.Purpose
	for i := range s.catalogue.Purposes {
		if p := &s.catalogue.Purposes[i]; p.Marketing() {
			purposes = append(purposes, p)
		}
	}
	if _, err := s.turnOff(r, purposes); err != nil {
		return err
	}
	return s.seeOther(w, r, "/overview?saved=marketing")
}

// turnOff says no to those of some purposes that one press can say no to.
func (s *Server) turnOff(r *http.Request, purposes []*privacy.Purpose) (privacy.Circumstances, error) {
	_, who, err := s.circumstances(r.Context(), session(r.Context()).Person)
	if err != nil {
		return who, err
	}
	_, err = s.record(r, purposes, who, func(p *privacy.Purpose, now *privacy.Choice) *privacy.Form {
		if !canOff(p.State(now, who), p.Control) {
			return nil
		}
		f := &privacy.Form{Decision: p.No(), Language: i18n.Lang(r.Context())}
		if now != nil {
			f.Version = now.Version // it is locked: nobody is overwritten
		}
		return f
	})
	return who, err
}

// channel is where a session's decisions are made.
func channel(me *auth.Session) privacy.Channel {
	if me.Embedded {
		return privacy.ChannelApp
	}
	return privacy.ChannelWeb
}

// canOff tells whether one press says no for good: what is on, by consent or
// until objected to absolutely, and a yes that waits to be renewed.
func canOff(s privacy.State, c privacy.Control) bool {
	return s == privacy.StateRenew || s == privacy.StateOn && (c == privacy.ControlConsent || c == privacy.ControlAbsolute)
}

func count(c *views.Counts, s privacy.State, control privacy.Control) {
	switch s {
	case privacy.StateOn, privacy.StateContested:
		c.On++
	case privacy.StateOff:
		c.Off++
	case privacy.StatePaused:
		c.Paused++
	case privacy.StateRenew:
		c.Renew++
	case privacy.StateNeeded:
		c.Needed++
	}
	if canOff(s, control) {
		c.CanOff++
	}
}
