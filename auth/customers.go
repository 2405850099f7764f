package auth

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// find looks for the customer records of somebody who proved keys. That the
// company's database is away doesn't stop a login.
func (a *Auth) find(ctx context.Context, k store.CustomerKeys) (store.Match, error) {
	if k.Empty() {
		return store.Match{}, nil
	}
	found, how, err := a.store.FindCustomers(ctx, k)
	switch {
	case errors.Is(err, context.Canceled):
		return store.Match{}, err
	case privacy.KindOf(err) == privacy.Unavailable:
		a.log.Warn("company database away at login")
		return store.Match{Away: true}, nil
	case err != nil: // a missing right or table there must not lock everybody out here
		a.log.Error("company database refuses at login", "error", err)
		return store.Match{Away: true}, nil
	}
	return store.Match{Found: found, Evidence: how}, nil
}

// FindCustomer looks again for the caller's customer record by the identity
// number that their logins attested: for a login during which the company's
// database was away, or a customer who became one later.
func (a *Auth) FindCustomer(ctx context.Context, s *Session) (store.LinkResult, error) {
	hashes, err := a.store.NINHashes(ctx, s.Person)
	if err != nil {
		return "", err
	}
	match := store.Match{}
	for _, h := range hashes {
		m, err := a.find(ctx, store.CustomerKeys{NINHash: h})
		if err != nil {
			return "", err
		}
		match.Away = match.Away || m.Away
		if len(m.Found) > 0 {
			match.Found, match.Evidence = append(match.Found, m.Found...), m.Evidence
		}
	}
	return a.store.Match(ctx, s.Person, match)
}

// Limits of one-time codes, beside those of the routes: per person, and per
// customer number, whoever asks, so that nobody's telephone is flooded.
var (
	asksPerPerson = store.Quota{Every: 20 * time.Minute, Burst: 5}
	asksPerNumber = store.Quota{Every: 30 * time.Minute, Burst: 3}
)

var customerNumber = regexp.MustCompile(`^[A-Za-z0-9-]{1,32}$`)

// AskCode begins the proof that a customer number is the caller's. The answer is
// the same whether or not there is such a customer; if there is, a code is on its
// way to the contact on file. Invalid for what can't be a number, RateLimited,
// Unavailable if a database is away.
func (a *Auth) AskCode(ctx context.Context, s *Session, number string) error {
	number = strings.Join(strings.Fields(number), "")
	if !customerNumber.MatchString(number) {
		return &privacy.Error{Kind: privacy.Invalid, Key: "customer.number", Reason: "bad-number"}
	}
	if _, err := a.store.Limit(ctx, "code-person", string(s.Person), asksPerPerson); err != nil {
		return err
	}
	c, err := a.store.CustomerByNo(ctx, number)
	if err != nil && privacy.KindOf(err) != privacy.NotFound {
		return err
	}
	if _, err := a.store.Limit(ctx, "code-number", encode(mac(a.callerKey, "number", number)), asksPerNumber); err != nil {
		if privacy.KindOf(err) != privacy.RateLimited {
			return err
		}
		c = nil // said to nobody: it would tell that others asked for it too
	}
	return a.store.AskCode(ctx, s.Person, c)
}

// UseCode tries the code that the caller typed; the right one links the customer
// record. Gone (code-gone) if there is none to try, Invalid (code-wrong). The
// result is LinkMade, or LinkTaken if the record became another person's.
func (a *Auth) UseCode(ctx context.Context, s *Session, code string) (store.LinkResult, error) {
	code = strings.Join(strings.Fields(code), "")
	return a.store.UseCode(ctx, s.Person, func(id string) []byte { return privacy.HashCode(a.codeKey, id, code) })
}

// CodeOpen tells until when the caller can type a code; zero if they can't.
func (a *Auth) CodeOpen(ctx context.Context, s *Session) (time.Time, error) {
	return a.store.OpenCode(ctx, s.Person)
}
