package standin

import (
	"strings"
	"testing"
	"time"
)

func TestApple(t *testing.T) {
	w := start(t)
	for range 2 { // revoked already is no fault
		if res, body := w.send(t, "POST", "/apple/auth/revoke", formType, appleForm(t, nil), nil); res.StatusCode != 200 || body != "" {
			t.Errorf("answered %d %s", res.StatusCode, body)
		}
	}
	now := time.Now().Unix()
	for name, change := range map[string]map[string]any{
		"another team":     {"iss": "OTHER"},
		"another app":      {"sub": "no.elekt.other"},
		"another audience": {"aud": "https://example.com"},
		"over":             {"exp": now - 1},
		"too long":         {"exp": now + 200*24*3600},
		"unknown claim":    {"nonce": "x"},
	} {
		if res, body := w.send(t, "POST", "/apple/auth/revoke", formType, appleForm(t, change), nil); res.StatusCode != 400 || read[oauthError](t, body).Error != "invalid_client" {
			t.Errorf("%s answered %d %s", name, res.StatusCode, body)
		}
	}
	good := appleForm(t, nil)
	for name, bad := range map[string]string{
		"another hint": strings.Replace(good, "token_type_hint=refresh_token", "token_type_hint=code", 1),
		"no token":     strings.Replace(good, "token=refresh-1", "token=", 1),
	} {
		if res, body := w.send(t, "POST", "/apple/auth/revoke", formType, bad, nil); res.StatusCode != 400 || read[oauthError](t, body).Error != "invalid_request" {
			t.Errorf("%s answered %d %s", name, res.StatusCode, body)
		}
	}
}
