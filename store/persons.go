package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"elekt.no/innsyn/privacy"
)

// isID tells whether a text from outside can be the id of a row at all.
func isID(s string) bool { return uuid.Validate(s) == nil && len(s) == 36 }

// nullBytes is NULL for no bytes: lib/pq would write an empty value.
func nullBytes(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

func notFound(reason string) error {
	return &privacy.Error{Kind: privacy.NotFound, Key: "error.not-found", Reason: reason}
}

// Person is a data subject as the portal knows them.
type Person struct {
	Ref         privacy.PersonRef
	AgeDeclared time.Time // when they said that they are old enough; zero if the provider gave a birth date
	Created     time.Time
}

// Person reads one person; NotFound if there is none.
func (s *Store) Person(ctx context.Context, ref privacy.PersonRef) (*Person, error) {
	var r struct {
		Age     sql.NullTime `db:"age_declared_at"`
		Created time.Time    `db:"created_at"`
	}
	err := s.get(ctx, &r, `SELECT age_declared_at, created_at FROM person WHERE person_ref = $1`, ref)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, notFound("no-person")
	}
	if err != nil {
		return nil, err
	}
	return &Person{Ref: ref, AgeDeclared: r.Age.Time.UTC(), Created: r.Created.UTC()}, nil
}

// Identity is what a provider proved about somebody. NINHash is set only if the
// provider attested the identity number at substantial or better.
type Identity struct {
	Provider  string // id in the configuration
	Issuer    string
	Subject   string // the stable one
	NINHash   []byte
	Assurance privacy.Assurance
}

// FindPerson is who an identity belongs to: the person of the login, or else the
// person of another login with the same identity number. Empty if nobody.
// E-mail, telephone and name are never asked.
func (s *Store) FindPerson(ctx context.Context, id Identity) (privacy.PersonRef, error) {
	return findPerson(ctx, s.db, id)
}

func findPerson(ctx context.Context, x sqlx.QueryerContext, id Identity) (privacy.PersonRef, error) {
	var ref privacy.PersonRef
	err := sqlx.GetContext(ctx, x, &ref, `SELECT person_ref FROM login WHERE issuer = $1 AND subject = $2`, id.Issuer, id.Subject)
	if errors.Is(err, sql.ErrNoRows) && id.NINHash != nil {
		// The oldest decides where, from before they were known to be one, two persons have the number.
		err = sqlx.GetContext(ctx, x, &ref, `SELECT person_ref FROM login WHERE nin_hash = $1 ORDER BY created_at, login_id LIMIT 1`, id.NINHash)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return ref, wrap(err)
}

// LoginResult tells whom a login is of.
type LoginResult struct {
	Person    privacy.PersonRef
	Login     string
	NewPerson bool
	NewLogin  bool // a further login of a known person
	Match     LinkResult
}

// Match is what was found in the company's database before LogIn: at most two
// records, or Away.
type Match struct {
	Found    []Customer
	Evidence Evidence
	Away     bool
}

// LogIn is one transaction: finds or makes the person and the login of an
// identity, keeps what is new (identity number, assurance), and links the one
// customer record that was found; several open a request. declared is when the
// person said that they are old enough, zero if the provider gave a birth date.
// Makes no session.
//
// law: GDPR 5(1)(d), 12(6)
func (s *Store) LogIn(ctx context.Context, id Identity, m Match, declared time.Time) (LoginResult, error) {
	var out LoginResult
	err := s.tx(ctx, func(tx *sqlx.Tx) error {
		out = LoginResult{}
		// Two first logins of one human at the same moment become one person.
		if id.NINHash != nil {
			if err := lockHash(ctx, tx, id.NINHash); err != nil {
				return err
			}
		}
		if err := lockHash(ctx, tx, []byte(id.Issuer+"\x00"+id.Subject)); err != nil {
			return err
		}
		ref, err := findPerson(ctx, tx, id)
		if err != nil {
			return err
		}
		if ref == "" {
			if ref, err = s.adopt(ctx, tx, m, declared); err != nil {
				return err
			}
			out.NewPerson = ref != ""
		}
		if ref == "" {
			ref, out.NewPerson = privacy.NewPersonRef(), true
			if _, err := tx.ExecContext(ctx, `INSERT INTO person (person_ref, age_declared_at, created_at) VALUES ($1, $2, $3)`,
				ref, nullTime(declared), s.Now()); err != nil {
				return err
			}
			if err := s.event(ctx, tx, Event{Kind: EventPersonMade, Provider: id.Provider, Person: ref}); err != nil {
				return err
			}
			if !declared.IsZero() {
				if err := s.event(ctx, tx, Event{Kind: EventAgeDeclared, Provider: id.Provider, Person: ref}); err != nil {
					return err
				}
			}
		}
		out.Person = ref
		if err := s.putLogin(ctx, tx, id, &out); err != nil {
			return err
		}
		out.Match, err = s.match(ctx, tx, ref, m)
		return err
	})
	return out, err
}

func (s *Store) putLogin(ctx context.Context, tx *sqlx.Tx, id Identity, out *LoginResult) error {
	var row struct {
		ID  string `db:"login_id"`
		New bool   `db:"new"`
	}
	err := tx.GetContext(ctx, &row, `INSERT INTO login (person_ref, provider, issuer, subject, nin_hash, assurance, created_at, last_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
		ON CONFLICT (issuer, subject) DO UPDATE SET provider = excluded.provider, last_at = excluded.last_at,
			nin_hash = coalesce(excluded.nin_hash, login.nin_hash), assurance = greatest(login.assurance, excluded.assurance)
		RETURNING login_id, xmax = 0 AS new`,
		out.Person, id.Provider, id.Issuer, id.Subject, nullBytes(id.NINHash), id.Assurance, s.Now())
	if err != nil {
		return err
	}
	out.Login = row.ID
	if row.New && !out.NewPerson {
		out.NewLogin = true
		return s.event(ctx, tx, Event{Kind: EventLoginAdded, Reason: string(EvidenceNationalID), Provider: id.Provider, Person: out.Person})
	}
	return nil
}

// adopt finds the person whom a system of the company made known here before they
// ever came (Record): the one record that was found is theirs, and nobody logs in
// as them yet. Whoever proved now that the record is theirs is that person, and
// finds the choices that they made elsewhere. Empty if there is none.
func (s *Store) adopt(ctx context.Context, tx *sqlx.Tx, m Match, declared time.Time) (privacy.PersonRef, error) {
	if m.Away || len(m.Found) != 1 {
		return "", nil
	}
	ref, err := s.idle(ctx, tx, m.Found[0].No)
	if err != nil || ref == "" {
		return "", err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE person_link SET evidence = $3 WHERE person_ref = $1 AND system = $2 AND ended_at IS NULL`,
		ref, CustomerSystem, m.Evidence); err != nil {
		return "", err
	}
	if err := s.event(ctx, tx, Event{Kind: EventLinked, Reason: string(m.Evidence), Person: ref}); err != nil {
		return "", err
	}
	if declared.IsZero() {
		return ref, nil
	}
	if _, err := tx.ExecContext(ctx, `UPDATE person SET age_declared_at = $2 WHERE person_ref = $1`, ref, declared); err != nil {
		return "", err
	}
	return ref, s.event(ctx, tx, Event{Kind: EventAgeDeclared, Person: ref})
}

// Match links what was found for a person who is logged in already.
func (s *Store) Match(ctx context.Context, person privacy.PersonRef, m Match) (LinkResult, error) {
	var r LinkResult
	err := s.tx(ctx, func(tx *sqlx.Tx) (err error) {
		r, err = s.match(ctx, tx, person, m)
		return err
	})
	return r, err
}

func (s *Store) match(ctx context.Context, tx *sqlx.Tx, person privacy.PersonRef, m Match) (LinkResult, error) {
	var linked bool
	if err := tx.GetContext(ctx, &linked, `SELECT EXISTS (SELECT FROM person_link WHERE person_ref = $1 AND system = $2 AND ended_at IS NULL)`,
		person, CustomerSystem); err != nil {
		return "", err
	}
	switch {
	case linked:
		return LinkThere, nil
	case m.Away:
		return LinkAway, nil
	case len(m.Found) == 0:
		return LinkNone, nil
	case len(m.Found) > 1:
		return LinkSeveral, s.openMatchRequest(ctx, tx, person)
	}
	return s.link(ctx, tx, person, m.Found[0].No, m.Evidence)
}

// lockHash takes an advisory lock until the transaction ends, so that nobody
// else decides about the same identity meanwhile. A collision only makes two
// logins wait for one another.
func lockHash(ctx context.Context, tx *sqlx.Tx, b []byte) error {
	sum := sha256.Sum256(append([]byte("innsyn login\x00"), b...))
	_, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(binary.BigEndian.Uint64(sum[:])))
	return err
}
