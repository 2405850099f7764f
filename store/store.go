// Package store holds all SQL of Innsyn: sqlx on lib/pq on PostgreSQL.
//
// One call is one transaction: what belongs together (ledger entry, state,
// outbox row, job) is written together or not at all, and nothing is sent
// inside it. Every query about a person carries the person's reference, so that
// a forgotten check yields "not found" and not somebody else's data. "No such
// row" is always told apart from "could not ask": a consent that could not be
// read is never taken for given or refused.
//
// Two roles. The owner migrates. serve and worker log in as members of
// innsyn_app, which has no DDL and can only insert into and read the ledger:
// whoever holds the application's password can add entries, never change them.
//
// Times are UTC; days and due dates are made in package privacy, in Europe/Oslo.
package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"syscall"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"elekt.no/innsyn/privacy"
)

// Store is the database of the portal, and the company's own database beside it.
// Clock and randomness can be set by tests.
type Store struct {
	db      *sqlx.DB
	company *sqlx.DB
	stmts   statements
	outside statements // of the company's database
	shown   shownPages
	pairs   *sqlx.DB
	jobs    jobs
	Now     func() time.Time
}

// Options say where the databases are. CompanyURL is read with a role of its
// own and may be empty: then nobody has a customer record.
type Options struct {
	URL        string
	CompanyURL string
	MaxOpen    int // connections; 8 if zero
	// MaxPairs is how many pairs of person and recipient can be brought up to date
	// at once: each takes a connection beside MaxOpen. Only the worker needs any.
	MaxPairs int
}

// Open connects lazily: a database that is away makes calls fail with kind
// Unavailable, not Open. Call Prepare or any method once it is there.
func Open(o Options) (*Store, error) {
	if o.MaxOpen == 0 {
		o.MaxOpen = 8
	}
	s := &Store{Now: time.Now}
	var err error
	if s.db, err = open(o.URL, o.MaxOpen); err != nil {
		return nil, err
	}
	if o.CompanyURL != "" {
		if s.company, err = open(o.CompanyURL, o.MaxOpen); err != nil {
			return nil, err
		}
	}
	if o.MaxPairs > 0 {
		if s.pairs, err = open(o.URL, o.MaxPairs); err != nil {
			return nil, err
		}
	}
	if s.jobs, err = newJobs(); err != nil {
		return nil, err
	}
	s.stmts.db, s.outside.db = s.db, s.company
	return s, nil
}

func open(url string, n int) (*sqlx.DB, error) {
	db, err := sqlx.Open("postgres", url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db, nil
}

// Close ends all connections.
func (s *Store) Close() error {
	err := s.db.Close()
	if s.company != nil {
		err = errors.Join(err, s.company.Close())
	}
	if s.pairs != nil {
		err = errors.Join(err, s.pairs.Close())
	}
	return err
}

// DB is the portal's database, for the job queue's own tables.
func (s *Store) DB() *sql.DB { return s.db.DB }

// tx runs f in one transaction, commits if it returns nil and else rolls back.
func (s *Store) tx(ctx context.Context, f func(tx *sqlx.Tx) error) error {
	defer s.stmts.prepareWanted(ctx)
	tx, err := s.db.BeginTxx(ctx, nil)
	if err != nil {
		return wrap(err)
	}
	if err := f(tx); err != nil {
		return errors.Join(wrap(err), rollbackError(tx.Rollback()))
	}
	return wrap(tx.Commit())
}

func rollbackError(err error) error {
	if err == nil || errors.Is(err, sql.ErrTxDone) || errors.Is(err, sql.ErrConnDone) {
		return nil
	}
	return wrap(err)
}

// wrap gives a database error its kind: away is Unavailable, a value that the
// database refuses is Internal. *privacy.Error and nil pass through.
func wrap(err error) error {
	if err == nil {
		return nil
	}
	var known *privacy.Error
	if errors.As(err, &known) {
		return err
	}
	if away(err) {
		return &privacy.Error{Kind: privacy.Unavailable, Key: "error.database", Reason: "database-away", Err: err}
	}
	return err
}

// away reports whether err means that the database could not be asked, so that
// asking again later makes sense.
func away(err error) bool {
	var pe *pq.Error
	if errors.As(err, &pe) {
		switch pe.Code.Class() {
		case "08", "53", "57": // connection, resources, operator intervention (shutdown)
			return true
		}
		return pe.Code == "25006" // read-only: a standby
	}
	return !errors.Is(err, sql.ErrNoRows) && !errors.Is(err, context.Canceled) && isNetwork(err)
}

// isNetwork reports whether err came from the connection rather than from the
// database's answer.
func isNetwork(err error) bool {
	var ne net.Error
	var pe *pq.Error
	switch {
	case errors.As(err, &pe):
		return false
	case errors.As(err, &ne), errors.Is(err, driver.ErrBadConn), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, fs.ErrNotExist):
		return true
	}
	return false
}
