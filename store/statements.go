package store

import (
	"context"
	"database/sql"
	"sync"

	"github.com/jmoiron/sqlx"
)

// statements prepares each query once. database/sql prepares it anew on every
// connection, so a database that comes back needs nothing from us.
type statements struct {
	db     *sqlx.DB
	mu     sync.RWMutex
	m      map[string]*sqlx.Stmt
	wanted map[string]bool // met inside a transaction before they were prepared
}

func (s *statements) cached(query string) *sqlx.Stmt {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.m[query]
}

// get must not be called inside a transaction: preparing takes a connection, and
// with all of them in transactions that wait for it nobody would ever go on.
func (s *statements) get(ctx context.Context, query string) (*sqlx.Stmt, error) {
	if st := s.cached(query); st != nil {
		return st, nil
	}
	st, err := s.db.PreparexContext(ctx, query)
	if err != nil {
		return nil, wrap(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil {
		s.m = map[string]*sqlx.Stmt{}
	}
	if first := s.m[query]; first != nil {
		st.Close()
		return first, nil
	}
	s.m[query] = st
	return st, nil
}

func (s *statements) want(query string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wanted == nil {
		s.wanted = map[string]bool{}
	}
	s.wanted[query] = true
}

// prepareWanted runs after a transaction has ended. What can't be prepared now
// is asked for again the next time.
func (s *statements) prepareWanted(ctx context.Context) {
	s.mu.Lock()
	wanted := s.wanted
	s.wanted = nil
	s.mu.Unlock()
	for q := range wanted {
		if _, err := s.get(ctx, q); err != nil {
			return
		}
	}
}

// get reads one row with a prepared query. sql.ErrNoRows passes through.
func (s *Store) get(ctx context.Context, dest any, query string, args ...any) error {
	st, err := s.stmts.get(ctx, query)
	if err != nil {
		return err
	}
	return wrap(st.GetContext(ctx, dest, args...))
}

// list reads rows with a prepared query.
func (s *Store) list(ctx context.Context, dest any, query string, args ...any) error {
	st, err := s.stmts.get(ctx, query)
	if err != nil {
		return err
	}
	return wrap(st.SelectContext(ctx, dest, args...))
}

// exec runs a prepared statement and returns how many rows it changed.
func (s *Store) exec(ctx context.Context, query string, args ...any) (int64, error) {
	st, err := s.stmts.get(ctx, query)
	if err != nil {
		return 0, err
	}
	r, err := st.ExecContext(ctx, args...)
	if err != nil {
		return 0, wrap(err)
	}
	n, err := r.RowsAffected()
	return n, wrap(err)
}

// txGet, txList and txExec do the same inside a transaction, with the prepared
// statement if there is one already.
func (s *Store) txGet(ctx context.Context, tx *sqlx.Tx, dest any, query string, args ...any) error {
	if st := s.stmts.cached(query); st != nil {
		return wrap(tx.StmtxContext(ctx, st).GetContext(ctx, dest, args...))
	}
	s.stmts.want(query)
	return wrap(tx.GetContext(ctx, dest, query, args...))
}

func (s *Store) txList(ctx context.Context, tx *sqlx.Tx, dest any, query string, args ...any) error {
	if st := s.stmts.cached(query); st != nil {
		return wrap(tx.StmtxContext(ctx, st).SelectContext(ctx, dest, args...))
	}
	s.stmts.want(query)
	return wrap(tx.SelectContext(ctx, dest, query, args...))
}

func (s *Store) txExec(ctx context.Context, tx *sqlx.Tx, query string, args ...any) (int64, error) {
	var r sql.Result
	var err error
	if st := s.stmts.cached(query); st != nil {
		r, err = tx.StmtxContext(ctx, st).ExecContext(ctx, args...)
	} else {
		s.stmts.want(query)
		r, err = tx.ExecContext(ctx, query, args...)
	}
	if err != nil {
		return 0, wrap(err)
	}
	n, err := r.RowsAffected()
	return n, wrap(err)
}
