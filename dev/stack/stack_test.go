package stack

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"elekt.no/innsyn/dev/idp"
	"elekt.no/innsyn/store/storetest"
)

// buildPortal builds the production binary as make does.
func buildPortal(t *testing.T, root string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "innsyn")
	cmd := exec.Command("go", "build", "-o", binary, "./cmd/innsyn")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

// buffer collects what several processes write.
type buffer struct {
	mu      sync.Mutex
	b       bytes.Buffer
	written chan struct{} // one slot: something came
}

func newBuffer() *buffer { return &buffer{written: make(chan struct{}, 1)} }

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() {
		select {
		case b.written <- struct{}{}:
		default:
		}
	}()
	return b.b.Write(p)
}

// await waits until text has been written n times.
func (b *buffer) await(t *testing.T, n int, text string) {
	t.Helper()
	for strings.Count(b.String(), text) < n {
		select {
		case <-b.written:
		case <-time.After(20 * time.Second):
			t.Fatalf("not %d times %q, but %q", n, text, b.String())
		}
	}
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func status(t *testing.T, url string) int {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return r.StatusCode
}

func TestStack(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	d := storetest.New(t)
	logs := newBuffer()
	o := Options{
		Root: root, Binary: buildPortal(t, root), Dir: t.TempDir(), Out: t.Output(), Logs: logs,
		Databases: &Databases{Owner: d.OwnerURL, App: d.AppURL, Company: d.CompanyURL, CompanyOwner: d.OwnerURL},
	}
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatalf("%v\n%s", err, logs)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	for _, url := range []string{s.Portal + "/healthz", s.Portal + "/readyz", s.IdentityProvider + "/", s.Standins + "/",
		strings.TrimSuffix(s.IDP.Issuer(idp.BankID), "/") + "/.well-known/openid-configuration",
		strings.TrimSuffix(s.IDP.Issuer(idp.Vipps), "/") + "/.well-known/openid-configuration"} {
		if got := status(t, url); got != http.StatusOK {
			t.Errorf("%s answers %d", url, got)
		}
	}
	var customers int
	if err := d.Owner(t).QueryRow("SELECT count(*) FROM elekt.customer").Scan(&customers); err != nil || customers < 12 {
		t.Errorf("%d demo customers, %v", customers, err)
	}
	if _, ok := s.Standin.MemberOf(mailingLists["newsletter"], "ingrid@example.com"); !ok {
		t.Error("nobody is on the list of the newsletter")
	}

	runDocument(t, s, root, o.Dir)

	// A killed portal can start again at the same address.
	for _, p := range []*Process{s.Serve, s.Worker} {
		if err := p.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.WaitReady(t.Context()); err != nil {
		t.Fatalf("after kill -9: %v\n%s", err, logs)
	}

	// Who starts a second one learns which port is in the way.
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.Portal, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	second := o
	if second.Port, err = net.LookupPort("tcp", port); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), second); err == nil || !strings.Contains(err.Error(), "port "+port) || !strings.Contains(err.Error(), "make run PORT=") {
		t.Errorf("a port in use: %v", err)
	}

	// Stopping frees everything, and the keys stay.
	key, err := os.ReadFile(filepath.Join(o.Dir, nationalIDFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if s, err = Start(t.Context(), second); err != nil {
		// The ports next to the portal's were any free ones before, so they may be taken.
		if !strings.Contains(err.Error(), "is in use") {
			t.Fatalf("again: %v\n%s", err, logs)
		}
		s = &Stack{}
	}
	again, err := os.ReadFile(filepath.Join(o.Dir, nationalIDFile))
	if err != nil || !bytes.Equal(again, key) {
		t.Errorf("the key has changed: %v", err)
	}
}

func TestPorts(t *testing.T) {
	for _, port := range []int{-1, 65534, 70000} {
		if _, err := listen(port); err == nil {
			t.Errorf("port %d was taken", port)
		}
	}
	a, err := listen(0)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(a.portalURL(), "http://127.0.0.1:") || !strings.HasPrefix(a.idpURL(), "http://localhost:") || !strings.HasPrefix(a.standinURL(), "http://127.0.0.2:") {
		t.Error(a.portalURL(), a.idpURL(), a.standinURL())
	}
	for range 2 {
		if err := a.close(); err != nil {
			t.Error(err)
		}
	}
}

func TestProcess(t *testing.T) {
	out := newBuffer()
	p := newProcess("child", out, "/bin/sh", "-c", `trap 'echo ended in order; exit 0' TERM; echo "DB=$INNSYN_DATABASE_URL"; while :; do sleep 0.01; done`)
	t.Setenv("INNSYN_DATABASE_URL", "must not reach the binary")
	if err := p.Stop(); err != nil {
		t.Errorf("one that never ran: %v", err)
	}
	for i, end := range []func() error{p.Stop, p.Kill, p.Stop} {
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		out.await(t, i+1, "DB=\n")
		if err := end(); err != nil {
			t.Error(err)
		}
		<-p.Done()
	}
	const started, ended = "child | DB=\n", "child | ended in order\n"
	if want := started + ended + started + started + ended; out.String() != want {
		t.Errorf("%q", out.String())
	}
	if err := newProcess("none", out, "/does/not/exist").Start(); err == nil {
		t.Error("nothing was started and no error")
	}
}
