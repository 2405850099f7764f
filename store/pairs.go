package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"elekt.no/innsyn/privacy"
)

// Pair is a person and a recipient, held by one worker among all nodes: whoever
// holds it is alone in telling the recipient about the person.
//
// The hold is an advisory lock of a database session that has a connection to
// itself. No transaction is open while the recipient is called, and a process
// that dies, or loses the connection, lets go. Every write goes through that
// connection, so a worker that lost its hold can begin nothing more; what it had
// begun is sent again by the next holder, under the same delivery id.
//
// Not safe for concurrent use. Needs session pooling if a pooler stands between.
type Pair struct {
	Person    privacy.PersonRef
	Recipient string
	s         *Store
	conn      *sqlx.Conn
}

// pairKey is the advisory lock of a pair. A collision makes two pairs wait for
// one another and does no other harm.
const pairKey = `hashtextextended('delivery ' || $1 || ' ' || $2, 0)`

// LockPair takes hold of a pair; ok is false if another worker has it.
func (s *Store) LockPair(ctx context.Context, person privacy.PersonRef, recipient string) (p *Pair, ok bool, err error) {
	if s.pairs == nil {
		return nil, false, errors.New("pair: the store was opened without MaxPairs")
	}
	conn, err := s.pairs.Connx(ctx)
	if err != nil {
		return nil, false, wrap(err)
	}
	p = &Pair{Person: person, Recipient: recipient, s: s, conn: conn}
	if err := conn.GetContext(ctx, &ok, `SELECT pg_try_advisory_lock(`+pairKey+`)`, person, recipient); err != nil {
		return nil, false, errors.Join(wrap(err), p.drop()) // may have got it without hearing so
	}
	if !ok {
		return nil, false, wrap(conn.Close())
	}
	return p, true, nil
}

// Unlock lets go of the pair. If the database doesn't confirm it, the connection
// is ended, which lets go as well.
func (p *Pair) Unlock() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var held bool
	err := p.conn.GetContext(ctx, &held, `SELECT pg_advisory_unlock(`+pairKey+`)`, p.Person, p.Recipient)
	if err != nil || !held {
		return errors.Join(wrap(err), p.drop())
	}
	return wrap(p.conn.Close())
}

// drop ends the connection instead of giving it back.
func (p *Pair) drop() error {
	err := p.conn.Raw(func(any) error { return driver.ErrBadConn })
	if err == nil || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		return nil
	}
	return wrap(err)
}

// Next is the outstanding row that is to be sent now: of those whose time has
// come, the one of the lowest version. It is nil if there is none, or if that one
// failed and waits for its next attempt: what came after it waits with it, so
// that the recipient hears everything in order.
func (p *Pair) Next(ctx context.Context) (*privacy.Delivery, error) {
	now := p.s.Now()
	if _, err := p.conn.ExecContext(ctx, supersede, p.Person, pq.StringArray{p.Recipient}, now); err != nil {
		return nil, wrap(err)
	}
	var r deliveryRow
	err := p.conn.GetContext(ctx, &r, `
		SELECT `+deliveryColumns+` FROM delivery
		WHERE person_ref = $1 AND recipient = $2 AND state IN ('queued', 'sent', 'failed') AND not_before <= $3
		ORDER BY version, not_before, action = 'erase', delivery_id LIMIT 1`, p.Person, p.Recipient, now)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap(err)
	}
	d := r.delivery()
	if d.NextAttempt.After(now) {
		return nil, nil
	}
	return &d, nil
}

// Stopped are the purposes whose newest word to the recipient, sent or not, is stop.
func (p *Pair) Stopped(ctx context.Context) ([]string, error) {
	var purposes []string
	err := p.conn.SelectContext(ctx, &purposes, `
		SELECT purpose FROM (
			SELECT DISTINCT ON (purpose) purpose, action FROM delivery
			WHERE person_ref = $1 AND recipient = $2 AND action IN ('allow', 'stop') ORDER BY purpose, version DESC
		) newest WHERE action = 'stop' ORDER BY purpose`, p.Person, p.Recipient)
	return purposes, wrap(err)
}

// Begin puts on record that the recipient is about to be called with d. ok is
// false if d is no longer to be sent, because the person chose anew since Next;
// then look again. d is changed to the row as it stands.
func (p *Pair) Begin(ctx context.Context, d *privacy.Delivery) (ok bool, err error) {
	now := p.s.Now()
	var attempts int
	err = p.conn.GetContext(ctx, &attempts, `
		WITH d AS (
			UPDATE delivery SET state = 'sent', attempts = attempts + 1, next_attempt = NULL, note = '', changed_at = $3
			WHERE person_ref = $1 AND delivery_id = $2 AND attempts = $4 AND state IN ('queued', 'sent', 'failed')
			RETURNING delivery_id, attempts
		), a AS (
			INSERT INTO delivery_attempt (delivery_id, started_at) SELECT delivery_id, $3 FROM d
		)
		SELECT attempts FROM d`, p.Person, d.ID, now, d.Attempts)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, wrap(err)
	}
	d.State, d.Attempts, d.NextAttempt, d.Note, d.ChangedAt = privacy.DeliverySent, attempts, time.Time{}, "", now
	return true, nil
}

// Result is what came of a call, or why there was none.
type Result struct {
	State  privacy.DeliveryState
	Status int    // HTTP status, 0 if no answer came
	Note   string // short code without personal data
	// NextAttempt is when a failed call is made again; zero for other states.
	NextAttempt time.Time
}

// Settle records what came of the call that Begin announced, and enqueues the
// job for the next attempt. Conflict if another worker has taken over since.
func (p *Pair) Settle(ctx context.Context, d *privacy.Delivery, r Result) error {
	return p.tx(ctx, func(tx *sqlx.Tx) error {
		now := p.s.Now()
		n, err := rowsOf(tx.ExecContext(ctx, `
			UPDATE delivery SET state = $4, note = $5, next_attempt = $6, changed_at = $7
			WHERE person_ref = $1 AND delivery_id = $2 AND attempts = $3 AND state = 'sent'`,
			p.Person, d.ID, d.Attempts, r.State, r.Note, nullTime(r.NextAttempt), now))
		if err != nil {
			return err
		}
		if n == 0 {
			return &privacy.Error{Kind: privacy.Conflict, Key: "error.changed-elsewhere", Reason: "delivery-taken-over"}
		}
		if _, err := tx.ExecContext(ctx, `
			UPDATE delivery_attempt SET ended_at = $2, status = $3, note = $4
			WHERE attempt_id = (SELECT max(attempt_id) FROM delivery_attempt WHERE delivery_id = $1)`,
			d.ID, now, sql.NullInt32{Int32: int32(r.Status), Valid: r.Status != 0}, r.Note); err != nil {
			return wrap(err)
		}
		if r.NextAttempt.IsZero() {
			return nil
		}
		return p.s.jobs.Enqueue(ctx, tx.Tx, privacy.BringUpToDate{Person: p.Person, Recipient: p.Recipient}, r.NextAttempt)
	})
}

// Skip settles a row that needs no call, if it is still to be sent.
func (p *Pair) Skip(ctx context.Context, d *privacy.Delivery, state privacy.DeliveryState, note string) error {
	_, err := p.conn.ExecContext(ctx, `
		UPDATE delivery SET state = $4, note = $5, next_attempt = NULL, changed_at = $6
		WHERE person_ref = $1 AND delivery_id = $2 AND attempts = $3 AND state IN ('queued', 'sent', 'failed')`,
		p.Person, d.ID, d.Attempts, state, note, p.s.Now())
	return wrap(err)
}

func (p *Pair) tx(ctx context.Context, f func(tx *sqlx.Tx) error) error {
	tx, err := p.conn.BeginTxx(ctx, nil)
	if err != nil {
		return wrap(err)
	}
	if err := f(tx); err != nil {
		return errors.Join(wrap(err), rollbackError(tx.Rollback()))
	}
	return wrap(tx.Commit())
}

func rowsOf(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, wrap(err)
	}
	n, err := r.RowsAffected()
	return n, wrap(err)
}

// pairRow names a pair whose job is missing.
type pairRow struct {
	Person    string `db:"person_ref"`
	Recipient string `db:"recipient"`
}

// EnqueueOverdue enqueues a job for each pair with a row that should have been
// sent before the time given, and that no job waits for: the worker that had it
// was killed, or its job was given up on. It returns how many, at most 1000.
func (s *Store) EnqueueOverdue(ctx context.Context, before time.Time) (int, error) {
	return s.enqueuePairs(ctx, `
		SELECT person_ref, recipient FROM (
			SELECT person_ref, recipient, min(greatest(not_before, changed_at, next_attempt)) AS due, max(next_attempt) AS waits
			FROM delivery WHERE state IN ('queued', 'sent', 'failed') GROUP BY person_ref, recipient
		) d
		WHERE due < $1 AND (waits IS NULL OR waits < $1)
		  AND NOT EXISTS (
			SELECT 1 FROM river_job j WHERE j.kind = $2 AND j.state IN ('available', 'retryable')
			  AND j.args @> jsonb_build_object('person', d.person_ref, 'recipient', d.recipient))
		LIMIT 1000`, before, privacy.BringUpToDate{}.Kind())
}

// Reconnect puts rows that found no connection back into the queue, now that the
// recipient has one for these purposes. It returns how many people are concerned,
// at most 1000: call again until none is.
func (s *Store) Reconnect(ctx context.Context, recipient string, purposes []string) (int, error) {
	return s.enqueuePairs(ctx, `
		WITH d AS (
			SELECT delivery_id FROM delivery WHERE state = 'not_connected' AND recipient = $1 AND purpose = ANY($2)
			ORDER BY delivery_id LIMIT 1000 FOR UPDATE SKIP LOCKED
		), u AS (
			UPDATE delivery SET state = 'queued', note = '', changed_at = $3 FROM d WHERE delivery.delivery_id = d.delivery_id
			RETURNING person_ref, recipient
		)
		SELECT DISTINCT person_ref, recipient FROM u`, recipient, pq.StringArray(purposes), s.Now())
}

// requeueAddressless puts a person's newest choices that went to nobody, for want
// of an address, back into the queue: now there may be one.
func (s *Store) requeueAddressless(ctx context.Context, tx *sqlx.Tx, person privacy.PersonRef) error {
	_, err := s.enqueuePairsIn(ctx, tx, `
		WITH u AS (
			UPDATE delivery d SET state = 'queued', note = '', changed_at = $3
			WHERE person_ref = $1 AND state = 'confirmed' AND note = $2 AND action <> 'erase' AND NOT EXISTS (
				SELECT 1 FROM delivery n WHERE n.person_ref = d.person_ref AND n.recipient = d.recipient
				AND n.purpose = d.purpose AND n.version > d.version)
			RETURNING person_ref, recipient
		)
		SELECT DISTINCT person_ref, recipient FROM u`, person, privacy.NoteNoAddress, s.Now())
	return err
}

func (s *Store) enqueuePairs(ctx context.Context, query string, args ...any) (n int, err error) {
	err = s.tx(ctx, func(tx *sqlx.Tx) error {
		n, err = s.enqueuePairsIn(ctx, tx, query, args...)
		return err
	})
	return n, err
}

func (s *Store) enqueuePairsIn(ctx context.Context, tx *sqlx.Tx, query string, args ...any) (int, error) {
	var rows []pairRow
	if err := s.txList(ctx, tx, &rows, query, args...); err != nil {
		return 0, fmt.Errorf("outbox: %w", err)
	}
	jobs := make([]job, len(rows))
	for i, r := range rows {
		jobs[i].args = privacy.BringUpToDate{Person: privacy.PersonRef(r.Person), Recipient: r.Recipient}
	}
	return len(rows), s.jobs.enqueue(ctx, tx.Tx, jobs)
}
