package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"elekt.no/innsyn/privacy"
)

// SessionClass says where a session lives, and with it how long.
type SessionClass string

// The classes.
const (
	ClassCustomer SessionClass = "customer" // a browser
	ClassApp      SessionClass = "app"      // the app's webview
	ClassStaff    SessionClass = "staff"
)

// Session is the record of a session. The cookie's id is not in it: the database
// has only its hash.
type Session struct {
	PublicID   string // names it on pages; opens nothing
	Person     privacy.PersonRef
	Login      string // id of the login
	Provider   string // of the login, id in the configuration
	Class      SessionClass
	Assurance  privacy.Assurance // of this login, not the highest seen
	AuthAt     time.Time         // when the person proved who they are
	GivenName  string
	FamilyName string
	UserAgent  string // browser and system in two words
	CreatedAt  time.Time
	SeenAt     time.Time // within a minute
	ExpiresAt  time.Time // the absolute limit
}

type sessionRow struct {
	PublicID   string            `db:"public_id"`
	Person     privacy.PersonRef `db:"person_ref"`
	Login      string            `db:"login_id"`
	Provider   string            `db:"provider"`
	Class      SessionClass      `db:"class"`
	Assurance  int               `db:"assurance"`
	AuthAt     time.Time         `db:"auth_at"`
	GivenName  string            `db:"given_name"`
	FamilyName string            `db:"family_name"`
	UserAgent  string            `db:"user_agent"`
	CreatedAt  time.Time         `db:"created_at"`
	SeenAt     time.Time         `db:"seen_at"`
	ExpiresAt  time.Time         `db:"expires_at"`
}

func (r sessionRow) session() *Session {
	return &Session{PublicID: r.PublicID, Person: r.Person, Login: r.Login, Provider: r.Provider, Class: r.Class,
		Assurance: privacy.Assurance(r.Assurance), AuthAt: r.AuthAt.UTC(), GivenName: r.GivenName, FamilyName: r.FamilyName,
		UserAgent: r.UserAgent, CreatedAt: r.CreatedAt.UTC(), SeenAt: r.SeenAt.UTC(), ExpiresAt: r.ExpiresAt.UTC()}
}

const selectSession = `SELECT s.public_id, s.person_ref, s.login_id, l.provider, s.class, s.assurance, s.auth_at, s.given_name,
	s.family_name, s.user_agent, s.created_at, s.seen_at, s.expires_at FROM session s JOIN login l USING (login_id) `

func noSession() error {
	return &privacy.Error{Kind: privacy.NotFound, Key: "error.not-found", Reason: "no-session"}
}

// Session is the session with this id hash, if its absolute limit isn't over;
// the idle limit is the caller's. NotFound (no-session) otherwise. One query.
func (s *Store) Session(ctx context.Context, idHash []byte) (*Session, error) {
	var r sessionRow
	err := s.get(ctx, &r, selectSession+`WHERE s.id_hash = $1 AND s.expires_at > $2`, idHash, s.Now())
	if errors.Is(err, sql.ErrNoRows) {
		return nil, noSession()
	}
	if err != nil {
		return nil, err
	}
	return r.session(), nil
}

// TouchSession notes that a session was used. Callers do it at most once a minute.
func (s *Store) TouchSession(ctx context.Context, idHash []byte) error {
	_, err := s.exec(ctx, `UPDATE session SET seen_at = $2 WHERE id_hash = $1 AND seen_at < $2`, idHash, s.Now())
	return err
}

// StartSession writes a session under its id hash and ends the one that it takes
// the place of (nil: none), in one transaction, with an event of the kind given.
// Sets PublicID. Unauthenticated if the login was ended in the meantime.
func (s *Store) StartSession(ctx context.Context, idHash []byte, n *Session, replaces []byte, kind EventKind) error {
	return s.tx(ctx, func(tx *sqlx.Tx) error {
		if replaces != nil {
			if _, err := tx.ExecContext(ctx, `DELETE FROM session WHERE id_hash = $1`, replaces); err != nil {
				return err
			}
		}
		err := tx.GetContext(ctx, &n.PublicID, `INSERT INTO session (id_hash, person_ref, login_id, class, assurance, auth_at,
				given_name, family_name, user_agent, created_at, seen_at, expires_at)
			SELECT $1, person_ref, login_id, $4, $5, $6, $7, $8, $9, $10, $10, $11 FROM login WHERE login_id = $3 AND person_ref = $2
			RETURNING public_id`,
			idHash, n.Person, n.Login, n.Class, n.Assurance, n.AuthAt, n.GivenName, n.FamilyName, n.UserAgent, n.CreatedAt, n.ExpiresAt)
		if errors.Is(err, sql.ErrNoRows) {
			return &privacy.Error{Kind: privacy.Unauthenticated, Key: "error.unauthenticated", Reason: "login-gone"}
		}
		if err != nil {
			return err
		}
		return s.event(ctx, tx, Event{Kind: kind, Reason: n.Assurance.String(), Provider: n.Provider, Person: n.Person})
	})
}

// EndSessionByHash ends the session of a cookie. No error if there is none.
func (s *Store) EndSessionByHash(ctx context.Context, idHash []byte, kind EventKind, reason string) error {
	return s.tx(ctx, func(tx *sqlx.Tx) error {
		var person privacy.PersonRef
		err := tx.GetContext(ctx, &person, `DELETE FROM session WHERE id_hash = $1 RETURNING person_ref`, idHash)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		return s.event(ctx, tx, Event{Kind: kind, Reason: reason, Person: person})
	})
}

// EndSession ends one of a person's sessions; NotFound if it isn't theirs.
func (s *Store) EndSession(ctx context.Context, person privacy.PersonRef, publicID, reason string) error {
	if !isID(publicID) {
		return noSession()
	}
	return s.tx(ctx, func(tx *sqlx.Tx) error {
		r, err := tx.ExecContext(ctx, `DELETE FROM session WHERE person_ref = $1 AND public_id = $2`, person, publicID)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return noSession()
		}
		return s.event(ctx, tx, Event{Kind: EventSessionEnded, Reason: reason, Person: person})
	})
}

// EndSessions ends all of a person's sessions but the one named by its public id
// (empty: all), and tells how many.
func (s *Store) EndSessions(ctx context.Context, person privacy.PersonRef, except, reason string) (int64, error) {
	var n int64
	err := s.tx(ctx, func(tx *sqlx.Tx) (err error) {
		n, err = s.endSessions(ctx, tx, person, except, reason)
		return err
	})
	return n, err
}

func (s *Store) endSessions(ctx context.Context, tx *sqlx.Tx, person privacy.PersonRef, except, reason string) (int64, error) {
	r, err := tx.ExecContext(ctx, `DELETE FROM session WHERE person_ref = $1 AND public_id::text <> $2`, person, except)
	if err != nil {
		return 0, err
	}
	n, err := r.RowsAffected()
	if err != nil || n == 0 {
		return n, err
	}
	return n, s.event(ctx, tx, Event{Kind: EventSessionEnded, Reason: reason, Person: person})
}

// Sessions lists a person's sessions, the last used first. Some may be past
// their idle limit, which the caller knows.
func (s *Store) Sessions(ctx context.Context, person privacy.PersonRef) ([]*Session, error) {
	var rows []sessionRow
	if err := s.list(ctx, &rows, selectSession+`WHERE s.person_ref = $1 AND s.expires_at > $2 ORDER BY s.seen_at DESC, s.public_id`,
		person, s.Now()); err != nil {
		return nil, err
	}
	out := make([]*Session, len(rows))
	for i, r := range rows {
		out[i] = r.session()
	}
	return out, nil
}
