// Command gallery serves the gallery of pages on loopback, takes pictures of
// them in a headless Chromium, and runs axe-core on each:
//
//	go run ./gallery                       # serve on 127.0.0.1:8099
//	go run ./gallery -pictures DIR         # pictures and accessibility report
//	go run ./gallery -pictures DIR -only consents,front
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"

	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/static"
	"elekt.no/innsyn/views"
	"elekt.no/innsyn/views/gallery"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8099", "loopback address to serve on")
	pictures := flag.String("pictures", "", "folder for pictures; empty only serves")
	only := flag.String("only", "", "names of pages, separated by commas; empty is all")
	lang := flag.String("lang", i18n.Bokmal, "language of the pictures")
	sizes := flag.String("widths", "390,1280", "widths of the pictures")
	schemes := flag.String("schemes", "light,dark", "colour schemes of the pictures")
	flag.Parse()
	if err := run(*addr, *pictures, *only, *lang, *sizes, *schemes); err != nil {
		slog.Error("gallery", "error", err)
		os.Exit(1)
	}
}

func run(addr, pictures, only, lang, sizes, schemes string) error {
	if err := i18n.Check(); err != nil {
		return err
	}
	if pictures != "" {
		addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp4", addr)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: handler()}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	base := "http://" + l.Addr().String()
	if pictures == "" {
		slog.Info("gallery", "address", base)
		return <-done
	}
	defer srv.Close()
	return photograph(context.Background(), base, pictures, lang, chosen(only), strings.Split(sizes, ","), strings.Split(schemes, ","))
}

// chosen are the pages to look at.
func chosen(only string) []gallery.Page {
	all := gallery.Pages()
	if only == "" {
		return all
	}
	var out []gallery.Page
	for _, p := range all {
		for _, n := range strings.Split(only, ",") {
			if p.Name == n || strings.HasSuffix(n, "*") && strings.HasPrefix(p.Name, strings.TrimSuffix(n, "*")) {
				out = append(out, p)
			}
		}
	}
	return out
}

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(static.Prefix, static.Handler())
	setting := gallery.Setting(static.URL, static.Integrity)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<!doctype html><title>Gallery</title><ul>")
		for _, p := range gallery.Pages() {
			fmt.Fprintf(w, `<li>%s: <a href="/p/%s">nb</a> <a href="/p/%s?lang=nn">nn</a> <a href="/p/%s?lang=en">en</a></li>`, p.Name, p.Name, p.Name, p.Name)
		}
		fmt.Fprint(w, "</ul>")
	})
	mux.HandleFunc("GET /p/{name}", func(w http.ResponseWriter, r *http.Request) {
		for _, p := range gallery.Pages() {
			if p.Name != r.PathValue("name") {
				continue
			}
			ctx := views.With(i18n.With(r.Context(), r.FormValue("lang")), setting)
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
			if err := p.Render(ctx).Render(ctx, w); err != nil {
				slog.Error("render", "page", p.Name, "error", err)
			}
			return
		}
		http.NotFound(w, r)
	})
	return mux
}
