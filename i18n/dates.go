package i18n

import (
	"context"
	"fmt"
	"time"
	_ "time/tzdata" // days are counted in Oslo whatever the machine knows
)

// oslo is the zone that every date and time is shown in. The embedded zone table
// always has it; UTC stands in if it ever didn't.
var oslo = func() *time.Location {
	if l, err := time.LoadLocation("Europe/Oslo"); err == nil {
		return l
	}
	return time.UTC
}()

var months = map[string][12]string{
	Bokmal:  {"januar", "februar", "mars", "april", "mai", "juni", "juli", "august", "september", "oktober", "november", "desember"},
	Nynorsk: {"januar", "februar", "mars", "april", "mai", "juni", "juli", "august", "september", "oktober", "november", "desember"},
	English: {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
}

var weekdays = map[string][7]string{
	Bokmal:  {"søndag", "mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag"},
	Nynorsk: {"søndag", "måndag", "tysdag", "onsdag", "torsdag", "fredag", "laurdag"},
	English: {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
}

// Day is a date in full: "27. november 2026", "27 November 2026".
func Day(ctx context.Context, t time.Time) string {
	return DayMonth(ctx, t) + nbsp + fmt.Sprint(t.In(oslo).Year())
}

// DayMonth is a date without its year: "27. november", "27 November".
func DayMonth(ctx context.Context, t time.Time) string {
	t = t.In(oslo)
	lang := Lang(ctx)
	dot := "."
	if lang == English {
		dot = ""
	}
	return fmt.Sprintf("%d%s%s%s", t.Day(), dot, nbsp, months[lang][t.Month()-1])
}

// Weekday is a date with its day of the week: "fredag 27. november", "Friday 27 November".
func Weekday(ctx context.Context, t time.Time) string {
	return weekdays[Lang(ctx)][t.In(oslo).Weekday()] + " " + DayMonth(ctx, t)
}

// Clock is a time of day: "14.32", "14:32".
func Clock(ctx context.Context, t time.Time) string {
	if Lang(ctx) == English {
		return t.In(oslo).Format("15:04")
	}
	return t.In(oslo).Format("15.04")
}

// At is a moment as one would say it now: "i dag kl. 14.32", "i går kl. 08.15",
// "fredag kl. 14.06", "3. juni kl. 08.15", and with the year when it isn't this one.
// It also speaks of the days to come.
func At(ctx context.Context, t, now time.Time) string {
	t, now = t.In(oslo), now.In(oslo)
	var day string
	switch n := daysBetween(now, t); {
	case n == 0:
		day = T(ctx, "date.today")
	case n == -1:
		day = T(ctx, "date.yesterday")
	case n == 1:
		day = T(ctx, "date.tomorrow")
	case n > -7 && n < 7:
		day = weekdays[Lang(ctx)][t.Weekday()]
	case t.Year() == now.Year():
		day = DayMonth(ctx, t)
	default:
		day = Day(ctx, t)
	}
	return T(ctx, "date.at", "Day", day, "Clock", Clock(ctx, t))
}

// daysBetween counts the midnights in Oslo from a to b.
func daysBetween(a, b time.Time) int {
	ay, am, ad := a.Date()
	by, bm, bd := b.Date()
	return int(time.Date(by, bm, bd, 12, 0, 0, 0, time.UTC).Sub(time.Date(ay, am, ad, 12, 0, 0, 0, time.UTC)).Hours() / 24)
}
