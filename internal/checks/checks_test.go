package checks

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	root = "../.."           // from here to the project's root
	main = "elekt.no/innsyn" // module paths
	dev  = "elekt.no/innsyn/dev"
)

var update = flag.Bool("update", false, "write the generated files instead of comparing them")

// goPackage is what go list says of a package.
type goPackage struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Module     *goModule
}

type goModule struct {
	Path, Version, Dir string
	Main               bool
	Replace            *goModule
}

// list runs go list -json in a folder of the project.
func list(t *testing.T, dir string, args ...string) []goPackage {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Standard,Imports,Module"}, args...)...)
	cmd.Dir = filepath.Join(root, dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	var packages []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// golden compares what was made with the committed file, or writes it with -update.
func golden(t *testing.T, path string, want string) {
	t.Helper()
	path = filepath.Join(root, path)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(b) != want {
		t.Errorf("%s is not up to date: run make generate. The first difference:\n%s", path, firstDifference(string(b), want))
	}
}

func firstDifference(have, want string) string {
	h, w := strings.Split(have, "\n"), strings.Split(want, "\n")
	for i := 0; ; i++ {
		switch {
		case i == len(h) && i == len(w):
			return ""
		case i == len(h):
			return "+ " + w[i]
		case i == len(w):
			return "- " + h[i]
		case h[i] != w[i]:
			return "- " + h[i] + "\n+ " + w[i]
		}
	}
}
