package privacy

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// NewCode makes a one-time code of six digits. With five tries it is
// guessed in one case of two hundred thousand.
func NewCode() string {
	const codes = 1_000_000
	for {
		var b [4]byte
		rand.Read(b[:])
		// Only below the largest multiple that fits, so that every code is as likely.
		if n := binary.BigEndian.Uint32(b[:]); n < 1<<32/codes*codes {
			return fmt.Sprintf("%06d", n%codes)
		}
	}
}

// HashCode is what is kept of a one-time code: HMAC-SHA256 under the portal's
// key, bound to the row that it belongs to. Whoever reads the table can't try
// all million codes without the key.
func HashCode(key []byte, id, code string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("innsyn one-time code\x00" + id + "\x00" + code))
	return m.Sum(nil)
}
