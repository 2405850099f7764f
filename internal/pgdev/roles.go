package pgdev

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
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

// With is the connection string dsn, a URL or key=value, with settings changed:
// name, value, name, value (as "dbname", "x"). An empty value leaves what is there.
func With(dsn string, settings ...string) (string, error) {
	dsn, err := keyValue(dsn)
	if err != nil {
		return "", err
	}
	for i := 0; i+1 < len(settings); i += 2 {
		if settings[i+1] != "" {
			dsn += " " + settings[i] + "=" + quote(settings[i+1]) // of two, the later one holds
		}
	}
	return strings.TrimSpace(dsn), nil
}

// keyValue turns a connection URL into key=value; what is no URL stays.
func keyValue(dsn string) (string, error) {
	if !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://") {
		return dsn, nil
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "", errors.New("the connection string is no URL") // it may hold a password
	}
	password, _ := u.User.Password()
	var b strings.Builder
	add := func(name, value string) {
		if value != "" {
			b.WriteString(" " + name + "=" + quote(value))
		}
	}
	add("user", u.User.Username())
	add("password", password)
	add("host", u.Hostname())
	add("port", u.Port())
	add("dbname", strings.TrimPrefix(u.Path, "/"))
	for name, values := range u.Query() {
		add(name, values[len(values)-1])
	}
	return b.String(), nil
}
