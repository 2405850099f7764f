package static

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

func get(t *testing.T, path, accept string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if accept != "" {
		r.Header.Set("Accept-Encoding", accept)
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestServedForms(t *testing.T) {
	want := string(Body("app.css"))
	for _, tc := range []struct {
		accept, encoding string
		open             func(io.Reader) io.Reader
	}{
		{"gzip, deflate, br", "br", func(r io.Reader) io.Reader { return brotli.NewReader(r) }},
		{"gzip;q=1.0, br;q=0", "gzip", func(r io.Reader) io.Reader {
			z, err := gzip.NewReader(r)
			if err != nil {
				t.Fatal(err)
			}
			return z
		}},
		{"", "", func(r io.Reader) io.Reader { return r }},
	} {
		res := get(t, URL("app.css"), tc.accept)
		if res.StatusCode != 200 || res.Header.Get("Content-Encoding") != tc.encoding {
			t.Fatalf("%q: %d, encoding %q", tc.accept, res.StatusCode, res.Header.Get("Content-Encoding"))
		}
		if !strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%q: may not be cached for ever", tc.accept)
		}
		got, err := io.ReadAll(tc.open(res.Body))
		if err != nil || string(got) != want {
			t.Errorf("%q: another body came out (%v)", tc.accept, err)
		}
	}
}

func TestOnlyCurrentNames(t *testing.T) {
	for _, p := range []string{Prefix + "app.css", Prefix + "app.000000000000.css", Prefix, Prefix + "../static.go"} {
		if res := get(t, p, ""); res.StatusCode != 404 {
			t.Errorf("%s: %d", p, res.StatusCode)
		}
	}
}

// What a first visit fetches besides the page itself.
func TestWeight(t *testing.T) {
	total := 0
	for _, n := range []string{"app.css", "htmx.min.js", "app.js", "icons.svg", "favicon.svg", "street.svg", "schibsted-grotesk-latin.woff2"} {
		b, err := io.ReadAll(get(t, URL(n), "gzip, br").Body)
		if err != nil {
			t.Fatal(err)
		}
		total += len(b)
		t.Logf("%-32s %6d", n, len(b))
	}
	t.Logf("%-32s %6d", "together", total)
	if total > 90_000 {
		t.Errorf("first load of %d bytes leaves too little for the page", total)
	}
}

func TestStyleSheet(t *testing.T) {
	css := string(Body("app.css"))
	for _, m := range regexp.MustCompile(`url\(([^)]{1,60})`).FindAllStringSubmatch(css, -1) {
		u := strings.Trim(m[1], `"'`)
		if strings.HasPrefix(u, "data:image/svg+xml") {
			continue
		}
		if byHashed[u] == nil {
			t.Errorf("url(%s) isn't served", u)
		}
	}
	if strings.Contains(css, "@import") || strings.Contains(css, "http://") && !strings.Contains(css, "www.w3.org") {
		t.Error("the style sheet reaches outside")
	}
	if strings.Contains(css, "/*") {
		t.Error("a comment is served")
	}
}

// The colours chosen by the reader's system and those chosen by the app are one set.
func TestDarkIsOneSet(t *testing.T) {
	src, err := files.ReadFile("css/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile(`(?s)\[data-color-scheme="(?:dark|auto)"\]\{(.*?)\}`).FindAllStringSubmatch(string(src), -1)
	if len(blocks) != 2 || blocks[0][1] != blocks[1][1] {
		t.Error("the two dark blocks differ")
	}
}

func TestThirdParty(t *testing.T) {
	list, err := os.ReadFile("THIRD_PARTY.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| `([0-9a-f]{64})` \\|$").FindAllStringSubmatch(string(list), -1)
	named := map[string]bool{}
	for _, r := range rows {
		named[r[1]] = true
		body, err := os.ReadFile(r[1])
		if err != nil {
			t.Error(err)
			continue
		}
		if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != r[2] {
			t.Errorf("%s isn't the file that is listed", r[1])
		}
	}
	for _, dir := range []string{"designsystemet", "fonts", "htmx"} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if n := dir + "/" + e.Name(); !named[n] {
				t.Errorf("%s isn't listed in THIRD_PARTY.md", n)
			}
		}
	}
}
