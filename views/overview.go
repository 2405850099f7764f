package views

import (
	"context"

	"elekt.no/innsyn/i18n"
)

// Overview is the first page after the login: what is worth knowing, what is on,
// off and waiting, and the right to object in a block of its own.
type Overview struct {
	Shell
	Notice    *Notice     // about the customer record, for instance
	Attention []Attention // most urgent first; empty is good news
	Total     Counts
	Areas     []AreaSummary
	Right     RightToObject
}

// Attention is a thing worth knowing, and where it leads.
type Attention struct {
	Icon   string // name of an icon: "eye", "scales", "clock"
	Tone   Tone   // colour of its tile
	Title  string
	Text   string
	Action string // "Følg saken"
	URL    string
}

// AreaSummary is one area on the overview.
type AreaSummary struct {
	ID     string
	Title  string
	Counts Counts
}

// RightToObject is the block that the law wants by itself, at the latest at the
// first contact. law: GDPR 21(4)
type RightToObject struct {
	Marketing bool // "stop all marketing" has something to stop
	CSRF      string
	// Purposes are the uses that can be objected to and are on now, with the page of each.
	Purposes []Link
}

// tileTone is the class of an attention's tile.
func (a Attention) tileTone() string {
	switch a.Tone {
	case ToneWarn:
		return "glow"
	case ToneGood:
		return "moss"
	case ToneBad:
		return "berry"
	}
	return ""
}

// attentionLead says how many things there are, in words up to nine.
func attentionLead(ctx context.Context, n int) string {
	switch n {
	case 0:
		return i18n.T(ctx, "overview.lead-0")
	case 1:
		return i18n.T(ctx, "overview.lead-1")
	case 2:
		return i18n.T(ctx, "overview.lead-2")
	case 3:
		return i18n.T(ctx, "overview.lead-3")
	case 4:
		return i18n.T(ctx, "overview.lead-4")
	}
	return i18n.T(ctx, "overview.lead-n", "Count", n)
}

// light is one purpose in the row of windows of an area.
type light string

// lights are an area's purposes as windows: on first, then what waits, what is
// needed, and what is off. Light means in use, not good.
func lights(c Counts) []light {
	var out []light
	add := func(n int, l light) {
		for range n {
			out = append(out, l)
		}
	}
	add(c.On, "is-on")
	add(c.Paused+c.Renew, "is-wait")
	add(c.Needed, "is-needed")
	add(c.Off, "is-off")
	return out
}
