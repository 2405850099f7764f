// Command bench measures the portal as one person's browser after the other
// meets it, and beside it the least that could do the same: a bare net/http
// handler in a process of its own (bare.go). docs/PERFORMANCE.md explains the
// figures and keeps the ratios.
//
// Both sides use the same database, the same number of its connections and the
// same requests. They take turns, round by round, and what counts is the ratio
// within a round: the machine may be busy with other things, and its own speed
// is nobody's business.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"elekt.no/innsyn/dev/stack"
)

// bareCommand is what this program calls itself with for the bare handler.
const bareCommand = "bare-handler"

type options struct {
	rounds   int
	length   time.Duration // of one measurement
	requests int           // at most, in one measurement
	clients  int           // connections
	only     string        // name of what to measure; empty is all
	binary   string        // the portal; bin/innsyn if empty
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	var err error
	if len(os.Args) == 2 && os.Args[1] == bareCommand {
		err = serveBare(ctx, os.Stdin, os.Stdout)
	} else {
		o := options{}
		flag.IntVar(&o.rounds, "rounds", 9, "measurements of each side")
		flag.DurationVar(&o.length, "length", time.Second, "how long a measurement takes")
		flag.IntVar(&o.requests, "requests", 20_000, "the most `requests` in a measurement")
		flag.IntVar(&o.clients, "clients", 8, "connections, each with one request at a time")
		flag.StringVar(&o.only, "only", "", "measure only the task of this `name`: page, page-gzip, page-gzip-before, toggle, toggle-htmx")
		flag.StringVar(&o.binary, "binary", "", "the portal's `file`; bin/innsyn if empty")
		flag.Parse()
		err = run(ctx, o, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		cancel()
		os.Exit(1)
	}
}

// run starts a development stack of its own, so that no ledger but its own gets
// longer, measures, and takes the stack away.
func run(ctx context.Context, o options, out io.Writer) (err error) {
	began := time.Now()
	root, err := stack.Root()
	if err != nil {
		return err
	}
	if o.binary == "" {
		o.binary = filepath.Join(root, "bin", "innsyn")
	}
	home := filepath.Join(root, ".cache", "bench")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	logs, err := os.Create(filepath.Join(home, "innsyn.log"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, logs.Close()) }()
	s, err := stack.Start(ctx, stack.Options{Root: home, Binary: o.binary, Out: os.Stderr, Logs: logs})
	if err != nil {
		return fmt.Errorf("%w (log: %s)", err, logs.Name())
	}
	defer func() { err = errors.Join(err, s.Stop(), os.RemoveAll(filepath.Join(home, ".cache"))) }()
	visitors, err := logIn(ctx, s)
	if err != nil {
		return err
	}
	if len(visitors) < o.clients {
		return fmt.Errorf("%d people can log in, too few for %d connections", len(visitors), o.clients)
	}
	// The worker would carry out what is toggled while the next is measured.
	if err := s.Worker.Stop(); err != nil {
		return err
	}
	b, err := startBare(ctx, s, o, visitors[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.stop()) }()
	m, err := newMeter(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.db.Close()) }()
	fmt.Fprintf(out, "%d connections, %d people, %d rounds of %s for each side; portal and bare handler take turns.\n",
		o.clients, len(visitors), o.rounds, o.length)
	for _, what := range everything {
		if o.only != "" && what.name != o.only {
			continue
		}
		r, err := (&pair{o, what, m, s, b, visitors, began}).measure(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w (log: %s)", what.name, err, logs.Name())
		}
		r.print(out)
	}
	return nil
}
