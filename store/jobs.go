package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"

	"elekt.no/innsyn/privacy"
)

// QueueCodes is the queue of messages that somebody waits for; everything else
// is in the default one.
const QueueCodes = "codes"

// jobs is the job queue seen from the side that puts jobs in: River, whose
// tables lie beside ours. The worker of package fulfil takes them out.
type jobs struct{ client *river.Client[*sql.Tx] }

func newJobs() (jobs, error) {
	c, err := river.NewClient(riverdatabasesql.New(nil), &river.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return jobs{}, fmt.Errorf("job queue: %w", err)
	}
	return jobs{c}, nil
}

// Enqueue puts a job into the queue in the caller's transaction: it runs if and
// only if that commits, and not before at (zero: at once). args is one of the
// kinds in package privacy and holds ids only.
func (j jobs) Enqueue(ctx context.Context, tx *sql.Tx, args privacy.JobArgs, at time.Time) error {
	return j.enqueue(ctx, tx, []job{{args, at}})
}

// job is a job that is to be put into the queue.
type job struct {
	args privacy.JobArgs
	at   time.Time
}

// enqueue puts several jobs in with one statement.
func (j jobs) enqueue(ctx context.Context, tx *sql.Tx, all []job) error {
	params := make([]river.InsertManyParams, len(all))
	for i, job := range all {
		o := &river.InsertOpts{ScheduledAt: job.at}
		if _, ok := job.args.(privacy.SendCode); ok {
			o.Queue = QueueCodes
		}
		params[i] = river.InsertManyParams{Args: job.args, InsertOpts: o}
	}
	if len(params) == 0 {
		return nil
	}
	if _, err := j.client.InsertManyFastTx(ctx, tx, params); err != nil {
		return fmt.Errorf("jobs: %w", wrap(err))
	}
	return nil
}
