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
// connection, so a worker that lost its hold can begin nothing more. What it had
// begun it may still be saying: a call that Begin announced lasts CallTime at
// most, and until that has passed the next holder says nothing. Then it sends the
// row again, under the same delivery id.
//
// Not safe for concurrent use. Needs session pooling if a pooler stands between.
type Pair struct {
	Person    privacy.PersonRef
	Recipient string
	s         *Store
	conn      *sqlx.Conn
}

// CallTime is how long a recipient may be called for one row, counted from Begin.
// Whoever calls sees to it.
const CallTime = 30 * time.Second

// orphaned is the age from which a row that is still sent is nobody's: CallTime,
// and what the clocks of two nodes may differ by.
const orphaned = CallTime + 5*time.Second

// pairKey is the advisory lock of a pair. A collision makes two pairs wait for
// one another and does no other harm.
const pairKey = `hashtextextended('delivery ' || $1 || ' ' || $2, 0)`

// LockPair takes hold of a pair; ok is false if another worker has it. That a
// connection is dead, as all are after the database was away, shows only when it
// is used: then the next one is tried.
func (s *Store) LockPair(ctx context.Context, person privacy.PersonRef, recipient string) (p *Pair, ok bool, err error) {
	if s.pairs == nil {
		return nil, false, errors.New("pair: the store was opened without MaxPairs")
	}
	for idle := s.pairs.Stats().Idle; ; idle-- {
		p, ok, err = s.lockPair(ctx, person, recipient)
		if idle <= 0 || !errors.Is(err, driver.ErrBadConn) {
			return p, ok, err
		}
	}
}

func (s *Store) lockPair(ctx context.Context, person privacy.PersonRef, recipient string) (p *Pair, ok bool, err error) {
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
// come, the one of the lowest version. A row that failed and waits for its next
// attempt holds back what came after it for the same purpose, so that the
// recipient hears of each purpose in order; other purposes go on, because a no
// must not wait for somebody else's fault. While a call that an earlier holder
// began may still be on its way, everything waits. Nil if there is nothing now.
func (p *Pair) Next(ctx context.Context) (*privacy.Delivery, error) {
	now := p.s.Now()
	err := transact(ctx, p.conn, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, supersede, p.Person, pq.StringArray{p.Recipient}, now, now.Add(-orphaned))
		return err
	})
	if err != nil {
		return nil, wrap(err)
	}
	var r deliveryRow
	err = p.conn.GetContext(ctx, &r, `
		SELECT `+deliveryColumns+` FROM delivery d
		WHERE person_ref = $1 AND recipient = $2 AND state IN ('queued', 'sent', 'failed')
		  AND not_before <= $3 AND (next_attempt IS NULL OR next_attempt <= $3)
		  AND NOT EXISTS (SELECT FROM delivery o WHERE o.person_ref = d.person_ref AND o.recipient = d.recipient
			AND o.state = 'sent' AND o.changed_at > $4)
		  AND NOT EXISTS (SELECT FROM delivery o WHERE `+before+` AND o.not_before <= $3)
		ORDER BY version, not_before, action = 'erase', delivery_id LIMIT 1`, p.Person, p.Recipient, now, now.Add(-orphaned))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap(err)
	}
	d := r.delivery()
	return &d, nil
}

// before says of a row o that it comes before the row d and is outstanding.
const before = `o.person_ref = d.person_ref AND o.recipient = d.recipient AND o.purpose = d.purpose
	AND o.state IN ('queued', 'sent', 'failed') AND (o.version, o.action = 'erase') < (d.version, d.action = 'erase')`

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

// Kept is what Keep was last given; nothing if that was nothing.
func (p *Pair) Kept(ctx context.Context) ([]string, error) {
	var kept pq.StringArray
	err := p.conn.GetContext(ctx, &kept, `SELECT kept FROM delivery_kept WHERE person_ref = $1 AND recipient = $2`, p.Person, p.Recipient)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return kept, wrap(err)
}

// Keep puts on record what the recipient is about to lose for a moment and must
// have again, so that whoever brings the pair up to date next can see to it if
// this worker dies. Nothing: it has it again. Never an address.
func (p *Pair) Keep(ctx context.Context, kept []string) error {
	if len(kept) == 0 {
		_, err := p.conn.ExecContext(ctx, `DELETE FROM delivery_kept WHERE person_ref = $1 AND recipient = $2`, p.Person, p.Recipient)
		return wrap(err)
	}
	_, err := p.conn.ExecContext(ctx, `INSERT INTO delivery_kept (person_ref, recipient, kept) VALUES ($1, $2, $3)
		ON CONFLICT (person_ref, recipient) DO UPDATE SET kept = excluded.kept`, p.Person, p.Recipient, pq.StringArray(kept))
	return wrap(err)
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
	// Handle is the recipient's own name for what it accepted, and Poll when it is
	// asked how that went; zero if it isn't asked.
	Handle string
	Poll   time.Time
	// Task is the template of what a human is to do, and Due its last day.
	Task string
	Due  time.Time
}

// Settle records what came of the call that Begin announced, and enqueues the
// job for the next attempt. Conflict if another worker has taken over since.
func (p *Pair) Settle(ctx context.Context, d *privacy.Delivery, r Result) error {
	return transact(ctx, p.conn, func(tx *sqlx.Tx) error {
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
		if err := p.follow(ctx, tx, d, r); err != nil {
			return err
		}
		if err := p.openTask(ctx, tx, d, r); err != nil || r.NextAttempt.IsZero() {
			return err
		}
		return p.enqueue(ctx, tx, job{privacy.BringUpToDate{Person: p.Person, Recipient: p.Recipient}, r.NextAttempt})
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
// was killed, or its job was given up on. A row that waits behind another of its
// purpose isn't late, nor is one that somebody may still be sending. It returns
// how many, at most 1000.
func (s *Store) EnqueueOverdue(ctx context.Context, than time.Time) (int, error) {
	return s.enqueuePairs(ctx, `
		SELECT DISTINCT person_ref, recipient FROM delivery d
		WHERE state IN ('queued', 'sent', 'failed') AND greatest(not_before, changed_at, next_attempt) < $1
		  AND NOT EXISTS (SELECT FROM delivery o WHERE o.person_ref = d.person_ref AND o.recipient = d.recipient
			AND o.state = 'sent' AND o.changed_at > $3)
		  AND NOT EXISTS (SELECT FROM delivery o WHERE `+before+` AND greatest(o.not_before, o.changed_at, o.next_attempt) >= $1)
		  AND NOT EXISTS (
			SELECT 1 FROM river_job j WHERE j.kind = $2 AND j.state IN ('available', 'retryable')
			  AND j.args @> jsonb_build_object('person', d.person_ref, 'recipient', d.recipient))
		LIMIT 1000`, than, privacy.BringUpToDate{}.Kind(), s.Now().Add(-orphaned))
}

// Reconnect puts rows that found no connection back into the queue, now that the
// recipient has one for these purposes. Those that found no address wait for a
// link instead. It returns how many people are concerned, at most 1000: call again
// until none is.
func (s *Store) Reconnect(ctx context.Context, recipient string, purposes []string) (int, error) {
	return s.enqueuePairs(ctx, `
		WITH d AS (
			SELECT delivery_id FROM delivery WHERE state = 'not_connected' AND recipient = $1 AND purpose = ANY($2) AND note <> $4
			ORDER BY delivery_id LIMIT 1000 FOR UPDATE SKIP LOCKED
		), u AS (
			UPDATE delivery SET `+anew+` FROM d WHERE delivery.delivery_id = d.delivery_id
			RETURNING person_ref, recipient
		)
		SELECT DISTINCT person_ref, recipient FROM u`, recipient, pq.StringArray(purposes), s.Now(), privacy.NoteNoAddress)
}

// anew puts a row back into the queue at $3. The time in which its failures are
// borne with begins anew too.
const anew = `state = 'queued', note = '', next_attempt = NULL, not_before = greatest(not_before, $3), changed_at = $3`

// newest says of a row d that it still holds: no newer word to the recipient about
// the purpose, and for an erasure no yes since, nor another erasure.
const newest = `NOT EXISTS (SELECT FROM delivery n WHERE n.person_ref = d.person_ref AND n.recipient = d.recipient
	AND n.purpose = d.purpose AND n.version > d.version
	AND (d.action <> 'erase' AND n.action <> 'erase' OR d.action = 'erase' AND n.action IN ('allow', 'erase')))`

// requeueAddressless puts what still holds of a person's choices back into the
// queue, now that a link gives an address: what went to nobody, for want of one,
// and what an earlier link's address was told while that link was being taken back.
func (s *Store) requeueAddressless(ctx context.Context, tx *sqlx.Tx, person privacy.PersonRef) error {
	_, err := s.enqueuePairsIn(ctx, tx, `
		WITH d AS (
			SELECT delivery_id FROM delivery d
			WHERE person_ref = $1 AND (state = 'not_connected' AND note = $2 OR state IN ('confirmed', 'accepted')) AND `+newest+`
			ORDER BY delivery_id FOR UPDATE
		), u AS (
			UPDATE delivery SET `+anew+` FROM d WHERE delivery.delivery_id = d.delivery_id
			RETURNING person_ref, recipient
		)
		SELECT DISTINCT person_ref, recipient FROM u`, person, privacy.NoteNoAddress, s.Now())
	return err
}

// markAddressless says of what still holds of a person's choices, and was told
// through a link that was taken back, that it has reached nobody.
func (s *Store) markAddressless(ctx context.Context, tx *sqlx.Tx, person privacy.PersonRef) error {
	_, err := tx.ExecContext(ctx, `
		WITH d AS (
			SELECT delivery_id FROM delivery d
			WHERE person_ref = $1 AND state IN ('confirmed', 'accepted') AND `+newest+`
			ORDER BY delivery_id FOR UPDATE
		)
		UPDATE delivery SET state = 'not_connected', note = $2, changed_at = $3 FROM d WHERE delivery.delivery_id = d.delivery_id`,
		person, privacy.NoteNoAddress, s.Now())
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
	return len(rows), s.enqueue(ctx, tx, jobs...)
}
