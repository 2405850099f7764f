package checks

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// checklistFolders is where the packages lie whose tests CHECKLIST.md names.
var checklistFolders = map[string]string{"auth": "auth", "authtest": "dev/authtest", "e2e": "dev/e2e", "idp": "dev/idp",
	"store": "store", "web": "web", "privacy": "privacy", "checks": "internal/checks"}

const checklistPoints = 62

func readText(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestChecklist holds docs/CHECKLIST.md to its word: every point has a line,
// every test that it names exists, and every point without a test has a line in
// DIVERGENCES.md that says why.
func TestChecklist(t *testing.T) {
	tests := map[string]bool{}
	for name, folder := range checklistFolders {
		files, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`).FindAllStringSubmatch(string(b), -1) {
				tests[name+"."+m[1]] = true
			}
		}
	}
	divergences := readText(t, "docs/DIVERGENCES.md")
	seen := map[int]bool{}
	for line := range strings.Lines(readText(t, "docs/CHECKLIST.md")) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		n, err := strconv.Atoi(strings.TrimSpace(cells[1]))
		if err != nil {
			continue // a heading
		}
		if seen[n] {
			t.Errorf("point %d stands twice", n)
		}
		seen[n] = true
		named := regexp.MustCompile("`([a-z0-9]+\\.Test\\w+)`").FindAllStringSubmatch(line, -1)
		for _, m := range named {
			if !tests[m[1]] {
				t.Errorf("point %d: there is no test %s", n, m[1])
			}
		}
		links := regexp.MustCompile(`\(DIVERGENCES\.md#([a-z0-9]+)\)`).FindAllStringSubmatch(line, -1)
		for _, m := range links {
			if !strings.Contains(divergences, `<a id="`+m[1]+`">`) {
				t.Errorf("point %d: DIVERGENCES.md has no line %s", n, m[1])
			}
		}
		if len(named) == 0 && len(links) == 0 {
			t.Errorf("point %d has neither a test nor a reason", n)
		}
	}
	for n := 1; n <= checklistPoints; n++ {
		if !seen[n] {
			t.Errorf("point %d is missing", n)
		}
	}
	if len(seen) != checklistPoints {
		t.Errorf("%d points, want %d", len(seen), checklistPoints)
	}
}

// TestRedirects: a redirect that follows a POST must be a GET, so nothing here
// redirects by 301, 302, 307 or 308. (checklist 9)
func TestRedirects(t *testing.T) {
	redirects := 0
	for _, folder := range []string{"web", "auth"} {
		files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			text := string(b)
			redirects += strings.Count(text, "http.StatusSeeOther")
			for _, no := range []string{"StatusMovedPermanently", "StatusFound", "StatusTemporaryRedirect", "StatusPermanentRedirect", "RedirectHandler"} {
				if strings.Contains(text, "http."+no) {
					t.Errorf("%s uses http.%s", f, no)
				}
			}
		}
	}
	if redirects == 0 {
		t.Error("no redirect was looked at")
	}
}
