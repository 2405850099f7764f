package fulfil

import (
	"net/http"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
)

func TestWhatAnswersMean(t *testing.T) {
	for status, want := range map[int]privacy.DeliveryState{
		200: privacy.DeliveryConfirmed, 202: privacy.DeliveryConfirmed, 204: privacy.DeliveryConfirmed,
		301: privacy.DeliveryNeedsManual, 400: privacy.DeliveryNeedsManual, 401: privacy.DeliveryNeedsManual,
		403: privacy.DeliveryNeedsManual, 404: privacy.DeliveryNeedsManual, 409: privacy.DeliveryNeedsManual, 422: privacy.DeliveryNeedsManual,
		408: privacy.DeliveryFailed, 425: privacy.DeliveryFailed, 429: privacy.DeliveryFailed,
		500: privacy.DeliveryFailed, 502: privacy.DeliveryFailed, 503: privacy.DeliveryFailed, 504: privacy.DeliveryFailed,
	} {
		if o := outcome(status, http.Header{}, time.Now()); o.State != want || o.Status != status {
			t.Errorf("%d: %+v, want %s", status, o, want)
		}
	}
}

func TestRetryAfterInBothForms(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for v, want := range map[string]time.Duration{
		"120": 2 * time.Minute, "0": 0, "": 0, "-5": 0, "soon": 0, "99999999999999999999": 0,
		now.Add(time.Minute).Format(http.TimeFormat):  time.Minute,
		now.Add(-time.Minute).Format(http.TimeFormat): 0,
	} {
		if got := retryAfter(v, now); got != want {
			t.Errorf("%q: %v, want %v", v, got, want)
		}
	}
}

func TestBackoffDoublesUpToItsMost(t *testing.T) {
	b := Backoff{First: 5 * time.Second, Most: time.Hour, Chance: func() float64 { return 0.5 }}
	for n, want := range map[int]time.Duration{1: 5 * time.Second, 2: 10 * time.Second, 3: 20 * time.Second, 11: time.Hour, 1000: time.Hour} {
		if got := b.wait(n, 0); got != want {
			t.Errorf("after %d: %v, want %v", n, got, want)
		}
	}
	if got := b.wait(1, 10*time.Minute); got != 10*time.Minute {
		t.Errorf("asked for ten minutes, waits %v", got)
	}
	if got := b.wait(1, 1000*time.Hour); got != mostRetryAfter {
		t.Errorf("asked for a thousand hours, waits %v", got)
	}
}

func TestBackoffIsSpread(t *testing.T) {
	least, most := DefaultBackoff, DefaultBackoff
	least.Chance = func() float64 { return 0 }
	most.Chance = func() float64 { return 0.999 }
	a, b := least.wait(3, 0), most.wait(3, 0)
	if a >= 20*time.Second || b <= 20*time.Second || a < 15*time.Second || b > 25*time.Second {
		t.Errorf("waits between %v and %v, want a fifth around 20 s", a, b)
	}
}
