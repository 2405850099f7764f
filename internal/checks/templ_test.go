package checks

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The committed *_templ.go are what the pinned templ makes of the *.templ, and
// those are formatted. Done in a copy, so that the check changes nothing.
func TestTemplates(t *testing.T) {
	templ := os.Getenv("INNSYN_TEMPL")
	if templ == "" {
		templ = filepath.Join(t.TempDir(), "templ")
		build := exec.Command("go", "build", "-o", templ, "github.com/a-h/templ/cmd/templ")
		build.Dir = root
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build templ: %v\n%s", err, out)
		}
	}
	copied := t.TempDir()
	n := 0
	err := filepath.WalkDir(filepath.Join(root, "views"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".templ") {
			return err
		}
		n++
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		to := filepath.Join(copied, rel)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, b, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	if n == 0 {
		t.Fatal("no templates")
	}
	// Generated code names its template's path from the module's root.
	if err := os.WriteFile(filepath.Join(copied, "go.mod"), []byte("module "+main+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"fmt", "-fail", "views"}, {"generate", "-path", "views"}} {
		cmd := exec.Command(templ, args...)
		cmd.Dir = copied
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("templ %s: %v; run make generate\n%s", strings.Join(args, " "), err, out)
		}
	}
	made := map[string]bool{}
	for path, want := range templCode(t, copied) {
		made[path] = true
		have, err := os.ReadFile(filepath.Join(root, path))
		if err != nil || string(have) != want {
			t.Errorf("%s is not up to date: run make generate (%v)", path, err)
		}
	}
	for path := range templCode(t, root) {
		if !made[path] {
			t.Errorf("%s has no template any more", path)
		}
	}
}

// templCode reads the generated files of a copy of the project, by path from its root.
func templCode(t *testing.T, dir string) map[string]string {
	t.Helper()
	code := map[string]string{}
	err := filepath.WalkDir(filepath.Join(dir, "views"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_templ.go") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		code[rel] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return code
}
