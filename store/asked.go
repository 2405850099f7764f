package store

import (
	"context"
	"sync"
	"time"

	"github.com/lib/pq"

	"elekt.no/innsyn/privacy"
)

// AskedKind says what a system of the company asked about a person.
type AskedKind string

// The kinds.
const (
	AskedMayI    AskedKind = "may-i"   // may a purpose be carried out
	AskedChoices AskedKind = "choices" // all choices
	AskedDevice  AskedKind = "device"  // what an installation of the app may do
)

// About is whom and what a question was about. Purpose is empty for all of them.
type About struct {
	Person  privacy.PersonRef
	Purpose string
}

// Counts wait at most askedWait until they are written together, and at most
// askedLimit of them: a question costs no write. A node that is killed loses what
// it counted in that second, and one whose database is away for long counts no
// more than that; nothing is decided by these counts.
const (
	askedWait  = time.Second
	askedLimit = 50000
)

// asked counts questions on this node.
type asked struct {
	mu     sync.Mutex
	counts map[askedKey]int64
	timer  *time.Timer // nil: nothing waits
	closed bool

	writing sync.Mutex // held while a batch is written, so that Close waits for it
}

type askedKey struct {
	About
	day    string
	client string
	kind   AskedKind
}

// add counts once more, or n times, if there is room.
func (a *asked) add(k askedKey, n int64) {
	if a.counts == nil {
		a.counts = map[askedKey]int64{}
	}
	if _, there := a.counts[k]; there || len(a.counts) < askedLimit {
		a.counts[k] += n
	}
}

// CountAsked counts that a system asked about people. Nobody is counted for an id
// that is nobody's. It never writes and never fails: see WriteAsked.
//
// law: GDPR 15(1)(c)
func (s *Store) CountAsked(client string, kind AskedKind, about ...About) {
	day := privacy.Day(s.Now()).Format(time.DateOnly)
	a := &s.asked
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, b := range about {
		if b.Person != "" {
			a.add(askedKey{b, day, client, kind}, 1)
		}
	}
	s.armAsked()
}

// armAsked sets the timer if something waits. Called with the lock held.
func (s *Store) armAsked() {
	if a := &s.asked; len(a.counts) > 0 && a.timer == nil && !a.closed {
		a.timer = time.AfterFunc(askedWait, func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			_ = s.WriteAsked(ctx) // what fails waits for the next time
		})
	}
}

// WriteAsked writes the counts that wait: a second after the first of them, and at
// Close. What can't be written waits on.
func (s *Store) WriteAsked(ctx context.Context) error {
	a := &s.asked
	a.writing.Lock()
	defer a.writing.Unlock()
	a.mu.Lock()
	counts := a.counts
	a.counts = nil
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
	a.mu.Unlock()
	if len(counts) == 0 {
		return nil
	}
	err := s.addAsked(ctx, counts)
	if err != nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		for k, n := range counts {
			a.add(k, n)
		}
		s.armAsked()
	}
	return err
}

// endAsked writes what waits, for the last time.
func (s *Store) endAsked() error {
	s.asked.mu.Lock()
	s.asked.closed = true
	s.asked.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return s.WriteAsked(ctx)
}

func (s *Store) addAsked(ctx context.Context, counts map[askedKey]int64) error {
	var people, days, clients, kinds, purposes pq.StringArray
	var times pq.Int64Array
	for k, n := range counts {
		people, days, clients = append(people, string(k.Person)), append(days, k.day), append(clients, k.client)
		kinds, purposes, times = append(kinds, string(k.kind)), append(purposes, k.Purpose), append(times, n)
	}
	// In the order of the key, so that no two nodes wait for one another.
	_, err := s.exec(ctx, `
		INSERT INTO asked (person_ref, day, client, kind, purpose, times)
		SELECT person_ref, day, client, kind, purpose, times
		FROM unnest($1::text[], $2::date[], $3::text[], $4::text[], $5::text[], $6::bigint[]) AS a (person_ref, day, client, kind, purpose, times)
		JOIN person USING (person_ref)
		ORDER BY 1, 2, 3, 4, 5
		ON CONFLICT (person_ref, day, client, kind, purpose) DO UPDATE SET times = asked.times + excluded.times`,
		people, days, clients, kinds, purposes, times)
	return err
}

// Asked is how often a system asked something about a person on a day.
type Asked struct {
	Day     time.Time // its start, in Oslo
	Client  string
	Kind    AskedKind
	Purpose string // empty: all of them
	Times   int64
}

// Asked lists who asked about a person, the newest day first, at most n.
func (s *Store) Asked(ctx context.Context, person privacy.PersonRef, n int) ([]Asked, error) {
	var rows []struct {
		Day     time.Time `db:"day"`
		Client  string    `db:"client"`
		Kind    AskedKind `db:"kind"`
		Purpose string    `db:"purpose"`
		Times   int64     `db:"times"`
	}
	if err := s.list(ctx, &rows, `SELECT day, client, kind, purpose, times FROM asked WHERE person_ref = $1
		ORDER BY day DESC, client, kind, purpose LIMIT $2`, person, n); err != nil {
		return nil, err
	}
	out := make([]Asked, len(rows))
	for i, r := range rows {
		y, m, d := r.Day.Date()
		out[i] = Asked{time.Date(y, m, d, 0, 0, 0, 0, privacy.Oslo), r.Client, r.Kind, r.Purpose, r.Times}
	}
	return out, nil
}
