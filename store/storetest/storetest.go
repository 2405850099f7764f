// Package storetest gives each test a real, migrated PostgreSQL database of its
// own, in some 30 ms.
//
// All test binaries share one private server (internal/pgdev) in .cache/pg-test
// at the project's root, or the server of INNSYN_DATABASE_URL, whose role must be
// allowed to make roles and databases. In it lies one template: the migrated
// database of the portal together with the schema of the development company
// (dev/demo/schema.sql). The template is named by the hash of what it is made
// of, so it is made once and kept until a migration changes. A test's database
// is a clone of it and is dropped when the test ends.
//
// The owner here is no superuser, so that migrations and tests meet the rights
// that they will have in production.
package storetest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/lib/pq"

	"elekt.no/innsyn/internal/pgdev"
	"elekt.no/innsyn/store"
)

// Roles that log in to a test's database.
const (
	ownerRole   = "innsyn_owner"
	appRole     = "innsyn_test_app"     // member of innsyn_app
	companyRole = "innsyn_test_company" // member of elekt_reader
)

// templateLock is the advisory lock under which the template is made.
const templateLock = 0x74656d706c617465

// DB is a test's own database. The URLs are what INNSYN_OWNER_DATABASE_URL,
// INNSYN_DATABASE_URL and INNSYN_COMPANY_DATABASE_URL are in production.
type DB struct {
	OwnerURL   string // owns everything; may also become elekt_owner
	AppURL     string // what serve and worker use
	CompanyURL string // may only read the schema elekt
	name       string
}

// New clones the template. The database is gone when the test ends.
func New(t testing.TB) *DB {
	t.Helper()
	s, err := server()
	if err != nil {
		t.Fatalf("test database: %v", err)
	}
	d, err := s.clone(t.Context())
	if err != nil {
		t.Fatalf("test database: %v", err)
	}
	t.Cleanup(func() {
		if _, err := s.admin.Exec("DROP DATABASE IF EXISTS " + pq.QuoteIdentifier(d.name) + " WITH (FORCE)"); err != nil {
			t.Errorf("test database: %v", err)
		}
	})
	return d
}

// Owner opens the database as its owner, for rows that no code of ours writes.
func (d *DB) Owner(t testing.TB) *sql.DB { return open(t, d.OwnerURL) }

// App opens the database as the application's role.
func (d *DB) App(t testing.TB) *sql.DB { return open(t, d.AppURL) }

func open(t testing.TB, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// cluster is the server that this test binary uses.
type cluster struct {
	url      string  // the owner's, for any database
	admin    *sql.DB // the owner, in a database that stays
	password string  // of the two roles; empty on the private server
	template string
	private  *pgdev.Cluster // ours for as long as the process lives; nil if external
	count    atomic.Int64
}

// server is set up once; the private one ends when the last test binary has.
var server = sync.OnceValues(func() (*cluster, error) {
	ctx := context.Background()
	root, err := projectRoot()
	if err != nil {
		return nil, err
	}
	s := &cluster{url: os.Getenv("INNSYN_DATABASE_URL")}
	if s.url == "" {
		if err := s.startPrivate(ctx, root); err != nil {
			return nil, err
		}
	} else {
		// A login that stays behind on somebody's server needs a password that
		// nobody can guess, and that all test binaries know.
		sum := sha256.Sum256([]byte("innsyn test roles\n" + s.url))
		s.password = hex.EncodeToString(sum[:])
	}
	if s.admin, err = sql.Open("postgres", s.url); err != nil {
		return nil, err
	}
	s.admin.SetMaxOpenConns(4)
	return s, s.prepare(ctx, root)
})

// startPrivate starts or attaches to the server for tests.
func (s *cluster) startPrivate(ctx context.Context, root string) (err error) {
	s.private, err = pgdev.Start(ctx, pgdev.Options{Dir: filepath.Join(root, ".cache", "pg-test"), Log: os.Stderr, Fast: true})
	if err != nil {
		return err
	}
	s.url = s.private.URL(ownerRole, "postgres")
	super, err := sql.Open("postgres", s.private.URL(pgdev.Superuser, "postgres"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, super.Close()) }()
	return pgdev.EnsureRole(ctx, super, ownerRole, "", "CREATEROLE CREATEDB", "pg_signal_backend")
}

// prepare makes the template if it is not there yet.
func (s *cluster) prepare(ctx context.Context, root string) (err error) {
	key, err := fingerprint(root)
	if err != nil {
		return err
	}
	s.template = "innsyn_template_" + key
	conn, err := s.admin.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(templateLock)); err != nil {
		return err
	}
	defer func() {
		_, unlock := conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", int64(templateLock))
		err = errors.Join(err, unlock)
	}()
	if s.private != nil {
		if err := s.sweep(ctx); err != nil {
			return err
		}
	}
	var there bool
	if err := conn.QueryRowContext(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", s.template).Scan(&there); err != nil {
		return err
	}
	if there {
		return nil
	}
	return s.build(ctx, root)
}

// build makes the template under another name and renames it when it is whole.
func (s *cluster) build(ctx context.Context, root string) error {
	part := s.template + "_part"
	if err := s.exec(ctx, "DROP DATABASE IF EXISTS "+part+" WITH (FORCE)", "CREATE DATABASE "+part+" TEMPLATE template0 ENCODING 'UTF8'"); err != nil {
		return err
	}
	url, err := pgdev.With(s.url, "dbname", part)
	if err != nil {
		return err
	}
	if err := store.Migrate(ctx, url); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := company(ctx, url, filepath.Join(root, companySchema)); err != nil {
		return err
	}
	if err := pgdev.EnsureRole(ctx, s.admin, appRole, s.password, "", "innsyn_app"); err != nil {
		return err
	}
	if err := pgdev.EnsureRole(ctx, s.admin, companyRole, s.password, "", "elekt_reader"); err != nil {
		return err
	}
	return s.exec(ctx,
		"GRANT "+appRole+", "+companyRole+" TO CURRENT_USER", // to end their connections
		"ALTER DATABASE "+part+" RENAME TO "+s.template,
		"ALTER DATABASE "+s.template+" WITH ALLOW_CONNECTIONS false IS_TEMPLATE true")
}

func company(ctx context.Context, url, schema string) (err error) {
	b, err := os.ReadFile(schema)
	if err != nil {
		return err
	}
	db, err := sql.Open("postgres", url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, string(b)); err != nil {
		return fmt.Errorf("%s: %w", companySchema, err)
	}
	return nil
}

func (s *cluster) exec(ctx context.Context, statements ...string) error {
	for _, q := range statements {
		if _, err := s.admin.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
	}
	return nil
}

func (s *cluster) clone(ctx context.Context) (*DB, error) {
	d := &DB{name: "innsyn_test_" + strconv.Itoa(os.Getpid()) + "_" + strconv.FormatInt(s.count.Add(1), 10)}
	if err := s.exec(ctx, "CREATE DATABASE "+d.name+" TEMPLATE "+s.template); err != nil {
		return nil, err
	}
	var errs [3]error
	d.OwnerURL, errs[0] = pgdev.With(s.url, "dbname", d.name)
	d.AppURL, errs[1] = pgdev.With(s.url, "user", appRole, "password", s.password, "dbname", d.name)
	d.CompanyURL, errs[2] = pgdev.With(s.url, "user", companyRole, "password", s.password, "dbname", d.name)
	return d, errors.Join(errs[:]...)
}

// sweep drops what killed test binaries and old migrations left on the private server.
func (s *cluster) sweep(ctx context.Context) (err error) {
	rows, err := s.admin.QueryContext(ctx, `SELECT datname FROM pg_database WHERE datname LIKE 'innsyn\_test\_%' OR datname LIKE 'innsyn\_template\_%'`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var old []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		if rest, ok := strings.CutPrefix(name, "innsyn_test_"); ok {
			pid, _, _ := strings.Cut(rest, "_")
			if n, err := strconv.Atoi(pid); err != nil || errors.Is(syscall.Kill(n, 0), syscall.ESRCH) {
				old = append(old, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
			}
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return s.exec(ctx, old...)
}

// companySchema is the development company's schema, from the project's root. It
// belongs to the module dev, which this module can't import.
const companySchema = "dev/demo/schema.sql"

// fingerprint is a hash of everything that the template is made of.
func fingerprint(root string) (string, error) {
	files, err := filepath.Glob(filepath.Join(root, "store", "migrations", "*.sql"))
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, f := range append(files, // go.sum: the job queue brings its own migrations
		filepath.Join(root, "store", "migrate.go"), filepath.Join(root, companySchema), filepath.Join(root, "go.sum")) {
		b, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %d\n", filepath.Base(f), len(b))
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// projectRoot is the folder of the main module, above wherever the test runs.
func projectRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if strings.HasPrefix(string(b), "module elekt.no/innsyn\n") {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("not inside the project: no go.mod of elekt.no/innsyn above the working directory")
		}
		dir = up
	}
}
