package fulfil

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"elekt.no/innsyn/privacy"
)

// callTime is how long a recipient may take to answer.
const callTime = 10 * time.Second

// mostAnswer is how much of an answer is read.
const mostAnswer = 64 << 10

// newHTTPClient follows no redirect: it would carry a person's address to
// wherever the answer says.
func newHTTPClient() *http.Client {
	return &http.Client{
		Timeout:       callTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// answer is what came back from a call. Status 0 means that nothing did; Note
// then says why.
type answer struct {
	Outcome
	body []byte
}

// call makes a request. The error is the context's if the worker was stopped;
// every fault of the other side is in the answer. The client's own error names
// the URL, and with it the person, so it is dropped here.
func call(c *http.Client, req *http.Request, now func() time.Time) (answer, error) {
	resp, err := c.Do(req)
	if err != nil {
		return silence(req.Context(), err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return silence(req.Context(), err)
	}
	return answer{outcome(resp.StatusCode, resp.Header, now()), body}, nil
}

func silence(ctx context.Context, err error) (answer, error) {
	if ctx.Err() != nil {
		return answer{}, ctx.Err()
	}
	o := Outcome{State: privacy.DeliveryFailed, Note: "no-answer"}
	var ne net.Error
	if errors.As(err, &ne) && ne.Timeout() {
		o.Note = "timeout"
	}
	return answer{Outcome: o}, nil
}
