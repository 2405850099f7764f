package fulfil

import (
	"context"
	"net/http"
	"sync"
	"time"

	"elekt.no/innsyn/privacy"
)

// tokens keeps the access token of an account at a recipient until shortly before
// it runs out. Safe for use by many goroutines: one fetches, the others wait.
type tokens struct {
	fetch func(context.Context) (answer, error) // asks for a token
	parse func(*answer) (token string, life time.Duration)
	now   func() time.Time

	mu    sync.Mutex
	value string
	until time.Time
}

// tokenMargin is how long before its end a token isn't used any more, and
// mostToken how long one is used at most.
const (
	tokenMargin = time.Minute
	mostToken   = time.Hour
)

// get is a token, and whether it was kept from before; without one, the outcome
// says why.
func (t *tokens) get(ctx context.Context) (value string, kept bool, o Outcome, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value != "" && t.now().Before(t.until) {
		return t.value, true, Outcome{State: privacy.DeliveryConfirmed}, nil
	}
	a, err := t.fetch(ctx)
	if err != nil || a.State != privacy.DeliveryConfirmed {
		if a.Note != "" {
			a.Note = "token-" + a.Note
		}
		return "", false, a.Outcome, err
	}
	value, life := t.parse(&a)
	if value == "" {
		return "", false, Outcome{State: privacy.DeliveryNeedsManual, Status: a.Status, Note: "token-bad-answer"}, nil
	}
	t.value, t.until = value, t.now().Add(min(life, mostToken)-tokenMargin)
	return t.value, false, a.Outcome, nil
}

// oauthToken reads the answer of a token server (RFC 6749 section 5.1).
func oauthToken(a *answer) (string, time.Duration) {
	var body struct {
		Token   string `json:"access_token"`
		Seconds int64  `json:"expires_in"`
	}
	a.read(&body)
	return body.Token, time.Duration(body.Seconds) * time.Second
}

// forget drops a token that the recipient doesn't take any more.
func (t *tokens) forget(value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value == value {
		t.value = ""
	}
}

// with makes a call with a token. One that was kept and isn't taken any more, as
// after a change of secrets, is fetched anew once.
func (t *tokens) with(ctx context.Context, do func(token string) (answer, error)) (answer, error) {
	for {
		token, kept, o, err := t.get(ctx)
		if err != nil || o.State != privacy.DeliveryConfirmed {
			return answer{Outcome: o}, err
		}
		a, err := do(token)
		if err != nil || a.Status != http.StatusUnauthorized {
			return a, err
		}
		t.forget(token)
		if !kept {
			return a, nil
		}
	}
}
