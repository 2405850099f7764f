package store

import (
	"context"

	"elekt.no/innsyn/privacy"
)

// Troubles are the deliveries of a person that did not go through and that no
// newer one has taken the place of: failed and tried again, waiting for a human,
// or refused. A human who is asked as a matter of course is no trouble. Newest first,
// at most twenty.
func (s *Store) Troubles(ctx context.Context, person privacy.PersonRef) ([]privacy.Delivery, error) {
	var rows []deliveryRow
	if err := s.list(ctx, &rows, `
		SELECT `+deliveryColumns+` FROM delivery d
		WHERE person_ref = $1 AND state IN ('failed', 'needs_manual', 'refused') AND note <> '`+privacy.NoteManual+`' AND NOT EXISTS (
			SELECT FROM delivery n WHERE n.person_ref = d.person_ref AND n.recipient = d.recipient
			AND n.purpose = d.purpose AND n.version > d.version)
		ORDER BY version DESC, recipient LIMIT 20`, person); err != nil {
		return nil, err
	}
	out := make([]privacy.Delivery, len(rows))
	for i, r := range rows {
		out[i] = r.delivery()
	}
	return out, nil
}
