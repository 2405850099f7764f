package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"elekt.no/innsyn/dev/demo"
)

// What Mailgun knows Elekt's newsletter by.
const (
	newsDomain = "news.elekt.example"
	newsList   = "newsletter@news.elekt.example"
	newsTag    = "newsletter"
)

// anew empties the portal for a test: nobody has been here, nothing was chosen,
// the neighbours are as they were at the start. When the test ends every proof
// in the ledger is recomputed.
func anew(t *testing.T) {
	t.Helper()
	setBack(t)
	t.Cleanup(func() {
		if n, err := world.store.VerifyLedger(context.Background()); err != nil { // the test's own context has ended
			t.Errorf("the ledger, after %d entries: %v", n, err)
		}
	})
}

func setBack(t *testing.T) {
	t.Helper()
	world.IDP.Reset()
	rest(t)
	owner(t, `DELETE FROM river_job WHERE state <> 'running'`)
	owner(t, `TRUNCATE person, child_case, rate_limit, ledger_leaf CASCADE`)
	world.Standin.Reset()
	for _, c := range demo.Customers() {
		for _, list := range c.Newsletters {
			if err := world.Standin.Subscribe(strings.Replace(newsList, "newsletter", strings.TrimSuffix(list, "-list"), 1), c.Email, ""); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// rest waits until the worker has nothing in its hands.
func rest(t *testing.T) {
	t.Helper()
	until(t, "the worker at rest", func() bool {
		return number(t, `SELECT count(*) FROM river_job WHERE state = 'running'`) == 0
	})
}

// owner runs a statement as the owner of the database, for what no code of the
// portal does.
func owner(t testing.TB, statement string, args ...any) int64 {
	t.Helper()
	r, err := world.owner.ExecContext(t.Context(), statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	n, err := r.RowsAffected()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// number asks the database for one number.
func number(t testing.TB, query string, args ...any) int {
	t.Helper()
	return one[int](t, query, args...)
}

// one asks the database for one value.
func one[T any](t testing.TB, query string, args ...any) T {
	t.Helper()
	var v T
	if err := world.owner.QueryRowContext(t.Context(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// until waits for something that no event tells of.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	end := time.Now().Add(patience)
	for !done() {
		if time.Now().After(end) {
			t.Fatalf("never came: %s", what)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(15 * time.Millisecond):
		}
	}
}

// person finds a demo person.
func person(t testing.TB, key string) demo.Person {
	t.Helper()
	p, ok := demo.ByKey(key)
	if !ok {
		t.Fatalf("no demo person %q", key)
	}
	return p
}
