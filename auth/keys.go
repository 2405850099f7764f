package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// How long signing keys are trusted without asking again, and how often tokens
// with an unknown key may make us ask: go-oidc's own key set asks for every one
// of them and never forgets a withdrawn key.
const (
	keysLife      = time.Hour
	keysPerMinute = 5
)

var (
	errKeysAway   = errors.New("the provider's keys can't be fetched")
	errUnknownKey = errors.New("no key of the provider has this id")
	errSignature  = errors.New("the signature is wrong")
)

// keySet is the signing keys of one provider, from the jwks_uri of its own
// discovery and from nowhere else: what a token's header says of keys (jwk, jku,
// x5u) is not looked at. (checklist 15)
type keySet struct {
	url    string
	algs   []jose.SignatureAlgorithm
	client *http.Client
	now    func() time.Time

	mu      sync.Mutex // held while fetching, so that one fetch serves all who wait
	keys    []jose.JSONWebKey
	fetched time.Time
	misses  []time.Time // fetches because of an unknown key
}

var _ oidc.KeySet = (*keySet)(nil)

// VerifySignature returns the payload of a token that one of the keys signed.
func (k *keySet) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(raw, k.algs)
	if err != nil || len(jws.Signatures) != 1 {
		return nil, errSignature
	}
	h := jws.Signatures[0].Header
	keys, err := k.find(ctx, h.KeyID, h.Algorithm)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if payload, err := jws.Verify(key.Key); err == nil {
			return payload, nil
		}
	}
	return nil, errSignature
}

func (k *keySet) find(ctx context.Context, kid, alg string) ([]jose.JSONWebKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	fresh := !k.fetched.IsZero() && now.Sub(k.fetched) < keysLife
	if fresh {
		if found := k.match(kid, alg); len(found) > 0 {
			return found, nil
		}
		recent := k.misses[:0]
		for _, t := range k.misses {
			if now.Sub(t) < time.Minute {
				recent = append(recent, t)
			}
		}
		k.misses = recent
		if len(k.misses) >= keysPerMinute {
			return nil, errUnknownKey
		}
		k.misses = append(k.misses, now)
	}
	keys, err := k.fetch(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errKeysAway, err)
	}
	k.keys, k.fetched = keys, now
	found := k.match(kid, alg)
	if len(found) == 0 {
		return nil, errUnknownKey
	}
	return found, nil
}

func (k *keySet) match(kid, alg string) []jose.JSONWebKey {
	var out []jose.JSONWebKey
	for _, key := range k.keys {
		if (kid == "" || key.KeyID == kid) && (key.Algorithm == "" || key.Algorithm == alg) && (key.Use == "" || key.Use == "sig") {
			out = append(out, key)
		}
	}
	return out
}

func (k *keySet) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := k.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(b, &set); err != nil {
		return nil, errors.New("not a key set")
	}
	var out []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		// A key of a kind that we don't know must not hide the others. RFC 7517 section 5
		if err := json.Unmarshal(raw, &key); err == nil && key.Valid() && key.IsPublic() {
			out = append(out, key)
		}
	}
	return out, nil
}
