package store

import (
	"context"
	"database/sql"
	"errors"
	"regexp"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"elekt.no/innsyn/privacy"
)

// CustomerSystem names the company's customer register in person_link.
const CustomerSystem = "customer"

// PersonSystem names the portal itself, where a child case is about a person here.
const PersonSystem = "innsyn"

// Evidence is how we know that a record is a person's. Name and birth date are
// never evidence.
type Evidence string

// The kinds of evidence.
const (
	EvidenceNationalID Evidence = "national-id" // the hash, attested at substantial or better
	EvidencePhone      Evidence = "phone"       // verified by the provider, at substantial or better
	EvidenceAppAccount Evidence = "app-account" // the app's own account id, from the app's login
	EvidenceCode       Evidence = "code"        // customer number and a one-time code to the contact on file
	EvidenceStaff      Evidence = "staff"       // a person has looked at it
	EvidenceSystem     Evidence = "system"      // a system of the company named its own id, through the API
)

// Customer is what the company's own database says of a customer, and the link
// through which it is this person's.
type Customer struct {
	Link       string // id of the link; empty if the record was only looked up
	No         string
	GivenName  string
	FamilyName string
	BirthDate  time.Time // zero if not known
	Email      string
	Phone      string // E.164
	Street     string
	PostalCode string
	City       string
	Plan       string // free or plus
	Shop       bool   // has bought in the shop
	Protected  bool   // the address is protected
	Language   string
	Created    time.Time
}

// Circumstances are the facts that conditions of the catalogue depend on.
func (c *Customer) Circumstances() privacy.Circumstances {
	return privacy.Circumstances{Plus: c.Plan == "plus", Shop: c.Shop}
}

// HasContact tells whether a one-time code can be sent.
func (c *Customer) HasContact() bool { return c.Email != "" || c.Phone != "" }

type customerRow struct {
	No         string       `db:"customer_no"`
	GivenName  string       `db:"given_name"`
	FamilyName string       `db:"family_name"`
	BirthDate  sql.NullTime `db:"birth_date"`
	Email      string       `db:"email"`
	Phone      string       `db:"phone"`
	Street     string       `db:"street"`
	PostalCode string       `db:"postal_code"`
	City       string       `db:"city"`
	Plan       string       `db:"plan"`
	Shop       bool         `db:"shop"`
	Protected  bool         `db:"protected_address"`
	Language   string       `db:"language"`
	Created    time.Time    `db:"created_at"`
}

const selectCustomer = `SELECT customer_no, given_name, family_name, birth_date, coalesce(email, '') AS email,
	coalesce(phone, '') AS phone, coalesce(street, '') AS street, coalesce(postal_code, '') AS postal_code,
	coalesce(city, '') AS city, plan, shop_customer_id IS NOT NULL AS shop, protected_address, language, created_at
	FROM elekt.customer `

func (r customerRow) customer() Customer {
	return Customer{No: r.No, GivenName: r.GivenName, FamilyName: r.FamilyName, BirthDate: r.BirthDate.Time.UTC(),
		Email: r.Email, Phone: r.Phone, Street: r.Street, PostalCode: r.PostalCode, City: r.City, Plan: r.Plan,
		Shop: r.Shop, Protected: r.Protected, Language: r.Language, Created: r.Created.UTC()}
}

// noCustomer is the error for a person without a customer record.
func noCustomer() error {
	return &privacy.Error{Kind: privacy.NotFound, Key: "error.no-customer", Reason: "no-customer"}
}

// ReasonCompanyAway is the Reason of the error, of kind Unavailable, that the
// company's database could not be asked.
const ReasonCompanyAway = "company-away"

func companyAway(why string) error {
	return &privacy.Error{Kind: privacy.Unavailable, Key: "error.company-away", Reason: ReasonCompanyAway, Err: errors.New(why)}
}

// companyError gives an error of the company's database its kind: company-away if
// asking later makes sense; else, as for a missing right or column, Internal. It
// keeps no more than a code: the driver's text can hold what was asked for.
func companyError(err error) error {
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	why := "unreadable answer"
	var pe *pq.Error
	switch {
	case errors.As(err, &pe):
		why = "SQLSTATE " + string(pe.Code)
	case errors.Is(err, context.DeadlineExceeded):
		why = "no answer in time"
	case isNetwork(err):
		why = "no connection"
	}
	if away(err) {
		return companyAway(why)
	}
	return errors.New("company database: " + why)
}

// companyTimeout is how long anybody waits for the company's database.
const companyTimeout = 3 * time.Second

func (s *Store) companyList(ctx context.Context, query string, args ...any) ([]Customer, error) {
	if s.company == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, companyTimeout)
	defer cancel()
	st, err := s.outside.get(ctx, query)
	if err != nil {
		return nil, companyError(err)
	}
	var rows []customerRow
	if err := st.SelectContext(ctx, &rows, args...); err != nil {
		return nil, companyError(err)
	}
	out := make([]Customer, len(rows))
	for i, r := range rows {
		out[i] = r.customer()
	}
	return out, nil
}

// Customer is the customer record of a person. NotFound (reason no-customer) if
// no record is linked or the linked one is gone; Unavailable (reason
// company-away) if a record is linked and the company's database could not be
// asked, or isn't configured: that is never "no record".
func (s *Store) Customer(ctx context.Context, person privacy.PersonRef) (*Customer, error) {
	var link struct {
		ID       string `db:"link_id"`
		External string `db:"external_id"`
	}
	err := s.get(ctx, &link, `SELECT link_id, external_id FROM person_link
		WHERE person_ref = $1 AND system = $2 AND ended_at IS NULL`, person, CustomerSystem)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, noCustomer()
	}
	if err != nil {
		return nil, err
	}
	c, err := s.linkedCustomer(ctx, link.External)
	if err != nil {
		return nil, err
	}
	c.Link = link.ID
	return c, nil
}

// linkedCustomer is the record of a number that is on record here: it was found in
// the company's database once, so a store without that database can't say that
// there is none.
func (s *Store) linkedCustomer(ctx context.Context, no string) (*Customer, error) {
	if s.company == nil {
		return nil, companyAway("not configured")
	}
	return s.CustomerByNo(ctx, no)
}

// CustomerByNo looks a record up by a number that somebody typed; errors as of
// Customer, and no-customer without a company's database. What is found is
// nobody's yet: a number is no proof.
func (s *Store) CustomerByNo(ctx context.Context, no string) (*Customer, error) {
	rows, err := s.companyList(ctx, selectCustomer+`WHERE customer_no = $1`, no)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, noCustomer()
	}
	return &rows[0], nil
}

// CustomerKeys is what a login proves that a customer record can be found by.
type CustomerKeys struct {
	NINHash    []byte    // nil if the login gave no identity number, or too weakly
	Phone      string    // E.164, verified; empty if not
	AppAccount string    // the app's own account id
	BirthDate  time.Time // only ever speaks against a record
}

// Empty tells whether there is nothing to look for.
func (k CustomerKeys) Empty() bool { return k.NINHash == nil && k.Phone == "" && k.AppAccount == "" }

// FindCustomers looks for the customer records of somebody who proved keys: by
// identity number; if that finds none, by the app's account; else by telephone.
// A record that says another identity number or another birth date than the
// login is not theirs, whatever its telephone number. Unavailable (company-away)
// if the company's database could not be asked.
func (s *Store) FindCustomers(ctx context.Context, k CustomerKeys) ([]Customer, Evidence, error) {
	if k.NINHash != nil {
		found, err := s.companyList(ctx, selectCustomer+`WHERE nin_hash = $1 ORDER BY customer_no LIMIT 2`, k.NINHash)
		if err != nil || len(found) > 0 {
			return found, EvidenceNationalID, err
		}
	}
	nin := nullBytes(k.NINHash)
	born := sql.NullString{String: k.BirthDate.Format(time.DateOnly), Valid: !k.BirthDate.IsZero()}
	const agrees = ` AND ($2::bytea IS NULL OR nin_hash IS NULL OR nin_hash = $2)
		AND ($3::date IS NULL OR birth_date IS NULL OR birth_date = $3) ORDER BY customer_no LIMIT 2`
	if k.AppAccount != "" {
		found, err := s.companyList(ctx, selectCustomer+`WHERE app_account_id = $1`+agrees, k.AppAccount, nin, born)
		if err != nil || len(found) > 0 {
			return found, EvidenceAppAccount, err
		}
	}
	if k.Phone != "" {
		found, err := s.companyList(ctx, selectCustomer+`WHERE phone = $1`+agrees, k.Phone, nin, born)
		if err != nil || len(found) > 0 {
			return found, EvidencePhone, err
		}
	}
	return nil, "", nil
}

// LinkResult tells what came of linking a person and a record.
type LinkResult string

// The results.
const (
	LinkNone    LinkResult = "none"    // no record was found, or the person's link to it was taken back
	LinkMade    LinkResult = "made"    //
	LinkThere   LinkResult = "there"   // the person had a link already
	LinkTaken   LinkResult = "taken"   // the record is another person's
	LinkSeveral LinkResult = "several" // more than one record; nothing is shown, a request is open
	LinkAway    LinkResult = "away"    // the company's database could not be asked
)

// Link links a person and a customer record. A link that was taken back is never
// made again by itself: only EvidenceStaff overrides that. Writes the event.
func (s *Store) Link(ctx context.Context, person privacy.PersonRef, no string, how Evidence) (LinkResult, error) {
	var r LinkResult
	err := s.tx(ctx, func(tx *sqlx.Tx) (err error) {
		r, err = s.link(ctx, tx, person, no, how)
		return err
	})
	return r, err
}

func (s *Store) link(ctx context.Context, tx *sqlx.Tx, person privacy.PersonRef, no string, how Evidence) (LinkResult, error) {
	if _, err := tx.ExecContext(ctx, `SELECT FROM person WHERE person_ref = $1 FOR UPDATE`, person); err != nil {
		return "", err
	}
	var have []struct {
		Person   string       `db:"person_ref"`
		External string       `db:"external_id"`
		Ended    sql.NullTime `db:"ended_at"`
	}
	if err := tx.SelectContext(ctx, &have, `SELECT person_ref, external_id, ended_at FROM person_link
		WHERE system = $2 AND (person_ref = $1 AND (ended_at IS NULL OR external_id = $3) OR external_id = $3 AND ended_at IS NULL)`,
		person, CustomerSystem, no); err != nil {
		return "", err
	}
	barred, taken := false, false
	for _, l := range have {
		mine := l.Person == string(person)
		switch {
		case mine && !l.Ended.Valid:
			return LinkThere, nil
		case mine:
			barred = true
		default:
			taken = true
		}
	}
	switch {
	case barred && how != EvidenceStaff && !taken:
		return LinkNone, s.event(ctx, tx, Event{Kind: EventLinkBarred, Reason: string(how), Person: person})
	case taken:
		other, err := s.idle(ctx, tx, no)
		if err != nil {
			return "", err
		}
		if other == "" || barred && how != EvidenceStaff {
			return s.taken(ctx, tx, person, how)
		}
		if err := s.merge(ctx, tx, other, person); err != nil {
			return "", err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE person_link SET evidence = $4
			WHERE person_ref = $1 AND system = $2 AND external_id = $3 AND ended_at IS NULL`, person, CustomerSystem, no, how); err != nil {
			return "", err
		}
		return s.linked(ctx, tx, person, how)
	}
	r, err := tx.ExecContext(ctx, `INSERT INTO person_link (person_ref, system, external_id, evidence, created_at)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`, person, CustomerSystem, no, how, s.Now())
	if err != nil {
		return "", err
	}
	if n, err := r.RowsAffected(); err != nil {
		return "", err
	} else if n == 0 { // somebody was quicker in this moment
		return s.taken(ctx, tx, person, how)
	}
	return s.linked(ctx, tx, person, how)
}

// linked does what follows from a new link.
func (s *Store) linked(ctx context.Context, tx *sqlx.Tx, person privacy.PersonRef, how Evidence) (LinkResult, error) {
	// Recipients that were not told because there was no address are told now.
	if err := s.requeueAddressless(ctx, tx, person); err != nil {
		return "", err
	}
	if err := s.closeMatchRequest(ctx, tx, person); err != nil {
		return "", err
	}
	return LinkMade, s.event(ctx, tx, Event{Kind: EventLinked, Reason: string(how), Person: person})
}

// taken refuses a record that is another person's: one of the two links would be
// wrong, and a human finds out which.
func (s *Store) taken(ctx context.Context, tx *sqlx.Tx, person privacy.PersonRef, how Evidence) (LinkResult, error) {
	if err := s.event(ctx, tx, Event{Kind: EventLinkTaken, Reason: string(how), Person: person}); err != nil {
		return "", err
	}
	return LinkTaken, s.openMatchRequest(ctx, tx, person)
}

// whyCode is what a reason may look like: no room for a name.
var whyCode = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// EndLink takes a link back because it was wrong. why is a short code of small
// letters, digits and hyphens. What was shown through it stays on record, and the
// same link isn't made again by itself. NotFound if there is no such link in force.
//
// What recipients were told through it was told about somebody else's address.
// Two people are to be put right:
//   - The person whose link it was: what still holds of their choices has reached
//     nobody (not_connected, no-address), and the next link sends it anew.
//   - The one whose record it is: if they have made choices here, their own link
//     sends them, and that overwrites what was said in error. If they never come,
//     or never chose, only a human can know what that address should have; who
//     calls EndLink gives them ToldThrough to work from.
//
// law: GDPR 5(1)(d), 16, 19, 33
func (s *Store) EndLink(ctx context.Context, link, why string) error {
	if !whyCode.MatchString(why) {
		return &privacy.Error{Kind: privacy.Invalid, Key: "error.form", Reason: "no-reason"}
	}
	if !isID(link) {
		return notFound("no-link")
	}
	return s.tx(ctx, func(tx *sqlx.Tx) error {
		var person privacy.PersonRef
		// The person's row first, as choices do.
		err := tx.GetContext(ctx, &person, `SELECT p.person_ref FROM person p JOIN person_link l USING (person_ref)
			WHERE l.link_id = $1 FOR UPDATE OF p`, link)
		if errors.Is(err, sql.ErrNoRows) {
			return notFound("no-link")
		}
		if err != nil {
			return err
		}
		n, err := rowsOf(tx.ExecContext(ctx, `UPDATE person_link SET ended_at = $2, ended_why = $3
			WHERE link_id = $1 AND ended_at IS NULL`, link, s.Now(), why))
		if err != nil {
			return err
		}
		if n == 0 {
			return notFound("no-link")
		}
		if err := s.markAddressless(ctx, tx, person); err != nil {
			return err
		}
		return s.event(ctx, tx, Event{Kind: EventLinkEnded, Reason: why, Person: person})
	})
}

// ToldThrough lists what recipients were told, or may have been, while a link was
// in force: the last word of each recipient and purpose, as the row stands now.
func (s *Store) ToldThrough(ctx context.Context, link string) ([]privacy.Delivery, error) {
	if !isID(link) {
		return nil, nil
	}
	var rows []deliveryRow
	if err := s.list(ctx, &rows, `
		SELECT DISTINCT ON (recipient, purpose) `+deliveryColumns+` FROM delivery d
		WHERE EXISTS (
			SELECT FROM person_link l JOIN delivery_attempt a ON a.delivery_id = d.delivery_id
			WHERE l.link_id = $1 AND l.person_ref = d.person_ref AND l.system = $2
			  AND a.started_at >= l.created_at AND (l.ended_at IS NULL OR a.started_at <= l.ended_at) AND a.note <> $3)
		ORDER BY recipient, purpose, version DESC, action = 'erase' DESC`, link, CustomerSystem, privacy.NoteNoAddress); err != nil {
		return nil, err
	}
	out := make([]privacy.Delivery, len(rows))
	for i, r := range rows {
		out[i] = r.delivery()
	}
	return out, nil
}

// shownSpell is how long the same page through the same link counts as shown once.
const shownSpell = 10 * time.Minute

// shownLimit bounds the memory of shownPages.
const shownLimit = 10000

// shownPages remembers, on this node, what was noted a moment ago, so that a
// page view costs no write. Another node notes it once more, which is harmless.
type shownPages struct {
	mu   sync.Mutex
	last map[[2]string]time.Time
}

func (p *shownPages) recent(key [2]string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, ok := p.last[key]
	return ok && now.Sub(t) < shownSpell
}

func (p *shownPages) note(key [2]string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil || len(p.last) >= shownLimit {
		p.last = map[[2]string]time.Time{}
	}
	p.last[key] = now
}

// NoteShown records that a page with something of a customer record was shown
// through a link, so that a wrong link can be answered for. link is
// Customer.Link, page the route without ids.
func (s *Store) NoteShown(ctx context.Context, link, page string) error {
	if link == "" {
		return nil
	}
	now, key := s.Now(), [2]string{link, page}
	if s.shown.recent(key, now) {
		return nil
	}
	if _, err := s.exec(ctx, `INSERT INTO link_shown (link_id, page, first_at, last_at) VALUES ($1, $2, $3, $3)
		ON CONFLICT (link_id, page) DO UPDATE SET last_at = $3, times = link_shown.times + 1`, link, page, now); err != nil {
		return err
	}
	s.shown.note(key, now)
	return nil
}

// Shown is one page that was shown through a link.
type Shown struct {
	Page  string    `db:"page"`
	First time.Time `db:"first_at"`
	Last  time.Time `db:"last_at"`
	Times int       `db:"times"` // spells of ten minutes
}

// ShownThrough lists what was shown through a link, in force or ended.
func (s *Store) ShownThrough(ctx context.Context, link string) ([]Shown, error) {
	var out []Shown
	if !isID(link) {
		return nil, nil
	}
	err := s.list(ctx, &out, `SELECT page, first_at, last_at, times FROM link_shown WHERE link_id = $1 ORDER BY first_at, page`, link)
	for i := range out {
		out[i].First, out[i].Last = out[i].First.UTC(), out[i].Last.UTC()
	}
	return out, err
}
