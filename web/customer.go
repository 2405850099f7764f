package web

import (
	"context"
	"errors"
	"net/http"

	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
	"elekt.no/innsyn/views"
)

// customerStore gives the customer record of a person, and notes what was shown of it.
type customerStore interface {
	Customer(context.Context, privacy.PersonRef) (*store.Customer, error)
	NoteShown(ctx context.Context, link, page string) error
	MatchRequestOpen(context.Context, privacy.PersonRef) (bool, error)
	OpenMatchRequest(context.Context, privacy.PersonRef) error
}

// circumstances are the customer record, nil for none, and what conditions depend
// on. That the company's database can't be asked is no error here: nearly
// everything is the same without it, and a no must not wait for another system.
// law: GDPR 7(3)
func (s *Server) circumstances(ctx context.Context, person privacy.PersonRef) (*store.Customer, privacy.Circumstances, error) {
	c, err := s.store.Customer(ctx, person)
	var known *privacy.Error
	switch {
	case err == nil:
		return c, c.Circumstances(), nil
	case privacy.KindOf(err) == privacy.NotFound:
		return nil, privacy.Circumstances{}, nil
	case errors.As(err, &known) && known.Reason == privacy.ReasonCompanyAway:
		s.log.Warn("company database away", "request", requestID(ctx))
		return nil, privacy.Circumstances{Unknown: true}, nil
	}
	return nil, privacy.Circumstances{}, err
}

// customerNotice says on the overview that there isn't exactly one record; nil if there is.
func (s *Server) customerNotice(ctx context.Context, see *sight, person privacy.PersonRef) (*views.Notice, error) {
	switch {
	case see.who.Unknown:
		return unsureNotice(ctx, see), nil
	case see.customer != nil:
		return nil, nil
	}
	open, err := s.store.MatchRequestOpen(ctx, person)
	if err != nil {
		return nil, err
	}
	if open {
		return views.CustomerNotice(views.With(ctx, s.setting), views.CustomerSought), nil
	}
	return views.CustomerNotice(views.With(ctx, s.setting), views.NoCustomer), nil
}

// customer is GET /customer: the record that the login stands for, or the way to it.
func (s *Server) customer(w http.ResponseWriter, r *http.Request) error {
	me := session(r.Context())
	// A record that a login could not look for, or that has come since.
	if _, err := s.store.Customer(r.Context(), me.Person); privacy.KindOf(err) == privacy.NotFound {
		if _, err := s.auth.FindCustomer(r.Context(), me); err != nil {
			return err
		}
	}
	open, err := s.auth.CodeOpen(r.Context(), me)
	if err != nil {
		return err
	}
	step := views.CustomerNumber
	if open.After(s.now()) && r.URL.Query().Get("again") == "" {
		step = views.CustomerCode
	}
	return s.customerPage(w, r, http.StatusOK, step, "", "")
}

func (s *Server) customerPage(w http.ResponseWriter, r *http.Request, status int, step views.CustomerStep, number, fault string) error {
	ctx, me := r.Context(), session(r.Context())
	page := views.Customer{Shell: s.shell(r, "menu.customer", views.PlaceCustomer), Step: step, CSRF: s.auth.Token(me), Number: number, Error: fault}
	c, err := s.store.Customer(ctx, me.Person)
	switch {
	case err == nil:
		if err := s.store.NoteShown(ctx, c.Link, "/customer"); err != nil {
			return err
		}
		plan := i18n.T(ctx, "customer.plan-free")
		if c.Plan == "plus" {
			plan = i18n.T(ctx, "customer.plan-plus")
		}
		page.Step = views.CustomerFound
		page.Record = []views.Fact{
			{Label: i18n.T(ctx, "customer.number-label"), Value: c.No},
			{Label: i18n.T(ctx, "customer.plan"), Value: plan},
			{Label: i18n.T(ctx, "customer.since"), Value: i18n.Day(ctx, c.Created)},
		}
	case privacy.KindOf(err) != privacy.NotFound:
		return err
	default:
		open, err := s.store.MatchRequestOpen(ctx, me.Person)
		if err != nil {
			return err
		}
		if open {
			page.Notice, page.Sought = views.CustomerNotice(views.With(ctx, s.setting), views.CustomerSought), true
		}
	}
	if fault != "" {
		page.Notice = nil
	}
	return s.render(w, r, status, views.CustomerPage(page))
}

// findCustomer is POST /customer: a customer number, or the code that came after it.
func (s *Server) findCustomer(w http.ResponseWriter, r *http.Request) error {
	switch r.PostForm.Get("step") {
	case "number":
		return s.askCode(w, r)
	case "code":
		return s.useCode(w, r)
	}
	return &privacy.Error{Kind: privacy.Invalid, Key: "error.form", Reason: "no-step"}
}

// askCode sends a code to the contact on file. The answer is the same whether or
// not there is such a customer.
func (s *Server) askCode(w http.ResponseWriter, r *http.Request) error {
	number := r.PostForm.Get("number")
	err := s.auth.AskCode(r.Context(), session(r.Context()), number)
	if privacy.KindOf(err) == privacy.Invalid && !wantsJSON(r) {
		return s.customerPage(w, r, http.StatusBadRequest, views.CustomerNumber, number, i18n.T(r.Context(), "customer.bad-number"))
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, "/customer")
}

// useCode takes the code that came to the contact on file.
func (s *Server) useCode(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	result, err := s.auth.UseCode(ctx, session(ctx), r.PostForm.Get("code"))
	var known *privacy.Error
	switch {
	case err != nil && wantsJSON(r):
		return err
	case errors.As(err, &known) && known.Kind == privacy.Invalid:
		return s.customerPage(w, r, http.StatusBadRequest, views.CustomerCode, "", i18n.T(ctx, "customer.bad-code"))
	case errors.As(err, &known) && known.Kind == privacy.Gone:
		return s.customerPage(w, r, http.StatusGone, views.CustomerNumber, "", i18n.T(ctx, "customer.code-gone"))
	case err != nil:
		return err
	case result == store.LinkTaken: // a human has been asked to look at it
		return s.customerPage(w, r, http.StatusConflict, views.CustomerNumber, "", i18n.T(ctx, "customer.taken-text"))
	}
	return s.seeOther(w, r, "/customer")
}

// askForMatch is POST /customer/help: a human looks for the record.
func (s *Server) askForMatch(w http.ResponseWriter, r *http.Request) error {
	if err := s.store.OpenMatchRequest(r.Context(), session(r.Context()).Person); err != nil {
		return err
	}
	return s.seeOther(w, r, "/customer?again=1")
}
