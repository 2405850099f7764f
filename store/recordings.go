package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"elekt.no/innsyn/privacy"
)

// Recording is a choice that was made elsewhere, as a system of the company
// tells of it.
type Recording struct {
	Client   string // who tells
	Key      string // under which it tells it once; empty: it doesn't say
	Request  privacy.Hash
	System   string
	ID       string
	Purpose  string
	Decision privacy.Decision // as asked for
	Evidence string
	Occurred time.Time
}

// Recorded is what came of a Recording.
type Recorded struct {
	Person   privacy.PersonRef
	Decision privacy.Decision // as recorded: a withdrawal without a yes before it is a refusal
	Version  int64            // of the person's choices, afterwards
	Changed  bool             // false: it was so already
	Repeated bool             // the same was told before; nothing was written now
	Choice   *privacy.Choice  // in force now; nil if none
}

// Record records a choice that was made elsewhere, in one transaction: it finds
// the person, or makes one whose only link is the id that the system gave, lets
// decide say what becomes of the choice in force, and writes what RecordChoices
// writes, and where it came from. version is of all the person's choices.
//
// The same key of the same client is recorded once: told again, the answer is
// what came of it; Conflict (key-reused) if it now tells something else. NotFound
// (unknown-person) for a PersonRef that nobody has. decide's error undoes everything.
//
// law: GDPR 7(1)
func (s *Store) Record(ctx context.Context, rec Recording,
	decide func(person privacy.PersonRef, version int64, now *privacy.Choice) (*privacy.Change, error)) (Recorded, error) {
	var out Recorded
	err := s.tx(ctx, func(tx *sqlx.Tx) error {
		out = Recorded{}
		if rec.Key != "" {
			if err := lockHash(ctx, tx, []byte("recording\x00"+rec.Client+"\x00"+rec.Key)); err != nil {
				return err
			}
			if done, err := s.recordedBefore(ctx, tx, rec, &out); done || err != nil {
				return err
			}
		}
		var err error
		if out.Person, err = s.findOrMake(ctx, tx, rec.System, rec.ID); err != nil {
			return err
		}
		if out.Person, out.Version, err = s.lockPerson(ctx, tx, out.Person); err != nil {
			return err
		}
		if out.Choice, err = s.choiceIn(ctx, tx, out.Person, rec.Purpose); err != nil {
			return err
		}
		change, err := decide(out.Person, out.Version, out.Choice)
		if err != nil {
			return err
		}
		out.Decision = rec.Decision
		if change != nil {
			if change.Entry.Person != out.Person || change.Entry.Purpose != rec.Purpose {
				return errors.New("choice of another person or purpose recorded")
			}
			if err := s.recordChange(ctx, tx, change); err != nil {
				return err
			}
			out.Changed, out.Choice, out.Decision, out.Version = true, &change.Choice, change.Entry.Decision, change.Choice.Version
		}
		_, err = s.txExec(ctx, tx, `
			INSERT INTO recorded_choice (person_ref, client, key, request, purpose, decision, evidence, occurred_at, received_at, version, leaf_id)
			SELECT $1, $2, nullif($3, ''), $4, $5, $6, $7, $8, $9, $10,
				CASE WHEN $11 THEN (SELECT leaf_id FROM choice WHERE person_ref = $1 AND purpose = $5) END`,
			out.Person, rec.Client, rec.Key, rec.Request[:], rec.Purpose, out.Decision, rec.Evidence, rec.Occurred, s.Now(), out.Version, out.Changed)
		return err
	})
	return out, err
}

// lockPerson locks a person's row, or of whom that person became meanwhile.
func (s *Store) lockPerson(ctx context.Context, tx *sqlx.Tx, person privacy.PersonRef) (privacy.PersonRef, int64, error) {
	for {
		var row struct {
			Version int64          `db:"choices_version"`
			Became  sql.NullString `db:"became"`
		}
		if err := s.txGet(ctx, tx, &row, `SELECT choices_version, became FROM person WHERE person_ref = $1 FOR UPDATE`, person); err != nil {
			return "", 0, err
		}
		if !row.Became.Valid {
			return person, row.Version, nil
		}
		person = privacy.PersonRef(row.Became.String)
	}
}

// recordedBefore tells whether the client told this already, and what came of it.
func (s *Store) recordedBefore(ctx context.Context, tx *sqlx.Tx, rec Recording, out *Recorded) (bool, error) {
	var r struct {
		Person   string        `db:"person_ref"`
		Request  []byte        `db:"request"`
		Decision string        `db:"decision"`
		Version  int64         `db:"version"`
		Leaf     sql.NullInt64 `db:"leaf_id"`
	}
	err := s.txGet(ctx, tx, &r, `SELECT person_ref, request, decision, version, leaf_id FROM recorded_choice WHERE client = $1 AND key = $2`,
		rec.Client, rec.Key)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if privacy.Hash(r.Request) != rec.Request {
		return false, &privacy.Error{Kind: privacy.Conflict, Reason: "key-reused"}
	}
	*out = Recorded{Person: privacy.PersonRef(r.Person), Decision: privacy.Decision(r.Decision), Version: r.Version,
		Changed: r.Leaf.Valid, Repeated: true}
	out.Choice, err = s.choiceIn(ctx, tx, out.Person, rec.Purpose)
	return true, err
}

func (s *Store) choiceIn(ctx context.Context, tx *sqlx.Tx, person privacy.PersonRef, purpose string) (*privacy.Choice, error) {
	var rows []choiceRow
	if err := s.txList(ctx, tx, &rows, `SELECT `+choiceColumns+` FROM choice WHERE person_ref = $1 AND purpose = $2`, person, purpose); err != nil {
		return nil, err
	}
	return byPurpose(rows)[purpose], nil
}

// findOrMake finds whom a system knows by an id, or makes a person who has that
// link and nothing else yet: no login, no name. Whoever logs in and is found to
// be that customer becomes this person (LogIn).
func (s *Store) findOrMake(ctx context.Context, tx *sqlx.Tx, system, id string) (privacy.PersonRef, error) {
	find := func() (ref privacy.PersonRef, err error) {
		err = s.txGet(ctx, tx, &ref, personBy(system), system, id)
		return ref, err
	}
	ref, err := find()
	if !errors.Is(err, sql.ErrNoRows) {
		return ref, err
	}
	if system == PersonSystem {
		return "", notFound("unknown-person")
	}
	if err := lockHash(ctx, tx, []byte("record\x00"+system+"\x00"+id)); err != nil {
		return "", err
	}
	if ref, err = find(); !errors.Is(err, sql.ErrNoRows) { // somebody was quicker
		return ref, err
	}
	ref = privacy.NewPersonRef()
	if _, err := s.txExec(ctx, tx, `INSERT INTO person (person_ref, created_at) VALUES ($1, $2)`, ref, s.Now()); err != nil {
		return "", err
	}
	if _, err := s.txExec(ctx, tx, `INSERT INTO person_link (person_ref, system, external_id, evidence, created_at) VALUES ($1, $2, $3, $4, $5)`,
		ref, system, id, EvidenceSystem, s.Now()); err != nil {
		return "", err
	}
	if err := s.event(ctx, tx, Event{Kind: EventPersonMade, Reason: string(EvidenceSystem), Person: ref}); err != nil {
		return "", err
	}
	return ref, s.event(ctx, tx, Event{Kind: EventLinked, Reason: string(EvidenceSystem), Person: ref})
}
