package web

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// recordingStore is what reading and recording choices for other systems needs of
// the store.
type recordingStore interface {
	Standing(ctx context.Context, system, id string) (*store.Standing, error)
	ShownText(context.Context, privacy.Hash) (privacy.ShownText, error)
	Record(context.Context, store.Recording, func(privacy.PersonRef, int64, *privacy.Choice) (*privacy.Change, error)) (store.Recorded, error)
}

// choicesAnswer is what somebody has chosen, for every purpose of the catalogue.
type choicesAnswer struct {
	Person  privacy.PersonRef `json:"person,omitempty"`
	Known   bool              `json:"known"`
	Version int64             `json:"version"`
	Choices []choiceAnswer    `json:"choices"`
}

// choiceAnswer is one purpose; what was decided is missing if nothing was.
type choiceAnswer struct {
	Purpose string          `json:"purpose"`
	Control privacy.Control `json:"control"`
	verdict
	Decision privacy.Decision `json:"decision,omitempty"`
	At       *time.Time       `json:"at,omitempty"`
	Text     string           `json:"text,omitempty"`
	Language string           `json:"language,omitempty"`
	Channel  privacy.Channel  `json:"channel,omitempty"`
}

// standing reads all choices of somebody, and the facts that conditions depend on.
func (s *Server) standing(ctx context.Context, who subject) (*store.Standing, map[string]privacy.Circumstances, error) {
	now, err := s.store.Standing(ctx, who.system, who.id)
	if err != nil {
		return nil, nil, err
	}
	if now.Person == "" && who.system == store.PersonSystem {
		return nil, nil, refuse(privacy.NotFound, reasonUnknownPerson, "id", "Nobody has this reference.")
	}
	facts, err := s.facts(ctx, now.Customer)
	return now, facts, err
}

// tag is the ETag of everything that is answered about somebody's choices: their
// version, the catalogue, and the facts that conditions depend on.
func (s *Server) tag(now *store.Standing, facts privacy.Circumstances) string {
	c := 0
	if facts.Plus {
		c |= 1
	}
	if facts.Shop {
		c |= 2
	}
	return fmt.Sprintf(`"%d.%s.%d"`, now.Version, s.catalogue.Hash().String()[:12], c)
}

// apiChoices is GET /api/v1/people/{system}/{id}/choices.
func (s *Server) apiChoices(w http.ResponseWriter, r *http.Request) error {
	if _, err := params(r, false); err != nil {
		return err
	}
	who, err := s.subject(r.PathValue("system"), r.PathValue("id"))
	if err != nil {
		return err
	}
	ctx := r.Context()
	now, facts, err := s.standing(ctx, who)
	if err != nil {
		return err
	}
	out := choicesAnswer{Person: now.Person, Known: now.Person != "", Version: now.Version}
	for i := range s.catalogue.Purposes {
		p := &s.catalogue.Purposes[i]
		c := now.Choices[p.ID]
		a := choiceAnswer{Purpose: p.ID, Control: p.Control, verdict: judge(p, c, facts[now.Customer])}
		if err := sure(p, now.Customer, facts, a.Allowed); err != nil {
			return err
		}
		if c != nil {
			a.Decision, a.At, a.Text, a.Language, a.Channel = c.Decision, &c.At, c.Text.String(), c.Language, c.Channel
		}
		out.Choices = append(out.Choices, a)
	}
	s.store.CountAsked(client(ctx).ID, store.AskedChoices, store.About{Person: now.Person})
	return s.replyTagged(w, r, s.tag(now, facts[now.Customer]), out)
}

// recordingBody tells of a choice that was made elsewhere.
type recordingBody struct {
	Purpose    string           `json:"purpose"`
	Decision   privacy.Decision `json:"decision"`
	Text       string           `json:"text"`        // hash of what was shown
	Language   string           `json:"language"`    // in which, if no text is named
	Channel    privacy.Channel  `json:"channel"`     // where it was made
	Staff      string           `json:"staff"`       // who heard it, for channel staff: a stable pseudonym
	OccurredAt string           `json:"occurred_at"` // RFC 3339
	Evidence   string           `json:"evidence"`    // reference of the proof in the system that tells
}

// recordedAnswer is what came of it.
type recordedAnswer struct {
	Person   privacy.PersonRef `json:"person"`
	Purpose  string            `json:"purpose"`
	Decision privacy.Decision  `json:"decision"`
	// Changed: it was recorded; else it was so already.
	Changed bool `json:"changed"`
	// Repeated: the same request came before, and nothing was done now.
	Repeated bool `json:"repeated"`
	// Version of all the person's choices after it.
	Version int64         `json:"version"`
	Allowed bool          `json:"allowed"`
	State   privacy.State `json:"state"`
}

var (
	evidence  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}$`)
	pseudonym = regexp.MustCompile(`^[A-Za-z0-9._-]{1,40}$`)
)

const (
	clockSkew = 5 * time.Minute
	oldest    = 10 // years
)

// recordChoice is POST /api/v1/people/{system}/{id}/choices: a choice that was
// made at sign-up, in the app's own dialog, on the telephone, in a cookie banner.
//
// A yes is taken only if it can be proved, and if the caller knows what it
// replaces. A no is taken from whoever may tell of one: what is missing or wrong
// beside the purpose is left out or put right. law: GDPR 7(1), 7(3)
func (s *Server) recordChoice(w http.ResponseWriter, r *http.Request) error {
	if _, err := params(r, false); err != nil {
		return err
	}
	who, err := s.subject(r.PathValue("system"), r.PathValue("id"))
	if err != nil {
		return err
	}
	var in recordingBody
	if err := read(r, &in); err != nil {
		return err
	}
	p, err := s.catalogue.Purpose(in.Purpose)
	if err != nil {
		return refuse(privacy.Invalid, "unknown-purpose", "purpose", "The catalogue has no such purpose.")
	}
	form, err := in.form(p)
	if err != nil {
		return err
	}
	yes := form.Decision == p.Yes()
	now := s.now()
	at, err := in.occurred(now, yes)
	if err != nil {
		return err
	}
	rec := store.Recording{Client: client(r.Context()).ID, System: who.system, ID: who.id, Purpose: p.ID, Decision: form.Decision,
		Occurred: at, Evidence: in.Evidence}
	rec.Request = in.hash(who)
	if rec.Key, err = idempotencyKey(r, yes); err != nil {
		return err
	}
	var match int64
	if yes {
		if match, err = ifMatch(r); err != nil {
			return err
		}
		if !evidence.MatchString(in.Evidence) {
			return wrong("evidence", "A yes needs the reference of its proof: up to 200 letters, digits and . _ : / -")
		}
	} else if !evidence.MatchString(in.Evidence) {
		rec.Evidence = ""
	}
	// What was decided is not lost because the caller hangs up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 10*time.Second)
	defer cancel()
	if form.Text, form.Shown, err = s.textShown(ctx, p, in.Text, yes); err != nil {
		return err
	}
	facts, err := s.circumstancesFor(ctx, p, who)
	if err != nil {
		return err
	}
	done, err := s.store.Record(ctx, rec, func(person privacy.PersonRef, version int64, now *privacy.Choice) (*privacy.Change, error) {
		if yes && match != version {
			return nil, refuse(privacy.Precondition, "stale-version", "If-Match", fmt.Sprintf("The person's choices are at version %d now. Look at them and ask the person again.", version))
		}
		if yes && now != nil && at.Before(now.At) {
			return nil, refuse(privacy.Conflict, "older-than-choice", "occurred_at", "The person has decided about this since.")
		}
		f := form
		if now != nil {
			f.Version = now.Version // it is locked: nobody is overwritten
		}
		return s.catalogue.Change(person, p, now, facts, f, at)
	})
	if err != nil {
		return err
	}
	state := p.State(done.Choice, facts)
	out := recordedAnswer{Person: done.Person, Purpose: p.ID, Decision: done.Decision, Changed: done.Changed, Repeated: done.Repeated,
		Version: done.Version, State: state, Allowed: state.Allowed() && !(asks(p) && facts.Unknown)}
	status := http.StatusOK
	if done.Changed {
		status = http.StatusCreated
	}
	return s.reply(w, r, status, out)
}

// form is the decision in the purpose's own terms, and where it was made.
func (in *recordingBody) form(p *privacy.Purpose) (privacy.Form, error) {
	f := privacy.Form{Decision: in.Decision, Language: in.Language, Channel: in.Channel, Actor: privacy.ActorPerson}
	if p.No() == "" {
		return f, refuse(privacy.Invalid, "no-choice", "purpose", "There is no choice to make about this purpose.")
	}
	switch in.Decision {
	case privacy.Withdraw, privacy.Refuse, privacy.Object:
		f.Decision = p.No() // a no is a no, by whichever name
	case p.Yes():
	default:
		return f, wrong("decision", fmt.Sprintf("It can be %s or %s.", p.Yes(), p.No()))
	}
	yes := f.Decision == p.Yes()
	if !slices.Contains(privacy.Languages, f.Language) {
		if f.Language != "" && yes {
			return f, wrong("language", "It can be "+strings.Join(privacy.Languages, ", ")+".")
		}
		f.Language = privacy.Languages[0]
	}
	switch f.Channel {
	case "":
		f.Channel = privacy.ChannelAPI
	case privacy.ChannelAPI, privacy.ChannelApp, privacy.ChannelWeb:
	case privacy.ChannelStaff:
		if !pseudonym.MatchString(in.Staff) {
			return f, wrong("staff", "Who heard it: a stable pseudonym of up to 40 letters, digits and . _ -")
		}
		f.Actor = privacy.Actor("staff:" + in.Staff)
	case privacy.ChannelGPC:
		if yes || !p.GPC {
			return f, wrong("channel", "A browser's signal says no, and to some purposes only.")
		}
	default:
		return f, wrong("channel", "It can be app, web, staff, gpc or api.")
	}
	if in.Staff != "" && f.Channel != privacy.ChannelStaff {
		return f, wrong("staff", "For channel staff alone.")
	}
	return f, nil
}

// occurred is when the choice was made.
func (in *recordingBody) occurred(now time.Time, yes bool) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, in.OccurredAt)
	switch {
	case err == nil && at.Before(now.AddDate(-oldest, 0, 0)) || err == nil && at.After(now.Add(clockSkew)):
		if yes {
			return at, wrong("occurred_at", "It lies in the future, or too far back.")
		}
		return now, nil
	case err == nil && at.After(now):
		return now, nil
	case err == nil:
		return at, nil
	case yes:
		return at, wrong("occurred_at", "When the person said yes, as 2026-11-24T13:32:00Z.")
	}
	return now, nil
}

// hash is what an idempotency key stands for.
func (in *recordingBody) hash(who subject) privacy.Hash {
	b, err := json.Marshal(struct {
		System, ID string
		Body       *recordingBody
	}{who.system, who.id, in})
	if err != nil {
		return privacy.Hash{} // strings always marshal
	}
	return sha256.Sum256(b)
}

// idempotencyKey is the key under which a request counts once. A no is the same
// however often it comes, and needs none.
func idempotencyKey(r *http.Request, needed bool) (string, error) {
	v := r.Header.Values("Idempotency-Key")
	switch {
	case len(v) == 0 && !needed:
		return "", nil
	case len(v) != 1 || !externalID.MatchString(v[0]):
		return "", refuse(privacy.Invalid, "idempotency-key", "Idempotency-Key", "One, of 1 to 128 characters of ASCII without spaces.")
	}
	return v[0], nil
}

var matchTag = regexp.MustCompile(`^"([0-9]{1,18})(\.[0-9a-f.]*)?"$`)

// ifMatch is the version of the person's choices that the caller has seen.
func ifMatch(r *http.Request) (int64, error) {
	v := r.Header.Values("If-Match")
	if len(v) == 1 {
		if m := matchTag.FindStringSubmatch(v[0]); m != nil {
			if n, err := strconv.ParseInt(m[1], 10, 64); err == nil {
				return n, nil
			}
		}
	}
	return 0, refuse(privacy.Invalid, "if-match", "If-Match", `A yes needs the ETag of the person's choices, or their version as "12".`)
}

// textShown finds the text that a choice was made on, which may be one of an older
// catalogue. A yes needs one; of a no, one that isn't known is left out.
func (s *Server) textShown(ctx context.Context, p *privacy.Purpose, text string, yes bool) (privacy.Hash, *privacy.ShownText, error) {
	h, err := privacy.ParseHash(text)
	if err != nil {
		if yes {
			return h, nil, wrong("text", "A yes needs the hash of the text that was shown: 64 hexadecimal digits, from /api/v1/texts.")
		}
		return privacy.Hash{}, nil, nil
	}
	for _, lang := range privacy.Languages {
		if t := s.shown[lang][p.ID]; t.hash == h.String() {
			return h, &t.text, nil
		}
	}
	t, err := s.store.ShownText(ctx, h)
	switch kind := privacy.KindOf(err); {
	case err == nil && t.Purpose == p.ID:
		return h, &t, nil
	case err == nil || kind == privacy.NotFound:
		if yes {
			return h, nil, refuse(privacy.Invalid, "unknown-text", "text", "No text of this purpose has that hash.")
		}
		return privacy.Hash{}, nil, nil
	case !yes:
		return privacy.Hash{}, nil, nil // what can't be read must not stop a no
	}
	return h, nil, err
}

// circumstancesFor are the facts that a purpose depends on, of somebody.
func (s *Server) circumstancesFor(ctx context.Context, p *privacy.Purpose, who subject) (privacy.Circumstances, error) {
	if !asks(p) {
		return privacy.Circumstances{}, nil
	}
	a, err := s.store.Ask(ctx, store.Question{System: who.system, ID: who.id, Purpose: p.ID, Conditional: true})
	if err != nil {
		return privacy.Circumstances{}, err
	}
	facts, err := s.facts(ctx, a.Customer)
	return facts[a.Customer], err
}
