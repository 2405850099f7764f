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
	"math/rand/v2"
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
	asked   asked
	pairs   *sqlx.DB
	Now     func() time.Time
}

// Options say where the databases are. CompanyURL is read with a role of its
// own and may be empty, for development: then no record is found, and whoever has
// a link already is told that the company's database can't be asked.
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
	const portal = "database.url (INNSYN_DATABASE_URL)"
	if s.db, err = open(portal, o.URL, o.MaxOpen); err != nil {
		return nil, err
	}
	if o.CompanyURL != "" {
		if s.company, err = open("database.company (INNSYN_COMPANY_DATABASE_URL)", o.CompanyURL, o.MaxOpen); err != nil {
			return nil, err
		}
	}
	if o.MaxPairs > 0 {
		if s.pairs, err = open(portal, o.URL, o.MaxPairs); err != nil {
			return nil, err
		}
	}
	s.stmts.db, s.outside.db = s.db, s.company
	return s, nil
}

// open reads the address here and not at the first connection, and says of a bad
// one only where it stands: the driver's error would repeat it, password and all.
func open(key, url string, n int) (*sqlx.DB, error) {
	c, err := pq.NewConnector(url)
	if err != nil {
		return nil, fmt.Errorf("%s: not the address of a PostgreSQL database", key)
	}
	db := sqlx.NewDb(sql.OpenDB(c), "postgres")
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db, nil
}

// Close writes what waits to be counted and ends all connections.
func (s *Store) Close() error {
	err := s.endAsked()
	err = errors.Join(err, s.db.Close())
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

// tx runs f in one transaction, commits if it returns nil and else rolls back. A
// transaction that the database gave up for another's sake is run again, so f
// must set anew whatever it gives back.
func (s *Store) tx(ctx context.Context, f func(tx *sqlx.Tx) error) error {
	defer s.stmts.prepareWanted(ctx)
	return transact(ctx, s.db, f)
}

// beginner is a database, or one connection to it.
type beginner interface {
	BeginTxx(context.Context, *sql.TxOptions) (*sqlx.Tx, error)
}

func transact(ctx context.Context, db beginner, f func(tx *sqlx.Tx) error) error {
	for try := 1; ; try++ {
		err := transactOnce(ctx, db, f)
		var pe *pq.Error
		if try == 4 || !errors.As(err, &pe) || pe.Code.Class() != "40" { // deadlock, serialization
			return err
		}
		// A little later: at once, it would meet the same other again.
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(try)*20*time.Millisecond + rand.N(20*time.Millisecond)):
		}
	}
}

func transactOnce(ctx context.Context, db beginner, f func(tx *sqlx.Tx) error) error {
	tx, err := db.BeginTxx(ctx, nil)
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

// wrap gives a database error its kind: away, or not migrated yet, is Unavailable;
// a value that the database refuses is Internal. *privacy.Error and nil pass through.
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
	var pe *pq.Error
	if errors.As(err, &pe) && pe.Code == "42P01" { // no such table
		return &privacy.Error{Kind: privacy.Unavailable, Key: "error.database", Reason: "not-migrated", Err: err}
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
