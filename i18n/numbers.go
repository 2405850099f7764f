package i18n

import (
	"context"
	"strconv"
	"strings"
)

// Number is a whole number with its thousands set apart: "131 472" with
// non-breaking spaces, in English "131,472". Four digits stay together in
// Norwegian, as in "4127".
func Number(ctx context.Context, n int) string {
	s := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, s = "−", s[1:]
	}
	sep, least := nbsp, 5
	if Lang(ctx) == English {
		sep, least = ",", 4
	}
	if len(s) >= least {
		s = grouped(s, sep)
	}
	return sign + s
}

// Decimal is a number with a fixed count of decimals: "32,6", in English "32.6".
func Decimal(ctx context.Context, x float64, decimals int) string {
	s := strconv.FormatFloat(x, 'f', decimals, 64)
	whole, frac, has := strings.Cut(s, ".")
	n, err := strconv.Atoi(whole)
	if err != nil {
		return s
	}
	out := Number(ctx, n)
	if n == 0 && strings.HasPrefix(whole, "-") {
		out = "−" + out
	}
	if !has {
		return out
	}
	if Lang(ctx) == English {
		return out + "." + frac
	}
	return out + "," + frac
}

func grouped(digits, sep string) string {
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(sep)
		}
		b.WriteRune(d)
	}
	return b.String()
}

// List joins names as in a sentence: "eFaktura, Mailgun og Sveve".
func List(ctx context.Context, names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	last := len(names) - 1
	return T(ctx, "list.and", "First", strings.Join(names[:last], ", "), "Last", names[last])
}
