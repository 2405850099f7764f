package e2e

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// watch sees everything that a tab does, whoever drives it, and keeps what no
// page of ours may do.
type watch struct {
	mu       sync.Mutex
	faults   []string
	expected map[int64]bool // statuses that the test asks for, so that the console's word about them is no fault
	loss     bool           // the test takes the portal away, so that no answer is no fault
	document *network.Response
	loads    map[network.RequestID]*load
}

// load is one file on its way to the browser.
type load struct {
	URL    string
	Kind   network.ResourceType
	Bytes  float64 // over the wire, headers included
	Cached bool
	Done   bool
}

func newWatch() *watch {
	return &watch{expected: map[int64]bool{}, loads: map[network.RequestID]*load{}}
}

// see takes an event of the tab.
func (w *watch) see(ev any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch ev := ev.(type) {
	case *runtime.EventConsoleAPICalled:
		if w.loss && strings.Contains(words(ev.Args), "Failed to fetch") {
			return
		}
		if ev.Type == runtime.ConsoleAPICalledTypeError || ev.Type == runtime.ConsoleAPICalledTypeWarning || ev.Type == runtime.ConsoleAPICalledTypeAssert {
			w.fault("console %s: %s", ev.Type, words(ev.Args))
		}
	case *runtime.EventExceptionThrown:
		w.fault("exception: %s %s", ev.ExceptionDetails.Text, describe(ev.ExceptionDetails.Exception))
	case *log.EventEntryAdded:
		w.entry(ev.Entry)
	case *network.EventRequestWillBeSent:
		w.request(ev)
	case *network.EventResponseReceived:
		w.response(ev)
	case *network.EventResponseReceivedExtraInfo:
		w.cookies(ev.Headers)
	case *network.EventRequestServedFromCache:
		if l := w.loads[ev.RequestID]; l != nil {
			l.Cached = true
		}
	case *network.EventLoadingFinished:
		if l := w.loads[ev.RequestID]; l != nil {
			l.Done, l.Bytes = true, ev.EncodedDataLength
		}
	case *network.EventLoadingFailed:
		l := w.loads[ev.RequestID]
		if l == nil {
			return
		}
		l.Done = true
		if !ev.Canceled && !w.loss && ev.ErrorText != "net::ERR_ABORTED" {
			w.fault("%s failed: %s %s", l.URL, ev.ErrorText, ev.BlockedReason)
		}
	}
}

func (w *watch) fault(format string, args ...any) {
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
}

// entry is a line of the browser's own: refused resources, breaches of the
// Content-Security-Policy, statuses from 400 on.
func (w *watch) entry(e *log.Entry) {
	if e.Level != log.EntryLevelError && e.Level != log.EntryLevelWarning {
		return
	}
	if w.loss && strings.Contains(e.Text, "net::ERR_") {
		return
	}
	for status := range w.expected {
		if strings.Contains(e.Text, fmt.Sprintf("responded with a status of %d", status)) {
			return
		}
	}
	w.fault("%s %s: %s (%s)", e.Source, e.Level, e.Text, e.URL)
}

// request holds a request to the two hosts of ours, and notes what in its
// address no log may hold.
func (w *watch) request(ev *network.EventRequestWillBeSent) {
	u, err := url.Parse(ev.Request.URL)
	if err != nil || u.Scheme != "data" && u.Scheme != "about" && !ours(u) {
		w.fault("request to %s", ev.Request.URL)
		return
	}
	secretsOf(u)
	if ev.RedirectResponse != nil {
		w.headers(ev.RedirectResponse)
	}
	w.loads[ev.RequestID] = &load{URL: ev.Request.URL, Kind: ev.Type}
}

func (w *watch) response(ev *network.EventResponseReceived) {
	if ev.Response.FromDiskCache {
		if l := w.loads[ev.RequestID]; l != nil {
			l.Cached = true
		}
	}
	if ev.Type == network.ResourceTypeDocument {
		w.document = ev.Response
	}
	w.headers(ev.Response)
}

// headers checks what every answer of the portal carries. (checklist 42-44)
func (w *watch) headers(r *network.Response) {
	u, err := url.Parse(r.URL)
	if err != nil || !strings.HasPrefix(r.URL, world.Portal+"/") {
		return
	}
	for _, what := range headerFaults(u.Path, func(name string) string { return header(r.Headers, name) }) {
		w.fault("%s: %s", u.Path, what)
	}
}

func (w *watch) cookies(h network.Headers) {
	for line := range strings.SplitSeq(header(h, "Set-Cookie"), "\n") {
		pair, _, _ := strings.Cut(line, ";")
		if name, value, ok := strings.Cut(pair, "="); ok && name != "innsyn-lang" {
			secret(value, "the value of the cookie "+name)
		}
	}
}

// expect says that the test provokes answers of these statuses.
func (w *watch) expect(statuses ...int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range statuses {
		w.expected[s] = true
	}
}

// expectLoss says that the test takes the portal away.
func (w *watch) expectLoss() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loss = true
}

// take returns the faults so far, and forgets them.
func (w *watch) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.faults
	w.faults = nil
	return out
}

// answered is the page that the tab shows.
func (w *watch) answered() *network.Response {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.document
}

// forgetLoads begins to count anew.
func (w *watch) forgetLoads() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.loads)
}

// pending names a file that is still on its way; empty if there is none. Of the
// window's own icon the browser doesn't always say that it came.
func (w *watch) pending() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.loads {
		if !l.Done && !l.Cached && l.Kind != network.ResourceTypeOther {
			return l.URL
		}
	}
	return ""
}

// loaded lists the files since forgetLoads.
func (w *watch) loaded() []load {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []load
	for _, l := range w.loads {
		out = append(out, *l)
	}
	slices.SortFunc(out, func(a, b load) int { return strings.Compare(a.URL, b.URL) })
	return out
}

func ours(u *url.URL) bool {
	return strings.HasPrefix(u.String(), world.Portal+"/") || strings.HasPrefix(u.String(), world.IdentityProvider+"/")
}

// secretsOf notes what stands in an address and must stand in no log.
func secretsOf(u *url.URL) {
	q := u.Query()
	for _, name := range []string{"code", "state", "nonce", "code_challenge", "t", "client_assertion"} {
		secret(q.Get(name), "the parameter "+name)
	}
}

// header finds a header whatever its case; the browser gives them as they came.
func header(h network.Headers, name string) string {
	for k, v := range maps.All(h) {
		if strings.EqualFold(k, name) {
			return fmt.Sprint(v)
		}
	}
	return ""
}

func words(args []*runtime.RemoteObject) string {
	var out []string
	for _, a := range args {
		out = append(out, describe(a))
	}
	return strings.Join(out, " ")
}

func describe(o *runtime.RemoteObject) string {
	switch {
	case o == nil:
		return ""
	case o.Description != "":
		return o.Description
	}
	return string(o.Value)
}
