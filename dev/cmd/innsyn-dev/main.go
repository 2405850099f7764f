// Command innsyn-dev is what make run starts: the portal and everything that it
// needs around it, on this machine alone. Package dev/stack does the work.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"elekt.no/innsyn/dev/stack"
)

func main() {
	port := flag.Int("port", 8080, "port of the portal; the next two are used as well")
	withParent := flag.Bool("end-with-parent", false, "end when the program that started this one ends")
	flag.Parse()
	if *withParent {
		if err := endWithParent(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if err := run(*port); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// endWithParent makes the kernel send us SIGTERM when make is killed, so that
// even kill -9 of make leaves nothing behind. The setting belongs to this
// thread, which is the main one and stays.
func endWithParent() error {
	runtime.LockOSThread()
	_, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGTERM), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

func run(port int) error {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer cancel()
	root, err := stack.Root()
	if err != nil {
		return err
	}
	began := time.Now()
	s, err := stack.Start(ctx, stack.Options{Root: root, Port: port, Out: os.Stdout, Logs: os.Stderr})
	if err != nil {
		if ctx.Err() != nil {
			return nil // Ctrl-C while starting
		}
		return err
	}
	config, err := filepath.Rel(root, s.ConfigFile)
	if err != nil {
		config = s.ConfigFile
	}
	fmt.Printf(`
Innsyn runs (ready after %.1f s).

  Portal             %s
  Identity provider  %s   log in as a demo person; faults under /faults
  Stand-ins          %s   the recipients, and what has arrived there
  API                %s   docs/API.md shows it with curl
  Database           psql "%s"
  Configuration      %s

Ctrl-C stops everything.

`, time.Since(began).Seconds(), s.Portal, s.IdentityProvider, s.Standins, s.Portal+"/api/openapi.json", s.Databases.Owner, config)

	select {
	case <-ctx.Done():
		cancel() // a second Ctrl-C ends us at once
		fmt.Println("Stopping.")
		return s.Stop()
	case <-s.Serve.Done():
		err = fmt.Errorf("the portal has ended: %v", s.Serve.Err())
	case <-s.Worker.Done():
		err = fmt.Errorf("the worker has ended: %v", s.Worker.Err())
	}
	if stop := s.Stop(); stop != nil {
		fmt.Fprintln(os.Stderr, stop)
	}
	return err
}
