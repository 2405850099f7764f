package store

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"elekt.no/innsyn/privacy"
)

// Pending is a row that a recipient has taken on and not yet carried out.
type Pending struct {
	privacy.Delivery
	Handle string    // the recipient's own name for it; empty if it waits for the app
	Since  time.Time // when the recipient took it on
	Asked  int       // how often it was asked since
}

// Pending are the accepted rows of the pair that are to be asked about now: those
// whose time has come, and those that wait for the app.
func (p *Pair) Pending(ctx context.Context) ([]Pending, error) {
	var rows []struct {
		deliveryRow
		Handle string    `db:"handle"`
		Since  time.Time `db:"since"`
		Asked  int       `db:"asked"`
	}
	err := p.conn.SelectContext(ctx, &rows, `
		SELECT d.*, coalesce(handle, '') AS handle, coalesce(since, d.changed_at) AS since, coalesce(asked, 0) AS asked
		FROM (SELECT `+deliveryColumns+` FROM delivery WHERE person_ref = $1 AND recipient = $2 AND state = 'accepted') d
		LEFT JOIN delivery_poll q USING (delivery_id)
		WHERE q.next_at <= $3 OR d.note = $4 ORDER BY d.version, d.delivery_id`, p.Person, p.Recipient, p.s.Now(), privacy.NoteDevice)
	if err != nil {
		return nil, wrap(err)
	}
	out := make([]Pending, len(rows))
	for i, r := range rows {
		out[i] = Pending{Delivery: r.delivery(), Handle: r.Handle, Since: r.Since.UTC(), Asked: r.Asked}
	}
	return out, nil
}

// Asked records what a recipient said of a row that it had taken on: accepted means
// that it is to be asked again at r.Poll, failed that the row is sent anew at
// r.NextAttempt. Nothing happens if the row is no longer accepted.
func (p *Pair) Asked(ctx context.Context, d *privacy.Delivery, r Result) error {
	return transact(ctx, p.conn, func(tx *sqlx.Tx) error {
		now := p.s.Now()
		if r.State == privacy.DeliveryAccepted {
			n, err := rowsOf(tx.ExecContext(ctx, `
				UPDATE delivery_poll q SET asked = asked + 1, next_at = $3 FROM delivery d
				WHERE q.delivery_id = $2 AND d.delivery_id = $2 AND d.person_ref = $1 AND d.state = 'accepted'`, p.Person, d.ID, r.Poll))
			if err != nil || n == 0 {
				return err
			}
			return p.enqueue(ctx, tx, job{privacy.PollDelivery{Person: p.Person, Recipient: p.Recipient}, r.Poll})
		}
		n, err := rowsOf(tx.ExecContext(ctx, `UPDATE delivery SET state = $3, note = $4, next_attempt = $5, changed_at = $6
			WHERE person_ref = $1 AND delivery_id = $2 AND state = 'accepted'`,
			p.Person, d.ID, r.State, r.Note, nullTime(r.NextAttempt), now))
		if err != nil || n == 0 {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM delivery_poll WHERE delivery_id = $1`, d.ID); err != nil {
			return err
		}
		if err := p.openTask(ctx, tx, d, r); err != nil || r.NextAttempt.IsZero() {
			return err
		}
		return p.enqueue(ctx, tx, job{privacy.BringUpToDate{Person: p.Person, Recipient: p.Recipient}, r.NextAttempt})
	})
}

// follow notes under what name a recipient has taken a row on, and when it is to
// be asked; what it is not asked about has no name.
func (p *Pair) follow(ctx context.Context, tx *sqlx.Tx, d *privacy.Delivery, r Result) error {
	if r.State != privacy.DeliveryAccepted || r.Poll.IsZero() {
		if d.Attempts < 2 {
			return nil // it can have had none
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM delivery_poll WHERE delivery_id = $1`, d.ID)
		return wrap(err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO delivery_poll (delivery_id, person_ref, recipient, handle, since, next_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (delivery_id) DO UPDATE SET handle = excluded.handle, since = excluded.since, asked = 0, next_at = excluded.next_at`,
		d.ID, p.Person, p.Recipient, r.Handle, p.s.Now(), r.Poll); err != nil {
		return wrap(err)
	}
	return p.enqueue(ctx, tx, job{privacy.PollDelivery{Person: p.Person, Recipient: p.Recipient}, r.Poll})
}

func (p *Pair) enqueue(ctx context.Context, tx *sqlx.Tx, jobs ...job) error {
	values, err := jobValues(jobs...)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, insertJobs, values...)
	return wrap(err)
}

// EnqueueUnasked finds recipients that should have been asked before a time and
// were not, because a job was lost, and enqueues new ones. It returns how many.
func (s *Store) EnqueueUnasked(ctx context.Context, before time.Time) (int, error) {
	var n int
	err := s.tx(ctx, func(tx *sqlx.Tx) error {
		var rows []pairRow
		// Moved on, so that the next sweep doesn't find them again.
		if err := s.txList(ctx, tx, &rows, `
			WITH q AS (
				SELECT delivery_id FROM delivery_poll JOIN delivery USING (delivery_id)
				WHERE next_at < $1 AND state = 'accepted' ORDER BY delivery_id LIMIT 1000 FOR UPDATE OF delivery_poll SKIP LOCKED
			), u AS (
				UPDATE delivery_poll SET next_at = $2 FROM q WHERE delivery_poll.delivery_id = q.delivery_id
				RETURNING person_ref, recipient
			)
			SELECT DISTINCT person_ref, recipient FROM u`, before, s.Now()); err != nil {
			return err
		}
		jobs := make([]job, len(rows))
		for i, r := range rows {
			jobs[i].args = privacy.PollDelivery{Person: privacy.PersonRef(r.Person), Recipient: r.Recipient}
		}
		n = len(rows)
		return s.enqueue(ctx, tx, jobs...)
	})
	return n, err
}
