package store

import (
	"context"

	"github.com/jmoiron/sqlx"

	"elekt.no/innsyn/privacy"
)

// openMatchRequest opens the request that a human finds the right customer
// record; one that is open already stays.
func (s *Store) openMatchRequest(ctx context.Context, tx *sqlx.Tx, person privacy.PersonRef) error {
	now := s.Now()
	r, err := tx.ExecContext(ctx, `INSERT INTO request (person_ref, kind, received_at, due_on) VALUES ($1, 'customer-match', $2, $3)
		ON CONFLICT (person_ref) WHERE kind = 'customer-match' AND state = 'open' DO NOTHING`,
		person, now, nullDay(privacy.Due(now)))
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return s.event(ctx, tx, Event{Kind: EventMatchRequest, Person: person})
}

// closeMatchRequest closes the request, if there is one: the record is found.
func (s *Store) closeMatchRequest(ctx context.Context, tx *sqlx.Tx, person privacy.PersonRef) error {
	_, err := tx.ExecContext(ctx, `UPDATE request SET state = 'closed', closed_at = $2
		WHERE person_ref = $1 AND kind = 'customer-match' AND state = 'open'`, person, s.Now())
	return err
}

// OpenMatchRequest opens the same request because the person asks for it: no
// record was found.
func (s *Store) OpenMatchRequest(ctx context.Context, person privacy.PersonRef) error {
	return s.tx(ctx, func(tx *sqlx.Tx) error { return s.openMatchRequest(ctx, tx, person) })
}

// MatchRequestOpen tells whether a human is looking for the person's record.
func (s *Store) MatchRequestOpen(ctx context.Context, person privacy.PersonRef) (bool, error) {
	var open bool
	err := s.get(ctx, &open, `SELECT EXISTS (SELECT FROM request WHERE person_ref = $1 AND kind = 'customer-match' AND state = 'open')`, person)
	return open, err
}

// StopChild opens a case for each record that a child who was stopped at login
// has anywhere: at the company, by identity number, and here, if a person was
// made before the age was known; that person's sessions end. The child itself
// leaves no trace: no person, no name, no number.
//
// law: personopplysningsloven § 5, GDPR 8, 17(1)(f)
func (s *Store) StopChild(ctx context.Context, customers []Customer, person privacy.PersonRef, provider string) error {
	now := s.Now()
	return s.tx(ctx, func(tx *sqlx.Tx) error {
		open := func(system, id string) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO child_case (system, external_id, opened_at, due_on) VALUES ($1, $2, $3, $4)
				ON CONFLICT (system, external_id) WHERE closed_at IS NULL DO NOTHING`, system, id, now, nullDay(privacy.Due(now)))
			return err
		}
		for _, c := range customers {
			if err := open(CustomerSystem, c.No); err != nil {
				return err
			}
		}
		if person != "" {
			if err := open(PersonSystem, string(person)); err != nil {
				return err
			}
			if _, err := s.endSessions(ctx, tx, person, "", "too-young"); err != nil {
				return err
			}
		}
		return s.event(ctx, tx, Event{Kind: EventStopped, Reason: "too-young", Provider: provider})
	})
}
