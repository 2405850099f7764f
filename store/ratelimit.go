package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/throttled/throttled/v2"

	"elekt.no/innsyn/privacy"
)

// Quota is how often something may be done: Burst at once, and then one more
// every Every.
type Quota struct {
	Every time.Duration
	Burst int
}

// Limit counts one try of key in a scope and answers RateLimited, with the time
// to wait, if that was one too many. The count is the same on every node. key is
// kept as given: callers hash what is personal. If the database is away it
// answers so, and the caller must refuse: a limit that can't count is no limit.
func (s *Store) Limit(ctx context.Context, scope, key string, q Quota) (time.Duration, error) {
	if q.Every <= 0 || q.Burst < 1 {
		return 0, fmt.Errorf("rate limit %s: no quota", scope)
	}
	counts := &rateLimits{s: s}
	l, err := throttled.NewGCRARateLimiterCtx(counts, throttled.RateQuota{
		MaxRate: throttled.PerDuration(1, q.Every), MaxBurst: q.Burst - 1})
	if err != nil {
		return 0, fmt.Errorf("rate limit %s: %w", scope, err)
	}
	l.SetMaxCASAttemptsLimit(100) // each lost try is another caller's won one
	limited, result, err := l.RateLimitCtx(ctx, scope+":"+key, 1)
	tooOften := &privacy.Error{Kind: privacy.RateLimited, Key: "error.too-often", Reason: "limit-" + scope}
	switch {
	case counts.failed != nil:
		return 0, counts.failed
	case err != nil: // so many at once that none of the library's tries got through
		return q.Every, tooOften
	case limited:
		return result.RetryAfter, tooOften
	}
	return 0, nil
}

// rateLimits is throttled's view of the table rate_limit, for one question.
type rateLimits struct {
	s      *Store
	failed error // of the database
}

var _ throttled.GCRAStoreCtx = (*rateLimits)(nil)

func (r *rateLimits) fail(err error) error {
	r.failed = errors.Join(r.failed, err)
	return err
}

func (r *rateLimits) GetWithTime(ctx context.Context, key string) (int64, time.Time, error) {
	now := r.s.Now()
	var value int64
	err := r.s.get(ctx, &value, `SELECT value FROM rate_limit WHERE key = $1 AND expires_at > $2`, key, now)
	if errors.Is(err, sql.ErrNoRows) {
		return -1, now, nil
	}
	return value, now, r.fail(err)
}

func (r *rateLimits) SetIfNotExistsWithTTL(ctx context.Context, key string, value int64, ttl time.Duration) (bool, error) {
	now := r.s.Now()
	n, err := r.s.exec(ctx, `INSERT INTO rate_limit (key, value, expires_at) VALUES ($1, $2, $3)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at WHERE rate_limit.expires_at <= $4`,
		key, value, now.Add(ttl), now)
	return n == 1, r.fail(err)
}

func (r *rateLimits) CompareAndSwapWithTTL(ctx context.Context, key string, old, value int64, ttl time.Duration) (bool, error) {
	n, err := r.s.exec(ctx, `UPDATE rate_limit SET value = $3, expires_at = $4 WHERE key = $1 AND value = $2`,
		key, old, value, r.s.Now().Add(ttl))
	return n == 1, r.fail(err)
}
