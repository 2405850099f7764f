package auth

import (
	"context"
	"maps"
	"net/url"
	"time"

	"elekt.no/innsyn/privacy"
)

// parkedLife is how long typed fields wait for a step-up.
const parkedLife = 15 * time.Minute

// maxParked is the most that can be parked, in bytes.
const maxParked = 64 << 10

// Park keeps what a person typed, sealed, while they prove themself again. The
// form's token isn't kept: the session will be another.
func (a *Auth) Park(ctx context.Context, person privacy.PersonRef, path string, fields url.Values) (string, error) {
	if !OwnPath(path) {
		return "", &privacy.Error{Kind: privacy.Invalid, Key: "error.form", Reason: "bad-path"}
	}
	kept := maps.Clone(fields)
	kept.Del("csrf")
	text := kept.Encode()
	if len(text) > maxParked {
		return "", &privacy.Error{Kind: privacy.TooLarge, Key: "error.too-large", Reason: "parked-too-large"}
	}
	return a.store.Park(ctx, person, path, a.seal.Seal(nil, nil, []byte(text), parkedFor(person, path)), parkedLife)
}

// Unpark hands back what a person parked, once. Gone if there is nothing.
func (a *Auth) Unpark(ctx context.Context, person privacy.PersonRef, id string) (path string, fields url.Values, err error) {
	path, sealed, err := a.store.Unpark(ctx, person, id)
	if err != nil {
		return "", nil, err
	}
	gone := &privacy.Error{Kind: privacy.Gone, Key: "error.parked-gone", Reason: "parked-gone"}
	text, err := a.seal.Open(nil, nil, sealed, parkedFor(person, path))
	if err != nil {
		return "", nil, gone // sealed under an older key
	}
	if fields, err = url.ParseQuery(string(text)); err != nil {
		return "", nil, gone
	}
	return path, fields, nil
}

func parkedFor(person privacy.PersonRef, path string) []byte {
	return []byte("parked\x00" + string(person) + "\x00" + path)
}
