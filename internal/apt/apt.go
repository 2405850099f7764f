// Package apt installs packages of Debian, for the development stack and the
// tests: a newcomer's machine has Go, git and make and need not have more.
//
// It acts only as root on a system with apt-get; everywhere else the error
// names the one command to run. It is never linked into the production binary.
package apt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Install installs packages, without what they merely recommend. what is how a
// person calls the missing thing. Progress goes to log, in one line and, if it
// fails, apt-get's own words.
func Install(ctx context.Context, log io.Writer, what string, packages ...string) error {
	command := "apt-get install --no-install-recommends -y " + strings.Join(packages, " ")
	aptGet, err := exec.LookPath("apt-get")
	if err != nil {
		return fmt.Errorf("%s is not installed; on Debian or Ubuntu the command is: sudo %s", what, command)
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("%s is not installed; run: sudo %s", what, command)
	}
	unlock, err := lock()
	if err != nil {
		return err
	}
	defer unlock()
	began := time.Now()
	fmt.Fprintf(log, "%s is not installed; installing it: %s\n", what, command)
	args := append([]string{"install", "--no-install-recommends", "-y", "-q"}, packages...)
	if err := run(ctx, aptGet, args, io.Discard); err != nil {
		// Most often the package lists are missing or old.
		if err := run(ctx, aptGet, []string{"update", "-q"}, log); err != nil {
			return fmt.Errorf("apt-get update, needed to install %s: %w", what, err)
		}
		if err := run(ctx, aptGet, args, log); err != nil {
			return fmt.Errorf("%s could not be installed with %q: %w", what, command, err)
		}
	}
	fmt.Fprintf(log, "%s is installed (%.0f s)\n", what, time.Since(began).Seconds())
	return nil
}

// lock lets one program of ours install at a time: apt-get waits for another one
// while it installs, but not while that one fetches the package lists. Who comes
// second finds everything installed, which takes apt-get no time.
func lock() (unlock func() error, err error) {
	f, err := os.OpenFile("/run/innsyn-apt.lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}

// run waits for another apt-get to end instead of failing on its lock. Output is
// written to log only on failure.
func run(ctx context.Context, aptGet string, args []string, log io.Writer) error {
	cmd := exec.CommandContext(ctx, aptGet, append([]string{
		"-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Options::=--force-confold", "-o", "Acquire::Retries=3",
	}, args...)...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "UCF_FORCE_CONFFOLD=1", "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		fmt.Fprintf(log, "%s", out)
	}
	return err
}
