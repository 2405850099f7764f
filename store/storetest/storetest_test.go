package storetest

import (
	"database/sql"
	"errors"
	"os"
	"testing"

	"github.com/lib/pq"
)

func TestRoles(t *testing.T) {
	d := New(t)
	for _, c := range []struct {
		who, url, statement string
		code                string // "" if allowed
	}{
		{"owner", d.OwnerURL, "CREATE TABLE x (v int)", ""},
		{"owner", d.OwnerURL, "SET ROLE elekt_owner", ""},
		{"application", d.AppURL, "SELECT count(*) FROM ledger_leaf", ""},
		{"application", d.AppURL, "CREATE TABLE y (v int)", "42501"},
		{"application", d.AppURL, "SELECT count(*) FROM elekt.customer", "42501"},
		{"company", d.CompanyURL, "SELECT count(*) FROM elekt.customer", ""},
		{"company", d.CompanyURL, "DELETE FROM elekt.customer", "42501"},
		{"company", d.CompanyURL, "SELECT count(*) FROM ledger_leaf", "42501"},
	} {
		_, err := open(t, c.url).Exec(c.statement)
		var code string
		if e := pq.As(err); e != nil {
			code = string(e.Code)
		} else if err != nil {
			t.Fatal(err)
		}
		if code != c.code {
			t.Errorf("%s, %s: %q, want %q (%v)", c.who, c.statement, code, c.code, err)
		}
	}
}

func TestOwnDatabaseEach(t *testing.T) {
	for range 2 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			if _, err := New(t).Owner(t).Exec("CREATE TABLE only_mine (v int)"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOutage(t *testing.T) {
	d := New(t)
	o := d.Outage(t)
	db := open(t, o.AppURL)
	if err := db.Ping(); err != nil {
		t.Fatal(err)
	}
	o.Begin(t)
	if err := db.Ping(); err == nil {
		t.Error("the database is away and answers")
	}
	if err := d.App(t).Ping(); err != nil {
		t.Errorf("without the outage between: %v", err)
	}
	o.End(t)
	if err := db.Ping(); err != nil {
		t.Errorf("after the outage: %v", err)
	}
}

// A connection that the test left open doesn't keep its database.
func TestDropped(t *testing.T) {
	var name, ownerURL string
	t.Run("leaves a connection open", func(t *testing.T) {
		d := New(t)
		name, ownerURL = d.name, d.OwnerURL
		db, err := sql.Open("postgres", d.AppURL)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Ping(); err != nil {
			t.Fatal(err)
		}
	})
	var e *pq.Error
	if err := open(t, ownerURL).Ping(); !errors.As(err, &e) || e.Code != "3D000" {
		t.Errorf("%s is still there: %v", name, err)
	}
	if os.Getenv("INNSYN_DATABASE_URL") != "" {
		return
	}
	s, err := server()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.admin.Exec("CREATE DATABASE innsyn_test_999999999_1"); err != nil {
		t.Fatal(err)
	}
	if err := s.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := s.admin.QueryRow("SELECT count(*) FROM pg_database WHERE datname = 'innsyn_test_999999999_1'").Scan(&n); err != nil || n != 0 {
		t.Errorf("a killed test's database: %d, %v", n, err)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		New(b)
	}
}
