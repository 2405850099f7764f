// Innsyn is the self-service privacy portal.
//
//	innsyn serve      answers people
//	innsyn worker     carries out what they chose
//	innsyn migrate    brings the database to this binary's schema
//	innsyn check      validates the catalogue and prints it as a table
//	innsyn verify-ledger  recomputes every proof in the ledger
//	innsyn end-link   takes back that a customer record is a person's, and says what was shown and told through it
//
// Configuration is a file, named by --config or INNSYN_CONFIG; docs/CONFIG.md
// describes every field.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"elekt.no/innsyn/auth"
	"elekt.no/innsyn/fulfil"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
	"elekt.no/innsyn/web"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "innsyn:", err)
		}
		stop()
		os.Exit(1)
	}
}

const usage = `usage: innsyn COMMAND [--config FILE]

  serve          answers people
  worker         carries out what they chose
  migrate        brings the database to this binary's schema, as its owner
  check          validates the catalogue and prints it as a table; --catalogue FILE for another
  verify-ledger  recomputes every proof in the ledger
  end-link       takes back a wrong link of a person to a customer record, and prints
                 what was shown and which recipients were told through it:
                 --link ID (person_link.link_id) --why CODE (as wrong-person; no names)
`

// run is main without the process: one command with its arguments.
func run(ctx context.Context, args []string, out, errout io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(errout, usage)
		return errors.New("no command")
	}
	flags := flag.NewFlagSet("innsyn "+args[0], flag.ContinueOnError)
	flags.SetOutput(errout)
	config := flags.String("config", os.Getenv("INNSYN_CONFIG"), "configuration `file`")
	catalogue := flags.String("catalogue", "", "catalogue `file`, for check; the configured one if empty")
	link := flags.String("link", "", "`id` of a link, for end-link")
	why := flags.String("why", "", "short `code` of the reason, for end-link")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	switch args[0] {
	case "check":
		path := *catalogue
		if path == "" && *config != "" {
			c, err := loadConfig(*config)
			if err != nil {
				return err
			}
			path = c.Catalogue
		}
		return check(out, path)
	case "migrate":
		return migrate(ctx, *config)
	case "serve", "worker", "verify-ledger", "end-link":
		c, err := loadConfig(*config)
		if err != nil {
			return err
		}
		log := slog.New(slog.NewJSONHandler(errout, nil))
		switch args[0] {
		case "serve":
			return serve(ctx, c, log)
		case "worker":
			return work(ctx, c, log)
		case "end-link":
			return endLink(ctx, c, log, out, *link, *why)
		}
		return verifyLedger(ctx, c, out)
	}
	fmt.Fprint(errout, usage)
	return fmt.Errorf("unknown command %q", args[0])
}

// migrate needs the owner's address only, so that the owner's password need not
// lie where the application's configuration does.
func migrate(ctx context.Context, config string) error {
	url := os.Getenv("INNSYN_OWNER_DATABASE_URL")
	if url == "" {
		c, err := loadConfig(config)
		if err != nil {
			return err
		}
		if url = c.Database.Owner; url == "" {
			return errors.New("migrate: set INNSYN_OWNER_DATABASE_URL or database.owner")
		}
	}
	return store.Migrate(ctx, url)
}

func openStore(c *Config, pairs int) (*store.Store, error) {
	return store.Open(store.Options{URL: c.Database.URL, CompanyURL: c.Database.Company, MaxOpen: c.Database.MaxOpen, MaxPairs: pairs})
}

func verifyLedger(ctx context.Context, c *Config, out io.Writer) error {
	db, err := openStore(c, 0)
	if err != nil {
		return err
	}
	defer db.Close()
	n, err := db.VerifyLedger(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%d entries, all as they were written.\n", n)
	return err
}

// bornWith is how long untilKept bears with a fault that waiting doesn't usually
// mend, as a missing right: a migration may be under way.
const bornWith = 30 * time.Second

// untilKept stores the catalogue before anything is shown or sent. A database that
// is away, or not migrated yet, is waited for; any other error is given back after
// bornWith, and the context's when it ends.
func untilKept(ctx context.Context, log *slog.Logger, bornWith time.Duration, keep func(context.Context) error) error {
	var said, since time.Time
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := keep(ctx)
		if err == nil {
			return nil
		}
		switch {
		case privacy.KindOf(err) == privacy.Unavailable:
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
		case ctx.Err() == nil && time.Since(since) >= bornWith:
			return fmt.Errorf("database: %w", err)
		}
		if time.Since(said) >= time.Minute {
			log.Warn("waiting for the database", "error", err)
			said = time.Now()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// gcPercent is how much the heap may grow before it is collected, in per cent of
// what is alive, unless GOGC says otherwise. Little is alive in a process that
// keeps nothing between requests, so memory is cheap and collecting isn't.
const gcPercent = 400

func serve(ctx context.Context, c *Config, log *slog.Logger) (err error) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	catalogue, err := loadCatalogue(c.Catalogue)
	if err != nil {
		return err
	}
	db, err := openStore(c, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	sessionKey, err := decodeKey(c.Keys.Session)
	if err != nil {
		return err
	}
	ninKey, err := decodeKey(c.Keys.NationalID)
	if err != nil {
		return err
	}
	a, err := auth.New(auth.Options{
		BaseURL: c.BaseURL, Providers: c.Providers, Limits: c.Sessions, Store: db, Catalogue: catalogue, Log: log,
		SessionKey: sessionKey, NationalIDKey: ninKey, Production: c.Env == "production", API: c.API,
	})
	if err != nil {
		return err
	}
	portal, err := web.New(web.Options{
		BaseURL: c.BaseURL, Catalogue: catalogue, Store: db, Auth: a, Log: log, Development: c.Env == "development", Proxies: c.Proxies,
		Systems: c.systems(),
	})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	log.Info("serving", "address", l.Addr().String(), "catalogue", catalogue.Hash().String(), "version", catalogue.Version)
	server := &http.Server{
		Handler: portal, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	// The portal answers at once; it says that it is not ready until the texts
	// that it shows are on record.
	err = untilKept(ctx, log, bornWith, func(ctx context.Context) error { return db.KeepCatalogue(ctx, catalogue) })
	switch {
	case err == nil:
		portal.SetReady()
	case ctx.Err() == nil:
		return errors.Join(err, server.Close())
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Shutdown)
	defer cancel()
	if err := server.Shutdown(end); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}

func work(ctx context.Context, c *Config, log *slog.Logger) (err error) {
	catalogue, err := loadCatalogue(c.Catalogue)
	if err != nil {
		return err
	}
	db, err := openStore(c, fulfil.Pairs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := untilKept(ctx, log, bornWith, func(ctx context.Context) error { return db.KeepCatalogue(ctx, catalogue) }); err != nil {
		if ctx.Err() != nil {
			return nil // asked to stop before the database came
		}
		return err
	}
	sessionKey, err := decodeKey(c.Keys.Session)
	if err != nil {
		return err
	}
	codeKey, err := auth.CodeKey(sessionKey)
	if err != nil {
		return err
	}
	ninKey, err := decodeKey(c.Keys.NationalID)
	if err != nil {
		return err
	}
	addressKey, err := auth.AddressKey(ninKey)
	if err != nil {
		return err
	}
	w, err := fulfil.New(fulfil.Options{
		Store: db, Catalogue: catalogue, Recipients: c.Recipients, CodeKey: codeKey, AddressKey: addressKey, Log: log,
	})
	if err != nil {
		return err
	}
	log.Info("working", "catalogue", catalogue.Hash().String(), "connected", strings.Join(w.Connected(), " "))
	return w.Run(ctx, c.Shutdown)
}
