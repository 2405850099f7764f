package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"elekt.no/innsyn/privacy"
)

type deliveryRow struct {
	ID          string       `db:"delivery_id"`
	Person      string       `db:"person_ref"`
	Recipient   string       `db:"recipient"`
	Purpose     string       `db:"purpose"`
	Action      string       `db:"action"`
	Version     int64        `db:"version"`
	NotBefore   time.Time    `db:"not_before"`
	State       string       `db:"state"`
	Attempts    int          `db:"attempts"`
	NextAttempt sql.NullTime `db:"next_attempt"`
	Note        string       `db:"note"`
	CreatedAt   time.Time    `db:"created_at"`
	ChangedAt   time.Time    `db:"changed_at"`
}

const deliveryColumns = `delivery_id, person_ref, recipient, purpose, action, version, not_before, state, attempts, next_attempt, note, created_at, changed_at`

func (r deliveryRow) delivery() privacy.Delivery {
	d := privacy.Delivery{
		ID: r.ID, Person: privacy.PersonRef(r.Person), Recipient: r.Recipient, Purpose: r.Purpose, Action: privacy.Action(r.Action),
		Version: r.Version, NotBefore: r.NotBefore.UTC(), State: privacy.DeliveryState(r.State), Attempts: r.Attempts, Note: r.Note,
		CreatedAt: r.CreatedAt.UTC(), ChangedAt: r.ChangedAt.UTC(),
	}
	if r.NextAttempt.Valid {
		d.NextAttempt = r.NextAttempt.Time.UTC()
	}
	return d
}

// addDeliveries puts notices into the outbox, takes back what they make
// needless, and enqueues a job per recipient at once, and one more for what is to
// wait. Part of the transaction of the choice. law: GDPR 19
func (s *Store) addDeliveries(ctx context.Context, tx *sqlx.Tx, person privacy.PersonRef, purpose string, version int64,
	notices []privacy.Notice, at time.Time) error {
	if len(notices) == 0 {
		return nil
	}
	var recipients, actions []string
	var notBefore []time.Time
	var jobs []job
	seen := map[string]bool{}
	for _, n := range notices {
		if n.NotBefore.Before(at) {
			n.NotBefore = at
		}
		recipients, actions, notBefore = append(recipients, n.Recipient), append(actions, string(n.Action)), append(notBefore, n.NotBefore)
		args := privacy.BringUpToDate{Person: person, Recipient: n.Recipient}
		if !seen[n.Recipient] {
			seen[n.Recipient] = true
			jobs = append(jobs, job{args: args})
		}
		if n.NotBefore.After(at) {
			jobs = append(jobs, job{args, n.NotBefore})
		}
	}
	if _, err := s.txExec(ctx, tx, `
		INSERT INTO delivery (person_ref, recipient, purpose, action, version, not_before, created_at, changed_at)
		SELECT $1, recipient, $2, action, $3, not_before, $4, $4
		FROM unnest($5::text[], $6::text[], $7::timestamptz[]) AS n (recipient, action, not_before)`,
		person, purpose, version, at, pq.StringArray(recipients), pq.StringArray(actions), pq.Array(notBefore)); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	if _, err := s.txExec(ctx, tx, supersede, person, pq.StringArray(recipients), at, at.Add(-orphaned)); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	return s.enqueue(ctx, tx, jobs...)
}

// supersede takes out of the outbox what a newer choice about the same purpose
// made needless. Stop and allow are states: of those that haven't arrived only
// the newest counts, also for a human who was to see to one and for phones that
// were to apply one. An erasure is an act: a new yes takes it back if it came before the erasure was due, or while a
// human was to see to it; one that is on its way is carried out before the yes.
//
// Rows in state sent are left alone: the worker that took them may be calling.
// From $4 back, nobody is any more; an old yes is then not said again after a no.
//
// Rows are locked in the order of their ids, also by whoever else changes several
// at once, so that no two of these wait for one another.
const supersede = `
	WITH old AS (
		SELECT delivery_id FROM delivery d
		WHERE d.person_ref = $1 AND d.recipient = ANY($2)
		  AND (d.state IN ('queued', 'failed', 'needs_manual', 'not_connected') OR d.state = 'sent' AND d.action <> 'erase' AND d.changed_at <= $4
		    OR d.state = 'accepted' AND d.note = '` + privacy.NoteDevice + `')
		  AND EXISTS (
			SELECT 1 FROM delivery n
			WHERE n.person_ref = d.person_ref AND n.recipient = d.recipient AND n.purpose = d.purpose AND n.version > d.version
			  AND (d.action <> 'erase' AND n.action <> 'erase'
			    OR d.action = 'erase' AND n.action = 'allow'
			       AND (n.created_at < d.not_before OR d.state IN ('needs_manual', 'not_connected'))))
		ORDER BY delivery_id FOR UPDATE
	)
	UPDATE delivery SET state = 'superseded', next_attempt = NULL, note = 'newer-choice', changed_at = $3
	FROM old WHERE delivery.delivery_id = old.delivery_id`

// Deliveries are the rows of the outbox about a person and a purpose, the newest
// version first.
func (s *Store) Deliveries(ctx context.Context, person privacy.PersonRef, purpose string) ([]privacy.Delivery, error) {
	var rows []deliveryRow
	if err := s.list(ctx, &rows, `
		SELECT `+deliveryColumns+` FROM delivery WHERE person_ref = $1 AND purpose = $2
		ORDER BY version DESC, recipient, not_before, action`, person, purpose); err != nil {
		return nil, err
	}
	out := make([]privacy.Delivery, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.delivery())
	}
	return out, nil
}
