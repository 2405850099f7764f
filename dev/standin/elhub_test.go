package standin

import (
	"strings"
	"testing"
)

func TestElhub(t *testing.T) {
	w := startWith(t, Options{Polls: 1})
	key := bearer("Bearer elhub-key")
	post := func(body string) (int, elhubReceipt) {
		t.Helper()
		res, answer := w.send(t, "POST", "/elhub/messages", jsonType, body, key)
		return res.StatusCode, read[elhubReceipt](t, answer)
	}
	message := func(n, operation string) string { return strings.Replace(elhubBody(operation), aReference[:8], n, 1) }
	id := "meteringPoints/" + aPoint

	// A removal is at once, and the same message again is the same message.
	for range 2 {
		if status, got := post(elhubBody("remove")); status != 200 || got.Status != "accepted" || got.Reference != aReference || w.State(Elhub, id) != Removed {
			t.Errorf("answered %d %+v, %q", status, got, w.State(Elhub, id))
		}
	}
	res, body := w.send(t, "POST", "/elhub/messages", jsonType, strings.Replace(elhubBody("remove"), aPoint, aPoint[:17]+"9", 1), key)
	if res.StatusCode != 409 {
		t.Errorf("another message with the reference answered %d %s", res.StatusCode, body)
	}
	if _, body := w.send(t, "GET", "/elhub/messages/"+aReference, "", "", key); read[elhubReceipt](t, body).Status != "accepted" {
		t.Errorf("asked: %s", body)
	}
	for _, reject := range []struct{ n, from, to, code string }{
		{"00000001", "7080000000001", "7080000000002", "unknown-sender"},
		{"00000002", aPoint, "70705750001234567", "unknown-metering-point"},
	} {
		if status, got := post(strings.Replace(message(reject.n, "remove"), reject.from, reject.to, 1)); status != 200 || got.Status != "rejected" || got.Code != reject.code {
			t.Errorf("answered %d %+v", status, got)
		}
	}
	w.Reset()
	w.fail(t, Fault{Kind: FaultLater, Recipient: Elhub, Times: 2})
	if status, got := post(message("00000003", "remove")); status != 200 || got.Status != "rejected" || w.State(Elhub, id) != "" {
		t.Errorf("answered %d %+v", status, got)
	}
	// An addition waits for the end user, who may say no.
	for _, add := range []struct{ n, want string }{{"00000004", "rejected"}, {"00000005", "accepted"}} {
		_, got := post(message(add.n, "add"))
		if got.Status != "pending" {
			t.Errorf("answered %+v", got)
		}
		for _, status := range []string{"pending", add.want, add.want} {
			_, body := w.send(t, "GET", "/elhub/messages/"+got.Reference, "", "", key)
			if r := read[elhubReceipt](t, body); r.Status != status {
				t.Errorf("is %s, want %s", r.Status, status)
			}
		}
	}
	if w.State(Elhub, id) != Granted {
		t.Errorf("access is %q", w.State(Elhub, id))
	}
	if res, _ := w.send(t, "GET", "/elhub/messages/none", "", "", key); res.StatusCode != 404 {
		t.Errorf("no message answered %d", res.StatusCode)
	}
}

func TestElhubRefuses(t *testing.T) {
	w := start(t)
	good := elhubBody("remove")
	for name, change := range map[string][2]string{
		"another process":   {"BRS-NO-622", "BRS-NO-624"},
		"another message":   {`"34"`, `"35"`},
		"no reference":      {aReference, "1"},
		"no GLN":            {"7080000000001", "x"},
		"no time":           {"2026-11-24T12:00:00Z", "yesterday"},
		"another operation": {`"remove"`, `"delete"`},
		"a scope":           {`{"process"`, `{"scope":"Full","process"`},
	} {
		if res, body := w.send(t, "POST", "/elhub/messages", jsonType, strings.Replace(good, change[0], change[1], 1), bearer("Bearer elhub-key")); res.StatusCode != 400 {
			t.Errorf("%s answered %d %s", name, res.StatusCode, body)
		}
	}
	if touched(w) {
		t.Errorf("something was done: %+v", w.Entries())
	}
}
