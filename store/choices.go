package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"elekt.no/innsyn/privacy"
)

type choiceRow struct {
	Purpose    string       `db:"purpose"`
	Decision   string       `db:"decision"`
	At         time.Time    `db:"at"`
	Version    int64        `db:"version"`
	Revision   int          `db:"revision"`
	Text       []byte       `db:"text"`
	Language   string       `db:"language"`
	Channel    string       `db:"channel"`
	EraseAfter sql.NullTime `db:"erase_after"`
	DueOn      sql.NullTime `db:"due_on"`
}

const choiceColumns = "purpose, decision, at, version, revision, text, language, channel, erase_after, due_on"

func (r choiceRow) choice() *privacy.Choice {
	c := &privacy.Choice{
		Purpose: r.Purpose, Decision: privacy.Decision(r.Decision), At: r.At.UTC(), Version: r.Version, Revision: r.Revision,
		Text: privacy.Hash(r.Text), Language: r.Language, Channel: privacy.Channel(r.Channel),
	}
	if r.EraseAfter.Valid {
		c.EraseAfter = r.EraseAfter.Time.UTC()
	}
	if r.DueOn.Valid {
		y, m, d := r.DueOn.Time.Date()
		c.Due = time.Date(y, m, d, 0, 0, 0, 0, privacy.Oslo)
	}
	return c
}

// Choices are the decisions in force of a person, by purpose. A purpose that the
// person never decided about is missing; an error is never an empty map.
func (s *Store) Choices(ctx context.Context, person privacy.PersonRef) (map[string]*privacy.Choice, error) {
	var rows []choiceRow
	if err := s.list(ctx, &rows, `SELECT `+choiceColumns+` FROM choice WHERE person_ref = $1`, person); err != nil {
		return nil, err
	}
	return byPurpose(rows), nil
}

func byPurpose(rows []choiceRow) map[string]*privacy.Choice {
	m := make(map[string]*privacy.Choice, len(rows))
	for _, r := range rows {
		m[r.Purpose] = r.choice()
	}
	return m
}

// RecordChoices changes choices of one person in one transaction: it locks the
// person, reads the choices in force for the purposes named, lets decide say
// what they become, and writes for each change the ledger entry, the state, the
// request that an objection opens, the outbox rows and the jobs. Nothing is sent
// here. decide may return no changes; its error undoes everything.
//
// NotFound if there is no such person, Conflict and Invalid as decide says.
func (s *Store) RecordChoices(ctx context.Context, person privacy.PersonRef, purposes []string,
	decide func(now map[string]*privacy.Choice) ([]*privacy.Change, error)) error {
	return s.tx(ctx, func(tx *sqlx.Tx) error {
		var known string
		if err := s.txGet(ctx, tx, &known, `SELECT person_ref FROM person WHERE person_ref = $1 FOR UPDATE`, person); err != nil {
			if errors.Is(err, sql.ErrNoRows) {
				return &privacy.Error{Kind: privacy.NotFound, Key: "error.not-found", Reason: "unknown-person"}
			}
			return err
		}
		var rows []choiceRow
		if err := s.txList(ctx, tx, &rows, `SELECT `+choiceColumns+` FROM choice WHERE person_ref = $1 AND purpose = ANY($2)`,
			person, pq.StringArray(purposes)); err != nil {
			return err
		}
		changes, err := decide(byPurpose(rows))
		if err != nil {
			return err
		}
		for _, c := range changes {
			if c.Entry.Person != person {
				return fmt.Errorf("choice of %s recorded for %s", c.Entry.Person, person)
			}
			if err := s.recordChange(ctx, tx, c); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) recordChange(ctx context.Context, tx *sqlx.Tx, c *privacy.Change) error {
	leaf, err := c.Entry.Leaf()
	if err != nil {
		return err
	}
	e := c.Entry
	var version int64
	// law: GDPR 7(1): the state never changes without its proof
	err = s.txGet(ctx, tx, &version, `
		WITH v AS (
			UPDATE person SET choices_version = choices_version + 1 WHERE person_ref = $1 RETURNING choices_version
		), l AS (
			INSERT INTO ledger_leaf (leaf) VALUES ($2) RETURNING leaf_id
		), e AS (
			INSERT INTO ledger_entry (leaf_id, salt, person_ref, purpose, decision, also, catalogue, text, language, channel, actor, at)
			SELECT leaf_id, $3, $1, $4, $5, $6, $7, $8, $9, $10, $11, $12 FROM l
		), c AS (
			INSERT INTO choice (person_ref, purpose, decision, at, version, revision, text, language, channel, erase_after, due_on, leaf_id)
			SELECT $1, $4, $5, $12, choices_version, $13, $8, $9, $10, $14, $15, leaf_id FROM v, l
			ON CONFLICT (person_ref, purpose) DO UPDATE SET decision = EXCLUDED.decision, at = EXCLUDED.at, version = EXCLUDED.version,
				revision = EXCLUDED.revision, text = EXCLUDED.text, language = EXCLUDED.language, channel = EXCLUDED.channel,
				erase_after = EXCLUDED.erase_after, due_on = EXCLUDED.due_on, leaf_id = EXCLUDED.leaf_id
		)
		SELECT choices_version FROM v`,
		e.Person, leaf[:], e.Salt[:], e.Purpose, e.Decision, e.Also, e.Catalogue[:], e.Text[:], e.Language, e.Channel, e.Actor, e.At,
		c.Choice.Revision, nullTime(c.Choice.EraseAfter), nullDay(c.Choice.Due))
	if err != nil {
		return fmt.Errorf("recording choice: %w", err)
	}
	c.Choice.Version = version
	if c.OpensCase {
		// law: GDPR 21(1), 12(3)
		if _, err := s.txExec(ctx, tx, `
			INSERT INTO request (person_ref, kind, purpose, received_at, due_on) VALUES ($1, 'objection', $2, $3, $4)
			ON CONFLICT DO NOTHING`, e.Person, e.Purpose, e.At, nullDay(c.Choice.Due)); err != nil {
			return err
		}
	}
	if c.ClosesCase {
		if _, err := s.txExec(ctx, tx, `
			UPDATE request SET state = 'withdrawn', closed_at = $3
			WHERE person_ref = $1 AND purpose = $2 AND kind = 'objection' AND state = 'open'`, e.Person, e.Purpose, e.At); err != nil {
			return err
		}
	}
	return s.addDeliveries(ctx, tx, e.Person, e.Purpose, version, c.Notices, e.At)
}

func nullTime(t time.Time) sql.NullTime { return sql.NullTime{Time: t, Valid: !t.IsZero()} }

// nullDay is a date column: the day of t in Oslo, whatever the connection's zone.
func nullDay(t time.Time) sql.NullString {
	if t.IsZero() {
		return sql.NullString{}
	}
	return sql.NullString{String: t.In(privacy.Oslo).Format(time.DateOnly), Valid: true}
}
