package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/riverqueue/river"

	"elekt.no/innsyn/privacy"
)

// QueueCodes is the queue of messages that somebody waits for; everything else
// is in the default one.
const QueueCodes = "codes"

// job is a job that is to be put into the queue. args is one of the kinds in
// package privacy and holds ids only.
type job struct {
	args privacy.JobArgs
	at   time.Time // not before; zero: at once
}

// insertJobs puts jobs into the queue. It takes the place of River's own, which
// can't be prepared: with two round trips and a plan each time that takes three
// times as long. What isn't named has River's default in the table.
const insertJobs = `
	INSERT INTO river_job (args, kind, queue, scheduled_at, state)
	SELECT args, kind, queue, coalesce(at, now()), CASE WHEN at IS NULL THEN 'available' ELSE 'scheduled' END::river_job_state
	FROM unnest($1::jsonb[], $2::text[], $3::text[], $4::timestamptz[]) AS j (args, kind, queue, at)`

// jobValues are what insertJobs takes.
func jobValues(jobs ...job) ([]any, error) {
	var args, kinds, queues pq.StringArray
	at := make([]sql.NullTime, len(jobs))
	for i, j := range jobs {
		b, err := json.Marshal(j.args)
		if err != nil {
			return nil, fmt.Errorf("jobs: %w", err)
		}
		queue := river.QueueDefault
		if _, ok := j.args.(privacy.SendCode); ok {
			queue = QueueCodes
		}
		args, kinds, queues, at[i] = append(args, string(b)), append(kinds, j.args.Kind()), append(queues, queue), nullTime(j.at)
	}
	return []any{args, kinds, queues, pq.Array(at)}, nil
}

// enqueue puts jobs into the queue in the caller's transaction: they run if and
// only if that commits. The queue is River, whose tables lie beside ours; the
// worker of package fulfil takes them out.
func (s *Store) enqueue(ctx context.Context, tx *sqlx.Tx, jobs ...job) error {
	if len(jobs) == 0 {
		return nil
	}
	values, err := jobValues(jobs...)
	if err != nil {
		return err
	}
	if _, err := s.txExec(ctx, tx, insertJobs, values...); err != nil {
		return fmt.Errorf("jobs: %w", err)
	}
	return nil
}
