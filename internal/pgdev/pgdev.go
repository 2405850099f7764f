// Package pgdev runs a private PostgreSQL for development and tests: one folder,
// one server, no TCP port, nothing to configure.
//
// Several programs may use one folder at the same time. The first one starts the
// server and the others attach to it; the server ends when the last one is gone,
// however it went. That rests on two files in the folder, locked with flock(2),
// which the kernel releases when a process ends:
//
//	lock   held exclusively while somebody sets up or starts the server
//	users  held shared by everybody who uses the server
//
// Beside the server runs a watcher, a shell that waits for the exclusive lock on
// users and then stops the server. So kill -9 of every user ends the server too,
// and kill -9 of the server is mended by the next Start (crash recovery). The
// server and the watcher have a session of their own: Ctrl-C at the terminal
// does not reach them before their users are done.
//
// PostgreSQL refuses to run as root. For root, the server runs as the user
// postgres, or nobody; where that doesn't work, in a user namespace. If none of
// them can reach the folder, because it lies under /root for example, or its
// path is too long for a socket, the folder is /var/tmp/innsyn-HASH instead;
// Cluster.Dir tells.
//
// Linux only. Local connections are trusted and the socket is for its owner and
// root alone. Never linked into the production binary.
package pgdev

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"
)

// Superuser is the role that the server is made with; it needs no password.
const Superuser = "postgres"

// Options for Start.
type Options struct {
	Dir  string    // where the server keeps everything; made if missing
	Log  io.Writer // what is being done, in lines for a person; discarded if nil
	Fast bool      // for tests: data is lost if the machine loses power, and there are more connections
}

// Cluster is a running server, or rather our use of it: a Cluster that is let go
// of without Stop counts as stopped once the garbage collector has found it.
type Cluster struct {
	dir   string // the folder, after it may have been moved
	bin   string // folder of initdb, postgres, pg_dump
	major int
	users *os.File // held shared
}

// startTimeout covers waiting for another program that is setting up the same
// folder, but not the installation of PostgreSQL.
const startTimeout = 90 * time.Second

// stopTimeout is how long the server may take to end.
const stopTimeout = 20 * time.Second

// Need makes sure that PostgreSQL is on this machine: it installs it where it may
// (see package apt), else the error names the command to run.
func Need(ctx context.Context, log io.Writer) error {
	_, _, err := binaries(ctx, log)
	return err
}

// Program returns the path of one of PostgreSQL's programs, such as pg_dump.
func Program(ctx context.Context, log io.Writer, name string) (string, error) {
	bin, _, err := binaries(ctx, log)
	if err != nil {
		return "", err
	}
	return filepath.Join(bin, name), nil
}

// Start makes the server run if it does not and returns when it takes
// connections; a missing PostgreSQL is installed as by Need. The error is a
// sentence for a person.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if o.Log == nil {
		o.Log = io.Discard
	}
	bin, major, err := binaries(ctx, o.Log)
	if err != nil {
		return nil, err
	}
	return use(ctx, o, bin, major, accounts())
}

func use(ctx context.Context, o Options, bin string, major int, candidates []account) (*Cluster, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	dir, as, err := settle(bin, o.Dir, candidates, o.Log)
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, bin: bin, major: major}

	lock, err := lockFile(ctx, filepath.Join(dir, "lock"), exclusive, o.Log)
	if err != nil {
		return nil, fmt.Errorf("another program is setting up PostgreSQL in %s: %w", dir, err)
	}
	defer lock.Close()
	if c.users, err = lockFile(ctx, filepath.Join(dir, "users"), shared, o.Log); err != nil {
		return nil, fmt.Errorf("PostgreSQL in %s is being stopped and does not end: %w", dir, err)
	}
	if err := c.ensure(ctx, o, as); err != nil {
		return nil, errors.Join(err, c.users.Close())
	}
	return c, nil
}

// ensure attaches to the server or starts it. Called with both locks held.
func (c *Cluster) ensure(ctx context.Context, o Options, as account) error {
	if c.pid() != 0 {
		err := c.ready(ctx, nil)
		if !errors.Is(err, errEnded) {
			return err
		}
	}
	as, err := as.as(c.data())
	if err != nil {
		return err
	}
	if err := c.init(ctx, o.Log, as); err != nil {
		return err
	}
	if err := c.watch(); err != nil {
		return err
	}
	began := time.Now()
	exited, err := c.launch(o.Fast, as)
	if err != nil {
		return err
	}
	if err := c.ready(ctx, exited); err != nil {
		return err
	}
	fmt.Fprintf(o.Log, "PostgreSQL %d runs in %s (started in %d ms)\n", c.major, c.dir, time.Since(began).Milliseconds())
	return nil
}

// errEnded means that the server that we wanted to attach to is gone.
var errEnded = errors.New("the server has ended")

// ready waits until the server takes connections, or has ended. exited is nil
// for a server that another program started.
func (c *Cluster) ready(ctx context.Context, exited <-chan error) error {
	db, err := sql.Open("postgres", c.URL(Superuser, "postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL in %s does not answer: %w\n%s", c.dir, err, c.logTail())
		case exit := <-exited:
			return fmt.Errorf("PostgreSQL in %s ended at once (%v):\n%s", c.dir, exit, c.logTail())
		case <-time.After(5 * time.Millisecond):
		}
		if exited == nil && c.pid() == 0 {
			return errEnded
		}
	}
}

// URL is the connection string for lib/pq of a role and a database.
func (c *Cluster) URL(user, dbname string) string {
	return "host=" + quote(c.run()) + " user=" + quote(user) + " dbname=" + quote(dbname) + " sslmode=disable"
}

// quote makes a value of a key=value connection string.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// Dir is the folder in which the server really keeps its data.
func (c *Cluster) Dir() string { return c.dir }

// LogFile is the server's own log.
func (c *Cluster) LogFile() string { return filepath.Join(c.dir, "postgres.log") }

// CreateDatabase makes the database if it does not exist yet.
func (c *Cluster) CreateDatabase(ctx context.Context, name, owner string) (err error) {
	db, err := sql.Open("postgres", c.URL(Superuser, "postgres"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, "CREATE DATABASE "+pq.QuoteIdentifier(name)+" OWNER "+pq.QuoteIdentifier(owner))
	if e := pq.As(err); e != nil && (e.Code == "42P04" || e.Code == "23505") { // there already, or made this very moment
		return nil
	}
	return err
}

// Stop ends our use of the server, and the server itself if nobody else uses it;
// it has ended when Stop returns. Calling it twice is harmless.
func (c *Cluster) Stop() error {
	if c.users == nil {
		return nil
	}
	err := c.users.Close()
	c.users = nil
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	path := filepath.Join(c.dir, "users")
	alone, lockErr := flock(path, exclusive)
	if errors.Is(lockErr, errLocked) {
		// Either others use it, and a shared lock is to be had at once, or the
		// watcher is stopping it, and one is to be had when it is done.
		other, lockErr := lockFile(ctx, path, shared, io.Discard)
		if lockErr != nil {
			return errors.Join(err, lockErr)
		}
		return errors.Join(err, other.Close())
	}
	if lockErr != nil {
		return errors.Join(err, lockErr)
	}
	return errors.Join(err, c.shutDown(), alone.Close())
}

// Each major version has a database folder and a socket of its own, so that an
// upgrade of PostgreSQL begins anew instead of failing.
func (c *Cluster) data() string { return filepath.Join(c.dir, "pg"+strconv.Itoa(c.major)) }
func (c *Cluster) run() string  { return filepath.Join(c.dir, "run"+strconv.Itoa(c.major)) }

// pid is the process id of the running server, or 0. A pid file left behind by a
// kill is told from a live one by the command line of that process.
func (c *Cluster) pid() int {
	b, err := os.ReadFile(filepath.Join(c.data(), "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 0 {
		return 0
	}
	cmdline, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil || !strings.Contains(string(cmdline), "\x00"+c.data()+"\x00") {
		return 0
	}
	return pid
}

// logTail is the end of the server's log, for an error message.
func (c *Cluster) logTail() string {
	b, err := os.ReadFile(c.LogFile())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}
