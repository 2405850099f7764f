package views

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"context"

	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/privacy"
)

// Tone is what kind of message a note is: its colour and its icon.
type Tone string

// The tones. An error is never told by colour alone: its title says what failed.
const (
	ToneInfo Tone = "info"
	ToneGood Tone = "success"
	ToneWarn Tone = "warning"
	ToneBad  Tone = "danger"
)

// Notice is one thing that a page has to say, in a line or two.
type Notice struct {
	Tone      Tone // empty is ToneInfo
	Title     string
	Text      string
	LinkText  string // a way on; empty if there is none
	LinkURL   string
	Assertive bool // read out at once: for what the person just did that failed
}

func (n Notice) tone() string {
	if n.Tone == "" {
		return string(ToneInfo)
	}
	return string(n.Tone)
}

func (n Notice) role() string {
	if n.Assertive {
		return "alert"
	}
	return "note"
}

// Fact is a label and its value.
type Fact struct{ Label, Value string }

// Link is a text that leads somewhere.
type Link struct{ Text, URL string }

// Hidden is a field that a form carries along.
type Hidden struct{ Name, Value string }

func checked(on bool) string {
	if on {
		return "true"
	}
	return "false"
}

// BasisText names a legal basis in plain words. law: GDPR 6(1)
func BasisText(ctx context.Context, b privacy.Basis) string {
	switch b {
	case privacy.BasisConsent:
		return i18n.T(ctx, "basis.consent")
	case privacy.BasisContract:
		return i18n.T(ctx, "basis.contract")
	case privacy.BasisLegalObligation:
		return i18n.T(ctx, "basis.law")
	case privacy.BasisLegitimateInterest:
		return i18n.T(ctx, "basis.interest")
	}
	return ""
}

// CountryName is a country in the reader's language, the code itself if it is
// one that no recipient has had so far.
func CountryName(ctx context.Context, code string) string {
	switch code {
	case "NO":
		return i18n.T(ctx, "country.no")
	case "SE":
		return i18n.T(ctx, "country.se")
	case "DK":
		return i18n.T(ctx, "country.dk")
	case "DE":
		return i18n.T(ctx, "country.de")
	case "IE":
		return i18n.T(ctx, "country.ie")
	case "NL":
		return i18n.T(ctx, "country.nl")
	case "US":
		return i18n.T(ctx, "country.us")
	case "??", "":
		return i18n.T(ctx, "country.unknown")
	}
	return code
}

// Listing is several titles as one line: "Navn og bilde, fødselsnummer". Titles
// have "og" in themselves, so commas alone part them. "ID-er" keeps its capitals.
func Listing(titles []string) string {
	var b strings.Builder
	for i, t := range titles {
		if i == 0 {
			b.WriteString(sentence(t))
			continue
		}
		b.WriteString(", ")
		first, size := utf8.DecodeRuneInString(t)
		if second, _ := utf8.DecodeRuneInString(t[size:]); unicode.IsUpper(second) {
			b.WriteString(t)
			continue
		}
		b.WriteRune(unicode.ToLower(first))
		b.WriteString(t[size:])
	}
	return b.String()
}

// sentence is a text with a capital first letter.
func sentence(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

// variant is the kind of a button: one primary in a row, the rest secondary.
func variant(secondary bool) string {
	if secondary {
		return "secondary"
	}
	return "primary"
}
