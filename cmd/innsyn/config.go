package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"elekt.no/innsyn/auth"
	"elekt.no/innsyn/fulfil"
)

// Config is the configuration file, described field by field in docs/CONFIG.md.
// An unknown key is an error. Each field that holds a secret has a sibling
// ending in _file that names a file with it instead.
type Config struct {
	Env      string `yaml:"env"`      // production or development
	BaseURL  string `yaml:"base_url"` // scheme, host and port as people see them
	Listen   string `yaml:"listen"`   // host:port
	Database struct {
		URL         string `yaml:"url"` // INNSYN_DATABASE_URL wins
		URLFile     string `yaml:"url_file"`
		Owner       string `yaml:"owner"` // for migrate; INNSYN_OWNER_DATABASE_URL wins
		OwnerFile   string `yaml:"owner_file"`
		MaxOpen     int    `yaml:"max_open"`
		Company     string `yaml:"company"` // INNSYN_COMPANY_DATABASE_URL wins
		CompanyFile string `yaml:"company_file"`
	} `yaml:"database"`
	// Proxies of ours: their X-Forwarded-For tells whom limits count.
	Proxies   []netip.Prefix `yaml:"trusted_proxies"`
	Catalogue string         `yaml:"catalogue"` // a file; Elekt's own if empty
	Keys      struct {
		Session        string `yaml:"session"` // base64 of 32 bytes: tokens of forms and login links
		SessionFile    string `yaml:"session_file"`
		NationalID     string `yaml:"national_id"` // base64 of 32 bytes: hashes of identity numbers
		NationalIDFile string `yaml:"national_id_file"`
	} `yaml:"keys"`
	Sessions   auth.Limits           `yaml:"sessions"`
	Providers  []auth.ProviderConfig `yaml:"providers"`
	Recipients fulfil.Recipients     `yaml:"recipients"`
	API        *auth.APIConfig       `yaml:"api"`      // nil: there is no API
	Shutdown   time.Duration         `yaml:"shutdown"` // how long a node lets requests and jobs end; 15s if zero
}

// loadConfig reads the file that INNSYN_CONFIG or --config names, and the
// environment on top of it.
func loadConfig(path string) (*Config, error) {
	if path == "" {
		return nil, errors.New("no configuration: set INNSYN_CONFIG or --config to a file (docs/CONFIG.md)")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	c := &Config{}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("configuration %s: %w", path, err)
	}
	var noFile string
	for env, field := range map[string]struct{ value, file *string }{
		"INNSYN_DATABASE_URL":         {&c.Database.URL, &c.Database.URLFile},
		"INNSYN_OWNER_DATABASE_URL":   {&c.Database.Owner, &c.Database.OwnerFile},
		"INNSYN_COMPANY_DATABASE_URL": {&c.Database.Company, &c.Database.CompanyFile},
		"INNSYN_ENV":                  {&c.Env, &noFile},
	} {
		if v := os.Getenv(env); v != "" {
			*field.value, *field.file = v, ""
		}
	}
	dir := filepath.Dir(path)
	if err := readSecrets(reflect.ValueOf(c).Elem(), "", dir); err != nil {
		return nil, fmt.Errorf("configuration %s: %w", path, err)
	}
	if c.Catalogue != "" && !filepath.IsAbs(c.Catalogue) {
		c.Catalogue = filepath.Join(dir, c.Catalogue)
	}
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("configuration %s: %w", path, err)
	}
	return c, nil
}

// readSecrets fills each text field X from the file that XFile names.
func readSecrets(v reflect.Value, path, dir string) error {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return readSecrets(v.Elem(), path, dir)
	case reflect.Slice:
		for i := range v.Len() {
			if err := readSecrets(v.Index(i), fmt.Sprintf("%s[%d]", path, i), dir); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if key == "" || !f.IsExported() {
				continue
			}
			key = strings.TrimPrefix(path+"."+key, ".")
			secret := v.FieldByName(strings.TrimSuffix(f.Name, "File"))
			if !strings.HasSuffix(f.Name, "File") || f.Type.Kind() != reflect.String || !secret.IsValid() || secret.Kind() != reflect.String {
				if err := readSecrets(v.Field(i), key, dir); err != nil {
					return err
				}
				continue
			}
			name := v.Field(i).String()
			if name == "" {
				continue
			}
			if secret.String() != "" {
				return fmt.Errorf("%s: the secret itself stands there too", key)
			}
			if !filepath.IsAbs(name) {
				name = filepath.Join(dir, name)
			}
			b, err := os.ReadFile(name)
			if err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			if secret.SetString(strings.TrimRight(string(b), "\r\n")); secret.String() == "" {
				return fmt.Errorf("%s: the file is empty", key)
			}
		}
	}
	return nil
}

func (c *Config) validate() error {
	switch c.Env {
	case "production", "development":
	default:
		return fmt.Errorf("env is %q, must be production or development", c.Env)
	}
	u, err := url.Parse(c.BaseURL)
	if err != nil || u.Host == "" || u.Path != "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("base_url %q must be scheme, host and port", c.BaseURL)
	}
	if c.Env == "production" && u.Scheme != "https" {
		return errors.New("base_url must be https in production")
	}
	if c.Listen == "" {
		return errors.New("listen is missing, as 127.0.0.1:8080")
	}
	if c.Database.URL == "" {
		return errors.New("database.url is missing (or INNSYN_DATABASE_URL)")
	}
	if c.Env == "production" && c.Database.Company == "" {
		return errors.New("database.company is missing (or INNSYN_COMPANY_DATABASE_URL): no customer would be found")
	}
	for name, key := range map[string]string{"keys.session": c.Keys.Session, "keys.national_id": c.Keys.NationalID} {
		if _, err := decodeKey(key); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if len(c.Providers) == 0 {
		return errors.New("providers: nobody could log in")
	}
	seen := map[string]bool{}
	for i := range c.Providers {
		p := &c.Providers[i]
		if err := p.Validate(); err != nil {
			return fmt.Errorf("providers[%d]: %w", i, err)
		}
		if seen[p.ID] {
			return fmt.Errorf("providers[%d]: the id %q stands twice", i, p.ID)
		}
		seen[p.ID] = true
	}
	if err := c.Recipients.Validate(); err != nil {
		return fmt.Errorf("recipients.%w", err)
	}
	if c.API != nil {
		if err := c.API.Validate(); err != nil {
			return fmt.Errorf("api: %w", err)
		}
	}
	if c.Shutdown == 0 {
		c.Shutdown = 15 * time.Second
	}
	return nil
}

// systems are those whose ids of people the API takes.
func (c *Config) systems() []string {
	if c.API == nil {
		return nil
	}
	return c.API.Systems
}

// decodeKey reads a key of 32 bytes.
func decodeKey(s string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b) != 32 {
		return nil, errors.New("must be base64 of 32 bytes, as `openssl rand -base64 32` makes")
	}
	return b, nil
}
