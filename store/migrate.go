package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/rivermigrate"

	"elekt.no/innsyn/privacy"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrationLock is the advisory lock under which one node migrates: "innsyn".
const migrationLock = 0x696e6e73796e

// Migrate brings the database to this binary's schema: our migrations, the job
// queue's own, and the rights of innsyn_app on both. ownerURL is the role that
// owns the tables. Safe to run on several nodes at once and again at any time.
func Migrate(ctx context.Context, ownerURL string) error {
	x, err := open("database.owner (INNSYN_OWNER_DATABASE_URL)", ownerURL, 4)
	if err != nil {
		return err
	}
	defer x.Close()
	lock, err := x.Connx(ctx)
	if err != nil {
		return wrap(err)
	}
	defer lock.Close()
	if _, err := lock.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return wrap(err)
	}
	p, err := provider(x.DB)
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	// River's versions run one transaction each; all in one fails on its enum.
	r, err := rivermigrate.New(riverdatabasesql.New(x.DB), nil)
	if err != nil {
		return fmt.Errorf("job queue: %w", err)
	}
	if _, err := r.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("job queue: %w", err)
	}
	if _, err := x.ExecContext(ctx, rights); err != nil {
		return fmt.Errorf("rights: %w", err)
	}
	return nil
}

// rights are what innsyn_app may do with tables that aren't made by our migrations.
// For its own tables a migration grants by name, so that a new one, of the ledger
// say, is closed until somebody has thought about it.
const rights = `
	GRANT SELECT ON goose_db_version, river_migration TO innsyn_app;
	GRANT SELECT, INSERT, UPDATE, DELETE ON river_job, river_leader, river_queue, river_notification TO innsyn_app;
	GRANT USAGE ON river_job_id_seq, river_notification_id_seq TO innsyn_app`

func provider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, files)
}

// Ready reports whether the database answers and has this binary's schema; the
// error is of kind Unavailable.
func (s *Store) Ready(ctx context.Context) error {
	var have int64
	if err := s.db.GetContext(ctx, &have, "SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied"); err != nil {
		return &privacy.Error{Kind: privacy.Unavailable, Key: "error.database", Reason: "database-away", Err: err}
	}
	p, err := provider(s.db.DB)
	if err != nil {
		return err
	}
	sources := p.ListSources()
	if want := sources[len(sources)-1].Version; have < want {
		return &privacy.Error{Kind: privacy.Unavailable, Key: "error.database", Reason: "not-migrated",
			Err: fmt.Errorf("schema is at version %d, this binary needs %d", have, want)}
	}
	return nil
}
