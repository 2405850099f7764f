package store

import "context"

// Suppress puts an address on the company's own list of whom a recipient is not
// given messages for, for one purpose. address is a keyed hash.
func (s *Store) Suppress(ctx context.Context, recipient string, address []byte, purpose string) error {
	_, err := s.exec(ctx, `INSERT INTO suppression (recipient, address, purpose, since) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		recipient, address, purpose, s.Now())
	return err
}

// Unsuppress takes an address off the list for one purpose.
func (s *Store) Unsuppress(ctx context.Context, recipient string, address []byte, purpose string) error {
	_, err := s.exec(ctx, `DELETE FROM suppression WHERE recipient = $1 AND address = $2 AND purpose = $3`, recipient, address, purpose)
	return err
}

// Suppressed tells whether an address is on the list for a purpose.
func (s *Store) Suppressed(ctx context.Context, recipient string, address []byte, purpose string) (bool, error) {
	var on bool
	err := s.get(ctx, &on, `SELECT EXISTS (SELECT FROM suppression WHERE recipient = $1 AND address = $2 AND purpose = $3)`,
		recipient, address, purpose)
	return on, err
}
