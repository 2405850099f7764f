package fulfil

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// warnings passes on what River warns of; what it tells besides, as how many jobs
// it has done, is noise.
type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && w.Handler.Enabled(ctx, l)
}

func (w warnings) WithAttrs(a []slog.Attr) slog.Handler { return warnings{w.Handler.WithAttrs(a)} }

func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }

// jobErrors says which jobs failed. Jobs, and the errors of our own packages, hold
// ids and codes only.
type jobErrors struct{ log *slog.Logger }

// HandleError is called when a job failed. The last attempt is an error: then only
// the sweep is left.
func (e jobErrors) HandleError(ctx context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	l := slog.LevelWarn
	if job.Attempt >= job.MaxAttempts {
		l = slog.LevelError
	}
	e.log.Log(ctx, l, "job failed", "job", job.ID, "kind", job.Kind, "attempt", job.Attempt, "args", string(job.EncodedArgs), "error", err)
	return nil
}

// HandlePanic is called when a job panicked: a fault of ours. The value may hold
// anything, so only its type is told.
func (e jobErrors) HandlePanic(ctx context.Context, job *rivertype.JobRow, value any, trace string) *river.ErrorHandlerResult {
	e.log.ErrorContext(ctx, "job panicked", "job", job.ID, "kind", job.Kind, "attempt", job.Attempt, "args", string(job.EncodedArgs),
		"panic", fmt.Sprintf("%T", value), "trace", trace)
	return nil
}
