package privacy

import (
	"testing"
	"time"
)

func TestDueIsTheEarlierOfAMonthAndThirtyDays(t *testing.T) {
	for _, c := range []struct{ received, due string }{
		{"2026-11-18T10:00", "2026-12-18"}, // 30 days and one month are the same day
		{"2026-12-18T10:00", "2027-01-17"}, // 30 days come first
		{"2027-01-31T10:00", "2027-02-28"}, // a short month comes first
		{"2028-01-31T10:00", "2028-02-29"}, // in a leap year
		{"2028-01-30T10:00", "2028-02-29"},
		{"2027-02-10T10:00", "2027-03-10"}, // a month of 28 days
		{"2027-03-31T10:00", "2027-04-30"},
		{"2027-08-31T10:00", "2027-09-30"},
		{"2026-12-31T23:59", "2027-01-30"},
		{"2027-01-01T00:00", "2027-01-31"},
		{"2027-03-28T01:59", "2027-04-27"}, // the clocks go forward at 02
		{"2026-10-25T02:30", "2026-11-24"}, // the hour that comes twice
	} {
		received, err := time.ParseInLocation("2006-01-02T15:04", c.received, Oslo)
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range []time.Time{received, received.UTC()} {
			if due := Due(in); due.Format(time.DateOnly) != c.due || due.Hour() != 0 {
				t.Errorf("received %v: due %v, want %s", in, due, c.due)
			}
		}
	}
}

// 23:30 UTC is already the next day in Oslo: the day is counted where the person lives.
func TestDueCountsDaysInOslo(t *testing.T) {
	if due := Due(time.Date(2026, 11, 17, 23, 30, 0, 0, time.UTC)); due.Format(time.DateOnly) != "2026-12-18" {
		t.Errorf("due %v", due)
	}
}

func TestDueIsNeverLaterThanEither(t *testing.T) {
	for d := time.Date(2026, 1, 1, 12, 0, 0, 0, Oslo); d.Year() < 2029; d = d.AddDate(0, 0, 1) {
		due := Due(d)
		y, m, day := d.Date()
		if limit := time.Date(y, m, day+30, 0, 0, 0, 0, Oslo); due.After(limit) {
			t.Errorf("%v: due %v is more than 30 days later", d, due)
		}
		if next := time.Date(y, m+1, 1, 0, 0, 0, 0, Oslo); due.Year()*12+int(due.Month()) > next.Year()*12+int(next.Month()) ||
			due.Month() == next.Month() && due.Day() > day {
			t.Errorf("%v: due %v is more than a month later", d, due)
		}
		if due.Sub(d) < 27*24*time.Hour {
			t.Errorf("%v: due %v is too early", d, due)
		}
	}
}
