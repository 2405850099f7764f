package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"elekt.no/innsyn/dev/demo"
)

// logs is everything that the binary wrote, line by line.
type logs struct {
	mu      sync.Mutex
	lines   []string
	changed chan struct{} // closed and renewed with every line
}

func newLogs() *logs { return &logs{changed: make(chan struct{})} }

// Write takes whole lines, as package stack writes them.
func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range bytes.Lines(b) {
		l.lines = append(l.lines, strings.TrimRight(string(line), "\n"))
	}
	close(l.changed)
	l.changed = make(chan struct{})
	return len(b), nil
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n") + "\n"
}

// mark is the place where the log ends now.
func (l *logs) mark() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.lines)
}

// since is what was written after a mark.
func (l *logs) since(mark int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines[mark:])
}

// wait returns the first line after a mark for which match is true, now or soon.
func (l *logs) wait(t testing.TB, mark int, what string, match func(string) bool) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		l.mu.Lock()
		changed := l.changed
		i := slices.IndexFunc(l.lines[mark:], match)
		var line string
		if i >= 0 {
			line = l.lines[mark+i]
		}
		l.mu.Unlock()
		if i >= 0 {
			return line
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("the log never said %s; it said:\n%s", what, strings.Join(l.since(mark), "\n"))
		}
	}
}

// entry is a line of the binary's log.
type entry struct {
	Process string `json:"-"`
	Level   string
	Msg     string
	Reason  string
	Kind    string
	Route   string
	Status  int
	Person  string
}

// parse reads a line; false for what isn't one of the binary's own.
func parse(line string) (entry, bool) {
	process, rest, ok := strings.Cut(line, " | ")
	if !ok {
		return entry{}, false
	}
	e := entry{Process: process}
	return e, json.Unmarshal([]byte(rest), &e) == nil
}

// logged waits for a line with a reason code and returns it.
func logged(t testing.TB, mark int, reason string) entry {
	t.Helper()
	line := world.logs.wait(t, mark, "reason "+reason, func(line string) bool {
		e, ok := parse(line)
		return ok && e.Reason == reason
	})
	e, _ := parse(line)
	return e
}

// took is how long something took: a figure that can look like any number.
var took = regexp.MustCompile(`"(took|duration|time)":("[^"]*"|[0-9.]+)`)

// word splits a line into what a name or a number could be.
var word = regexp.MustCompile(`[\pL\pN@+._%-]+`)

// crawl looks for secrets in what the binary wrote. A secret is found as a word
// of its own, or, if it is long enough not to be there by chance, anywhere.
func (l *logs) crawl(secrets map[string]string) []string {
	const long = 8
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for _, line := range l.lines {
		process, rest, ok := strings.Cut(line, " | ")
		if !ok {
			continue // the neighbours'
		}
		rest = took.ReplaceAllString(rest, "")
		lower := strings.ToLower(rest)
		words := map[string]bool{}
		for _, w := range word.FindAllString(rest, -1) {
			words[strings.Trim(w, ".-_")] = true
		}
		for _, secret := range slices.Sorted(maps.Keys(secrets)) {
			if words[secret] || len(secret) >= long && strings.Contains(lower, strings.ToLower(secret)) {
				found = append(found, fmt.Sprintf("%s in %s: %s", secrets[secret], process, line))
			}
		}
	}
	return found
}

// secrets are what the binary saw and must not write: value to what it is. The
// visitors and callers add what passes through their hands.
var secrets = struct {
	sync.Mutex
	seen map[string]string
}{seen: map[string]string{}}

// secret notes a value that no log may hold.
func secret(value, what string) {
	if len(value) < 6 {
		return
	}
	secrets.Lock()
	defer secrets.Unlock()
	secrets.seen[value] = what
}

// everySecret is what demo people are known by, and what was noted on the way.
func everySecret() map[string]string {
	secrets.Lock()
	defer secrets.Unlock()
	out := maps.Clone(secrets.seen)
	add := func(what string, values ...string) {
		for _, v := range values {
			if v != "" {
				out[v] = what
			}
		}
	}
	for _, p := range demo.People() {
		add("a name", strings.Fields(p.GivenName)...)
		add("a name", strings.Fields(p.FamilyName)...)
		add("an identity number", p.NationalID)
		add("a telephone number", p.Phone, strings.TrimPrefix(p.Phone, "+47"), "47"+strings.TrimPrefix(p.Phone, "+47"))
		add("an e-mail address", p.Email)
		add("a subject", p.BankIDAltSub, p.VippsSub)
		add("an address", p.Address.Street)
	}
	for _, c := range demo.Customers() {
		add("a customer number", c.No, c.ShopID, c.AppAccount)
		add("an e-mail address", c.Email)
		add("a telephone number", c.Phone)
		for _, d := range c.Devices {
			add("a device", d.Installation, d.PushToken, d.Advertising)
		}
	}
	return out
}

// TestCrawlFinds proves that the search at the end would find something.
func TestCrawlFinds(t *testing.T) {
	line := func(s string) *logs {
		l := newLogs()
		fmt.Fprintf(l, "serve | {\"time\":\"2026-11-24T23:00:00Z\",\"level\":\"INFO\",\"msg\":%q,\"took\":100245}\n", s)
		return l
	}
	known := everySecret()
	for _, s := range []string{"hello Ingrid", "customer 100245", "tel +4700000001", "tel:00000001", "to ingrid@example.com,", "nin=12858421045",
		"Blåtimeveien 12", "INGRID@EXAMPLE.COM", "Čáhppesjávri-Nordlyshøgdasletten"} {
		if len(line(s).crawl(known)) == 0 {
			t.Errorf("%q was not found", s)
		}
	}
	for _, s := range []string{"ready", "evening", "1002451"} {
		if found := line(s).crawl(known); len(found) > 0 {
			t.Errorf("%q: %q", s, found)
		}
	}
}

// patience is how long something that must happen may take, on a machine that has
// much else to do.
const patience = time.Minute
