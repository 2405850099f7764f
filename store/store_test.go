package store_test

import (
	"strings"
	"sync"
	"testing"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
	"elekt.no/innsyn/store/storetest"
)

// An address that can't be read is named by its key: it holds a password.
func TestBadAddressIsNotRepeated(t *testing.T) {
	const good = "postgres://app@localhost/innsyn"
	for _, bad := range []string{"postgres://app:hush@localhost:port/innsyn", "password=hush hush", "postgres://app:hush%zz@localhost/innsyn"} {
		for key, o := range map[string]store.Options{"database.url": {URL: bad}, "database.company": {URL: good, CompanyURL: bad}} {
			_, err := store.Open(o)
			if err == nil || !strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "localhost") {
				t.Errorf("%v, want %s alone", err, key)
			}
		}
		if err := store.Migrate(t.Context(), bad); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("migrate: %v", err)
		}
	}
}

// The application may do what stands by name, and nothing to a new table.
func TestRightsAreByName(t *testing.T) {
	d := storetest.New(t)
	owner := d.Owner(t)
	if _, err := owner.Exec(`CREATE TABLE ledger_more (v int)`); err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(t.Context(), d.OwnerURL); err != nil {
		t.Fatal(err)
	}
	for table, want := range map[string]string{
		"ledger_more": "", "ledger_leaf": "SELECT INSERT", "ledger_entry": "SELECT INSERT", "catalogue": "SELECT INSERT",
		"shown_text": "SELECT INSERT", "auth_event": "SELECT INSERT", "goose_db_version": "SELECT", "river_migration": "SELECT",
		"delivery": "SELECT INSERT UPDATE DELETE", "delivery_kept": "SELECT INSERT UPDATE DELETE", "river_job": "SELECT INSERT UPDATE DELETE",
	} {
		var have []string
		for _, right := range []string{"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"} {
			var may bool
			if err := owner.QueryRow(`SELECT has_table_privilege('innsyn_app', $1, $2)`, table, right).Scan(&may); err != nil {
				t.Fatal(err)
			}
			if may {
				have = append(have, right)
			}
		}
		if got := strings.Join(have, " "); got != want {
			t.Errorf("%s: %q, want %q", table, got, want)
		}
	}
}

// Of many requests for a code at the same moment one code is left.
func TestOneCodeIsOpen(t *testing.T) {
	p := newPeople(t)
	me := logIn(t, p, identity("a", nil), store.Match{}).Person
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := p.AskCode(t.Context(), me, &store.Customer{No: "1", Phone: "+4700000001"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := p.count(t, `SELECT count(*) FROM one_time_code WHERE person_ref = $1`, me); n != 1 {
		t.Errorf("%d codes", n)
	}
	_, err := p.owner.ExecContext(t.Context(), `INSERT INTO one_time_code (person_ref, use, external_id, created_at, expires_at)
		VALUES ($1, 'link', '1', now(), now())`, me)
	if err == nil || !strings.Contains(err.Error(), "one_time_code_open") {
		t.Errorf("a second open code: %v", err)
	}
	none, err := store.Open(store.Options{URL: p.db.AppURL})
	if err != nil {
		t.Fatal(err)
	}
	defer none.Close()
	var id string
	if err := p.owner.QueryRow(`SELECT code_id FROM one_time_code`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	if _, err := none.CodeToSend(t.Context(), id); privacy.KindOf(err) != privacy.Unavailable {
		t.Errorf("a code to send without the company's database: %v", err)
	}
}
