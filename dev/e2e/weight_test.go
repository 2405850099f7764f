package e2e

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// mostFirst is what a first visit to a page may weigh, in bytes over the wire,
// fonts and headers included.
const mostFirst = 110_000

// weigh visits a page and returns what came over the wire, file by file.
func (v *visitor) weigh(path string) (total float64, files []load) {
	v.t.Helper()
	v.eye.forgetLoads()
	v.visit(path)
	v.until("everything loaded", func() bool { return v.eye.pending() == "" }, v.eye.pending)
	files = v.eye.loaded()
	for _, f := range files {
		total += f.Bytes
	}
	return total, files
}

// TestWeight: the first visit is light, and the next takes nothing but the page.
func TestWeight(t *testing.T) {
	anew(t)
	v := arrive(t)
	for _, path := range []string{"/", "/consents"} {
		if path == "/consents" {
			v.comes("ingrid")
			v.call("an empty cache", func(ctx context.Context, t *chromedp.Target) error {
				_, err := cdp.Call(ctx, t, network.ClearBrowserCache, cdp.Empty{})
				return err
			})
		}
		first, files := v.weigh(path)
		t.Logf("%s: first %.0f bytes", path, first)
		seen := map[string]bool{}
		for _, f := range files {
			seen[f.URL] = true
			t.Logf("  %6.0f %s", f.Bytes, strings.TrimPrefix(f.URL, world.Portal))
		}
		if len(files) < 4 || first < 20_000 {
			t.Fatalf("%s: %d files, %.0f bytes: not everything was counted", path, len(files), first)
		}
		if first > mostFirst {
			t.Errorf("%s: the first visit weighs %.0f bytes, at most %d", path, first, mostFirst)
		}
		again, files := v.weigh(path)
		t.Logf("%s: again %.0f bytes", path, again)
		for _, f := range files {
			// The icon of the tab is fetched when the browser gets round to it, so its
			// first time may fall in here.
			if strings.Contains(f.URL, "/static/") && f.Bytes > 0 && seen[f.URL] {
				t.Errorf("%s: loaded again: %s, %.0f bytes", path, f.URL, f.Bytes)
			}
		}
		if again >= first {
			t.Errorf("%s: the second visit weighs %.0f bytes, the first %.0f", path, again, first)
		}
	}
}

// TestStaticFiles: names that change with the content are kept for a year, and
// sent small.
func TestStaticFiles(t *testing.T) {
	anew(t)
	c := call(t)
	page := c.get("/")
	n := 0
	for part := range strings.SplitSeq(page.Body, `"`) {
		if !strings.HasPrefix(part, "/static/") {
			continue
		}
		file, _, _ := strings.Cut(part, "#")
		r := c.get(file, with("Accept-Encoding", "br, gzip"))
		n++
		if r.StatusCode != http.StatusOK || !strings.Contains(r.Header.Get("Cache-Control"), "immutable") || !strings.Contains(r.Header.Get("Cache-Control"), "max-age=31536000") {
			t.Errorf("%s: %s, Cache-Control %q", file, r.Status, r.Header.Get("Cache-Control"))
		}
		if e := r.Header.Get("Content-Encoding"); e == "" && !strings.HasSuffix(file, ".woff2") {
			t.Errorf("%s is sent as it is", file)
		}
	}
	if n < 4 {
		t.Errorf("only %d files", n)
	}
	for _, path := range []string{"/static/", "/static/app.css", "/static/../web/server.go", "/static/..%2f..%2fgo.mod", "/static/nothing.css"} {
		if r := c.get(path); r.StatusCode == http.StatusOK {
			t.Errorf("%s: %s", path, r.Status)
		}
	}
}
