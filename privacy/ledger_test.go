package privacy

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"
	"time"
)

func entry() Entry {
	e := Entry{
		Person: "aaaaaaaaaaaaaaaaaaaaaaaaaa", Purpose: "newsletter", Decision: Withdraw, Also: AlsoObjection,
		Language: Nynorsk, Channel: ChannelWeb, Actor: ActorPerson,
		At: time.Date(2026, 11, 24, 13, 32, 5, 123456789, time.FixedZone("", 3600)),
	}
	for i := range e.Salt {
		e.Salt[i], e.Catalogue[i], e.Text[i] = byte(i), byte(2*i), byte(3*i)
	}
	return e
}

// The encoding is written out here: a change of it breaks every proof given.
func TestEntryCanonicalIsFixed(t *testing.T) {
	want := `innsyn.elekt.no/entry/v1
salt AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8
person aaaaaaaaaaaaaaaaaaaaaaaaaa
purpose newsletter
decision withdraw
also object-21-2
catalogue 00020406080a0c0e10121416181a1c1e20222426282a2c2e30323436383a3c3e
text 000306090c0f1215181b1e2124272a2d303336393c3f4245484b4e5154575a5d
language nn
channel web
actor person
time 2026-11-24T12:32:05.123456Z
`
	got, err := entry().Canonical()
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	leaf, err := entry().Leaf()
	if err != nil {
		t.Fatal(err)
	}
	// RFC 6962 section 2.1: MTH({d(0)}) = SHA-256(0x00 || d(0))
	if leaf != Hash(sha256.Sum256(append([]byte{0}, want...))) {
		t.Error("the leaf is not RFC 6962's hash of the canonical form")
	}
}

func TestEntryEveryFieldCounts(t *testing.T) {
	first, err := entry().Leaf()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Entry){
		"salt":      func(e *Entry) { e.Salt[31]++ },
		"person":    func(e *Entry) { e.Person = "baaaaaaaaaaaaaaaaaaaaaaaaa" },
		"purpose":   func(e *Entry) { e.Purpose = "analytics" },
		"decision":  func(e *Entry) { e.Decision = Refuse },
		"also":      func(e *Entry) { e.Also = "" },
		"catalogue": func(e *Entry) { e.Catalogue[0]++ },
		"text":      func(e *Entry) { e.Text[0]++ },
		"language":  func(e *Entry) { e.Language = English },
		"channel":   func(e *Entry) { e.Channel = ChannelApp },
		"actor":     func(e *Entry) { e.Actor = "staff:4127" },
		"time":      func(e *Entry) { e.At = e.At.Add(time.Microsecond) },
	} {
		e := entry()
		change(&e)
		if leaf, err := e.Leaf(); err != nil || leaf == first {
			t.Errorf("%s: leaf %v, error %v", name, leaf, err)
		}
	}
}

func TestEntryRefusesWhatCouldBeReadInTwoWays(t *testing.T) {
	for name, change := range map[string]func(*Entry){
		"newline in actor":  func(e *Entry) { e.Actor = "person\ntime 2020" },
		"space in purpose":  func(e *Entry) { e.Purpose = "news letter" },
		"letter in channel": func(e *Entry) { e.Channel = "på" },
		"no person":         func(e *Entry) { e.Person = "" },
		"no language":       func(e *Entry) { e.Language = "" },
	} {
		e := entry()
		change(&e)
		if c, err := e.Canonical(); err == nil {
			t.Errorf("%s: encoded as %q", name, c)
		}
	}
}

func TestNewSaltAndPersonRefAreRandom(t *testing.T) {
	a, b := NewSalt(), NewSalt()
	if bytes.Equal(a[:], b[:]) {
		t.Error("two salts are equal")
	}
	p, q := NewPersonRef(), NewPersonRef()
	if p == q || len(p) != 26 || strings.ToLower(string(p)) != string(p) {
		t.Errorf("references %q, %q", p, q)
	}
}
