package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// questionStore is what may-I needs of the store.
type questionStore interface {
	Ask(context.Context, store.Question) (store.Answer, error)
	AskMany(context.Context, []store.Question) ([]store.Answer, error)
	CircumstancesOf(context.Context, []string) (map[string]privacy.Circumstances, error)
	CountAsked(client string, kind store.AskedKind, about ...store.About)
}

// Reasons of an answer, beside the state.
const (
	reasonGiven         = "given"                  // a consent
	reasonNotObjected   = "not-objected"           //
	reasonNeeded        = "needed"                 // there is no choice
	reasonNeverGiven    = "never-given"            // a consent that was never asked for, or never answered
	reasonRefused       = "refused"                //
	reasonWithdrawn     = "withdrawn"              //
	reasonObjected      = "objected"               //
	reasonAssessing     = "assessing"              // an objection; the purpose rests
	reasonLegalClaims   = "assessing-legal-claims" // an objection; the purpose goes on
	reasonTextChanged   = "text-changed"           // the consent must be renewed
	reasonCondition     = "condition"              // doesn't concern this customer
	reasonDormant       = "dormant"                // not done at all
	reasonUnknownPerson = "unknown-person"         // the portal's own reference, and nobody has it
)

// Reasons lists them.
var Reasons = []string{reasonGiven, reasonNotObjected, reasonNeeded, reasonNeverGiven, reasonRefused, reasonWithdrawn, reasonObjected,
	reasonAssessing, reasonLegalClaims, reasonTextChanged, reasonCondition, reasonDormant, reasonUnknownPerson}

// verdict is what may be done for a purpose, and why.
type verdict struct {
	Allowed bool          `json:"allowed"`
	State   privacy.State `json:"state"`
	Reason  string        `json:"reason"`
	// Version of the choice that the answer rests on; 0: none was made.
	Version int64 `json:"version"`
}

func judge(p *privacy.Purpose, choice *privacy.Choice, who privacy.Circumstances) verdict {
	v := verdict{State: p.State(choice, who)}
	v.Allowed = v.State.Allowed()
	if choice != nil {
		v.Version = choice.Version
	}
	switch v.State {
	case privacy.StateOn:
		v.Reason = reasonNotObjected
		if p.Control == privacy.ControlConsent {
			v.Reason = reasonGiven
		}
	case privacy.StateOff:
		switch {
		case choice == nil:
			v.Reason = reasonNeverGiven
		case choice.Decision == privacy.Object:
			v.Reason = reasonObjected
		case choice.Decision == privacy.Withdraw:
			v.Reason = reasonWithdrawn
		default:
			v.Reason = reasonRefused
		}
	case privacy.StatePaused:
		v.Reason = reasonAssessing
	case privacy.StateContested:
		v.Reason = reasonLegalClaims
	case privacy.StateNeeded:
		v.Reason = reasonNeeded
	case privacy.StateRenew:
		v.Reason = reasonTextChanged
	case privacy.StateNotApplicable:
		v.Reason = reasonCondition
	case privacy.StateDormant:
		v.Reason = reasonDormant
	}
	return v
}

// mayIAnswer answers one question.
type mayIAnswer struct {
	verdict
	// Known: the portal knows somebody by that id. Who is unknown has chosen nothing.
	Known bool `json:"known"`
}

// answer is the answer to a question. Somebody who isn't known here has made no
// choice: a consent was not given, and what is on until objected to is on. A
// reference of the portal's own that nobody has is never answered with yes.
func answer(p *privacy.Purpose, system string, a store.Answer, who privacy.Circumstances) mayIAnswer {
	if a.Person == "" && system == store.PersonSystem {
		return mayIAnswer{verdict: verdict{State: privacy.StateOff, Reason: reasonUnknownPerson}}
	}
	return mayIAnswer{verdict: judge(p, a.Choice, who), Known: a.Person != ""}
}

// asks tells whether the answer depends on the customer record.
func asks(p *privacy.Purpose) bool { return p.When != privacy.Always && !p.Dormant }

// mayI is GET /api/v1/may-i: may this be done for this person?
func (s *Server) mayI(w http.ResponseWriter, r *http.Request) error {
	v, err := params(r, false, "system", "id", "purpose")
	if err != nil {
		return err
	}
	p, err := s.purpose(v[2])
	if err != nil {
		return err
	}
	who, err := s.subject(v[0], v[1])
	if err != nil {
		return err
	}
	ctx := r.Context()
	a, err := s.store.Ask(ctx, store.Question{System: who.system, ID: who.id, Purpose: p.ID, Conditional: asks(p)})
	if err != nil {
		return err
	}
	facts, err := s.facts(ctx, a.Customer)
	if err != nil {
		return err
	}
	out := answer(p, who.system, a, facts[a.Customer])
	if err := sure(p, a.Customer, facts, out.Allowed); err != nil {
		return err
	}
	s.store.CountAsked(client(ctx).ID, store.AskedMayI, store.About{Person: a.Person, Purpose: p.ID})
	return s.reply(w, r, http.StatusOK, out)
}

// facts are the circumstances of customers by number, the empty one's too. Those
// that could not be asked for are Unknown.
func (s *Server) facts(ctx context.Context, numbers ...string) (map[string]privacy.Circumstances, error) {
	var ask []string
	seen := map[string]bool{"": true}
	for _, no := range numbers {
		if !seen[no] {
			seen[no] = true
			ask = append(ask, no)
		}
	}
	if len(ask) == 0 {
		return nil, nil
	}
	facts, err := s.store.CircumstancesOf(ctx, ask)
	var known *privacy.Error
	if errors.As(err, &known) && known.Reason == privacy.ReasonCompanyAway {
		s.log.Warn("company database away", "request", requestID(ctx))
		facts = map[string]privacy.Circumstances{}
		for _, no := range ask {
			facts[no] = privacy.Circumstances{Unknown: true}
		}
		return facts, nil
	}
	return facts, err
}

// sure refuses a yes that depends on what could not be asked for. A no is a no
// whatever the customer record says.
func sure(p *privacy.Purpose, customer string, facts map[string]privacy.Circumstances, allowed bool) error {
	if allowed && asks(p) && facts[customer].Unknown {
		return &privacy.Error{Kind: privacy.Unavailable, Reason: privacy.ReasonCompanyAway,
			Err: &hint{"purpose", "It depends on the customer record, which can't be read now. Take it for a no, and ask again."}}
	}
	return nil
}

// Limits of a bulk question.
const (
	maxPairs    = 1000
	maxPairBody = 512 << 10 // bytes
)

// mayIPairs is the body of a bulk question.
type mayIPairs struct {
	Pairs []struct {
		System  string `json:"system"`
		ID      string `json:"id"`
		Purpose string `json:"purpose"`
	} `json:"pairs"`
}

// mayIAnswers are the answers to a bulk question, in its order.
type mayIAnswers struct {
	Answers []mayIAnswer `json:"answers"`
}

// mayIMany is POST /api/v1/may-i: the same for many, at one moment. One pair that
// makes no sense refuses all: it is a mistake in the program that asks.
func (s *Server) mayIMany(w http.ResponseWriter, r *http.Request) error {
	var in mayIPairs
	if err := read(r, &in); err != nil {
		return err
	}
	switch n := len(in.Pairs); {
	case n == 0:
		return wrong("pairs", "At least one.")
	case n > maxPairs:
		return refuse(privacy.TooLarge, "too-many-pairs", "pairs", fmt.Sprintf("At most %d.", maxPairs))
	}
	questions, purposes := make([]store.Question, len(in.Pairs)), make([]*privacy.Purpose, len(in.Pairs))
	for i, pair := range in.Pairs {
		p, err := s.purpose(pair.Purpose)
		if err != nil {
			return inPair(i, err)
		}
		who, err := s.subject(pair.System, pair.ID)
		if err != nil {
			return inPair(i, err)
		}
		purposes[i], questions[i] = p, store.Question{System: who.system, ID: who.id, Purpose: p.ID, Conditional: asks(p)}
	}
	ctx := r.Context()
	found, err := s.store.AskMany(ctx, questions)
	if err != nil {
		return err
	}
	var numbers []string
	for _, a := range found {
		if a.Customer != "" {
			numbers = append(numbers, a.Customer)
		}
	}
	facts, err := s.facts(ctx, numbers...)
	if err != nil {
		return err
	}
	out, about := mayIAnswers{make([]mayIAnswer, len(found))}, make([]store.About, len(found))
	for i, a := range found {
		out.Answers[i] = answer(purposes[i], questions[i].System, a, facts[a.Customer])
		if err := sure(purposes[i], a.Customer, facts, out.Answers[i].Allowed); err != nil {
			return inPair(i, err)
		}
		about[i] = store.About{Person: a.Person, Purpose: purposes[i].ID}
	}
	s.store.CountAsked(client(ctx).ID, store.AskedMayI, about...)
	return s.reply(w, r, http.StatusOK, out)
}

// inPair says which pair an error is about. Of what can't be found in a body, the
// body is wrong, and not the address.
func inPair(i int, err error) error {
	var known *privacy.Error
	var h *hint
	if !errors.As(err, &known) || !errors.As(err, &h) {
		return err
	}
	kind := known.Kind
	if kind == privacy.NotFound {
		kind = privacy.Invalid
	}
	return refuse(kind, known.Reason, fmt.Sprintf("pairs.%d.%s", i, h.field), h.detail)
}
