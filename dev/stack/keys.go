package stack

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// keys are the secrets of one project folder. They are files, as in production,
// and stay: sessions and hashes of identity numbers outlive a restart.
type keys struct {
	dir        string
	nationalID []byte
	database   string // password of the logins on somebody else's server
	vipps      string
	bankID     *ecdsa.PrivateKey
	recipients *recipientSecrets
	systems    map[string]string // secrets of those that call the API
}

// Names of the files, for the configuration.
const (
	sessionFile    = "session.key"
	nationalIDFile = "national-id.key"
	databaseFile   = "database.password"
	vippsFile      = "vipps.secret"
	bankIDFile     = "bankid.pem"
)

// loadKeys reads the keys in dir and makes those that are missing.
func loadKeys(dir string) (*keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	k := &keys{dir: dir}
	if _, err := secret(dir, sessionFile, random); err != nil {
		return nil, err
	}
	nin, err := secret(dir, nationalIDFile, random)
	if err != nil {
		return nil, err
	}
	if k.nationalID, err = base64.StdEncoding.DecodeString(nin); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, nationalIDFile), err)
	}
	for file, to := range map[string]*string{databaseFile: &k.database, vippsFile: &k.vipps} {
		if *to, err = secret(dir, file, random); err != nil {
			return nil, err
		}
	}
	text, err := secret(dir, bankIDFile, ecKey)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, fmt.Errorf("%s holds no key; remove it", filepath.Join(dir, bankIDFile))
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, bankIDFile), err)
	}
	var ok bool
	if k.bankID, ok = parsed.(*ecdsa.PrivateKey); !ok {
		return nil, fmt.Errorf("%s holds a key of another kind; remove it", filepath.Join(dir, bankIDFile))
	}
	if k.recipients, err = loadRecipientSecrets(dir); err != nil {
		return nil, err
	}
	if k.systems, err = loadSystemSecrets(dir); err != nil {
		return nil, err
	}
	return k, nil
}

// secret reads a file or makes it whole: two programs that start at the same
// time get the same one.
func secret(dir, name string, create func() (string, error)) (string, error) {
	path := filepath.Join(dir, name)
	b, err := os.ReadFile(path)
	if err == nil {
		return string(b), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	text, err := create()
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(dir, name+".part*") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	if err := os.Remove(f.Name()); err != nil {
		return "", err
	}
	b, err = os.ReadFile(path)
	return string(b), err
}

// random is 32 bytes as base64.
func random() (string, error) {
	var b [32]byte
	rand.Read(b[:]) // never fails
	return base64.StdEncoding.EncodeToString(b[:]), nil
}

func ecKey() (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}
