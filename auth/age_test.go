package auth

import (
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
)

func TestAge(t *testing.T) {
	day := func(s string) time.Time {
		d, err := time.ParseInLocation("2006-01-02 15:04", s, privacy.Oslo)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		born, now string
		age       int
	}{
		{"2013-11-24", "2026-11-23 23:59", 12}, {"2013-11-24", "2026-11-24 00:00", 13}, {"2012-02-29", "2025-02-28 12:00", 12},
		{"2012-02-29", "2025-03-01 00:00", 13}, {"2013", "2026-12-30 12:00", 12}, {"2013", "2026-12-31 00:00", 13}, {"2030-01-01", "2026-01-01 12:00", -4},
	} {
		if got := parseBirth(c.born).age(day(c.now).UTC()); got != c.age {
			t.Errorf("born %s, on %s: %d, want %d", c.born, c.now, got, c.age)
		}
	}
	for _, s := range []string{"", "0000-05-12", "0000", "12.05.1984", "1984-13-01", "1984-05", "x"} {
		if b := parseBirth(s); b.known() {
			t.Errorf("%q is a birth date: %+v", s, b)
		}
	}
}
