package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// endLink takes a wrong link back and says what has to be answered for: what was
// shown through it, and which recipients were told of the wrong address. The
// latter is an error in the log too, because only a human can put it right if the
// person whose address it is has made no choices here. Ids only, no names.
//
// law: GDPR 16, 19, 33, 34
func endLink(ctx context.Context, c *Config, log *slog.Logger, out io.Writer, link, why string) error {
	db, err := openStore(c, 0)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.EndLink(ctx, link, why); err != nil {
		return fmt.Errorf("end-link: %w", err)
	}
	log.Warn("link taken back", "link", link, "why", why)
	shown, err := db.ShownThrough(ctx, link)
	if err != nil {
		return err
	}
	told, err := db.ToldThrough(ctx, link)
	if err != nil {
		return err
	}
	for _, d := range told {
		log.Error("a recipient was told of the wrong address", "link", link, "delivery", d.ID, "recipient", d.Recipient,
			"purpose", d.Purpose, "action", string(d.Action))
	}
	return printEnded(out, shown, told)
}

func printEnded(out io.Writer, shown []store.Shown, told []privacy.Delivery) error {
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "SHOWN\tFIRST\tLAST\tTIMES")
	for _, s := range shown {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\n", s.Page, s.First.Format(time.RFC3339), s.Last.Format(time.RFC3339), s.Times)
	}
	fmt.Fprintln(t, "\nTOLD\tPURPOSE\tACTION\tDELIVERY")
	for _, d := range told {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", d.Recipient, d.Purpose, d.Action, d.ID)
	}
	return t.Flush()
}
