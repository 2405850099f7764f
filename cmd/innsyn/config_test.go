package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var key32 = base64.StdEncoding.EncodeToString(make([]byte, 32))

const good = `
env: development
base_url: http://127.0.0.1:8080
listen: 127.0.0.1:8080
database: {url: "postgres://app@localhost/innsyn"}
keys: {session_file: session.key, national_id: KEY}
providers:
  - {id: vipps, preset: vipps, issuer: "http://localhost:8081/vipps/", client_id: c, client_secret_file: vipps.secret}
api: {issuer: "http://localhost:8081/company", audience: "http://127.0.0.1:8080/api"}
recipients:
  mailgun:
    base_url: http://127.0.0.1:8082
    key: k
    domains: [mg.example.com]
    from: Test <test@mg.example.com>
    from_domain: mg.example.com
    purposes:
      newsletter: {tag: newsletter, list: news@mg.example.com}
`

func write(t *testing.T, text string) string {
	t.Helper()
	for _, env := range []string{"INNSYN_DATABASE_URL", "INNSYN_OWNER_DATABASE_URL", "INNSYN_COMPANY_DATABASE_URL", "INNSYN_ENV"} {
		t.Setenv(env, "")
	}
	dir := t.TempDir()
	for name, content := range map[string]string{"session.key": key32 + "\n", "vipps.secret": "hush\n", "empty": "\n",
		"config.yaml": strings.ReplaceAll(text, "KEY", key32)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "config.yaml")
}

func TestConfigReadsSecretsFromFiles(t *testing.T) {
	c, err := loadConfig(write(t, good))
	if err != nil {
		t.Fatal(err)
	}
	if c.Keys.Session != key32 || c.Providers[0].ClientSecret != "hush" || c.Recipients.Mailgun.Key != "k" {
		t.Errorf("%+v", c)
	}
}

func TestEnvironmentWins(t *testing.T) {
	path := write(t, good)
	t.Setenv("INNSYN_DATABASE_URL", "postgres://elsewhere/innsyn")
	c, err := loadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Database.URL != "postgres://elsewhere/innsyn" {
		t.Errorf("url %q", c.Database.URL)
	}
}

// A variable wins over a file that is named beside it, too.
func TestEnvironmentWinsOverSecretFile(t *testing.T) {
	path := write(t, strings.Replace(good, `{url: "postgres://app@localhost/innsyn"}`, "{url_file: nothing.url, company_file: nothing.url}", 1))
	t.Setenv("INNSYN_DATABASE_URL", "postgres://elsewhere/innsyn")
	t.Setenv("INNSYN_COMPANY_DATABASE_URL", "postgres://elsewhere/company")
	c, err := loadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Database.URL != "postgres://elsewhere/innsyn" || c.Database.Company != "postgres://elsewhere/company" {
		t.Errorf("%+v", c.Database)
	}
}

// A catalogue is looked for beside the configuration, wherever the process runs.
func TestCatalogueIsSeenFromTheConfiguration(t *testing.T) {
	path := write(t, good+"catalogue: mine.yaml\n")
	c, err := loadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(filepath.Dir(path), "mine.yaml"); c.Catalogue != want {
		t.Errorf("catalogue %q, want %q", c.Catalogue, want)
	}
}

// Each fault is an error that names the key.
func TestConfigFaultsNameTheKey(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown key":              {"listen:", "listens: x\nlisten:", "listens"},
		"unknown nested key":       {"client_id: c,", "client_id: c, client: d,", "client"},
		"no env":                   {"env: development", "", "env"},
		"wrong env":                {"env: development", "env: test", "env"},
		"http in production":       {"env: development", "env: production", "base_url"},
		"base with a path":         {"base_url: http://127.0.0.1:8080", "base_url: http://127.0.0.1:8080/portal", "base_url"},
		"no listen":                {"listen: 127.0.0.1:8080", "", "listen"},
		"no company in production": {"env: development\nbase_url: http:", "env: production\nbase_url: https:", "database.company"},
		"no database":              {`{url: "postgres://app@localhost/innsyn"}`, "{max_open: 4}", "database.url"},
		"short key":                {"national_id: KEY", "national_id: c2hvcnQ=", "keys.national_id"},
		"secret twice":             {"session_file: session.key", "session_file: session.key, session: x", "keys.session_file"},
		"secret file missing":      {"session.key", "nothing.key", "keys.session_file"},
		"secret file empty":        {"client_secret_file: vipps.secret", "client_secret_file: empty", "providers[0].client_secret_file"},
		"no providers":             {"providers:\n  - {id: vipps", "providers: []\nx:\n  - {id: vipps", "x"},
		"unknown preset":           {"preset: vipps", "preset: mobil", "preset"},
		"tag for everything":       {"tag: newsletter", "tag: '*'", "recipients.mailgun"},
		"no audience":              {`, audience: "http://127.0.0.1:8080/api"`, "", "api: audience"},
		"an HMAC":                  {`company", audience`, `company", algorithms: [HS256], audience`, "api: algorithms"},
		"no system":                {`company", audience`, `company", systems: [CRM], audience`, "api: systems"},
		"not yaml":                 {"env: development", "env: [", "yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(good, c.old) {
				t.Fatalf("%q isn't in the good one", c.old)
			}
			_, err := loadConfig(write(t, strings.Replace(good, c.old, c.new, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want it to name %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "hush") {
				t.Error("the error tells a secret")
			}
		})
	}
	if _, err := loadConfig(""); err == nil || !strings.Contains(err.Error(), "INNSYN_CONFIG") {
		t.Errorf("no file: %v", err)
	}
}

// Every key that the file may have stands in docs/CONFIG.md.
func TestConfigIsDocumented(t *testing.T) {
	b, err := os.ReadFile("../../docs/CONFIG.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	var walk func(typ reflect.Type, path string)
	walk = func(typ reflect.Type, path string) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || typ.PkgPath() == "time" {
			return
		}
		for i := range typ.NumField() {
			key, _, _ := strings.Cut(typ.Field(i).Tag.Get("yaml"), ",")
			if key == "" {
				continue
			}
			full := strings.TrimPrefix(path+"."+key, ".")
			if leaf(typ.Field(i).Type) && !strings.Contains(doc, "`"+full+"`") && !strings.Contains(doc, "`"+key+"`") && !strings.Contains(doc, "."+key+"`") {
				t.Errorf("docs/CONFIG.md doesn't explain %s", full)
			}
			walk(typ.Field(i).Type, full)
		}
	}
	walk(reflect.TypeFor[Config](), "")
}

// leaf tells whether a field holds a value and no further keys of ours.
func leaf(typ reflect.Type) bool {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
		typ = typ.Elem()
	}
	return typ.Kind() != reflect.Struct
}

func TestCheckPrintsTheCatalogueOrEveryFault(t *testing.T) {
	var out, errout bytes.Buffer
	t.Setenv("INNSYN_CONFIG", "")
	if err := run(context.Background(), []string{"check"}, &out, &errout); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"PURPOSE", "newsletter", "6(1)(a)", "SHA-256", "51 purposes"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q", want)
		}
	}
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("version: \"2026-11-24\"\nunheard: of\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	err := run(context.Background(), []string{"check", "-catalogue", bad}, &out, &errout)
	if err == nil || !strings.Contains(err.Error(), bad+":2: unheard: unknown key") || out.Len() != 0 {
		t.Errorf("%v, printed %q", err, out.String())
	}
}

func TestUnknownCommandsAreRefused(t *testing.T) {
	for _, args := range [][]string{nil, {"dance"}, {"serve", "now"}, {"serve", "-unheard"}} {
		var out, errout bytes.Buffer
		t.Setenv("INNSYN_CONFIG", "")
		if err := run(context.Background(), args, &out, &errout); err == nil {
			t.Errorf("%v: accepted", args)
		}
	}
}
