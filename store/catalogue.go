package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"elekt.no/innsyn/privacy"
)

// KeepCatalogue stores the catalogue and every text it can show, whole, under
// their hashes. Called at start, before anything is shown; what is there stays.
//
// law: GDPR 7(1)
func (s *Store) KeepCatalogue(ctx context.Context, c *privacy.Catalogue) error {
	var hashes, bodies pq.ByteaArray
	var purposes, languages pq.StringArray
	for _, t := range c.AllShown() {
		h := t.Hash()
		hashes, bodies = append(hashes, h[:]), append(bodies, t.Canonical())
		purposes, languages = append(purposes, t.Purpose), append(languages, t.Language)
	}
	hash := c.Hash()
	return s.tx(ctx, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO catalogue (hash, version, body) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			hash[:], c.Version, c.Source()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO shown_text (hash, purpose, language, body)
			SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::bytea[]) ORDER BY 1
			ON CONFLICT DO NOTHING`, hashes, purposes, languages, bodies)
		return err
	})
}

// ShownText is a text that is on record; NotFound if none has that hash.
func (s *Store) ShownText(ctx context.Context, h privacy.Hash) (privacy.ShownText, error) {
	var body []byte
	err := s.get(ctx, &body, `SELECT body FROM shown_text WHERE hash = $1`, h[:])
	if errors.Is(err, sql.ErrNoRows) {
		return privacy.ShownText{}, notFound("unknown-text")
	}
	if err != nil {
		return privacy.ShownText{}, err
	}
	return privacy.ParseShownText(body)
}
