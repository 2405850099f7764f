package stack

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"elekt.no/innsyn/dev/demo"
	"elekt.no/innsyn/internal/pgdev"
)

// Databases are the connection strings of the portal's database and the
// company's. They may be in one database.
type Databases struct {
	Owner        string // owns the portal's tables: migrates
	App          string // serve and worker; a member of innsyn_app
	Company      string // reads the company database; a member of elekt_reader
	CompanyOwner string // may create the schema elekt
}

// Roles that log in. Who owns a database is no superuser, as in production.
const (
	ownerRole        = "innsyn_owner"
	appRole          = "innsyn_dev"
	companyOwnerRole = "elekt_dba"
	companyRole      = "innsyn_dev_company"
)

// startDatabases prepares the databases of make run and returns what ends their use.
func startDatabases(ctx context.Context, o Options, k *keys) (*Databases, func() error, error) {
	if url := os.Getenv("INNSYN_DATABASE_URL"); url != "" {
		d, err := external(ctx, url, k)
		return d, func() error { return nil }, err
	}
	cluster, err := pgdev.Start(ctx, pgdev.Options{Dir: filepath.Join(o.Root, ".cache", "pg"), Log: o.Out})
	if err != nil {
		return nil, nil, err
	}
	d, err := private(ctx, cluster)
	if err != nil {
		return nil, nil, errors.Join(err, cluster.Stop())
	}
	return d, cluster.Stop, nil
}

// private sets up our own server: a database for the portal and one for the company.
func private(ctx context.Context, c *pgdev.Cluster) (*Databases, error) {
	d := &Databases{
		Owner: c.URL(ownerRole, "innsyn"), App: c.URL(appRole, "innsyn"),
		Company: c.URL(companyRole, "elekt"), CompanyOwner: c.URL(companyOwnerRole, "elekt"),
	}
	err := with(c.URL(pgdev.Superuser, "postgres"), func(db *sql.DB) error {
		for _, role := range []string{ownerRole, companyOwnerRole} {
			if err := pgdev.EnsureRole(ctx, db, role, "", "CREATEROLE"); err != nil {
				return err
			}
		}
		if err := c.CreateDatabase(ctx, "innsyn", ownerRole); err != nil {
			return err
		}
		return c.CreateDatabase(ctx, "elekt", companyOwnerRole)
	})
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	return d, d.logins(ctx, "")
}

// external uses the database of a server that is there already, for both. Its
// role must be allowed to make roles.
func external(ctx context.Context, url string, k *keys) (*Databases, error) {
	d := &Databases{Owner: url, CompanyOwner: url}
	var err error
	if d.App, err = pgdev.With(url, "user", appRole, "password", k.database); err != nil {
		return nil, fmt.Errorf("INNSYN_DATABASE_URL: %w", err)
	}
	if d.Company, err = pgdev.With(url, "user", companyRole, "password", k.database); err != nil {
		return nil, fmt.Errorf("INNSYN_DATABASE_URL: %w", err)
	}
	return d, d.logins(ctx, k.database)
}

// logins makes the roles that the binary logs in with, and the company's schema.
func (d *Databases) logins(ctx context.Context, password string) error {
	err := with(d.CompanyOwner, func(db *sql.DB) error {
		if _, err := db.ExecContext(ctx, demo.SchemaSQL); err != nil {
			return err
		}
		return pgdev.EnsureRole(ctx, db, companyRole, password, "", "elekt_reader")
	})
	if err != nil {
		return fmt.Errorf("company database: %w", err)
	}
	err = with(d.Owner, func(db *sql.DB) error {
		// The migration makes this group as well; whoever comes first.
		if err := pgdev.EnsureGroup(ctx, db, "innsyn_app"); err != nil {
			return err
		}
		return pgdev.EnsureRole(ctx, db, appRole, password, "", "innsyn_app")
	})
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return nil
}

func with(url string, f func(*sql.DB) error) (err error) {
	db, err := sql.Open("postgres", url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return f(db)
}
