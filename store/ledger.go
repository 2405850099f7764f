package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"elekt.no/innsyn/privacy"
)

// HistoryEntry is one decision of a person with the text that was shown then.
type HistoryEntry struct {
	Entry privacy.Entry
	Shown privacy.ShownText
}

type entryRow struct {
	Salt      []byte    `db:"salt"`
	Person    string    `db:"person_ref"`
	Purpose   string    `db:"purpose"`
	Decision  string    `db:"decision"`
	Also      string    `db:"also"`
	Catalogue []byte    `db:"catalogue"`
	Text      []byte    `db:"text"`
	Language  string    `db:"language"`
	Channel   string    `db:"channel"`
	Actor     string    `db:"actor"`
	At        time.Time `db:"at"`
	Body      []byte    `db:"body"`
	Leaf      []byte    `db:"leaf"`
}

func (r entryRow) entry() privacy.Entry {
	return privacy.Entry{
		Salt: [32]byte(r.Salt), Person: privacy.PersonRef(r.Person), Purpose: r.Purpose, Decision: privacy.Decision(r.Decision),
		Also: r.Also, Catalogue: privacy.Hash(r.Catalogue), Text: privacy.Hash(r.Text), Language: r.Language,
		Channel: privacy.Channel(r.Channel), Actor: privacy.Actor(r.Actor), At: r.At.UTC(),
	}
}

const entryColumns = `e.salt, e.person_ref, e.purpose, e.decision, e.also, e.catalogue, e.text, e.language, e.channel, e.actor, e.at, t.body, l.leaf`

// History is what a person decided about a purpose, newest first, with the text
// shown each time. It fails rather than show an entry or a text that no longer
// matches its hash.
func (s *Store) History(ctx context.Context, person privacy.PersonRef, purpose string) ([]HistoryEntry, error) {
	var rows []entryRow
	if err := s.list(ctx, &rows, `
		SELECT `+entryColumns+`
		FROM ledger_entry e JOIN shown_text t ON t.hash = e.text JOIN ledger_leaf l USING (leaf_id)
		WHERE e.person_ref = $1 AND e.purpose = $2 ORDER BY e.leaf_id DESC`, person, purpose); err != nil {
		return nil, err
	}
	out := make([]HistoryEntry, 0, len(rows))
	for _, r := range rows {
		h, err := r.check()
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

// check recomputes both hashes of a row.
func (r entryRow) check() (HistoryEntry, error) {
	h := HistoryEntry{Entry: r.entry()}
	leaf, err := h.Entry.Leaf()
	if err != nil {
		return h, err
	}
	if leaf != privacy.Hash(r.Leaf) {
		return h, fmt.Errorf("ledger entry of %s for %s does not match its leaf", r.Person, r.Purpose)
	}
	if h.Shown, err = privacy.ParseShownText(r.Body); err != nil {
		return h, err
	}
	if privacy.Hash(sha256.Sum256(r.Body)) != h.Entry.Text { // of the bytes as stored, whatever the type has become
		return h, fmt.Errorf("text %s does not match its hash", h.Entry.Text)
	}
	return h, nil
}

// VerifyLedger recomputes every leaf and text hash that still has its body, and
// compares each choice in force with the newest entry for it. It returns how
// many entries were checked; the error names the first that is wrong.
func (s *Store) VerifyLedger(ctx context.Context) (n int, err error) {
	rows, err := s.db.QueryxContext(ctx, `
		SELECT `+entryColumns+` FROM ledger_entry e JOIN shown_text t ON t.hash = e.text JOIN ledger_leaf l USING (leaf_id) ORDER BY e.leaf_id`)
	if err != nil {
		return 0, wrap(err)
	}
	defer rows.Close()
	for ; rows.Next(); n++ {
		var r entryRow
		if err := rows.StructScan(&r); err != nil {
			return n, wrap(err)
		}
		if _, err := r.check(); err != nil {
			return n, err
		}
	}
	if err := rows.Err(); err != nil {
		return n, wrap(err)
	}
	var odd int
	if err := s.db.GetContext(ctx, &odd, `
		SELECT count(*) FROM choice c
		LEFT JOIN LATERAL (SELECT * FROM ledger_entry e WHERE e.person_ref = c.person_ref AND e.purpose = c.purpose
		                   ORDER BY leaf_id DESC LIMIT 1) e ON true
		WHERE (c.leaf_id, c.decision, c.text, c.at) IS DISTINCT FROM (e.leaf_id, e.decision, e.text, e.at)`); err != nil {
		return n, wrap(err)
	}
	if odd > 0 {
		return n, fmt.Errorf("%d choices differ from the newest entry in the ledger", odd)
	}
	return n, nil
}
