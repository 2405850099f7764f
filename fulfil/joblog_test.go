package fulfil

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"elekt.no/innsyn/privacy"
)

// A worker's log has what failed, and neither the queue's chatter nor the name of
// the machine.
func TestWorkerLogSaysWhatFailed(t *testing.T) {
	s := newStage(t)
	stop := s.run(Options{})
	s.exec(`ALTER TABLE elekt.customer RENAME TO customer_gone`)
	s.choose("newsletter", false)
	eventually(t, "the job fails", func() bool { return strings.Contains(s.logged(), `msg="job failed"`) })
	s.exec(`ALTER TABLE elekt.customer_gone RENAME TO customer`)
	eventually(t, "the stop is told", func() bool { return s.board("newsletter")[0].State == privacy.DeliveryConfirmed })
	stop()
	l := s.logged()
	for _, noise := range []string{"River client", "Producer", "poll only", "Job errored", "client_id"} { // River's id holds the machine's name
		if strings.Contains(l, noise) {
			t.Errorf("the log has %q:\n%s", noise, l)
		}
	}
	for _, want := range []string{"level=WARN", "kind=bring_up_to_date", string(s.person), "SQLSTATE 42P01"} {
		if !strings.Contains(l, want) {
			t.Errorf("the log lacks %q:\n%s", want, l)
		}
	}
}

func TestLastAttemptAndPanicAreErrors(t *testing.T) {
	s := &stage{log: &strings.Builder{}}
	e := jobErrors{slog.New(slog.NewTextHandler(s, nil))}
	job := &rivertype.JobRow{ID: 7, Kind: "bring_up_to_date", Attempt: 2, MaxAttempts: 3, EncodedArgs: []byte(`{}`)}
	e.HandleError(t.Context(), job, errors.New("away"))
	if l := s.logged(); !strings.Contains(l, "level=WARN") || strings.Contains(l, "level=ERROR") {
		t.Errorf("a failure that is tried again:\n%s", l)
	}
	job.Attempt = 3
	e.HandleError(t.Context(), job, errors.New("away"))
	if l := s.logged(); strings.Count(l, "level=ERROR") != 1 {
		t.Errorf("the last failure:\n%s", l)
	}
	e.HandlePanic(t.Context(), job, "kari@example.no", "trace")
	if l := s.logged(); strings.Count(l, "level=ERROR") != 2 || strings.Contains(l, "kari") {
		t.Errorf("a panic:\n%s", l)
	}
}

func TestFailedJobWaitsAMinuteAtMost(t *testing.T) {
	w := &bringWorker{}
	for attempt, want := range map[int]time.Duration{1: time.Second, 3: 9 * time.Second, 8: time.Minute, 25: time.Minute} {
		job := &river.Job[privacy.BringUpToDate]{JobRow: &rivertype.JobRow{Attempt: attempt}}
		before := time.Now()
		next := w.NextRetry(job)
		if next.Before(before.Add(want)) || next.After(time.Now().Add(want)) {
			t.Errorf("after %d: %v, want %v", attempt, next.Sub(before), want)
		}
	}
}
