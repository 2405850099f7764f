package privacy

import (
	"crypto/rand"
	"encoding/base32"
	"strings"
)

// PersonRef is the random reference under which a data subject is known in the
// whole portal: 26 lower-case letters and digits, 128 bits. It says nothing
// about the person, so it may stand in logs, jobs and the ledger.
type PersonRef string

// NewPersonRef makes a reference for a person who has not been here before.
func NewPersonRef() PersonRef {
	var b [16]byte
	rand.Read(b[:])
	return PersonRef(strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:])))
}

// Circumstances are the facts about a customer that conditions of the catalogue
// depend on. The zero value is somebody without a customer record.
type Circumstances struct {
	Plus bool // subscribes to the paid version
	Shop bool // has bought something in the shop
	// Unknown: the company's database could not be asked. Then everything is shown
	// as if it concerned the customer, and a no is taken; a yes that depends on a
	// condition has to wait.
	Unknown bool
}

// Meets tells whether a purpose with this condition concerns the customer. A
// shop customer with the free app is both paying and free: there are service
// messages about the purchase, and ads in the app.
func (c Circumstances) Meets(w Condition) bool {
	switch {
	case c.Unknown:
		return true
	case w == WhenPaying:
		return c.Plus || c.Shop
	case w == WhenFree:
		return !c.Plus
	}
	return true
}
