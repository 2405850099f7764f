package views

import (
	"context"

	"elekt.no/innsyn/i18n"
)

// Shell is what every page has around its own content.
type Shell struct {
	Title    string   // of the document; the portal's name is added
	Path     string   // the page's clean path, for the language links
	Here     Place    // the menu entry that is current, PlaceNone if none is
	Visitor  *Visitor // nil: nobody is logged in
	Embedded bool     // inside the app: no header, no footer
	Scheme   string   // "auto", "light" or "dark"; empty is auto
}

func (s Shell) scheme() string {
	if s.Scheme == "" {
		return "auto"
	}
	return s.Scheme
}

// languagePath is the page in another language: the switch sets a cookie and
// comes back to the clean path.
func (s Shell) languagePath(lang string) string { return s.Path + "?lang=" + lang }

// Visitor is the person who is logged in.
type Visitor struct {
	Name  string        // in full, as the login gave it; may be empty
	Given string        // given name; may be empty
	CSRF  string        // token for the form that logs out
	New   map[Place]int // how many unseen things a place has; shown as a figure
}

// Place is a page that the menu leads to.
type Place string

// The places.
const (
	PlaceNone       Place = ""
	PlaceOverview   Place = "/overview"
	PlaceConsents   Place = "/consents"
	PlaceNotice     Place = "/privacy-notice"
	PlaceRecipients Place = "/recipients"
	PlaceLogins     Place = "/logins"
	PlaceCustomer   Place = "/customer"
	PlaceContact    Place = "/contact"
)

func (p Place) path() string { return string(p) }

func (p Place) name(ctx context.Context) string {
	switch p {
	case PlaceOverview:
		return i18n.T(ctx, "menu.overview")
	case PlaceConsents:
		return i18n.T(ctx, "menu.consents")
	case PlaceNotice:
		return i18n.T(ctx, "menu.notice")
	case PlaceRecipients:
		return i18n.T(ctx, "menu.recipients")
	case PlaceLogins:
		return i18n.T(ctx, "menu.logins")
	case PlaceCustomer:
		return i18n.T(ctx, "menu.customer")
	case PlaceContact:
		return i18n.T(ctx, "menu.contact")
	}
	return ""
}

// menuGroup is a heading of the menu with its places.
type menuGroup struct {
	title  string // empty for the first
	places []Place
}

func menu(ctx context.Context) []menuGroup {
	return []menuGroup{
		{"", []Place{PlaceOverview}},
		{i18n.T(ctx, "menu.decide"), []Place{PlaceConsents}},
		{i18n.T(ctx, "menu.read"), []Place{PlaceNotice, PlaceRecipients}},
		{i18n.T(ctx, "menu.account"), []Place{PlaceCustomer, PlaceLogins, PlaceContact}},
	}
}

// languageNames are the languages in their own words, long and short.
var languageNames = []struct{ code, long, short string }{
	{i18n.Bokmal, "Bokmål", "nb"},
	{i18n.Nynorsk, "Nynorsk", "nn"},
	{i18n.English, "English", "en"},
}
