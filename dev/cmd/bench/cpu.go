package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"elekt.no/innsyn/dev/stack"
)

// meter reads how much processor time was used so far: by a server's process, and
// by the database's, which both sides share. What others do on the machine slows
// a server down, but doesn't make it use more.
type meter struct{ db *sql.DB }

func newMeter(s *stack.Stack) (*meter, error) {
	db, err := sql.Open("postgres", s.Databases.Owner)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return &meter{db}, nil
}

// cpu is processor time.
type cpu struct{ server, database time.Duration }

func (c cpu) sub(d cpu) cpu { return cpu{c.server - d.server, c.database - d.database} }
func (c cpu) add(d cpu) cpu { return cpu{c.server + d.server, c.database + d.database} }

// read gives what the process and the database have used. A database on another
// machine counts as nothing.
func (m *meter) read(ctx context.Context, pid int) (cpu, error) {
	var c cpu
	var err error
	if c.server, err = used(pid); err != nil {
		return c, err
	}
	rows, err := m.db.QueryContext(ctx, `SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()`)
	if err != nil {
		return c, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&pid); err != nil {
			return c, err
		}
		t, err := used(pid)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return c, err
		}
		c.database += t
	}
	return c, rows.Err()
}

// tick is the unit of /proc/PID/stat.
const tick = 10 * time.Millisecond

// used is the processor time of a process, its own and the kernel's for it.
func used(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name, in parentheses, may hold anything; the fields after it are counted from the third.
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat: %q", pid, b)
	}
	user, err := strconv.ParseInt(string(fields[11]), 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(string(fields[12]), 10, 64)
	return time.Duration(user+system) * tick, err
}
