package pgdev

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"elekt.no/innsyn/internal/apt"
)

// oldest is the oldest PostgreSQL that Innsyn runs on.
const oldest = 15

// createCluster is read by Debian's package: without it, installing would also
// make and start a server of its own.
const createCluster = "/etc/postgresql-common/createcluster.conf"

// binaries finds the folder of PostgreSQL's programs and its major version:
// INNSYN_PG_BIN, then the postgres in PATH, then Debian's folders, highest
// version first. If there is none, it is installed.
func binaries(ctx context.Context, log io.Writer) (dir string, major int, err error) {
	if dir := os.Getenv("INNSYN_PG_BIN"); dir != "" {
		major, err := version(ctx, dir)
		if err != nil {
			return "", 0, fmt.Errorf("INNSYN_PG_BIN: %w", err)
		}
		return dir, major, nil
	}
	if dir, major := find(ctx); dir != "" {
		return dir, major, nil
	}
	if err := install(ctx, log); err != nil {
		return "", 0, err
	}
	if dir, major := find(ctx); dir != "" {
		return dir, major, nil
	}
	return "", 0, fmt.Errorf("PostgreSQL %d or newer was not found even after it was installed; INNSYN_PG_BIN can name the folder of initdb and postgres", oldest)
}

// find returns "" if no PostgreSQL that is whole and new enough is here.
func find(ctx context.Context) (string, int) {
	if path, err := exec.LookPath("postgres"); err == nil {
		// PATH may hold a lone link to postgres, without initdb beside it.
		if real, err := filepath.EvalSymlinks(path); err == nil {
			if major, err := version(ctx, filepath.Dir(real)); err == nil {
				return filepath.Dir(real), major
			}
		}
	}
	folders, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", 0
	}
	var best string
	var bestMajor int
	for _, dir := range folders {
		if major, err := version(ctx, dir); err == nil && major > bestMajor {
			best, bestMajor = dir, major
		}
	}
	return best, bestMajor
}

// version asks the programs in dir which major version they are.
func version(ctx context.Context, dir string) (int, error) {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return 0, err
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return 0, fmt.Errorf("%s/postgres --version: %w", dir, err)
	}
	fields := strings.Fields(string(out)) // postgres (PostgreSQL) 15.18 (Debian ...)
	for i, f := range fields {
		if f != "(PostgreSQL)" || i+1 == len(fields) {
			continue
		}
		number := strings.FieldsFunc(fields[i+1], func(r rune) bool { return r < '0' || r > '9' })
		if len(number) == 0 {
			break
		}
		major, err := strconv.Atoi(number[0])
		if err != nil {
			return 0, err
		}
		if major < oldest {
			return 0, fmt.Errorf("%s is PostgreSQL %d; %d or newer is needed", dir, major, oldest)
		}
		return major, nil
	}
	return 0, fmt.Errorf("%s/postgres has no version: %q", dir, out)
}

// install installs Debian's package without letting it make a server of its own.
func install(ctx context.Context, log io.Writer) error {
	if os.Geteuid() == 0 {
		if _, err := os.Stat(createCluster); os.IsNotExist(err) {
			if err := os.MkdirAll(filepath.Dir(createCluster), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(createCluster, []byte("create_main_cluster = false\n"), 0o644); err != nil {
				return err
			}
		}
	}
	return apt.Install(ctx, log, "PostgreSQL", "postgresql")
}
