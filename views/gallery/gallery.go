// Package gallery renders every page and component of package views with
// invented data, in every state that they can be in. It is shown in development,
// and it is what the accessibility and picture tests look at. The people, cases
// and figures in it exist nowhere.
package gallery

import (
	"context"

	"github.com/a-h/templ"

	"elekt.no/innsyn/views"
)

// Page is one thing to look at. Render gets a context that already carries the
// language and the setting.
type Page struct {
	Name   string // as in a file name: "consents", "error-not-found"
	Render func(ctx context.Context) templ.Component
}

// Pages lists everything, in the order of the portal.
func Pages() []Page {
	var out []Page
	for _, part := range [][]Page{front(), overview(), consents(), consent(), public(), login(), account(), faults()} {
		out = append(out, part...)
	}
	return out
}

// person is the visitor of the gallery.
func person() *views.Visitor {
	return &views.Visitor{Name: "Ingrid Tveitlid", Given: "Ingrid", CSRF: "gallery"}
}

func inside(title string, here views.Place, path string) views.Shell {
	return views.Shell{Title: title, Here: here, Path: path, Visitor: person()}
}

// Setting is the setting of an invented company, with the paths that url and
// integrity give for a file's name.
func Setting(url, integrity func(name string) string) *views.Setting {
	return &views.Setting{
		CSS: url("app.css"), CSSIntegrity: integrity("app.css"),
		HTMX: url("htmx.min.js"), HTMXIntegrity: integrity("htmx.min.js"),
		Script: url("app.js"), ScriptIntegrity: integrity("app.js"),
		Icons: url("icons.svg"), Favicon: url("favicon.svg"), Font: url("schibsted-grotesk-latin.woff2"),
		Company: "Elekt", LegalName: "Elekt AS", DPO: "personvernombud@elekt.example",
	}
}
