package standin

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

func TestGoogleToken(t *testing.T) {
	w := start(t)
	now := time.Now().Unix()
	w.googleToken(t, map[string]any{"aud": googleTokenURL})
	for name, change := range map[string]map[string]any{
		"another account":  {"iss": "x@elekt.example"},
		"another audience": {"aud": "https://example.com/token"},
		"for a person":     {"sub": "kari@elekt.example"},
		"too long":         {"exp": now + 3601},
		"over":             {"iat": now - 7200, "exp": now - 3600},
		"not yet":          {"iat": now + 600, "exp": now + 1200},
		"no scope":         {"scope": ""},
		"unknown claim":    {"jti": "x"},
	} {
		res, body := w.send(t, "POST", "/google-oauth/token", formType, w.googleForm(t, change), nil)
		if code := read[oauthError](t, body).Error; res.StatusCode != 400 || code != "invalid_grant" && code != "invalid_scope" {
			t.Errorf("%s answered %d %s", name, res.StatusCode, body)
		}
	}
	claims := map[string]any{"iss": "innsyn@elekt.example", "aud": googleTokenURL, "iat": now, "exp": now + 600, "scope": scopeAnalytics}
	grant := "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion="
	for name, assertion := range map[string]string{
		"another key id":    sign(t, googleKey(), jose.RS256, "g2", claims),
		"another algorithm": sign(t, googleKey(), jose.PS256, "g1", claims),
		"another key":       sign(t, appleKey(), jose.ES256, "g1", claims),
		"no JWT":            "x",
	} {
		if res, body := w.send(t, "POST", "/google-oauth/token", formType, grant+assertion, nil); res.StatusCode != 400 || read[oauthError](t, body).Error != "invalid_grant" {
			t.Errorf("%s answered %d %s", name, res.StatusCode, body)
		}
	}
	good := w.googleForm(t, nil)
	if res, body := w.send(t, "POST", "/google-oauth/token", formType, strings.Replace(good, "jwt-bearer", "x", 1), nil); read[oauthError](t, body).Error != "unsupported_grant_type" {
		t.Errorf("another grant answered %d %s", res.StatusCode, body)
	}
}

// A token opens what its scope is for, for as long as it lives.
func TestGoogleScopes(t *testing.T) {
	now := time.Now()
	w := startWith(t, Options{Now: func() time.Time { return now }})
	for _, scope := range []string{scopeAnalytics, scopeDataManager, scopeMessaging, scopeFirebase, scopeCloud} {
		token := bearer(w.googleToken(t, map[string]any{"scope": scope}))
		for _, test := range []struct {
			method, path, kind, body string
			scopes                   string
		}{
			{"POST", "/google-analytics/v1alpha/properties/3001:submitUserDeletion", jsonType, `{"userId":"p1"}`, scopeAnalytics},
			{"GET", "/datamanager/v1/requestStatus:retrieve?requestId=x", "", "", scopeDataManager},
			{"DELETE", "/fcm/v1/projects/elekt-app/registrations/r/topicSubscriptions/t?allowMissing=true", "", "", scopeMessaging + " " + scopeCloud},
			{"DELETE", "/firebase/v1/project/elekt-app/instanceId/" + strings.Repeat("a", 11), "", "", scopeFirebase + " " + scopeCloud},
		} {
			res, body := w.send(t, test.method, test.path, test.kind, test.body, token)
			if allowed := strings.Contains(" "+test.scopes+" ", " "+scope+" "); allowed == (res.StatusCode == http.StatusForbidden) {
				t.Errorf("%s with %s answered %d %s", test.path, scope, res.StatusCode, body)
			} else if !allowed && read[googleError](t, body).Error.Status != "PERMISSION_DENIED" {
				t.Errorf("%s answered %s", test.path, body)
			}
		}
	}
	token := bearer(w.googleToken(t, nil))
	now = now.Add(time.Hour)
	if res, _ := w.send(t, "GET", "/datamanager/v1/requestStatus:retrieve?requestId=x", "", "", token); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("an old token answered %d", res.StatusCode)
	}
}

func TestGoogleRevoke(t *testing.T) {
	w := start(t)
	for i, want := range []int{200, 400} {
		res, body := w.send(t, "POST", "/google-oauth/revoke", formType, "token=t1", nil)
		if res.StatusCode != want || i == 1 && read[oauthError](t, body).Error != "invalid_token" {
			t.Errorf("answered %d %s", res.StatusCode, body)
		}
	}
	if res, _ := w.send(t, "POST", "/google-oauth/revoke?token=t2", formType, "", nil); res.StatusCode != 400 {
		t.Errorf("a token in the address answered %d", res.StatusCode)
	}
}

func TestAnalytics(t *testing.T) {
	w := start(t)
	token := bearer(w.googleToken(t, nil))
	send := func(path, body string) (*http.Response, string) {
		t.Helper()
		return w.send(t, "POST", "/google-analytics/v1alpha/properties/"+path, jsonType, body, token)
	}
	for body, id := range map[string]string{
		`{"clientId":"1.2"}`:                          "clientId/1.2",
		`{"appInstanceId":"abc"}`:                     "appInstanceId/abc",
		`{"userProvidedData":"kari@example.com"}`:     "userProvidedData/kari@example.com",
		`{"userProvidedData":"karinord@gmail.com"}`:   "userProvidedData/karinord@gmail.com",
		`{"userProvidedData":"+4700000001"}`:          "userProvidedData/+4700000001",
		`{"userProvidedData":"kari.nord@example.no"}`: "userProvidedData/kari.nord@example.no",
	} {
		res, answer := send("3001:submitUserDeletion", body)
		at, err := time.Parse(time.RFC3339, read[deletionRequested](t, answer).DeletionRequestTime)
		if res.StatusCode != 200 || err != nil || time.Since(at) > time.Minute || w.State(GoogleAnalytics, "properties/3001/"+id) != Deleted {
			t.Errorf("%s answered %d %s, %v", body, res.StatusCode, answer, err)
		}
	}
	for body, want := range map[string]int{
		`{"userId":"a","clientId":"b"}`:            400,
		`{"userId":""}`:                            400,
		`{"userProvidedData":"Kari@example.com"}`:  400,
		`{"userProvidedData":"kari.n@gmail.com"}`:  400,
		`{"userProvidedData":"4700000001"}`:        400,
		`{"userProvidedData":"kari @example.com"}`: 400,
	} {
		if res, answer := send("3001:submitUserDeletion", body); res.StatusCode != want {
			t.Errorf("%s answered %d %s", body, res.StatusCode, answer)
		}
	}
	for path, want := range map[string]int{"3002:submitUserDeletion": 403, "3001:deleteUser": 404, "3001": 404, "submitUserDeletion": 404} {
		if res, answer := send(path, `{"userId":"p1"}`); res.StatusCode != want {
			t.Errorf("%s answered %d %s", path, res.StatusCode, answer)
		}
	}
}
