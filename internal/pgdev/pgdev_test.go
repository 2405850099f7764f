package pgdev

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary be another program that uses a folder: it starts
// or attaches, prints one line and waits until its input ends.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PGDEV_TEST_USE"); dir != "" {
		c, err := Start(context.Background(), Options{Dir: dir, Log: os.Stderr, Fast: true})
		if err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		fmt.Println("ready", c.pid())
		bufio.NewReader(os.Stdin).ReadString('\n')
		if err := c.Stop(); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// otherProgram uses the folder in a process of its own until stop is called.
func otherProgram(t *testing.T, dir string) (cmd *exec.Cmd, stop func()) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PGDEV_TEST_USE="+dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "ready") {
		t.Fatalf("the other program: %q %v", line, err)
	}
	return cmd, func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
}

// folder is one that every user can reach, unlike t.TempDir for root.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "pgdev-test-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func start(t *testing.T, dir string) *Cluster {
	t.Helper()
	var log bytes.Buffer
	c, err := Start(t.Context(), Options{Dir: dir, Log: &log, Fast: true})
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func query(t *testing.T, c *Cluster, dbname, q string) string {
	t.Helper()
	db, err := sql.Open("postgres", c.URL(Superuser, dbname))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var s string
	if err := db.QueryRow(q).Scan(&s); err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	return s
}

func openDB(t *testing.T, c *Cluster) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", c.URL(Superuser, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func gone(t *testing.T, c *Cluster) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); c.pid() != 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the server still runs")
		}
	}
}

func TestStartAttachStop(t *testing.T) {
	dir := folder(t)
	a := start(t, dir)
	if err := a.CreateDatabase(t.Context(), "thing", Superuser); err != nil {
		t.Fatal(err)
	}
	if err := a.CreateDatabase(t.Context(), "thing", Superuser); err != nil {
		t.Fatalf("the second time: %v", err)
	}
	query(t, a, "thing", "CREATE TABLE t AS SELECT 'kept' AS v; SELECT 'x'")

	b := start(t, dir)
	if a.pid() == 0 || a.pid() != b.pid() {
		t.Fatalf("two servers: %d, %d", a.pid(), b.pid())
	}
	_, stop := otherProgram(t, dir)
	for _, c := range []*Cluster{a, b} {
		if err := c.Stop(); err != nil {
			t.Fatal(err)
		}
		if err := c.Stop(); err != nil {
			t.Fatalf("stopping twice: %v", err)
		}
	}
	if a.pid() == 0 {
		t.Fatal("the server was stopped under another program")
	}
	stop()
	if a.pid() != 0 {
		t.Fatal("the last user stopped and the server still runs")
	}
	c := start(t, dir)
	if got := query(t, c, "thing", "SELECT v FROM t"); got != "kept" {
		t.Errorf("after a restart: %q", got)
	}
	if got := query(t, c, "thing", "SHOW listen_addresses"); got != "" {
		t.Errorf("listens on %q", got)
	}
	if got := query(t, c, "thing", "SHOW server_encoding"); got != "UTF8" {
		t.Errorf("encoding %s", got)
	}
}

func TestServerKilled(t *testing.T) {
	dir := folder(t)
	a := start(t, dir)
	query(t, a, "postgres", "CREATE TABLE t AS SELECT 'kept' AS v; SELECT 'x'")
	if err := syscall.Kill(a.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	gone(t, a)
	b := start(t, dir)
	if got := query(t, b, "postgres", "SELECT v FROM t"); got != "kept" {
		t.Errorf("after kill -9: %q", got)
	}
}

func TestUserKilled(t *testing.T) {
	dir := folder(t)
	a := start(t, dir)
	cmd, _ := otherProgram(t, dir)
	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}
	if a.pid() == 0 {
		t.Fatal("stopped too early")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // killed, as asked
	gone(t, a) // the watcher's work
	if _, err := os.Stat(filepath.Join(a.data(), "postmaster.pid")); err == nil {
		t.Error("the server was not shut down in order")
	}
	start(t, dir)
}

// The first user is killed and the second goes on, since the server is nobody's child.
func TestStarterKilled(t *testing.T) {
	dir := folder(t)
	cmd, _ := otherProgram(t, dir)
	a := start(t, dir)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if got := query(t, a, "postgres", "SELECT 'on'"); got != "on" {
		t.Error(got)
	}
}

func TestManyAtOnce(t *testing.T) {
	dir := folder(t)
	pids := make(chan int, 8)
	for range cap(pids) {
		go func() {
			c, err := Start(t.Context(), Options{Dir: dir, Fast: true})
			if err != nil {
				t.Error(err)
				pids <- -1
				return
			}
			t.Cleanup(func() { c.Stop() })
			pids <- c.pid()
		}()
	}
	first := <-pids
	for range cap(pids) - 1 {
		if pid := <-pids; pid != first || pid <= 0 {
			t.Errorf("server %d and server %d", first, pid)
		}
	}
}

func TestHalfMadeFolder(t *testing.T) {
	dir := folder(t)
	_, major, err := binaries(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	part := filepath.Join(dir, fmt.Sprintf("pg%d.part123", major))
	if err := os.MkdirAll(filepath.Join(part, "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	start(t, dir)
	if _, err := os.Stat(part); !os.IsNotExist(err) {
		t.Errorf("the part of a killed initdb is still there: %v", err)
	}
}

// Root can run the server in a user namespace, and with a folder whose owner is
// somebody else again. An ordinary user has nothing to change.
func TestAccounts(t *testing.T) {
	bin, major, err := binaries(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	all := accounts()
	tried := map[string]bool{}
	for _, as := range all {
		kind := fmt.Sprint(as.drop, as.namespace)
		if tried[kind] {
			continue // the same with another user
		}
		tried[kind] = true
		t.Run(fmt.Sprintf("%+v", as), func(t *testing.T) {
			dir := folder(t)
			if !as.works(bin, dir) {
				if as.drop || as.namespace {
					return // not on this machine
				}
				t.Fatal("an ordinary user can't run PostgreSQL")
			}
			for _, who := range [][]account{{as}, all} { // made by the one, used by the best
				c, err := use(t.Context(), Options{Dir: dir, Log: t.Output(), Fast: true}, bin, major, who)
				if err != nil {
					t.Fatal(err)
				}
				if got := query(t, c, "postgres", "SELECT current_user"); got != Superuser {
					t.Error(got)
				}
				if err := c.Stop(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// Root's folder may be closed to the user that the server runs as; one way or
// another, it works. A path that is too long for a socket is replaced by one in
// /var/tmp, the same one each time.
func TestElsewhere(t *testing.T) {
	short := folder(t)
	if err := os.Chmod(short, 0o700); err != nil {
		t.Fatal(err)
	}
	long := filepath.Join(t.TempDir(), strings.Repeat("long/", 20))
	for _, dir := range []string{filepath.Join(short, "pg"), long} {
		c, again := start(t, dir), start(t, dir)
		if c.Dir() != again.Dir() || dir == long && !strings.HasPrefix(c.Dir(), "/var/tmp/innsyn-") {
			t.Errorf("%s became %s and %s", dir, c.Dir(), again.Dir())
		}
		if got := query(t, c, "postgres", "CREATE TABLE t AS SELECT 'x' AS v; SELECT v FROM t"); got != "x" {
			t.Error(got)
		}
		if err := errors.Join(c.Stop(), again.Stop(), os.RemoveAll(c.Dir())); err != nil {
			t.Error(err)
		}
	}
}

func TestQuote(t *testing.T) {
	if got := quote(`it's \ here`); got != `'it\'s \\ here'` {
		t.Error(got)
	}
}
