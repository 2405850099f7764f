package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jmoiron/sqlx"

	"elekt.no/innsyn/privacy"
)

// idle finds the person who has a customer record by the word of another system
// alone (Record), and whom nobody logs in as; the row is locked. Empty if there is
// none: the record is nobody's, or somebody's.
func (s *Store) idle(ctx context.Context, tx *sqlx.Tx, no string) (privacy.PersonRef, error) {
	const find = `SELECT p.person_ref FROM person p JOIN person_link l USING (person_ref)
		WHERE l.system = $1 AND l.external_id = $2 AND l.ended_at IS NULL AND l.evidence = $3 AND p.became IS NULL
		  AND NOT EXISTS (SELECT FROM login o WHERE o.person_ref = p.person_ref)`
	var ref privacy.PersonRef
	err := tx.GetContext(ctx, &ref, find+` FOR UPDATE OF p`, CustomerSystem, no, EvidenceSystem)
	if err == nil { // somebody may have become this person while we waited for the row
		err = tx.GetContext(ctx, &ref, find, CustomerSystem, no, EvidenceSystem)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return ref, err
}

// merge makes of somebody whom nobody logs in as, and a person who has proved to be
// them, one person: what was chosen for the first is the second's own, with an
// entry in the ledger and word to the recipients. Where the two differ, no wins.
// Links move too. Both rows are locked by the caller.
//
// law: GDPR 5(1)(d), 7(3), 21
func (s *Store) merge(ctx context.Context, tx *sqlx.Tx, from, into privacy.PersonRef) error {
	theirs, err := s.choicesIn(ctx, tx, from)
	if err != nil {
		return err
	}
	own, err := s.choicesIn(ctx, tx, into)
	if err != nil {
		return err
	}
	for purpose, c := range theirs {
		if mine := own[purpose]; mine != nil && !mine.YieldsTo(c) {
			continue
		}
		change, err := s.inherited(ctx, tx, from, into, c)
		if err != nil {
			return err
		}
		if err := s.recordChange(ctx, tx, change); err != nil {
			return err
		}
	}
	now := s.Now()
	for _, step := range []struct {
		query string
		args  []any
	}{
		{`UPDATE person SET became = $2 WHERE person_ref = $1`, []any{from, into}},
		{`DELETE FROM choice WHERE person_ref = $1`, []any{from}},
		{`UPDATE request SET state = 'closed', closed_at = $2 WHERE person_ref = $1 AND state = 'open'`, []any{from, now}},
		{`WITH d AS (
				SELECT delivery_id FROM delivery WHERE person_ref = $1 AND state IN ('queued', 'failed', 'needs_manual', 'not_connected')
				ORDER BY delivery_id FOR UPDATE
			)
			UPDATE delivery SET state = 'superseded', next_attempt = NULL, note = 'merged', changed_at = $2
			FROM d WHERE delivery.delivery_id = d.delivery_id`, []any{from, now}},
		{`WITH l AS (
				UPDATE person_link SET ended_at = $3, ended_why = 'merged' WHERE person_ref = $1 AND ended_at IS NULL
				RETURNING system, external_id, evidence
			)
			INSERT INTO person_link (person_ref, system, external_id, evidence, created_at)
			SELECT $2, system, external_id, evidence, $3 FROM l
			WHERE NOT EXISTS (SELECT FROM person_link m WHERE m.person_ref = $2 AND m.system = l.system AND m.ended_at IS NULL)`,
			[]any{from, into, now}},
		{`WITH a AS (DELETE FROM asked WHERE person_ref = $1 RETURNING day, client, kind, purpose, times)
			INSERT INTO asked (person_ref, day, client, kind, purpose, times) SELECT $2, day, client, kind, purpose, times FROM a
			ON CONFLICT (person_ref, day, client, kind, purpose) DO UPDATE SET times = asked.times + excluded.times`, []any{from, into}},
	} {
		if _, err := tx.ExecContext(ctx, step.query, step.args...); err != nil {
			return err
		}
	}
	for _, p := range []privacy.PersonRef{from, into} {
		if err := s.event(ctx, tx, Event{Kind: EventMerged, Reason: string(EvidenceSystem), Person: p}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) choicesIn(ctx context.Context, tx *sqlx.Tx, person privacy.PersonRef) (map[string]*privacy.Choice, error) {
	var rows []choiceRow
	err := s.txList(ctx, tx, &rows, `SELECT `+choiceColumns+` FROM choice WHERE person_ref = $1`, person)
	return byPurpose(rows), err
}

// inherited is the choice in force of one person, as another's own: the same
// decision, text and time. Recipients are told anew what they were told, because
// what is outstanding for the first is told no more.
func (s *Store) inherited(ctx context.Context, tx *sqlx.Tx, from, into privacy.PersonRef, c *privacy.Choice) (*privacy.Change, error) {
	var e entryRow
	if err := s.txGet(ctx, tx, &e, `SELECT e.salt, e.person_ref, e.purpose, e.decision, e.also, e.catalogue, e.text, e.language, e.channel, e.actor, e.at
		FROM ledger_entry e JOIN choice c USING (leaf_id) WHERE c.person_ref = $1 AND c.purpose = $2`, from, c.Purpose); err != nil {
		return nil, err
	}
	out := &privacy.Change{Entry: e.entry(), Choice: *c}
	out.Entry.Person, out.Entry.Salt = into, privacy.NewSalt()
	out.OpensCase = !c.Due.IsZero()
	var told []deliveryRow
	if err := s.txList(ctx, tx, &told, `SELECT `+deliveryColumns+` FROM delivery WHERE person_ref = $1 AND purpose = $2 AND version = $3
		AND state <> 'superseded' ORDER BY recipient, not_before, action`, from, c.Purpose, c.Version); err != nil {
		return nil, err
	}
	for _, d := range told {
		out.Notices = append(out.Notices, privacy.Notice{Recipient: d.Recipient, Action: privacy.Action(d.Action), NotBefore: d.NotBefore.UTC()})
	}
	return out, nil
}
