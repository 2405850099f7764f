package pgdev

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/lib/pq"
)

// EnsureRole makes a role that may log in, with the attributes given (such as
// "CREATEROLE CREATEDB"), or brings an existing one to that; password may be
// empty for a private server. The role is then a member of the roles in memberOf.
// May be run by several programs at once.
func EnsureRole(ctx context.Context, db *sql.DB, name, password, attributes string, memberOf ...string) error {
	role := pq.QuoteIdentifier(name)
	set := " LOGIN " + attributes
	if password != "" {
		set += " PASSWORD " + pq.QuoteLiteral(password)
	}
	statements := []string{"CREATE ROLE " + role + set, "ALTER ROLE " + role + set}
	for _, group := range memberOf {
		statements = append(statements, "GRANT "+pq.QuoteIdentifier(group)+" TO "+role)
	}
	for _, s := range statements {
		if err := again(ctx, db, s); err != nil {
			return fmt.Errorf("role %s: %w", name, err)
		}
	}
	return nil
}

// EnsureGroup makes a role that can't log in, if it does not exist yet.
func EnsureGroup(ctx context.Context, db *sql.DB, name string) error {
	return again(ctx, db, "CREATE ROLE "+pq.QuoteIdentifier(name)+" NOLOGIN")
}

// again runs a statement about a role. Two programs that do so at the same time
// collide in the catalogue: the one that comes second tries anew. What exists
// already is no error.
func again(ctx context.Context, db *sql.DB, statement string) error {
	for {
		_, err := db.ExecContext(ctx, statement)
		e := pq.As(err)
		switch {
		case e != nil && (e.Code == "42710" || e.Code == "23505"): // duplicate_object, unique_violation
			return nil
		case e != nil && e.Code == "XX000" && strings.Contains(e.Message, "concurrently"):
			continue
		}
		return err
	}
}

// WithDatabase is the connection string dsn, a URL or key=value, with another
// role, password and database. Empty arguments leave what is there.
func WithDatabase(dsn, user, password, dbname string) (string, error) {
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		var err error
		if dsn, err = pq.ParseURL(dsn); err != nil {
			return "", err
		}
	}
	for _, kv := range [][2]string{{"user", user}, {"password", password}, {"dbname", dbname}} {
		if kv[1] != "" {
			dsn += " " + kv[0] + "=" + quote(kv[1]) // of two, the later one holds
		}
	}
	return dsn, nil
}
