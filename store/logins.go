package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"elekt.no/innsyn/privacy"
)

// Login is one way in which a person logs in.
type Login struct {
	ID         string
	Provider   string // id in the configuration
	Assurance  privacy.Assurance
	HasNIN     bool // the provider attested an identity number
	Created    time.Time
	LastUsed   time.Time
	OnlyWayIn  bool // can't be ended
	SessionsOn int  // how many sessions rest on it
}

// Logins lists a person's logins, the first one first.
func (s *Store) Logins(ctx context.Context, person privacy.PersonRef) ([]Login, error) {
	var rows []struct {
		ID        string    `db:"login_id"`
		Provider  string    `db:"provider"`
		Assurance int       `db:"assurance"`
		HasNIN    bool      `db:"has_nin"`
		Created   time.Time `db:"created_at"`
		Last      time.Time `db:"last_at"`
		Sessions  int       `db:"sessions"`
	}
	if err := s.list(ctx, &rows, `SELECT login_id, provider, assurance, nin_hash IS NOT NULL AS has_nin, created_at, last_at,
			(SELECT count(*) FROM session WHERE session.login_id = login.login_id AND expires_at > $2) AS sessions
		FROM login WHERE person_ref = $1 ORDER BY created_at, login_id`, person, s.Now()); err != nil {
		return nil, err
	}
	out := make([]Login, len(rows))
	for i, r := range rows {
		out[i] = Login{ID: r.ID, Provider: r.Provider, Assurance: privacy.Assurance(r.Assurance), HasNIN: r.HasNIN,
			Created: r.Created.UTC(), LastUsed: r.Last.UTC(), OnlyWayIn: len(rows) == 1, SessionsOn: r.Sessions}
	}
	return out, nil
}

// EndLogin removes a login and ends the sessions that rest on it. NotFound if it
// isn't this person's; Conflict (last-login) if it is the only one: without any,
// nobody could reach what is kept here, neither to see it nor to erase it. Who
// wants to be gone asks for erasure instead.
func (s *Store) EndLogin(ctx context.Context, person privacy.PersonRef, login string) error {
	if !isID(login) {
		return notFound("no-login")
	}
	return s.tx(ctx, func(tx *sqlx.Tx) error {
		// The person's row is the lock: two logins ended at once must not both go.
		if _, err := tx.ExecContext(ctx, `SELECT FROM person WHERE person_ref = $1 FOR UPDATE`, person); err != nil {
			return err
		}
		var n int
		if err := tx.GetContext(ctx, &n, `SELECT count(*) FROM login WHERE person_ref = $1`, person); err != nil {
			return err
		}
		var provider string
		err := tx.GetContext(ctx, &provider, `SELECT provider FROM login WHERE person_ref = $1 AND login_id = $2`, person, login)
		if errors.Is(err, sql.ErrNoRows) {
			return notFound("no-login")
		}
		if err != nil {
			return err
		}
		if n < 2 {
			return &privacy.Error{Kind: privacy.Conflict, Key: "logins.last", Reason: "last-login"}
		}
		for _, q := range []string{
			`DELETE FROM session WHERE person_ref = $1 AND login_id = $2`,
			`DELETE FROM login WHERE person_ref = $1 AND login_id = $2`,
		} {
			if _, err := tx.ExecContext(ctx, q, person, login); err != nil {
				return err
			}
		}
		return s.event(ctx, tx, Event{Kind: EventLoginEnded, Reason: "by-person", Provider: provider, Person: person})
	})
}

// NINHashes are the identity-number hashes that the person's logins attested, to
// look for the customer record again. At most one in a sound database.
func (s *Store) NINHashes(ctx context.Context, person privacy.PersonRef) ([][]byte, error) {
	var out [][]byte
	err := s.list(ctx, &out, `SELECT DISTINCT nin_hash FROM login WHERE person_ref = $1 AND nin_hash IS NOT NULL`, person)
	return out, err
}
