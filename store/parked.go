package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"elekt.no/innsyn/privacy"
)

// Park keeps what a person typed before a step-up, for as long as life says.
// sealed is the fields, encrypted by the caller. Returns the id to ask for it by.
func (s *Store) Park(ctx context.Context, person privacy.PersonRef, path string, sealed []byte, life time.Duration) (string, error) {
	var id string
	err := s.get(ctx, &id, `INSERT INTO parked_form (person_ref, path, fields, expires_at) VALUES ($1, $2, $3, $4) RETURNING form_id`,
		person, path, sealed, s.Now().Add(life))
	return id, err
}

// Unpark hands back what a person parked, once. Gone (parked-gone) if it was
// taken already, has run out, is another person's or never was.
func (s *Store) Unpark(ctx context.Context, person privacy.PersonRef, id string) (path string, sealed []byte, err error) {
	gone := &privacy.Error{Kind: privacy.Gone, Key: "error.parked-gone", Reason: "parked-gone"}
	if !isID(id) {
		return "", nil, gone
	}
	var r struct {
		Path    string    `db:"path"`
		Fields  []byte    `db:"fields"`
		Expires time.Time `db:"expires_at"`
	}
	err = s.get(ctx, &r, `DELETE FROM parked_form WHERE person_ref = $1 AND form_id = $2 RETURNING path, fields, expires_at`, person, id)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !r.Expires.After(s.Now()) {
		return "", nil, gone
	}
	return r.Path, r.Fields, err
}
