package privacy

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// docs/DIVERGENCES.md speaks of purposes and of its own rows: both must exist.
func TestDivergences(t *testing.T) {
	b, err := os.ReadFile("../docs/DIVERGENCES.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	c := embedded(t)
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(text, -1) {
		if !isID(m[1]) {
			continue // a file
		}
		if _, err := c.Purpose(m[1]); err != nil {
			t.Errorf("no purpose %q in the catalogue", m[1])
		}
		named[m[1]] = true
	}
	if len(named) < 30 {
		t.Errorf("only %d purposes are named", len(named))
	}
	links := regexp.MustCompile(`\(#([a-z0-9-]+)\)`).FindAllStringSubmatch(text, -1)
	if len(links) == 0 {
		t.Error("no row refers to another")
	}
	for _, m := range links {
		if strings.Count(text, `<a id="`+m[1]+`">`) != 1 {
			t.Errorf("#%s is not one row", m[1])
		}
	}
}
