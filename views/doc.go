// Package views is every page and component of the portal as templ components
// on plain view models. It knows no database, no login and no request: whoever
// renders a page fills in its model with ready strings, in the reader's language
// (i18n.With), and the paths of the style sheet and scripts (With).
//
// A model and its component share a file name: consents.go holds the structs,
// consents.templ the markup. Texts of the pages themselves come from i18n; texts
// of purposes, areas and recipients come with the model, from the catalogue.
//
// Every page works without scripts: each act is a form with method post. With
// scripts, htmx sends the same form and the answer is the same component, put in
// place by morphing, so that the focus stays on the control that was pressed and
// a live region announces what was saved. No markup has a style attribute or an
// inline script; widths and states are classes, progress elements and SVG.
//
// Package gallery renders everything here with invented data.
package views

import "context"

// Setting is what every page needs and no page decides: the paths of its files,
// and the names of the company that runs the portal.
type Setting struct {
	CSS, CSSIntegrity       string
	HTMX, HTMXIntegrity     string
	Script, ScriptIntegrity string
	Icons, Favicon, Font    string
	Company                 string // as people say it: "Elekt"
	LegalName               string // "Elekt AS"
	DPO                     string // e-mail of the data protection officer
}

type settingKey struct{}

// With puts the setting into the context that components are rendered with.
func With(ctx context.Context, s *Setting) context.Context {
	return context.WithValue(ctx, settingKey{}, s)
}

// setting is the context's setting, empty if nobody put one there.
func setting(ctx context.Context) *Setting {
	if s, ok := ctx.Value(settingKey{}).(*Setting); ok && s != nil {
		return s
	}
	return &Setting{}
}

func company(ctx context.Context) string { return setting(ctx).Company }
