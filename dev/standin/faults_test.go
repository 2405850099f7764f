package standin

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func (w *world) fail(t *testing.T, f Fault) {
	t.Helper()
	if err := w.Fail(f); err != nil {
		t.Fatal(err)
	}
}

func TestEveryFault(t *testing.T) {
	w := start(t)
	stop := url.Values{"address": {"a@example.com"}, "tag": {"newsletter"}}
	for _, kind := range FaultKinds() {
		if (Fault{Kind: kind}).later() {
			continue // neither has it: TestAcceptedAndLaterFailed
		}
		for _, recipient := range []string{Mailgun, Sveve} {
			t.Run(recipient+" "+string(kind), func(t *testing.T) {
				w.Reset()
				w.fail(t, Fault{Kind: kind, Recipient: recipient, Times: 1, Retry: 7})
				path, fields := unsubscribes, stop
				if recipient == Sveve {
					path, fields = "/SMS/SendMessage", smsFields(nil)
				}
				done := func() bool {
					return len(w.Messages()) > 0 || len(w.Suppressed(domain, "a@example.com")) > 0
				}
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				if kind == FaultTimeout {
					ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
				}
				defer cancel()
				res, err := w.try(ctx, http.MethodPost, path, formType, fields.Encode(), nil)
				switch kind {
				case FaultTimeout:
					if !errors.Is(err, context.DeadlineExceeded) || done() {
						t.Errorf("ended with %v, done: %v", err, done())
					}
				case FaultLost:
					if err == nil || !done() {
						t.Errorf("ended with %v, done: %v", err, done())
					}
				default:
					if err != nil {
						t.Fatal(err)
					}
					res.Body.Close()
					if strconv.Itoa(res.StatusCode) != string(kind) || done() {
						t.Errorf("answered %d, done: %v", res.StatusCode, done())
					}
					if retry := res.Header.Get("Retry-After"); (kind == FaultTooMany) != (retry == "7") {
						t.Errorf("Retry-After is %q", retry)
					}
				}
				kept, err := w.Wait(t.Context(), func(r Request) bool { return r.Path == path })
				if err != nil || kept.Fault != kind {
					t.Errorf("kept %+v, %v", kept, err)
				}
				if res, body := w.post(t, path, fields); res.StatusCode != http.StatusOK || !done() {
					t.Errorf("the next one answered %d %s", res.StatusCode, body)
				}
			})
		}
	}
}

func TestHowOftenAndWhere(t *testing.T) {
	w := start(t)
	stop := func(at string) int {
		t.Helper()
		res, _ := w.post(t, "/v3/"+at+"/unsubscribes", url.Values{"address": {"a@example.com"}})
		return res.StatusCode
	}
	w.fail(t, Fault{Kind: FaultServerError, Path: unsubscribes, Times: 2})
	got := []int{stop("mg2.example.com"), stop(domain), stop(domain), stop(domain)}
	if !slices.Equal(got, []int{200, 500, 500, 200}) {
		t.Errorf("twice: %v", got)
	}
	w.fail(t, Fault{Kind: FaultTooMany, Method: http.MethodPost, Recipient: Mailgun})
	got = []int{stop(domain), stop(domain), stop(domain)}
	if !slices.Equal(got, []int{429, 429, 429}) {
		t.Errorf("always: %v", got)
	}
	if res, _ := w.send(t, http.MethodGet, unsubscribes+"/a@example.com", "", "", nil); res.StatusCode != http.StatusOK {
		t.Errorf("another method answered %d", res.StatusCode)
	}
	if _, sms := w.sms(t, nil); sms.MsgOkCount != 1 {
		t.Errorf("another recipient answered %+v", sms)
	}
	w.Mend()
	if got := stop(domain); got != 200 {
		t.Errorf("after mending: %d", got)
	}
	// One after the other.
	w.fail(t, Fault{Kind: FaultServerError, Times: 1})
	w.fail(t, Fault{Kind: FaultUnauthorized, Times: 1})
	if got := []int{stop(domain), stop(domain), stop(domain)}; !slices.Equal(got, []int{500, 401, 200}) {
		t.Errorf("in turn: %v", got)
	}
	for _, f := range []Fault{{}, {Kind: "418"}, {Kind: FaultLost, Recipient: "posten"}, {Kind: FaultLost, Times: -1}, {Kind: FaultTooMany, Retry: -1}} {
		if err := w.Fail(f); err == nil {
			t.Errorf("%+v was taken", f)
		}
	}
}

func TestFaultsJSON(t *testing.T) {
	w := start(t)
	fail := func(body string) int {
		res, _ := w.send(t, http.MethodPost, "/-/faults.json", "application/json", body, nil)
		return res.StatusCode
	}
	if status := fail(`{"kind":"429","recipient":"mailgun","times":2,"retry_after":5}`); status != http.StatusNoContent {
		t.Errorf("answered %d", status)
	}
	if got := w.Faults(); len(got) != 1 || got[0] != (Fault{Kind: FaultTooMany, Recipient: Mailgun, Times: 2, Retry: 5}) {
		t.Errorf("faults are %+v", got)
	}
	for _, bad := range []string{`{`, `{"kind":"418"}`, `{"kind":"500","x":1}`} {
		if status := fail(bad); status != http.StatusBadRequest {
			t.Errorf("%s answered %d", bad, status)
		}
	}
	w.send(t, http.MethodDelete, "/-/faults.json", "", "", nil)
	if len(w.Faults()) != 0 {
		t.Error("delete keeps faults")
	}
	w.post(t, "/-/faults", url.Values{"kind": {"500"}, "recipient": {""}, "path": {""}, "times": {"0"}})
	if got := w.Faults(); len(got) != 1 || got[0].Kind != FaultServerError {
		t.Errorf("faults are %+v", got)
	}
	for _, bad := range []string{"kind=500&times=x", "kind=418&times=1"} {
		if res, _ := w.send(t, http.MethodPost, "/-/faults", formType, bad, nil); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s answered %d", bad, res.StatusCode)
		}
	}
	_, page := w.send(t, http.MethodGet, "/", "", "", nil)
	if !strings.Contains(page, "500 for alle, alltid") {
		t.Error("the page doesn't show the fault")
	}
	w.post(t, "/-/faults", url.Values{"mend": {"yes"}})
	if len(w.Faults()) != 0 {
		t.Error("the form keeps faults")
	}
}
