package fulfil

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

const (
	// Pairs is how many pairs of person and recipient a node brings up to date at
	// once, and so the store.Options.MaxPairs of a worker.
	Pairs = 8
	// codesAtOnce is how many messages a node sends at once. They have a queue of
	// their own, so that nobody waits for a code because a recipient is slow.
	codesAtOnce = 4

	jobTime  = time.Minute     // then a job's context ends
	lostTime = 2 * time.Minute // then a job that is still running is run elsewhere
	// overdue is how late a row of the outbox is when its job counts as lost. If it
	// was only slow, the second job waits for the pair and finds nothing to do.
	overdue    = 20 * time.Second
	sweepEvery = 15 * time.Second
	// keepJobs is how long the queue remembers what is over. Jobs hold ids only.
	keepJobs = 24 * time.Hour
)

// Options for New.
type Options struct {
	Store      *store.Store // opened with MaxPairs: Pairs
	Catalogue  *privacy.Catalogue
	Recipients Recipients
	CodeKey    []byte  // of privacy.HashCode
	AddressKey []byte  // of the hashes on the company's own list of numbers; without it there is no list
	Backoff    Backoff // DefaultBackoff if zero
	Log        *slog.Logger
}

// Worker does the jobs of one node.
type Worker struct {
	client     *river.Client[*sql.Tx]
	deliveries *deliveries
	codes      *codes
	log        *slog.Logger
}

// New checks the options and calls nobody.
func New(o Options) (*Worker, error) {
	if o.Backoff.First == 0 {
		o.Backoff = DefaultBackoff
	}
	now := func() time.Time { return o.Store.Now() }
	connectors, others, err := o.Recipients.connect(o, now)
	if err != nil {
		return nil, err
	}
	d := &deliveries{store: o.Store, contacts: o.Store, connectors: connectors, others: others, backoff: o.Backoff, call: store.CallTime, log: o.Log}
	c := &codes{store: o.Store, key: o.CodeKey, sender: o.Catalogue.Controller.Short, log: o.Log}
	if o.Recipients.Mailgun != nil {
		c.mail = newMailgun(*o.Recipients.Mailgun, now)
	}
	if o.Recipients.Sveve != nil {
		c.sms = newSveve(*o.Recipients.Sveve, now)
		c.sms.list, _ = connectors[sveveID].(*smsList)
	}
	workers := river.NewWorkers()
	err = errors.Join(
		river.AddWorkerSafely(workers, &bringWorker{deliveries: d}),
		river.AddWorkerSafely(workers, &pollWorker{deliveries: d}),
		river.AddWorkerSafely(workers, &codeWorker{codes: c}),
		river.AddWorkerSafely(workers, &sweepWorker{store: o.Store, log: o.Log}))
	if err != nil {
		return nil, err
	}
	client, err := river.NewClient(riverdatabasesql.New(o.Store.DB()), &river.Config{
		ID:      "worker-" + rand.Text(), // River's own would name this machine
		Logger:  slog.New(warnings{o.Log.Handler()}),
		Workers: workers, ErrorHandler: jobErrors{o.Log},
		Queues: map[string]river.QueueConfig{
			river.QueueDefault: {MaxWorkers: Pairs},
			store.QueueCodes:   {MaxWorkers: codesAtOnce},
		},
		// lib/pq doesn't listen; the measured optimum for polling
		PollOnly: true, FetchPollInterval: 100 * time.Millisecond, FetchCooldown: 5 * time.Millisecond,
		JobTimeout: jobTime, RescueStuckJobsAfter: lostTime,
		CompletedJobRetentionPeriod: keepJobs, CancelledJobRetentionPeriod: keepJobs,
		ReindexerIndexNames: []string{}, // the application's role owns no index
		PeriodicJobs: []*river.PeriodicJob{
			river.NewPeriodicJob(river.PeriodicInterval(sweepEvery),
				func() (river.JobArgs, *river.InsertOpts) { return sweep{}, nil }, &river.PeriodicJobOpts{RunOnStart: true}),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("job queue: %w", err)
	}
	return &Worker{client: client, deliveries: d, codes: c, log: o.Log}, nil
}

// Connected are the recipients that this worker speaks to, in order.
func (w *Worker) Connected() []string {
	return slices.Sorted(maps.Keys(w.deliveries.connectors))
}

// Run does jobs until ctx ends. Then it takes no new ones, gives those under way
// the time of patience, interrupts the rest, and returns. A database that is away
// is waited for. Interrupted jobs are run again, here or on another node.
func (w *Worker) Run(ctx context.Context, patience time.Duration) error {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := w.start(ctx)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return nil
		}
		w.log.WarnContext(ctx, "waiting for the database", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
	<-ctx.Done()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := w.client.Stop(end); err == nil {
		return nil
	}
	end, cancel = context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	return w.client.StopAndCancel(end)
}

// start sends what had no connection before, and begins to take jobs.
func (w *Worker) start(ctx context.Context) error {
	for _, told := range []map[string]Connector{w.deliveries.connectors, w.deliveries.others} {
		for recipient, c := range told {
			if err := w.reconnect(ctx, recipient, c.Purposes()); err != nil {
				return err
			}
		}
	}
	return w.client.Start(context.WithoutCancel(ctx))
}

func (w *Worker) reconnect(ctx context.Context, recipient string, purposes []string) error {
	for {
		n, err := w.deliveries.store.Reconnect(ctx, recipient, purposes)
		if n == 0 || err != nil {
			return err
		}
		w.log.InfoContext(ctx, "connected now", "recipient", recipient, "people", n)
	}
}

type bringWorker struct {
	river.WorkerDefaults[privacy.BringUpToDate]
	*deliveries
}

func (w *bringWorker) Work(ctx context.Context, job *river.Job[privacy.BringUpToDate]) error {
	busy, err := w.bring(ctx, job.Args)
	if busy {
		return river.JobSnooze(busyWait)
	}
	return err
}

// mostRetry is how long a job waits at most before it is run again: what a job
// fails of is ours, as a database that is away, and is over when it is over.
const mostRetry = time.Minute

// NextRetry is later each time.
func (w *bringWorker) NextRetry(job *river.Job[privacy.BringUpToDate]) time.Time {
	return time.Now().Add(min(time.Duration(job.Attempt*job.Attempt)*time.Second, mostRetry))
}

type pollWorker struct {
	river.WorkerDefaults[privacy.PollDelivery]
	*deliveries
}

func (w *pollWorker) Work(ctx context.Context, job *river.Job[privacy.PollDelivery]) error {
	busy, err := w.poll(ctx, job.Args)
	if busy {
		return river.JobSnooze(busyWait)
	}
	return err
}

// NextRetry is as of telling.
func (w *pollWorker) NextRetry(job *river.Job[privacy.PollDelivery]) time.Time {
	return time.Now().Add(min(time.Duration(job.Attempt*job.Attempt)*time.Second, mostRetry))
}

type codeWorker struct {
	river.WorkerDefaults[privacy.SendCode]
	*codes
}

func (w *codeWorker) Work(ctx context.Context, job *river.Job[privacy.SendCode]) error {
	return w.send(ctx, job.Args)
}

// NextRetry is soon: somebody is waiting, and the code runs out.
func (w *codeWorker) NextRetry(job *river.Job[privacy.SendCode]) time.Time {
	return time.Now().Add(min(time.Duration(job.Attempt)*2*time.Second, 20*time.Second))
}

// sweep is the job that looks for what was lost and clears away what has run out.
type sweep struct{}

func (sweep) Kind() string { return "sweep" }

type sweepWorker struct {
	river.WorkerDefaults[sweep]
	store *store.Store
	log   *slog.Logger
}

func (w *sweepWorker) Work(ctx context.Context, _ *river.Job[sweep]) error {
	lost, err := w.store.EnqueueOverdue(ctx, w.store.Now().Add(-overdue))
	if err != nil {
		return err
	}
	if lost > 0 {
		w.log.WarnContext(ctx, "lost jobs made anew", "pairs", lost)
	}
	if lost, err = w.store.EnqueueUnasked(ctx, w.store.Now().Add(-overdue)); err != nil {
		return err
	}
	if lost > 0 {
		w.log.WarnContext(ctx, "lost questions made anew", "pairs", lost)
	}
	_, err = w.store.SweepAuth(ctx)
	return err
}
