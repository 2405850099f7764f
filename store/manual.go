package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/jmoiron/sqlx"

	"elekt.no/innsyn/privacy"
)

// ManualTask is something that a human does at a recipient that can't be called, or
// where a call went wrong.
type ManualTask struct {
	privacy.Delivery           // in state needs_manual while the task is open
	Template         string    // key of its texts
	OpenedAt         time.Time // the day the recipient should have been told
	Due              time.Time // start of the last day
	Evidence         string    // where the recipient's answer is kept
	DoneBy           privacy.Actor
	DoneAt           time.Time // zero while it is open
}

type manualRow struct {
	deliveryRow
	Template string         `db:"template"`
	OpenedAt time.Time      `db:"opened_at"`
	DueOn    time.Time      `db:"due_on"`
	Evidence string         `db:"evidence"`
	DoneBy   sql.NullString `db:"done_by"`
	DoneAt   sql.NullTime   `db:"done_at"`
}

func (r manualRow) task() ManualTask {
	y, m, d := r.DueOn.Date()
	t := ManualTask{Delivery: r.delivery(), Template: r.Template, OpenedAt: r.OpenedAt.UTC(), Due: time.Date(y, m, d, 0, 0, 0, 0, privacy.Oslo),
		Evidence: r.Evidence, DoneBy: privacy.Actor(r.DoneBy.String)}
	if r.DoneAt.Valid {
		t.DoneAt = r.DoneAt.Time.UTC()
	}
	return t
}

const selectTasks = `SELECT d.*, t.template, t.opened_at, t.due_on, t.evidence, t.done_by, t.done_at
	FROM manual_task t JOIN (SELECT ` + deliveryColumns + ` FROM delivery) d USING (delivery_id) `

// openTask opens the task of a row that a human is to see to, as r.Task says; a row
// that comes back to a human opens it anew.
func (p *Pair) openTask(ctx context.Context, tx *sqlx.Tx, d *privacy.Delivery, r Result) error {
	if r.State != privacy.DeliveryNeedsManual || r.Task == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO manual_task (delivery_id, person_ref, template, opened_at, due_on) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (delivery_id) DO UPDATE SET template = excluded.template, opened_at = excluded.opened_at, due_on = excluded.due_on,
			evidence = '', done_by = NULL, done_at = NULL`,
		d.ID, p.Person, r.Task, p.s.Now(), nullDay(r.Due))
	return wrap(err)
}

// ManualTasks lists the open tasks, the most urgent first, at most n. A task whose
// choice was replaced by a newer one is open no more.
func (s *Store) ManualTasks(ctx context.Context, n int) ([]ManualTask, error) {
	return s.manualTasks(ctx, `WHERE t.done_at IS NULL AND d.state = 'needs_manual' ORDER BY t.due_on, t.opened_at, t.delivery_id LIMIT $1`, n)
}

// ManualTasksOf lists all tasks about a person, done or not, newest first.
func (s *Store) ManualTasksOf(ctx context.Context, person privacy.PersonRef) ([]ManualTask, error) {
	return s.manualTasks(ctx, `WHERE t.person_ref = $1 ORDER BY t.opened_at DESC, t.delivery_id`, person)
}

func (s *Store) manualTasks(ctx context.Context, where string, args ...any) ([]ManualTask, error) {
	var rows []manualRow
	if err := s.list(ctx, &rows, selectTasks+where, args...); err != nil {
		return nil, err
	}
	out := make([]ManualTask, len(rows))
	for i, r := range rows {
		out[i] = r.task()
	}
	return out, nil
}

// mostEvidence is how many characters a reference to evidence may have.
const mostEvidence = 200

// FinishManualTask closes a task with what the recipient answered: confirmed or
// refused. evidence says where the answer is kept, never what stands in it; a task
// can't be closed without. by is the role and stable pseudonym of whoever did it.
//
// NotFound if there is no such task of the person, Conflict if it isn't open any
// more: done by somebody else, or replaced by a newer choice.
func (s *Store) FinishManualTask(ctx context.Context, person privacy.PersonRef, delivery string, state privacy.DeliveryState, evidence string, by privacy.Actor) error {
	switch n := len([]rune(evidence)); {
	case !isID(delivery):
		return notFound("no-task")
	case n == 0 || n > mostEvidence, by == "", state != privacy.DeliveryConfirmed && state != privacy.DeliveryRefused:
		return &privacy.Error{Kind: privacy.Invalid, Key: "error.form", Reason: "bad-task-answer"}
	}
	return s.tx(ctx, func(tx *sqlx.Tx) error {
		var there bool
		if err := tx.GetContext(ctx, &there, `SELECT EXISTS (SELECT FROM manual_task WHERE person_ref = $1 AND delivery_id = $2)`, person, delivery); err != nil {
			return err
		}
		if !there {
			return notFound("no-task")
		}
		now := s.Now()
		n, err := rowsOf(tx.ExecContext(ctx, `
			WITH d AS (
				UPDATE delivery SET state = $3, note = 'by-hand', changed_at = $4
				WHERE person_ref = $1 AND delivery_id = $2 AND state = 'needs_manual' RETURNING delivery_id
			)
			UPDATE manual_task t SET evidence = $5, done_by = $6, done_at = $4
			FROM d WHERE t.delivery_id = d.delivery_id AND t.done_at IS NULL`, person, delivery, state, now, evidence, by))
		if err != nil {
			return err
		}
		if n == 0 {
			return &privacy.Error{Kind: privacy.Conflict, Key: "error.changed-elsewhere", Reason: "task-not-open"}
		}
		return nil
	})
}

// Resend puts a row that a human was to see to back into the queue, once what was
// wrong is mended. NotFound if the person has no such row, or a newer choice took
// its place.
func (s *Store) Resend(ctx context.Context, person privacy.PersonRef, delivery string) error {
	if !isID(delivery) {
		return notFound("no-delivery")
	}
	n, err := s.enqueuePairs(ctx, `
		WITH u AS (
			UPDATE delivery SET `+anew+` WHERE person_ref = $1 AND delivery_id = $2 AND state = 'needs_manual' RETURNING person_ref, recipient
		)
		SELECT person_ref, recipient FROM u`, person, delivery, s.Now())
	if err == nil && n == 0 {
		return notFound("no-delivery")
	}
	return err
}
