package e2e

import (
	"net/http"
	"testing"
)

// TestStarts is the stack itself: alive, ready, and a front page.
func TestStarts(t *testing.T) {
	anew(t)
	c := call(t)
	for _, path := range []string{"/healthz", "/readyz", "/"} {
		if r := c.get(path); r.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, r.Status)
		}
	}
	arrive(t).visit("/")
}
