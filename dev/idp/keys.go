package idp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// key signs tokens. It serves op both as the private and as the published key.
type key struct {
	id      string
	alg     jose.SignatureAlgorithm
	private crypto.Signer
}

// newKey makes a key for ES256 (P-256) or RS256 (2048 bits).
func newKey(alg jose.SignatureAlgorithm) (*key, error) {
	var private crypto.Signer
	var err error
	switch alg {
	case jose.ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.RS256:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		err = fmt.Errorf("no keys for algorithm %s", alg)
	}
	if err != nil {
		return nil, err
	}
	return &key{id: random(), alg: alg, private: private}, nil
}

func (k *key) public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.private.Public(), KeyID: k.id, Algorithm: string(k.alg), Use: "sig"}
}

// keyRing is the keys of one provider: the one that signs and the one before it.
type keyRing struct {
	alg jose.SignatureAlgorithm

	mu       sync.Mutex
	current  *key
	previous *key
}

func newKeyRing(alg jose.SignatureAlgorithm) (*keyRing, error) {
	k, err := newKey(alg)
	if err != nil {
		return nil, err
	}
	return &keyRing{alg: alg, current: k}, nil
}

func (r *keyRing) rotate() error {
	k, err := newKey(r.alg)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current, r.previous = k, r.current
	return nil
}

func (r *keyRing) signing() *key {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current
}

// published is the JWKS.
func (r *keyRing) published() jose.JSONWebKeySet {
	r.mu.Lock()
	defer r.mu.Unlock()
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{r.current.public()}}
	if r.previous != nil {
		set.Keys = append(set.Keys, r.previous.public())
	}
	return set
}
