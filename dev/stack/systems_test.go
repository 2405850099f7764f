package stack

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const separator = "---- answer ----"

// block is the commands of docs/API.md up to the answers that they give.
type block struct{ commands, answers string }

// documented reads docs/API.md.
func documented(t *testing.T, root string) []block {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, "docs", "API.md"))
	if err != nil {
		t.Fatal(err)
	}
	var out []block
	for _, m := range regexp.MustCompile("(?s)```(sh|json)\n(.*?)\n```").FindAllStringSubmatch(string(b), -1) {
		switch {
		case m[1] == "sh":
			out = append(out, block{commands: m[2]})
		case len(out) == 0 || out[len(out)-1].answers != "":
			t.Fatalf("an answer without a command: %s", m[2])
		default:
			out[len(out)-1].answers = m[2]
		}
	}
	return out
}

// runDocument runs every command of docs/API.md in one shell, as a reader would, and
// compares the answers.
func runDocument(t *testing.T, s *Stack, root, secrets string) {
	t.Helper()
	blocks := documented(t, root)
	var script strings.Builder
	script.WriteString("set -eu\n")
	calls := 0
	for _, b := range blocks {
		script.WriteString(b.commands + "\necho\necho '" + separator + "'\n")
		calls += strings.Count(b.commands, "curl ")
	}
	if calls < 12 {
		t.Fatalf("only %d calls in the document", calls)
	}
	cmd := exec.CommandContext(t.Context(), "sh")
	cmd.Stdin = strings.NewReader(script.String())
	cmd.Env = append(os.Environ(), "PORTAL="+s.Portal, "ISSUER="+s.IDP.Issuer("company"), "SECRETS="+secrets, "no_proxy=*")
	var errout strings.Builder
	cmd.Stderr = &errout
	out, err := cmd.Output()
	if err != nil || errout.Len() > 0 {
		t.Fatalf("docs/API.md: %v\n%s\n%s", err, errout.String(), out)
	}
	got := strings.Split(string(out), separator)
	for i, b := range blocks {
		want, have := values(t, b.answers), values(t, got[i])
		if len(want) != len(have) {
			t.Errorf("docs/API.md: %d answers, %d are documented\n%s\n%s", len(have), len(want), b.commands, got[i])
			continue
		}
		for j := range want {
			if err := same(want[j], have[j], "$"); err != nil {
				t.Errorf("docs/API.md: %v\n%s\n%s", err, b.commands, got[i])
			}
		}
	}
}

// values are the JSON values in a text, one after the other.
func values(t *testing.T, text string) []any {
	t.Helper()
	var out []any
	for d := json.NewDecoder(strings.NewReader(text)); ; {
		var v any
		switch err := d.Decode(&v); err {
		case nil:
			out = append(out, v)
		case io.EOF:
			return out
		default:
			t.Fatalf("%v in %q", err, text)
		}
	}
}

// same compares an answer with the documented one, in which "…" is anything.
func same(want, have any, at string) error {
	if want == "…" {
		return nil
	}
	switch w := want.(type) {
	case map[string]any:
		h, ok := have.(map[string]any)
		if !ok {
			return fmt.Errorf("%s is %v", at, have)
		}
		for name := range h {
			if _, ok := w[name]; !ok {
				return fmt.Errorf("%s.%s isn't documented", at, name)
			}
		}
		for name := range w {
			if _, ok := h[name]; !ok {
				return fmt.Errorf("%s.%s is missing", at, name)
			}
			if err := same(w[name], h[name], at+"."+name); err != nil {
				return err
			}
		}
		return nil
	case []any:
		h, ok := have.([]any)
		if !ok || len(h) != len(w) {
			return fmt.Errorf("%s is %v", at, have)
		}
		for i := range w {
			if err := same(w[i], h[i], fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
		return nil
	}
	if want != have {
		return fmt.Errorf("%s is %v, documented %v", at, have, want)
	}
	return nil
}
