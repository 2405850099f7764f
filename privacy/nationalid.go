package privacy

import (
	"crypto/hmac"
	"crypto/sha256"
)

// HashNationalID is the keyed hash (HMAC-SHA256) under which a national identity
// number is compared and kept; the number itself is never stored, logged or put
// in a URL. nin is the eleven digits.
//
// law: personopplysningsloven § 12 (only where identification is needed)
func HashNationalID(key []byte, nin string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(nin))
	return m.Sum(nil)
}

// ValidNationalID reports whether s is eleven digits with right control digits
// for a Norwegian fødselsnummer or D-number, under the rule that holds from 2032
// and accepts today's numbers too. Birth date and gender are never read from it.
func ValidNationalID(s string) bool {
	if len(s) != 11 {
		return false
	}
	var d [11]int
	for i := range d {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
		d[i] = int(s[i] - '0')
	}
	k1, k2 := d[9], d[10]
	for i, w := range [...]int{3, 7, 6, 1, 8, 9, 4, 5, 2} {
		k1 += w * d[i]
	}
	for i, w := range [...]int{5, 4, 3, 2, 7, 6, 5, 4, 3, 2} {
		k2 += w * d[i]
	}
	return k1%11 <= 3 && k2%11 == 0
}
