package pgdev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// logLimit is how large the server's log may get before a start empties it.
const logLimit = 10 << 20

// environment of the server's programs: nothing of the caller's PG* or locale.
func environment(home string) []string {
	return []string{"HOME=" + home, "LC_ALL=C.UTF-8", "TZ=UTC", "PATH=" + os.Getenv("PATH")}
}

// init makes the database folder, in one step: an initdb that was killed leaves
// a part that nobody takes for a whole.
func (c *Cluster) init(ctx context.Context, log io.Writer, as account) error {
	if err := os.MkdirAll(c.run(), 0o700); err != nil {
		return err
	}
	if err := as.own(c.run()); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(c.data(), "PG_VERSION")); err == nil {
		return nil
	}
	began := time.Now()
	left, err := filepath.Glob(c.data() + ".part*")
	if err != nil {
		return err
	}
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	part, err := os.MkdirTemp(c.dir, filepath.Base(c.data())+".part")
	if err != nil {
		return err
	}
	if err := as.own(part); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, "initdb"), "-D", part, "-U", Superuser, "-A", "trust",
		"-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
	cmd.Dir = part
	cmd.Env = environment(part)
	cmd.SysProcAttr = as.attr()
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	runtime.LockOSThread() // Pdeathsig looks at the thread that started the child
	out, err := cmd.CombinedOutput()
	runtime.UnlockOSThread()
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if err := os.Rename(part, c.data()); err != nil {
		return err
	}
	fmt.Fprintf(log, "PostgreSQL %d: a new, empty server in %s (%d ms)\n", c.major, c.dir, time.Since(began).Milliseconds())
	return nil
}

// launch starts the server; the channel gets how it ended. The child does not
// end with us but with the last user of the folder.
func (c *Cluster) launch(fast bool, as account) (exited <-chan error, err error) {
	args := []string{"-D", c.data(), "-k", c.run(),
		"-c", "listen_addresses=", "-c", "unix_socket_permissions=0700", "-c", "port=5432",
		"-c", "timezone=UTC", "-c", "log_timezone=UTC", "-c", "jit=off", "-c", "max_connections=200"}
	if fast {
		args = append(args, "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "autovacuum=off")
	}
	if info, err := os.Stat(c.LogFile()); err == nil && info.Size() > logLimit {
		if err := os.Truncate(c.LogFile(), 0); err != nil {
			return nil, err
		}
	}
	log, err := os.OpenFile(c.LogFile(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(filepath.Join(c.bin, "postgres"), args...)
	cmd.Dir = c.data()
	cmd.Env = environment(c.data())
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = as.attr()
	if err := errors.Join(cmd.Start(), log.Close()); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	end := make(chan error, 1)
	go func() { end <- cmd.Wait() }()
	return end, nil
}

// watcher stops the server when nobody uses the folder any more. It reads the
// process id only then, since the server may have been started anew.
const watcher = `exec flock "$1/users" sh -c '
pid=$(head -n 1 "$1/postmaster.pid") 2>/dev/null || exit 0
tr "\0" "\n" <"/proc/$pid/cmdline" 2>/dev/null | grep -qxF -e "$1" || exit 0
kill -INT "$pid"
n=0
while [ -e "$1/postmaster.pid" ] && kill -0 "$pid" 2>/dev/null && [ $n -lt 200 ]; do
	sleep 0.05; n=$((n+1))
done' watcher "$2"`

// watch starts the watcher. It runs as we do and outlives us.
func (c *Cluster) watch() error {
	cmd := exec.Command("/bin/sh", "-c", watcher, "watcher", c.dir, c.data())
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the watcher of PostgreSQL: %w", err)
	}
	go cmd.Wait() // only so that it leaves no zombie while we live
	return nil
}

// shutDown ends the server and waits for it. Called with users held exclusively.
func (c *Cluster) shutDown() error {
	pid := c.pid()
	if pid == 0 {
		return nil
	}
	if err := syscall.Kill(pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	for end := time.Now().Add(stopTimeout); time.Now().Before(end); {
		if c.pid() == 0 {
			return nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	return fmt.Errorf("PostgreSQL in %s does not stop:\n%s", c.dir, c.logTail())
}
