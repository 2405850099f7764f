package privacy

import (
	"time"
	_ "time/tzdata" // the zone must not depend on the machine
)

// Oslo is the zone in which days are counted.
var Oslo = mustLoad("Europe/Oslo")

func mustLoad(name string) *time.Location {
	l, err := time.LoadLocation(name)
	if err != nil {
		panic(err) // tzdata is embedded
	}
	return l
}

// Day is the start of t's day in Oslo.
func Day(t time.Time) time.Time {
	y, m, d := t.In(Oslo).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, Oslo)
}

// Due is the day by whose end a request that came in at t must be answered: the
// earlier of one calendar month (law: GDPR 12(3); the day of receipt isn't
// counted, and a month without the day ends on its last: Regulation 1182/71 art.
// 3) and the 30 days that the policy promises (section 11). The start of that day.
func Due(t time.Time) time.Time {
	y, m, d := t.In(Oslo).Date()
	last := time.Date(y, m+2, 0, 0, 0, 0, 0, Oslo).Day()
	month := time.Date(y, m+1, min(d, last), 0, 0, 0, 0, Oslo)
	days := time.Date(y, m, d+30, 0, 0, 0, 0, Oslo)
	if days.Before(month) {
		return days
	}
	return month
}
