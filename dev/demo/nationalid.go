package demo

import (
	"errors"
	"time"

	"elekt.no/innsyn/privacy"
)

// Reasons why CheckNationalID refuses a number.
var (
	ErrNotElevenDigits = errors.New("demo: an identity number has eleven digits")
	ErrNotSynthetic    = errors.New("demo: the number is not of the synthetic series (month + 80)")
	ErrNoSuchDay       = errors.New("demo: the number holds no day of the calendar")
	ErrControlDigits   = errors.New("demo: the control digits are wrong")
)

// CheckNationalID accepts an identity number for demo data: of the synthetic
// series only, with both control digits right by the rule that holds from 2032
// (the older numbers meet it too). D-numbers are accepted.
func CheckNationalID(nin string) error {
	d, ok := digits(nin)
	if !ok {
		return ErrNotElevenDigits
	}
	if month := d[2]*10 + d[3]; month < 81 || month > 92 {
		return ErrNotSynthetic
	}
	if !dayExists(d) {
		return ErrNoSuchDay
	}
	if !privacy.ValidNationalID(nin) {
		return ErrControlDigits
	}
	return nil
}

// IsRealNationalID tells whether eleven digits could be the number of a living
// person: ordinary numbers, D-numbers and the H-numbers of the health service,
// with a day of the calendar and valid control digits.
func IsRealNationalID(nin string) bool {
	d, ok := digits(nin)
	if !ok {
		return false
	}
	month := d[2]*10 + d[3]
	ordinary := month >= 1 && month <= 12
	health := month >= 41 && month <= 52
	return (ordinary || health) && dayExists(d) && privacy.ValidNationalID(nin)
}

func digits(nin string) (d [11]int, ok bool) {
	if len(nin) != len(d) {
		return d, false
	}
	for i := range d {
		if nin[i] < '0' || nin[i] > '9' {
			return d, false
		}
		d[i] = int(nin[i] - '0')
	}
	return d, true
}

// dayExists reads the day (D-numbers add 40), the month without its addition
// and the two digits of the year. The century isn't read from the number:
// from 2032 it can't be. A leap day counts if either century has it.
func dayExists(d [11]int) bool {
	day, month, year := d[0]*10+d[1], (d[2]*10+d[3])%40, d[4]*10+d[5]
	if day > 40 {
		day -= 40
	}
	for _, century := range []int{1900, 2000} {
		t := time.Date(century+year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
		if month >= 1 && month <= 12 && day >= 1 && t.Day() == day {
			return true
		}
	}
	return false
}
