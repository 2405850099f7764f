package demo

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"elekt.no/innsyn/privacy"
)

// number finds a valid number that begins with six digits. Real ones are made
// here when a test runs, so that none ever stands in a file.
func number(t *testing.T, day string) string {
	t.Helper()
	for i := range 100000 {
		if n := fmt.Sprintf("%s%05d", day, i); privacy.ValidNationalID(n) {
			return n
		}
	}
	t.Fatalf("no number begins with %s", day)
	return ""
}

func TestCheckNationalID(t *testing.T) {
	good := number(t, "018190")
	for _, test := range []struct {
		name, number string
		want         error
	}{
		{"synthetic", good, nil},
		{"synthetic D-number", number(t, "418190"), nil},
		{"leap day", number(t, "298200"), nil},
		{"real", number(t, "010190"), ErrNotSynthetic},
		{"real D-number", number(t, "410190"), ErrNotSynthetic},
		{"of the health service", number(t, "014190"), ErrNotSynthetic},
		{"of another synthetic series", number(t, "016590"), ErrNotSynthetic},
		{"no such day", number(t, "308290"), ErrNoSuchDay},
		{"no leap year", number(t, "298290"), ErrNoSuchDay},
		{"day zero", number(t, "008190"), ErrNoSuchDay},
		{"control digits", good[:10] + string((good[10]-'0'+1)%10+'0'), ErrControlDigits},
		{"ten digits", good[:10], ErrNotElevenDigits},
		{"a letter", good[:10] + "x", ErrNotElevenDigits},
		{"nothing", "", ErrNotElevenDigits},
	} {
		if err := CheckNationalID(test.number); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}

func TestIsRealNationalID(t *testing.T) {
	real := number(t, "010190")
	for _, test := range []struct {
		name, number string
		want         bool
	}{
		{"ordinary", real, true},
		{"D-number", number(t, "410190"), true},
		{"of the health service", number(t, "014190"), true},
		{"synthetic", number(t, "018190"), false},
		{"no such day", number(t, "310290"), false},
		{"control digits", real[:10] + string((real[10]-'0'+1)%10+'0'), false},
		{"ten digits", real[:10], false},
	} {
		if got := IsRealNationalID(test.number); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// digitRun is eleven digits, also with the usual space after the sixth.
var digitRun = regexp.MustCompile(`[0-9]+(?: [0-9]{5})?`)

// realNumbers finds what could be identity numbers of living people.
func realNumbers(b []byte) (out []string) {
	for _, m := range digitRun.FindAll(b, -1) {
		for _, candidate := range append(strings.Fields(string(m)), strings.ReplaceAll(string(m), " ", "")) {
			if IsRealNationalID(candidate) {
				out = append(out, candidate)
			}
		}
	}
	return out
}

func TestRealNumbers(t *testing.T) {
	real := number(t, "010190")
	for _, text := range []string{real, "x" + real + "y", real[:6] + " " + real[6:], `"` + real + `"`} {
		if len(realNumbers([]byte(text))) == 0 {
			t.Errorf("not found in %d characters", len(text))
		}
	}
	for _, text := range []string{real + "0", "0" + real, number(t, "018190"), real[:6] + "-" + real[6:]} {
		if found := realNumbers([]byte(text)); len(found) != 0 {
			t.Errorf("found in %d characters", len(text))
		}
	}
}

// No file of the project holds a number that could belong to somebody.
func TestNoRealNumbers(t *testing.T) {
	root := projectRoot(t)
	files := projectFiles(t, root)
	if len(files) < 20 {
		t.Fatalf("only %d files", len(files))
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(root, f))
		if errors.Is(err, os.ErrNotExist) {
			continue // tracked, and removed just now
		}
		if err != nil {
			t.Fatal(err)
		}
		for range realNumbers(b) {
			t.Errorf("%s holds a number that could be real", f)
		}
	}
}

// projectRoot is the folder of the main module.
func projectRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(b, []byte("module elekt.no/innsyn\n")) {
			return dir
		}
		if filepath.Dir(dir) == dir {
			t.Fatal("no main module above this folder")
		}
		dir = filepath.Dir(dir)
	}
}

// projectFiles lists the files that are tracked or could be, below root. Without
// git it lists all but the folders that hold no source.
func projectFiles(t *testing.T, root string) []string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	if out, err := list.Output(); err == nil {
		return strings.Split(strings.Trim(string(out), "\x00"), "\x00")
	}
	var files []string
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			switch d.Name() {
			case ".git", ".cache", "bin", "tmp":
				return filepath.SkipDir
			}
			return nil
		}
		if d.Type().IsRegular() {
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			files = append(files, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
