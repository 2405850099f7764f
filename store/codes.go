package store

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"elekt.no/innsyn/privacy"
)

// What a one-time code lives by.
const (
	CodeLife  = 10 * time.Minute // from when it is asked for
	CodeTries = 5
)

// AskCode begins the proof that a customer number is this person's: a code goes
// to the contact on file. c is the record of the number, nil if there is none.
// The row is written in every case, so that nobody can tell from the answer, or
// from how it takes a wrong code, whether the number exists; but the job that
// sends is only enqueued where there is a record with a contact that isn't
// linked to somebody else, and no link of the two was taken back. An older code
// of the person is void.
func (s *Store) AskCode(ctx context.Context, person privacy.PersonRef, c *Customer) error {
	return s.tx(ctx, func(tx *sqlx.Tx) error {
		no := ""
		if c != nil && c.HasContact() {
			no = c.No
		}
		now := s.Now()
		// The person's row is the lock: of two requests at once, one code is left.
		if _, err := tx.ExecContext(ctx, `SELECT FROM person WHERE person_ref = $1 FOR UPDATE`, person); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM one_time_code WHERE person_ref = $1 AND use = 'link'`, person); err != nil {
			return err
		}
		var blocked bool
		if err := tx.GetContext(ctx, &blocked, `SELECT EXISTS (SELECT FROM person_link WHERE system = $2 AND external_id = $3
			AND (ended_at IS NULL AND person_ref <> $1 OR ended_at IS NOT NULL AND person_ref = $1))`, person, CustomerSystem, no); err != nil {
			return err
		}
		if blocked {
			no = ""
		}
		var id string
		if err := tx.GetContext(ctx, &id, `INSERT INTO one_time_code (person_ref, use, external_id, created_at, expires_at)
			VALUES ($1, 'link', $2, $3, $4) RETURNING code_id`, person, no, now, now.Add(CodeLife)); err != nil {
			return err
		}
		if err := s.event(ctx, tx, Event{Kind: EventCodeAsked, Person: person}); err != nil {
			return err
		}
		if no == "" {
			return nil
		}
		return s.enqueue(ctx, tx, job{args: privacy.SendCode{Code: id}})
	})
}

// CodeToSend is what the worker needs to send a code.
type CodeToSend struct {
	ID       string
	Person   privacy.PersonRef
	Customer Customer // with the contact on file
	Expires  time.Time
}

// CodeToSend reads the code of a job. Gone (code-gone) if it was used, has run
// out or been replaced: then there is nothing to send, ever. NotFound
// (no-customer) if the record is gone; Unavailable if a database is away.
func (s *Store) CodeToSend(ctx context.Context, id string) (*CodeToSend, error) {
	gone := &privacy.Error{Kind: privacy.Gone, Key: "customer.code.ended", Reason: "code-gone"}
	if !isID(id) {
		return nil, gone
	}
	var r struct {
		Person   privacy.PersonRef `db:"person_ref"`
		External string            `db:"external_id"`
		Expires  time.Time         `db:"expires_at"`
	}
	err := s.get(ctx, &r, `SELECT person_ref, external_id, expires_at FROM one_time_code
		WHERE code_id = $1 AND state IN ('waiting', 'sent') AND external_id <> '' AND expires_at > $2`, id, s.Now())
	if errors.Is(err, sql.ErrNoRows) {
		return nil, gone
	}
	if err != nil {
		return nil, err
	}
	c, err := s.linkedCustomer(ctx, r.External)
	if err != nil {
		return nil, err
	}
	return &CodeToSend{ID: id, Person: r.Person, Customer: *c, Expires: r.Expires.UTC()}, nil
}

// SetCode keeps the hash of the code that is about to be sent, and by which
// channel ("sms" or "email"): before the sending, so that a code in somebody's
// hand is always known here. A repeated sending makes a new code and replaces
// it. hash is HashCode's. Gone if there is nothing to send any more.
func (s *Store) SetCode(ctx context.Context, id, channel string, hash []byte) error {
	n, err := s.exec(ctx, `UPDATE one_time_code SET code_hash = $2, channel = $3, state = 'sent'
		WHERE code_id = $1 AND state IN ('waiting', 'sent') AND expires_at > $4`, id, hash, channel, s.Now())
	if err == nil && n == 0 {
		return &privacy.Error{Kind: privacy.Gone, Key: "customer.code.ended", Reason: "code-gone"}
	}
	return err
}

// CodeFailed notes that a code could not be sent, and won't be.
func (s *Store) CodeFailed(ctx context.Context, id string) error {
	_, err := s.exec(ctx, `UPDATE one_time_code SET state = 'failed', code_hash = NULL WHERE code_id = $1 AND state IN ('waiting', 'sent')`, id)
	return err
}

// UseCode tries a code that the person typed; hash makes its hash for the id of
// the row. True once makes the link, in the same transaction. Gone (code-gone)
// if no code is open, it has run out or been tried CodeTries times; Invalid
// (code-wrong) for a wrong one. A try counts before anything is compared.
func (s *Store) UseCode(ctx context.Context, person privacy.PersonRef, hash func(id string) []byte) (LinkResult, error) {
	result, wrong := LinkResult(""), error(nil)
	err := s.tx(ctx, func(tx *sqlx.Tx) error {
		result, wrong = "", nil
		var r struct {
			ID       string `db:"code_id"`
			External string `db:"external_id"`
			Hash     []byte `db:"code_hash"`
			Tries    int    `db:"tries"`
		}
		err := tx.GetContext(ctx, &r, `UPDATE one_time_code SET tries = tries + 1
			WHERE person_ref = $1 AND use = 'link' AND state IN ('waiting', 'sent', 'failed') AND expires_at > $2 AND tries < $3
			RETURNING code_id, external_id, code_hash, tries`, person, s.Now(), CodeTries)
		if errors.Is(err, sql.ErrNoRows) {
			wrong = &privacy.Error{Kind: privacy.Gone, Key: "customer.code.ended", Reason: "code-gone"}
			return nil
		}
		if err != nil {
			return err
		}
		given := hash(r.ID)
		if r.External == "" || len(r.Hash) == 0 || len(given) == 0 || subtle.ConstantTimeCompare(given, r.Hash) != 1 {
			wrong = &privacy.Error{Kind: privacy.Invalid, Key: "customer.code.wrong", Reason: "code-wrong"}
			kind := EventCodeWrong
			if r.Tries >= CodeTries {
				kind = EventCodeExhausted
			}
			return s.event(ctx, tx, Event{Kind: kind, Person: person})
		}
		if _, err := tx.ExecContext(ctx, `UPDATE one_time_code SET state = 'used', code_hash = NULL WHERE code_id = $1`, r.ID); err != nil {
			return err
		}
		if err := s.event(ctx, tx, Event{Kind: EventCodeUsed, Person: person}); err != nil {
			return err
		}
		result, err = s.link(ctx, tx, person, r.External, EvidenceCode)
		return err
	})
	if err != nil {
		return "", err
	}
	return result, wrong
}

// OpenCode tells until when the person can still type a code, zero if there is
// none. It doesn't tell whether one was sent.
func (s *Store) OpenCode(ctx context.Context, person privacy.PersonRef) (time.Time, error) {
	var t time.Time
	err := s.get(ctx, &t, `SELECT expires_at FROM one_time_code WHERE person_ref = $1 AND use = 'link'
		AND state IN ('waiting', 'sent', 'failed') AND expires_at > $2 AND tries < $3`, person, s.Now(), CodeTries)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return t.UTC(), err
}
