package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jmoiron/sqlx"

	"elekt.no/innsyn/privacy"
)

// EventAccount is that a provider told of something that happened to an account.
// Reason: what. Nobody asks the person then; the pages do.
const EventAccount EventKind = "account-event"

// AccountEvent ends the sessions that rest on a login, because its provider says
// that the account is gone, closed or no longer to be used here, and notes it. The
// login, the person and their choices stay: what becomes of them is the person's to
// say. Nothing happens if there is no such login, which the caller isn't told, so
// that nobody can ask who is known here.
func (s *Store) AccountEvent(ctx context.Context, issuer, subject, what string) error {
	return s.tx(ctx, func(tx *sqlx.Tx) error {
		var l struct {
			ID       string            `db:"login_id"`
			Person   privacy.PersonRef `db:"person_ref"`
			Provider string            `db:"provider"`
		}
		err := tx.GetContext(ctx, &l, `SELECT login_id, person_ref, provider FROM login WHERE issuer = $1 AND subject = $2`, issuer, subject)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM session WHERE person_ref = $1 AND login_id = $2`, l.Person, l.ID); err != nil {
			return err
		}
		return s.event(ctx, tx, Event{Kind: EventAccount, Reason: what, Provider: l.Provider, Person: l.Person})
	})
}
