package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/lib/pq"

	"elekt.no/innsyn/privacy"
)

// Question asks whether a purpose may be carried out for whoever a system of the
// company knows by an id. System is CustomerSystem, PersonSystem (the id is then
// a privacy.PersonRef), or another that links exist for.
type Question struct {
	System  string
	ID      string
	Purpose string
	// Conditional: the purpose depends on the customer record, whose number is to
	// be found as well.
	Conditional bool
}

// Answer is what is on record for a question.
type Answer struct {
	Person   privacy.PersonRef // empty: nobody is known by that id
	Choice   *privacy.Choice   // Purpose, Decision, Version and Revision alone; nil: none was made
	Customer string            // number of the customer record, if asked for; empty: there is none
}

// answerRow is an answer as the queries give it.
type answerRow struct {
	Person   sql.NullString `db:"person_ref"`
	Decision sql.NullString `db:"decision"`
	Version  sql.NullInt64  `db:"version"`
	Revision sql.NullInt64  `db:"revision"`
	Customer sql.NullString `db:"customer"`
}

func (r *answerRow) answer(q Question) Answer {
	a := Answer{Person: privacy.PersonRef(r.Person.String), Customer: r.Customer.String}
	if r.Decision.Valid {
		a.Choice = &privacy.Choice{Purpose: q.Purpose, Decision: privacy.Decision(r.Decision.String),
			Version: r.Version.Int64, Revision: int(r.Revision.Int64)}
	}
	if q.Conditional && q.System == CustomerSystem {
		a.Customer = q.ID
	}
	return a
}

// Who is known by $1 and $2, a system and an id. A reference of the portal's own
// leads to whom its person became.
const (
	byLink   = `SELECT l.person_ref FROM person_link l WHERE l.system = $1 AND l.external_id = $2 AND l.ended_at IS NULL`
	byPerson = `SELECT coalesce(l.became, l.person_ref) AS person_ref FROM person l WHERE $1 = 'innsyn' AND l.person_ref = $2`
)

func personBy(system string) string {
	if system == PersonSystem {
		return byPerson
	}
	return byLink
}

const (
	answerOne = `SELECT l.person_ref, c.decision, c.version, c.revision
		FROM person_link l LEFT JOIN choice c ON c.person_ref = l.person_ref AND c.purpose = $3
		WHERE l.system = $1 AND l.external_id = $2 AND l.ended_at IS NULL`
	answerPerson = `SELECT coalesce(l.became, l.person_ref), c.decision, c.version, c.revision
		FROM person l LEFT JOIN choice c ON c.person_ref = coalesce(l.became, l.person_ref) AND c.purpose = $3
		WHERE $1 = 'innsyn' AND l.person_ref = $2`
)

// Ask answers one question, with one look-up by two indexes.
func (s *Store) Ask(ctx context.Context, q Question) (Answer, error) {
	query := answerOne
	if q.System == PersonSystem {
		query = answerPerson
	}
	st, err := s.stmts.get(ctx, query)
	if err != nil {
		return Answer{}, err
	}
	var r answerRow
	err = st.QueryRowContext(ctx, q.System, q.ID, q.Purpose).Scan(&r.Person, &r.Decision, &r.Version, &r.Revision)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Answer{}, wrap(err)
	}
	if q.Conditional && q.System != CustomerSystem && r.Person.Valid {
		err := s.get(ctx, &r.Customer, `SELECT external_id FROM person_link WHERE person_ref = $1 AND system = $2 AND ended_at IS NULL`,
			r.Person.String, CustomerSystem)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return Answer{}, err
		}
	}
	return r.answer(q), nil
}

// AskMany answers many questions in one query, in their order.
func (s *Store) AskMany(ctx context.Context, questions []Question) ([]Answer, error) {
	systems, ids, purposes := make(pq.StringArray, len(questions)), make(pq.StringArray, len(questions)), make(pq.StringArray, len(questions))
	conditional := make(pq.BoolArray, len(questions))
	for i, q := range questions {
		systems[i], ids[i], purposes[i] = q.System, q.ID, q.Purpose
		conditional[i] = q.Conditional && q.System != CustomerSystem
	}
	var rows []answerRow
	if err := s.list(ctx, &rows, `
		SELECT coalesce(l.person_ref, p.became, p.person_ref) AS person_ref, c.decision, c.version, c.revision, CASE WHEN q.conditional THEN (
			SELECT k.external_id FROM person_link k WHERE k.person_ref = coalesce(l.person_ref, p.became, p.person_ref)
			AND k.system = 'customer' AND k.ended_at IS NULL) END AS customer
		FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[]) WITH ORDINALITY AS q (system, id, purpose, conditional, n)
		LEFT JOIN person_link l ON l.system = q.system AND l.external_id = q.id AND l.ended_at IS NULL
		LEFT JOIN person p ON p.person_ref = CASE WHEN q.system = 'innsyn' THEN q.id END
		LEFT JOIN choice c ON c.person_ref = coalesce(l.person_ref, p.became, p.person_ref) AND c.purpose = q.purpose
		ORDER BY q.n`, systems, ids, purposes, conditional); err != nil {
		return nil, err
	}
	if len(rows) != len(questions) {
		// Two links in force for one id, which the index rules out: no answer may
		// stand at another question's place.
		return nil, errors.New("questions: not one answer to each")
	}
	out := make([]Answer, len(rows))
	for i := range rows {
		out[i] = rows[i].answer(questions[i])
	}
	return out, nil
}

// CircumstancesOf are the facts that conditions depend on, by customer number. A
// number without a record is missing; Unavailable (company-away) if the company's
// database could not be asked or isn't configured.
func (s *Store) CircumstancesOf(ctx context.Context, numbers []string) (map[string]privacy.Circumstances, error) {
	out := make(map[string]privacy.Circumstances, len(numbers))
	if len(numbers) == 0 {
		return out, nil
	}
	if s.company == nil {
		return nil, companyAway("not configured")
	}
	ctx, cancel := context.WithTimeout(ctx, companyTimeout)
	defer cancel()
	st, err := s.outside.get(ctx, `SELECT customer_no, plan, shop_customer_id IS NOT NULL AS shop FROM elekt.customer WHERE customer_no = ANY($1)`)
	if err != nil {
		return nil, companyError(err)
	}
	var rows []customerRow
	if err := st.SelectContext(ctx, &rows, pq.StringArray(numbers)); err != nil {
		return nil, companyError(err)
	}
	for _, r := range rows {
		c := r.customer()
		out[r.No] = c.Circumstances()
	}
	return out, nil
}

// Standing is everything that a person has chosen, at one moment.
type Standing struct {
	Person   privacy.PersonRef // empty: nobody is known by that id
	Version  int64             // of the person's choices; 0 if none was ever made
	Customer string            // number of the customer record; empty: there is none
	Choices  map[string]*privacy.Choice
}

// Standing reads all choices of whoever a system knows by an id, in one query.
func (s *Store) Standing(ctx context.Context, system, id string) (*Standing, error) {
	var rows []struct {
		Ref      string         `db:"person_ref"`
		All      int64          `db:"choices_version"`
		Customer sql.NullString `db:"customer"`
		Purpose  sql.NullString `db:"purpose"`
		Decision sql.NullString `db:"decision"`
		At       sql.NullTime   `db:"at"`
		Version  sql.NullInt64  `db:"version"`
		Revision sql.NullInt64  `db:"revision"`
		Text     []byte         `db:"text"`
		Language sql.NullString `db:"language"`
		Channel  sql.NullString `db:"channel"`
	}
	if err := s.list(ctx, &rows, `
		SELECT p.person_ref, p.choices_version, (
			SELECT k.external_id FROM person_link k WHERE k.person_ref = p.person_ref AND k.system = 'customer' AND k.ended_at IS NULL
		) AS customer, c.purpose, c.decision, c.at, c.version, c.revision, c.text, c.language, c.channel
		FROM (`+personBy(system)+`) l JOIN person p USING (person_ref) LEFT JOIN choice c USING (person_ref)`,
		system, id); err != nil {
		return nil, err
	}
	out := &Standing{Choices: map[string]*privacy.Choice{}}
	if system == CustomerSystem {
		out.Customer = id
	}
	for _, r := range rows {
		out.Person, out.Version = privacy.PersonRef(r.Ref), r.All
		if r.Customer.Valid {
			out.Customer = r.Customer.String
		}
		if !r.Purpose.Valid {
			continue
		}
		row := choiceRow{Purpose: r.Purpose.String, Decision: r.Decision.String, At: r.At.Time, Version: r.Version.Int64,
			Revision: int(r.Revision.Int64), Text: r.Text, Language: r.Language.String, Channel: r.Channel.String}
		out.Choices[row.Purpose] = row.choice()
	}
	return out, nil
}
