package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"elekt.no/innsyn/privacy"
)

// loadCatalogue reads the catalogue from a file, or the one built in.
func loadCatalogue(path string) (*privacy.Catalogue, error) {
	if path == "" {
		return privacy.LoadCatalogue("privacy/catalogue.yaml", privacy.EmbeddedCatalogue)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	return privacy.LoadCatalogue(path, b)
}

// check validates a catalogue and prints it as a table.
func check(w io.Writer, path string) error {
	c, err := loadCatalogue(path)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "PURPOSE\tSECTION\tAREA\tBASIS\tCONTROL\tWHEN\tDATA\tRECIPIENTS\tRETENTION\tON NO\tFLAGS")
	for _, p := range c.Purposes {
		retention := string(p.Retention.Rule)
		if p.Retention.Months > 0 {
			retention += fmt.Sprintf(" + %d months", p.Retention.Months)
		}
		var flags []string
		for _, f := range []struct {
			name string
			on   bool
		}{{"also-objection", p.AlsoObjection}, {"legal-claims", p.LegalClaims}, {"gpc", p.GPC}, {"dormant", p.Dormant}} {
			if f.on {
				flags = append(flags, f.name)
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t6(1)(%s)\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", p.ID, p.Section, p.Area, p.Basis, p.Control, p.When,
			strings.Join(p.Data, " "), strings.Join(p.Recipients, " "), retention, p.Retention.OnStop, strings.Join(flags, " "))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\n%d purposes, %d categories of data, %d recipients. Version %s, SHA-256 %s\n",
		len(c.Purposes), len(c.Data), len(c.Recipients), c.Version, c.Hash())
	return err
}
