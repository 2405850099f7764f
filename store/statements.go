package store

import (
	"context"
	"sync"

	"github.com/jmoiron/sqlx"
)

// statements prepares each hot query once. database/sql prepares it anew on
// every connection, so a database that comes back needs nothing from us.
type statements struct {
	db *sqlx.DB
	mu sync.RWMutex
	m  map[string]*sqlx.Stmt
}

func (s *statements) get(ctx context.Context, query string) (*sqlx.Stmt, error) {
	s.mu.RLock()
	st := s.m[query]
	s.mu.RUnlock()
	if st != nil {
		return st, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.m[query]; st != nil {
		return st, nil
	}
	st, err := s.db.PreparexContext(ctx, query)
	if err != nil {
		return nil, wrap(err)
	}
	if s.m == nil {
		s.m = map[string]*sqlx.Stmt{}
	}
	s.m[query] = st
	return st, nil
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

// exec runs a prepared statement outside a transaction and returns how many rows it changed.
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
