package fulfil

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"elekt.no/innsyn/privacy"
)

// giveUpAfter is how long a failing row is tried before a human is asked.
const giveUpAfter = 72 * time.Hour

// mostRetryAfter is the longest wait that a recipient can ask for.
const mostRetryAfter = 24 * time.Hour

// Backoff says how long to wait after a failure: First, then twice as long each
// time, at most Most; a fifth more or less by chance, so that a recipient that
// comes back isn't met by everybody at once.
type Backoff struct {
	First, Most time.Duration
	Chance      func() float64 // in [0,1)
}

// DefaultBackoff waits 5 s, 10 s, 20 s ... one hour.
var DefaultBackoff = Backoff{First: 5 * time.Second, Most: time.Hour, Chance: rand.Float64}

// wait is how long to wait after the nth failure, never shorter than the
// recipient asked for.
func (b Backoff) wait(n int, asked time.Duration) time.Duration {
	d := b.First
	for ; n > 1 && d < b.Most; n-- {
		d *= 2
	}
	d = min(d, b.Most)
	d += time.Duration((b.Chance() - 0.5) * 0.4 * float64(d))
	return max(d, min(asked, mostRetryAfter))
}

// outcome is what an HTTP answer means, where nothing else is documented.
func outcome(status int, h http.Header, now time.Time) Outcome {
	o := Outcome{Status: status, Note: "http-" + strconv.Itoa(status)}
	switch {
	case status >= 200 && status < 300:
		o.State, o.Note = privacy.DeliveryConfirmed, ""
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests, status >= 500:
		o.State, o.RetryAfter = privacy.DeliveryFailed, retryAfter(h.Get("Retry-After"), now)
	default:
		o.State = privacy.DeliveryNeedsManual
	}
	return o
}

// retryAfter reads the header in both of its forms (RFC 9110, section 10.2.3);
// zero if it is absent, senseless or past.
func retryAfter(v string, now time.Time) time.Duration {
	if s, err := strconv.ParseUint(v, 10, 31); err == nil {
		return time.Duration(s) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}
