package stack

import (
	"database/sql"
	"os"
	"testing"

	"elekt.no/innsyn/store"
	"elekt.no/innsyn/store/storetest"
)

// Whichever server is used, and however often it is prepared, the four logins
// can do what the binary and the demo need, and no more.
func TestDatabases(t *testing.T) {
	external := storetest.New(t).OwnerURL
	for name, url := range map[string]string{"private": "", "external": external} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("INNSYN_DATABASE_URL", url)
			root, err := os.MkdirTemp("/var/tmp", "stack-test-") // every user can reach it
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := os.RemoveAll(root); err != nil {
					t.Error(err)
				}
			})
			if err := os.Chmod(root, 0o755); err != nil {
				t.Fatal(err)
			}
			k, err := loadKeys(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				prepared(t, Options{Root: root, Out: t.Output()}, k)
			}
		})
	}
}

func prepared(t *testing.T, o Options, k *keys) {
	t.Helper()
	d, stop, err := startDatabases(t.Context(), o, k)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	if err := store.Migrate(t.Context(), d.Owner); err != nil {
		t.Fatal(err)
	}
	s := &Stack{Databases: *d}
	if err := s.loadDemo(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		url, statement string
		allowed        bool
	}{
		{d.App, "SELECT count(*) FROM ledger_leaf", true},
		{d.App, "DELETE FROM ledger_leaf", false},
		{d.App, "CREATE TABLE x (v int)", false},
		{d.Company, "SELECT count(*) FROM elekt.customer", true},
		{d.Company, "DELETE FROM elekt.customer", false},
	} {
		err := with(c.url, func(db *sql.DB) error {
			_, err := db.ExecContext(t.Context(), c.statement)
			return err
		})
		if (err == nil) != c.allowed {
			t.Errorf("%s: %v", c.statement, err)
		}
	}
}
