package privacy

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Entry is the proof of one decision. It holds no name, no address and no free
// text; the person is a random reference. The leaf that stays for ever is the
// hash of Canonical, and without the salt nobody can find out from a leaf what
// was decided or by whom.
//
// law: GDPR 7(1)
type Entry struct {
	Salt      [32]byte
	Person    PersonRef
	Purpose   string
	Decision  Decision
	Also      string // "object-21-2" if the decision is an objection to marketing too
	Catalogue Hash
	Text      Hash
	Language  string
	Channel   Channel
	Actor     Actor
	At        time.Time // UTC, whole microseconds
}

// entryHeader names the encoding. A change of the encoding gets a new name; old
// entries keep theirs.
const entryHeader = "innsyn.elekt.no/entry/v1"

// NewSalt is 256 random bits.
func NewSalt() (s [32]byte) {
	rand.Read(s[:]) // never fails, crypto/rand
	return s
}

// Canonical is the one encoding of an entry: a line for the header and a line
// "name value" for each field, in this order, each ended by \n. It fails for a
// field that could be read in two ways.
func (e Entry) Canonical() ([]byte, error) {
	var b strings.Builder
	b.WriteString(entryHeader + "\n")
	for _, f := range [...]struct{ name, value string }{
		{"salt", base64.RawURLEncoding.EncodeToString(e.Salt[:])},
		{"person", string(e.Person)},
		{"purpose", e.Purpose},
		{"decision", string(e.Decision)},
		{"also", e.Also},
		{"catalogue", hex.EncodeToString(e.Catalogue[:])},
		{"text", hex.EncodeToString(e.Text[:])},
		{"language", e.Language},
		{"channel", string(e.Channel)},
		{"actor", string(e.Actor)},
		{"time", EntryTime(e.At).Format("2006-01-02T15:04:05.000000Z")},
	} {
		if f.value == "" && f.name != "also" {
			return nil, fmt.Errorf("ledger entry: %s is empty", f.name)
		}
		if strings.ContainsFunc(f.value, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return nil, fmt.Errorf("ledger entry: %s holds a character that is not allowed", f.name)
		}
		b.WriteString(f.name + " " + f.value + "\n")
	}
	return []byte(b.String()), nil
}

// Leaf is the entry's leaf in the public log: RFC 6962's hash of Canonical.
func (e Entry) Leaf() (Hash, error) {
	c, err := e.Canonical()
	if err != nil {
		return Hash{}, err
	}
	return Hash(tlog.RecordHash(c)), nil
}

// EntryTime is t as an entry and the database keep it.
func EntryTime(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
