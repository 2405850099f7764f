package pgdev

import (
	"testing"

	"github.com/lib/pq"
)

func TestWith(t *testing.T) {
	for _, dsn := range []string{
		"postgres://me:it%27s%20secret@db.example:6543/old?sslmode=disable&connect_timeout=7",
		`user=me password='it\'s secret' host=db.example port=6543 dbname=old sslmode=disable connect_timeout=7`,
	} {
		same, err := With(dsn, "user", "", "dbname", "new one")
		if err != nil {
			t.Fatal(err)
		}
		c, err := pq.NewConfig(same)
		if err != nil {
			t.Fatal(err)
		}
		if c.User != "me" || c.Password != "it's secret" || c.Host != "db.example" || c.Port != 6543 || c.Database != "new one" || c.SSLMode != "disable" {
			t.Errorf("%s became %s: %+v", dsn, same, c)
		}
	}
	if _, err := With("postgres://%zz"); err == nil {
		t.Error("a broken URL passed")
	}
	if got, err := With("", "host", "/x"); err != nil || got != "host='/x'" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestEnsureRoleAtOnce(t *testing.T) {
	c := start(t, folder(t))
	db := openDB(t, c)
	errs := make(chan error, 12)
	for range cap(errs) {
		go func() { errs <- EnsureRole(t.Context(), db, "many", "", "CREATEDB", "pg_monitor") }()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if got := query(t, c, "postgres", "SELECT rolcreatedb AND rolcanlogin AND pg_has_role('many', 'pg_monitor', 'MEMBER') FROM pg_roles WHERE rolname = 'many'"); got != "true" {
		t.Error(got)
	}
}
