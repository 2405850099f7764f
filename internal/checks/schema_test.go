package checks

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"elekt.no/innsyn/internal/pgdev"
	"elekt.no/innsyn/store/storetest"
)

// store/schema.sql is the migrated database as pg_dump writes it, for reading
// and for reviews: a migration shows there what it comes to.
func TestSchema(t *testing.T) {
	d := storetest.New(t)
	dump, err := pgdev.Program(t.Context(), t.Output(), "pg_dump")
	if err != nil {
		t.Fatal(err)
	}
	// The job queue's tables are River's own and come with its version.
	cmd := exec.CommandContext(t.Context(), dump, "--schema-only", "--schema=public", "--no-owner",
		"--exclude-table=river_*", "--exclude-table=goose_*", d.OwnerURL)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("pg_dump: %v\n%s", err, stderr.String())
	}
	schema := normalise(string(out))
	if !strings.Contains(schema, "CREATE TABLE public.ledger_leaf") {
		t.Fatalf("the dump has no ledger:\n%s", schema)
	}
	golden(t, "store/schema.sql", "-- The migrated database, made by make generate. Don't edit: write a migration.\n\n"+schema)
}

// normalise takes away what differs between versions of pg_dump and says nothing
// about the schema.
func normalise(dump string) string {
	var b strings.Builder
	blank := true
	for line := range strings.Lines(dump) {
		line = strings.TrimRight(line, " \n")
		switch {
		case strings.HasPrefix(line, "--"), strings.HasPrefix(line, "SET "), strings.HasPrefix(line, `\`),
			strings.HasPrefix(line, "SELECT pg_catalog.set_config"),
			line == "CREATE SCHEMA public;", strings.HasPrefix(line, "COMMENT ON SCHEMA public"):
			continue
		case line == "":
			if !blank {
				b.WriteString("\n")
			}
			blank = true
		default:
			b.WriteString(line + "\n")
			blank = false
		}
	}
	return strings.TrimSpace(b.String()) + "\n"
}
