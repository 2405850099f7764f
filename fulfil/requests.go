package fulfil

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"elekt.no/innsyn/privacy"
)

// caller makes the calls of one recipient.
type caller struct {
	http *http.Client
	now  func() time.Time
}

func newCaller(now func() time.Time) caller { return caller{newHTTPClient(), now} }

// request is a call to be made. At most one of form and json is set.
type request struct {
	method, url string
	header      map[string]string
	bearer      string
	basic       *url.Userinfo
	form        url.Values
	json        any
}

// do makes the call; errors as of call.
func (c caller) do(ctx context.Context, r request) (answer, error) {
	var body []byte
	var kind string
	switch {
	case r.form != nil:
		body, kind = []byte(r.form.Encode()), "application/x-www-form-urlencoded"
	case r.json != nil:
		var err error
		if body, err = json.Marshal(r.json); err != nil {
			return answer{}, err
		}
		kind = "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, r.method, r.url, bytes.NewReader(body))
	if err != nil { // its text would name the address
		return answer{Outcome: Outcome{State: privacy.DeliveryNeedsManual, Note: "bad-address"}}, nil
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if r.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+r.bearer)
	}
	if r.basic != nil {
		password, _ := r.basic.Password()
		req.SetBasicAuth(r.basic.Username(), password)
	}
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	return call(c.http, req, c.now)
}

// join puts a path below a base address; its parts are escaped by the caller.
func join(base, path string) string { return strings.TrimSuffix(base, "/") + path }

// or is the first that isn't empty.
func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// read decodes the answer's body; what can't be read is a human's to look at.
func (a *answer) read(into any) bool {
	if err := json.Unmarshal(a.body, into); err != nil {
		a.State, a.Note = privacy.DeliveryNeedsManual, "bad-answer"
		return false
	}
	return true
}

// worse is the less finished of two outcomes of one row's calls: what stands still
// before what goes on, and that before what is done.
func worse(a, b Outcome) Outcome {
	if rank(b.State) > rank(a.State) {
		return b
	}
	return a
}

func rank(s privacy.DeliveryState) int {
	switch s {
	case privacy.DeliveryConfirmed:
		return 1
	case privacy.DeliveryAccepted:
		return 2
	case privacy.DeliveryFailed:
		return 3
	case privacy.DeliveryRefused, privacy.DeliveryNeedsManual, privacy.DeliveryNotConnected:
		return 4
	}
	return 0
}

func settled(note string) Outcome {
	return Outcome{State: privacy.DeliveryConfirmed, Note: note}
}

func noAddress() Outcome {
	return Outcome{State: privacy.DeliveryNotConnected, Note: privacy.NoteNoAddress}
}

func unknownAction() Outcome {
	return Outcome{State: privacy.DeliveryNeedsManual, Note: "unknown-action"}
}
