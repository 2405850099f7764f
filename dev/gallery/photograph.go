package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"elekt.no/innsyn/dev/axe"
	"elekt.no/innsyn/views/gallery"
)

// axeRun runs axe-core on the page that is open, for WCAG A and AA, and gives one
// line for each breach.
const axeRun = `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"]})
	.then(r => r.violations.flatMap(v => v.nodes.slice(0, 3).map(n => v.id + ": " + n.target.join(" ") + " " + (n.any[0] ? n.any[0].message : ""))))`

// photograph takes a picture of each page in each width and scheme, and tells what
// is wrong with it: breaches of WCAG, sideways scrolling, messages on the console.
func photograph(ctx context.Context, base, dir, lang string, pages []gallery.Page, widths, schemes []string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.Flag("hide-scrollbars", true))
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	ctx, cancel := chromedp.NewExecAllocator(ctx, opts...)
	defer cancel()
	ctx, cancelTab := chromedp.NewContext(ctx)
	defer cancelTab()
	if err := chromedp.Do(ctx); err != nil {
		return err
	}
	messages := chromedp.Console(ctx)
	said := make(chan string, 1000)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			select {
			case said <- string(m.Type) + ": " + m.Text:
			default:
			}
		}
	}()
	faults := 0
	for _, p := range pages {
		for _, scheme := range schemes {
			for _, w := range widths {
				n, err := one(ctx, base, dir, lang, p.Name, scheme, w, said)
				if err != nil {
					return fmt.Errorf("%s %s %s: %w", p.Name, scheme, w, err)
				}
				faults += n
			}
		}
	}
	if faults > 0 {
		return fmt.Errorf("%d faults", faults)
	}
	return nil
}

func one(ctx context.Context, base, dir, lang, name, scheme, width string, said chan string) (faults int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	w, err := strconv.ParseInt(width, 10, 64)
	if err != nil {
		return 0, err
	}
	scale := 2.0
	if w > 600 {
		scale = 1.5
	}
	media := chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
	if err := chromedp.Do(ctx, media,
		chromedp.EmulateViewport(w, 900, chromedp.EmulateScale(scale)),
		chromedp.Navigate(base+"/p/"+name+"?lang="+lang),
	); err != nil {
		return 0, err
	}
	report := func(what string) {
		faults++
		fmt.Printf("%s %s %s: %s\n", name, scheme, width, what)
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("document.fonts.ready.then(() => true)", chromedp.EvalAwaitPromise)); err != nil {
		return 0, err
	}
	over, err := chromedp.Run(ctx, chromedp.Evaluate[int]("document.documentElement.scrollWidth - innerWidth"))
	if err != nil {
		return 0, err
	}
	if over > 0 {
		report(fmt.Sprintf("%d px too wide", over))
	}
	shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(dir, strings.Join([]string{name, width, scheme}, "-")+".png"), shot, 0o644); err != nil {
		return 0, err
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](axe.Source+";0")); err != nil {
		return 0, err
	}
	breaches, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](axeRun, chromedp.EvalAwaitPromise))
	if err != nil {
		return 0, err
	}
	for _, b := range breaches {
		report(b)
	}
	for {
		select {
		case m := <-said:
			report("console " + m)
		default:
			return faults, nil
		}
	}
}
