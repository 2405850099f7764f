package i18n

import "regexp"

// nbsp is the non-breaking space (U+00A0).
const nbsp = "\u00a0"

var (
	// dayMonth is "27. november" or "27 November", with a placeholder or a figure for the day.
	dayMonth = regexp.MustCompile(`(\b\d{1,2}\.?) (januar|februar|mars|april|mai|juni|juli|august|september|oktober|november|desember|January|February|March|April|May|June|July|August|September|October|November|December)\b`)
	bound    = regexp.MustCompile(`\b(kl\.|nr\.|art\.|side|artikkel) (\d|\{\{)|(§§?) (\d)`)
	unit     = regexp.MustCompile(`(\d) (kWh|kW|kr|%|dager|dagar|days|år|timer|timar|hours|minutter|minutt|minutes)\b`)
)

// Set puts a non-breaking space where a line must not end: "27. november",
// "kl. 14.32", "§ 13", "32,6 kWh".
func Set(text string) string {
	text = dayMonth.ReplaceAllString(text, "$1"+nbsp+"$2")
	text = bound.ReplaceAllString(text, "$1$3"+nbsp+"$2$4")
	return unit.ReplaceAllString(text, "$1"+nbsp+"$2")
}
