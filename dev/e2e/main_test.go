package e2e

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"elekt.no/innsyn/dev/browser"
	"elekt.no/innsyn/dev/stack"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
	"elekt.no/innsyn/store/storetest"

	// What the binary is made of, so that go test never takes an old result for
	// one of today's binary.
	_ "elekt.no/innsyn/auth"
	_ "elekt.no/innsyn/fulfil"
	_ "elekt.no/innsyn/static"
	_ "elekt.no/innsyn/views"
	_ "elekt.no/innsyn/web"
)

// world is what all tests share.
var world struct {
	*stack.Stack
	catalogue *privacy.Catalogue
	store     *store.Store      // what the binary would read, past any outage
	owner     *sql.DB           // for what no code of ours may do
	outage    *storetest.Outage // between the binary and its database
	company   *storetest.Outage // between the binary and the company's
	logs      *logs
	browser   context.Context
	root      string
}

// startTimeout bounds the time until the first test, in which the binary may
// have to be built.
const startTimeout = 5 * time.Minute

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

// run starts the world, runs the tests, ends the world and reads its log.
func run(m *testing.M) int {
	b := &backstage{}
	defer b.end()
	if err := b.play(func() { begin(b) }); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	code := m.Run()
	if err := world.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: stop:", err)
		code = 1
	}
	found := world.logs.crawl(everySecret())
	for _, f := range found {
		fmt.Fprintln(os.Stderr, "e2e: the log must not hold this:", f)
	}
	if len(found) > 0 {
		code = 1
	}
	if code != 0 {
		path := filepath.Join(world.root, ".cache", "e2e.log")
		if err := os.WriteFile(path, []byte(world.logs.String()), 0o600); err == nil {
			fmt.Fprintln(os.Stderr, "e2e: the log of the run is in", path)
		}
	}
	return code
}

// begin starts everything.
func begin(b *backstage) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	b.Cleanup(cancel)
	var err error
	if world.root, err = stack.Root(); err != nil {
		b.Fatal(err)
	}
	if world.catalogue, err = privacy.LoadCatalogue("privacy/catalogue.yaml", privacy.EmbeddedCatalogue); err != nil {
		b.Fatal(err)
	}
	chromium, err := browser.Find(ctx, os.Stderr)
	if err != nil {
		b.Fatal(err)
	}
	home := folder(b)
	build(ctx, b, filepath.Join(home, "bin", "innsyn"))

	db := storetest.New(b)
	world.owner = db.Owner(b)
	world.outage = db.Outage(b)
	behind := *db
	behind.AppURL = db.CompanyURL
	world.company = behind.Outage(b)
	if world.store, err = store.Open(store.Options{URL: db.AppURL, CompanyURL: db.CompanyURL, MaxOpen: 4}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { world.store.Close() })

	world.logs = newLogs()
	world.Stack, err = stack.Start(ctx, stack.Options{
		Root: home, Dir: filepath.Join(home, "dev"), Logs: world.logs,
		Databases: &stack.Databases{Owner: db.OwnerURL, App: world.outage.AppURL, Company: world.company.AppURL, CompanyOwner: db.OwnerURL},
	})
	if err != nil {
		b.Fatal(err, "\n", world.logs.String())
	}
	b.Cleanup(func() { world.Stop() })
	world.browser = open(b, chromium, filepath.Join(home, "chromium"))
}

// build builds the production binary of this source, so that what is tested is
// what is here, whoever else builds at the same time.
func build(ctx context.Context, b *backstage, to string) {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", to, "./cmd/innsyn") // go test puts its own go first in PATH
	cmd.Dir, cmd.Env = world.root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatal("build: ", err, "\n", string(out))
	}
}

// open starts the browser. It stays until the end; each visitor gets a browser
// context of their own in it.
func open(b *backstage, chromium, dir string) context.Context {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.UserDataDir(dir), chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("accept-lang", "nb"))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	b.Cleanup(cancel)
	ctx, end := chromedp.NewContext(allocator)
	b.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil {
		b.Fatal("browser: ", err)
	}
	return ctx
}

func folder(b *backstage) string {
	dir, err := os.MkdirTemp("", "innsyn-e2e-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// backstage is the testing.TB that outlives every test: storetest wants one, and
// TestMain has none.
type backstage struct {
	testing.TB // nil; what is used is below
	ends       []func()
	err        error
}

// play runs f until it returns or fails.
func (b *backstage) play(f func()) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
	return b.err
}

func (b *backstage) end() {
	for i := len(b.ends) - 1; i >= 0; i-- {
		b.ends[i]()
	}
}

func (b *backstage) Helper()                  {}
func (b *backstage) Context() context.Context { return context.Background() }
func (b *backstage) Cleanup(f func())         { b.ends = append(b.ends, f) }
func (b *backstage) Error(args ...any)        { b.err = errors.Join(b.err, errors.New(fmt.Sprint(args...))) }
func (b *backstage) Errorf(format string, args ...any) {
	b.err = errors.Join(b.err, fmt.Errorf(format, args...))
}

func (b *backstage) Fatal(args ...any) {
	b.Error(args...)
	runtime.Goexit()
}

func (b *backstage) Fatalf(format string, args ...any) {
	b.Errorf(format, args...)
	runtime.Goexit()
}
