package demo

import (
	"bytes"
	"database/sql"
	"strings"
	"testing"

	"github.com/lib/pq"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store/storetest"
)

var ninKey = []byte("a key for tests, 32 bytes long..")

// loaded is a company database made from nothing and filled, as seen by its
// owner and by the portal's reader.
func loaded(t *testing.T) (owner, reader *sql.DB) {
	t.Helper()
	d := storetest.New(t)
	owner = d.Owner(t)
	owner.SetMaxOpenConns(1)
	run(t, owner, "SET ROLE elekt_owner", "DROP SCHEMA elekt CASCADE", "RESET ROLE", SchemaSQL)
	if err := Load(t.Context(), owner, ninKey); err != nil {
		t.Fatal(err)
	}
	reader, err := sql.Open("postgres", d.CompanyURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
	})
	return owner, reader
}

func run(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, q := range statements {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatalf("%.60s: %v", q, err)
		}
	}
}

func count(t *testing.T, db *sql.DB, query string, args ...any) int {
	t.Helper()
	var n int
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestLoad(t *testing.T) {
	_, reader := loaded(t)
	devices, readers := 0, len(Subscribers())
	for _, c := range Customers() {
		devices += len(c.Devices)
		if len(c.Newsletters) > 0 {
			readers++
		}
	}
	for table, want := range map[string]int{"customer": len(Customers()), "device": devices, "newsletter": readers} {
		if got := count(t, reader, "SELECT count(*) FROM elekt."+table); got != want {
			t.Errorf("%s has %d rows, want %d", table, got, want)
		}
	}
	// The ways in which the portal finds a customer.
	person := func(key string) Person {
		p, ok := ByKey(key)
		if !ok {
			t.Fatalf("no %s", key)
		}
		return p
	}
	byNumber := "SELECT count(*) FROM elekt.customer WHERE nin_hash = $1"
	for key, want := range map[string]int{"ingrid": 1, "bjarne": 2, "kari": 0, "berit": 1, "piotr": 1, "marit": 0} {
		if got := count(t, reader, byNumber, privacy.HashNationalID(ninKey, person(key).NationalID)); got != want {
			t.Errorf("%s is found %d times by number, want %d", key, got, want)
		}
	}
	for key, want := range map[string]int{"silje": 1, "marit": 2, "kari": 0} {
		if got := count(t, reader, "SELECT count(*) FROM elekt.customer WHERE phone = $1", person(key).Phone); got != want {
			t.Errorf("%s is found %d times by telephone, want %d", key, got, want)
		}
	}
	if got := count(t, reader, "SELECT count(*) FROM elekt.customer WHERE protected_address"); got != 1 {
		t.Errorf("%d people are protected", got)
	}
}

// The database holds identity numbers as keyed hashes only.
func TestLoadKeepsNoNumber(t *testing.T) {
	_, reader := loaded(t)
	var all string
	if err := reader.QueryRowContext(t.Context(), "SELECT string_agg(c::text, '\n') FROM elekt.customer c").Scan(&all); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(all, "Tveitlid") {
		t.Fatal("the rows are not there")
	}
	for _, p := range People() {
		if p.NationalID != "" && strings.Contains(all, p.NationalID) {
			t.Errorf("the number of %s stands in the database", p.Key)
		}
	}
	if bytes.Equal(privacy.HashNationalID(ninKey, "1"), privacy.HashNationalID([]byte("another key"), "1")) {
		t.Error("the key makes no difference")
	}
}

// Both may be run again: what was changed is set back, what was added stays.
func TestLoadAgain(t *testing.T) {
	owner, reader := loaded(t)
	run(t, owner, "SET ROLE elekt_owner",
		"UPDATE elekt.customer SET plan = 'free', email = NULL WHERE customer_no = '100245'",
		"INSERT INTO elekt.customer (customer_no, given_name, family_name, created_at) VALUES ('999999', 'Ny', 'Kunde', now())",
		"RESET ROLE", SchemaSQL)
	if err := Load(t.Context(), owner, ninKey); err != nil {
		t.Fatal(err)
	}
	if got := count(t, reader, "SELECT count(*) FROM elekt.customer"); got != len(Customers())+1 {
		t.Errorf("%d customers", got)
	}
	if got := count(t, reader, "SELECT count(*) FROM elekt.customer WHERE customer_no = '100245' AND plan = 'plus' AND email = 'ingrid@example.com'"); got != 1 {
		t.Error("ingrid's row wasn't set back")
	}
}

func TestLoadWithoutKey(t *testing.T) {
	owner, _ := loaded(t)
	if err := Load(t.Context(), owner, nil); err == nil {
		t.Error("loaded without a key")
	}
}

// The portal's login reads and nothing else.
func TestReaderWritesNothing(t *testing.T) {
	_, reader := loaded(t)
	for _, q := range []string{
		"UPDATE elekt.customer SET plan = 'free'",
		"DELETE FROM elekt.newsletter",
		"INSERT INTO elekt.newsletter (email, lists, since) VALUES ('x@example.com', '{newsletter}', now())",
		"TRUNCATE elekt.device",
		"CREATE TABLE elekt.mine (x int)",
		"SET ROLE elekt_owner",
	} {
		_, err := reader.ExecContext(t.Context(), q)
		if e := pq.As(err, "42501"); e == nil {
			t.Errorf("%s: %v", q, err)
		}
	}
}
