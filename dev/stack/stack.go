// Package stack is the development world: everything that the portal needs
// around it, on loopback addresses, with the real binary in the middle.
//
//	portal             http://127.0.0.1:PORT     bin/innsyn serve, and bin/innsyn worker beside it
//	identity provider  http://localhost:PORT+1   dev/idp: another site to the browser, as in life
//	stand-ins          http://127.0.0.2:PORT+2   dev/standin: the recipients
//	database           a private PostgreSQL in .cache/pg, or INNSYN_DATABASE_URL
//
// The binary knows nothing of this: it gets a configuration file, written anew
// at each start, and its keys from files in .cache/dev, made at the first. It is
// migrated by its own command and killed with this process, however that ends,
// so that nothing is left that would be in the way of the next start.
//
// make run and the end-to-end tests both use it.
package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"elekt.no/innsyn/dev/idp"
	"elekt.no/innsyn/dev/standin"
)

// Options for Start.
type Options struct {
	Root   string // the project's folder
	Binary string // the portal, built already; bin/innsyn in Root if empty
	Port   int    // of the portal; the others take the next two. 0: free ports, any
	Dir    string // for keys and configuration; .cache/dev in Root if empty

	// Databases to use, for tests; if nil, see package comment.
	Databases *Databases

	Out  io.Writer // what is being done, for a person; discarded if nil
	Logs io.Writer // what the binary logs, each line with the name of its process; discarded if nil
}

// Stack is a running development world.
type Stack struct {
	Portal           string // addresses, without a slash at the end
	IdentityProvider string
	Standins         string
	ConfigFile       string
	Databases        Databases

	IDP     *idp.Server
	Standin *standin.Server
	Serve   *Process
	Worker  *Process

	servers []*http.Server
	closers []func() error
}

// readyTimeout is how long the portal may take from its start to its first answer.
const readyTimeout = 30 * time.Second

// Start brings everything up and returns when the portal is ready. The error is
// a sentence for a person; then nothing is left running.
func Start(ctx context.Context, o Options) (*Stack, error) {
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Logs == nil {
		o.Logs = io.Discard
	}
	if o.Dir == "" {
		o.Dir = filepath.Join(o.Root, ".cache", "dev")
	}
	if o.Binary == "" {
		o.Binary = filepath.Join(o.Root, "bin", "innsyn")
	}
	s := &Stack{}
	if err := s.start(ctx, o); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *Stack) start(ctx context.Context, o Options) error {
	// The ports first: whoever has another one running learns it at once.
	ports, err := listen(o.Port)
	if err != nil {
		return err
	}
	s.closers = append(s.closers, ports.close)
	s.Portal, s.IdentityProvider, s.Standins = ports.portalURL(), ports.idpURL(), ports.standinURL()

	k, err := loadKeys(o.Dir)
	if err != nil {
		return err
	}
	if o.Databases != nil {
		s.Databases = *o.Databases
	} else {
		databases, stop, err := startDatabases(ctx, o, k)
		if err != nil {
			return err
		}
		s.closers = append(s.closers, stop)
		s.Databases = *databases
	}
	if err := s.loadDemo(ctx, k); err != nil {
		return err
	}
	if err := s.startNeighbours(ctx, ports, k, o.Logs); err != nil {
		return err
	}
	if s.ConfigFile, err = s.writeConfig(o.Dir); err != nil {
		return err
	}
	if err := migrate(ctx, o.Binary, s.ConfigFile, o.Logs); err != nil {
		return err
	}
	if err := ports.portal.Close(); err != nil { // the binary listens there itself
		return err
	}
	s.Serve = newProcess("serve", o.Logs, o.Binary, "serve", "--config", s.ConfigFile)
	s.Worker = newProcess("worker", o.Logs, o.Binary, "worker", "--config", s.ConfigFile)
	if err := errors.Join(s.Serve.Start(), s.Worker.Start()); err != nil {
		return err
	}
	return s.WaitReady(ctx)
}

// WaitReady waits until the portal says that it is ready.
func (s *Stack) WaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		why := s.ready(ctx)
		if why == nil {
			return nil
		}
		select {
		case <-s.Serve.Done():
			return fmt.Errorf("the portal ended at once: %w", s.Serve.Err())
		case <-s.Worker.Done():
			return fmt.Errorf("the worker ended at once: %w", s.Worker.Err())
		case <-ctx.Done():
			return fmt.Errorf("the portal is not ready after %s: %w", readyTimeout, why)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *Stack) ready(ctx context.Context) (err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Portal+"/readyz", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz answers %s", answer.Status)
	}
	return nil
}

// Stop ends everything, the portal and the worker in order. Calling it twice is harmless.
func (s *Stack) Stop() error {
	var errs []error
	for _, p := range []*Process{s.Serve, s.Worker} {
		if p != nil {
			errs = append(errs, p.Stop())
		}
	}
	for _, server := range s.servers {
		errs = append(errs, server.Close())
	}
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	s.Serve, s.Worker, s.servers, s.closers = nil, nil, nil, nil
	return errors.Join(errs...)
}

// Root finds the project's folder from the working directory up.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "dev", "stack")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("not inside the project's folder")
		}
		dir = up
	}
}

func join(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
