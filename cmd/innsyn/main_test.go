package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store/storetest"
)

func TestUntilKeptWaitsForWhatMayCome(t *testing.T) {
	var log bytes.Buffer
	away := &privacy.Error{Kind: privacy.Unavailable, Key: "error.database", Reason: "not-migrated"}
	n := 0
	err := untilKept(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), 0, func(context.Context) error {
		if n++; n < 4 {
			return away
		}
		return nil
	})
	if err != nil || n != 4 {
		t.Errorf("%v after %d", err, n)
	}
	if said := strings.Count(log.String(), "waiting"); said != 1 {
		t.Errorf("said %d times:\n%s", said, log.String())
	}
}

func TestUntilKeptGivesUpOnWhatWaitingDoesNotMend(t *testing.T) {
	refused := errors.New("permission denied")
	n := 0
	log := slog.New(slog.DiscardHandler)
	err := untilKept(t.Context(), log, time.Millisecond, func(context.Context) error { n++; return refused })
	if !errors.Is(err, refused) || n < 2 {
		t.Errorf("%v after %d", err, n)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := untilKept(ctx, log, 0, func(context.Context) error { return refused }); !errors.Is(err, context.Canceled) {
		t.Errorf("asked to stop: %v", err)
	}
}

// What waits and what gives up, with a real database.
func TestKeepTellsMissingTablesFromMissingRights(t *testing.T) {
	d := storetest.New(t)
	catalogue, err := loadCatalogue("")
	if err != nil {
		t.Fatal(err)
	}
	c := &Config{}
	c.Database.URL = d.AppURL
	keep := func() error {
		db, err := openStore(c, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		return db.KeepCatalogue(t.Context(), catalogue)
	}
	owner := d.Owner(t)
	if _, err := owner.Exec(`REVOKE ALL ON catalogue FROM innsyn_app`); err != nil {
		t.Fatal(err)
	}
	if err := keep(); err == nil || privacy.KindOf(err) != privacy.Internal {
		t.Errorf("no right: %v", err)
	}
	if _, err := owner.Exec(`DROP TABLE catalogue CASCADE`); err != nil {
		t.Fatal(err)
	}
	if err := keep(); privacy.KindOf(err) != privacy.Unavailable {
		t.Errorf("no table: %v", err)
	}
}

// end-link ends the link as the application's role, prints what there is to answer
// for, and says as an error which recipients were told.
func TestEndLink(t *testing.T) {
	d := storetest.New(t)
	path := write(t, good)
	t.Setenv("INNSYN_DATABASE_URL", d.AppURL)
	owner := d.Owner(t)
	person := string(privacy.NewPersonRef())
	const link, row = "6f1d1c1e-0000-4000-8000-000000000001", "6f1d1c1e-0000-4000-8000-000000000002"
	for _, q := range []struct {
		query string
		args  []any
	}{
		{`INSERT INTO person (person_ref) VALUES ($1)`, []any{person}},
		{`INSERT INTO person_link (link_id, person_ref, system, external_id, evidence) VALUES ($2, $1, 'customer', '1', 'phone')`, []any{person, link}},
		{`INSERT INTO link_shown (link_id, page) VALUES ($1, '/overview')`, []any{link}},
		{`INSERT INTO delivery (delivery_id, person_ref, recipient, purpose, action, version, not_before, state, attempts, created_at, changed_at)
			VALUES ($2, $1, 'mailgun', 'newsletter', 'allow', 1, now(), 'confirmed', 1, now(), now())`, []any{person, row}},
		{`INSERT INTO delivery_attempt (delivery_id, started_at) VALUES ($1, now())`, []any{row}},
	} {
		if _, err := owner.Exec(q.query, q.args...); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{}, {"--link", link}, {"--link", "x", "--why", "wrong-person"}, {"--link", link, "--why", "It was Kari"}} {
		var out, errout bytes.Buffer
		if err := run(t.Context(), append([]string{"end-link", "--config", path}, args...), &out, &errout); err == nil {
			t.Errorf("%q: accepted", args)
		}
	}
	var out, errout bytes.Buffer
	if err := run(t.Context(), []string{"end-link", "--config", path, "--link", link, "--why", "wrong-person"}, &out, &errout); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"/overview", "mailgun", "newsletter", row} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("printed without %q:\n%s", want, out.String())
		}
	}
	told := false
	for line := range strings.Lines(errout.String()) {
		told = told || strings.Contains(line, `"level":"ERROR"`) && strings.Contains(line, row) && strings.Contains(line, link)
	}
	if !told || strings.Contains(errout.String(), person) {
		t.Errorf("logged:\n%s", errout.String())
	}
	var state, note, reason string
	if err := owner.QueryRow(`SELECT state, note, ended_why FROM delivery JOIN person_link USING (person_ref)`).Scan(&state, &note, &reason); err != nil {
		t.Fatal(err)
	}
	if state != "not_connected" || note != privacy.NoteNoAddress || reason != "wrong-person" {
		t.Errorf("%s %s, %s", state, note, reason)
	}
}

// Without a word, or with a wrong one, every command is named.
func TestUsageNamesEveryCommand(t *testing.T) {
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"serve", "worker", "migrate", "check", "verify-ledger", "end-link"} {
		if !strings.Contains(usage, "\n  "+name+" ") || !strings.Contains(string(source), `"`+name+`"`) {
			t.Errorf("%s isn't explained", name)
		}
	}
}
