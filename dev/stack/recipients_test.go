package stack

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"elekt.no/innsyn/dev/standin"
)

// What the configuration says and what the stand-ins want is the same.
func TestRecipientAccounts(t *testing.T) {
	dir := t.TempDir()
	first, err := loadRecipientSecrets(dir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := loadRecipientSecrets(dir)
	if err != nil || !reflect.DeepEqual(r, first) {
		t.Fatalf("the second time it is %+v, %v", r, err)
	}
	var o standin.Options
	r.accounts(&o)
	h := httptest.NewServer(standin.New(o))
	t.Cleanup(h.Close)
	at := standin.URLsAt(h.URL)
	for _, test := range []struct {
		recipient, method, url, kind string
		body                         func(secret string) string
		login                        func(r *http.Request, secret string)
	}{
		{recipient: standin.Eliq, method: "POST", url: at.EliqAuth + "/oauth/token", kind: "application/json", body: func(secret string) string {
			return `{"grant_type":"client_credentials","client_id":"` + eliqClient + `","client_secret":"` + secret + `","aud":"insights-api"}`
		}},
		{recipient: standin.Enode, method: "POST", url: at.EnodeAuth + "/oauth2/token", kind: "application/x-www-form-urlencoded",
			body:  func(string) string { return "grant_type=client_credentials" },
			login: func(r *http.Request, secret string) { r.SetBasicAuth(enodeClient, secret) }},
		{recipient: standin.Xandr, method: "POST", url: at.Xandr + "/auth", kind: "application/json", body: func(secret string) string {
			return `{"auth":{"username":"` + xandrUser + `","password":"` + secret + `"}}`
		}},
		{recipient: standin.Aiia, method: "DELETE", url: at.Aiia + "/v2/consents", login: func(r *http.Request, secret string) {
			r.Header.Set("X-Client-Id", aiiaClient)
			r.Header.Set("X-Client-Secret", secret)
			r.Header.Set("X-Login-Token", "x")
		}},
		{recipient: standin.Elhub, method: "GET", url: at.Elhub + "/messages/none", login: func(r *http.Request, secret string) {
			r.Header.Set("Authorization", "Bearer "+secret)
		}},
	} {
		file, err := secretFile(test.recipient)
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		var body string
		if test.body != nil {
			body = test.body(string(b))
		}
		req, err := http.NewRequestWithContext(t.Context(), test.method, test.url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if test.kind != "" {
			req.Header.Set("Content-Type", test.kind)
		}
		if test.login != nil {
			test.login(req, string(b))
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if res.StatusCode >= 300 && res.StatusCode != http.StatusNotFound {
			t.Errorf("%s answered %d", test.recipient, res.StatusCode)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, googleFile), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadRecipientSecrets(dir); err == nil || !strings.Contains(err.Error(), googleFile) {
		t.Errorf("a broken key file: %v", err)
	}
}
