package pgdev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

type lockKind int

const (
	shared    lockKind = syscall.LOCK_SH
	exclusive lockKind = syscall.LOCK_EX
)

// errLocked means that somebody else holds the lock.
var errLocked = errors.New("locked by another program")

// lockFile waits for the lock until ctx ends and says so on log if it takes long.
// Closing the file, or the end of this process, releases it; child processes do
// not inherit it.
func lockFile(ctx context.Context, path string, kind lockKind, log io.Writer) (*os.File, error) {
	for n := 0; ; n++ {
		f, err := flock(path, kind)
		if !errors.Is(err, errLocked) {
			return f, err
		}
		if n == 200 {
			fmt.Fprintf(log, "waiting for another program that starts or stops PostgreSQL in %s\n", filepath.Dir(path))
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// flock takes the lock, or returns errLocked.
func flock(path string, kind lockKind) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%s belongs to another user: %w", path, err)
	}
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), int(kind)|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errLocked
	}
	return nil, errors.Join(err, f.Close())
}
