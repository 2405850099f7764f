package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"elekt.no/innsyn/privacy"
)

// TransactionKind says what a transaction waits for.
type TransactionKind string

// The kinds.
const (
	TransactionLogin TransactionKind = "login" // the provider's answer
	TransactionAge   TransactionKind = "age"   // the person's word that they are old enough
)

// Transaction is a login under way. State and browser are hashes: whoever reads
// the table can't answer in the browser's place.
type Transaction struct {
	StateHash   []byte
	BrowserHash []byte
	Kind        TransactionKind
	Provider    string
	Nonce       string // of an age transaction: the hash of what the browser carries
	Verifier    string // PKCE; useless without the code, gone with the row
	Need        privacy.Assurance
	Fresh       bool
	Person      privacy.PersonRef // who must come back, in a step-up
	Session     string            // public id of the session that is stepped up
	ReturnTo    string
	CreatedAt   time.Time
	ExpiresAt   time.Time
}

// PutTransaction begins a login.
func (s *Store) PutTransaction(ctx context.Context, t Transaction) error {
	_, err := s.exec(ctx, `INSERT INTO login_transaction (state_hash, browser_hash, kind, provider, nonce, verifier, need, fresh,
			person_ref, session_id, return_to, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, nullif($9, ''), nullif($10, '')::uuid, $11, $12, $13)`,
		t.StateHash, t.BrowserHash, t.Kind, t.Provider, t.Nonce, t.Verifier, t.Need, t.Fresh, t.Person, t.Session, t.ReturnTo,
		t.CreatedAt, t.ExpiresAt)
	return err
}

// TakeTransaction hands out a transaction of this browser, once: it is gone
// afterwards, whatever becomes of it. Expiry and provider are the caller's to
// check. NotFound: reason other-browser if it is there and another browser's
// (and it stays), else state-unknown.
func (s *Store) TakeTransaction(ctx context.Context, stateHash, browserHash []byte) (*Transaction, error) {
	var r struct {
		Kind      TransactionKind   `db:"kind"`
		Provider  string            `db:"provider"`
		Nonce     string            `db:"nonce"`
		Verifier  string            `db:"verifier"`
		Need      privacy.Assurance `db:"need"`
		Fresh     bool              `db:"fresh"`
		Person    string            `db:"person_ref"`
		Session   string            `db:"session_id"`
		ReturnTo  string            `db:"return_to"`
		CreatedAt time.Time         `db:"created_at"`
		ExpiresAt time.Time         `db:"expires_at"`
	}
	err := s.get(ctx, &r, `DELETE FROM login_transaction WHERE state_hash = $1 AND browser_hash = $2
		RETURNING kind, provider, nonce, verifier, need, fresh, coalesce(person_ref, '') AS person_ref,
			coalesce(session_id::text, '') AS session_id, return_to, created_at, expires_at`, stateHash, browserHash)
	if errors.Is(err, sql.ErrNoRows) {
		var there bool
		if err := s.get(ctx, &there, `SELECT EXISTS (SELECT FROM login_transaction WHERE state_hash = $1)`, stateHash); err != nil {
			return nil, err
		}
		if there {
			return nil, notFound("other-browser")
		}
		return nil, notFound("state-unknown")
	}
	if err != nil {
		return nil, err
	}
	return &Transaction{StateHash: stateHash, BrowserHash: browserHash, Kind: r.Kind, Provider: r.Provider, Nonce: r.Nonce,
		Verifier: r.Verifier, Need: r.Need, Fresh: r.Fresh, Person: privacy.PersonRef(r.Person), Session: r.Session,
		ReturnTo: r.ReturnTo, CreatedAt: r.CreatedAt.UTC(), ExpiresAt: r.ExpiresAt.UTC()}, nil
}

// SweepAuth deletes what has run out: transactions, sessions, parked forms, codes,
// rate limits. Called by the worker; nothing depends on when.
func (s *Store) SweepAuth(ctx context.Context) (int64, error) {
	var all int64
	for _, table := range []string{"login_transaction", "session", "parked_form", "one_time_code", "rate_limit"} {
		n, err := s.exec(ctx, `DELETE FROM `+table+` WHERE expires_at <= $1`, s.Now())
		if err != nil {
			return all, err
		}
		all += n
	}
	return all, nil
}
