// Command need makes sure that the programs named as arguments, postgresql, chromium
// and curl, are on this machine. As root on Debian it installs what is missing;
// elsewhere it ends with a sentence that names the command to run.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"

	"elekt.no/innsyn/dev/browser"
	"elekt.no/innsyn/internal/apt"
	"elekt.no/innsyn/internal/pgdev"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	for _, name := range os.Args[1:] {
		if err := need(ctx, name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func need(ctx context.Context, name string) error {
	switch name {
	case "postgresql":
		if os.Getenv("INNSYN_DATABASE_URL") != "" {
			return nil // somebody else's server is used
		}
		return pgdev.Need(ctx, os.Stdout)
	case "chromium":
		_, err := browser.Find(ctx, os.Stdout)
		return err
	case "curl":
		if _, err := exec.LookPath(name); err == nil {
			return nil
		}
		return apt.Install(ctx, os.Stdout, name, name)
	}
	return fmt.Errorf("need: nothing is known about %q", name)
}
