package standin

import (
	"net/http"
	"testing"
)

func aiiaHeaders(extra ...string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("X-Client-Id", "aiia-client")
		r.Header.Set("X-Client-Secret", "aiia-secret")
		for i := 0; i < len(extra); i += 2 {
			r.Header.Set(extra[i], extra[i+1])
		}
	}
}

func TestAiiaEnterprise(t *testing.T) {
	w := start(t)
	login := aiiaHeaders("X-Login-Token", "login-1")
	res, body := w.send(t, "GET", "/aiia/v2/consents", "", "", login)
	if got := read[aiiaConsentShown](t, body); res.StatusCode != 200 || got.Status != "Active" || got.ConsentID == "" {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	for i, want := range []int{204, 404} {
		if res, body := w.send(t, "DELETE", "/aiia/v2/consents", "", "", login); res.StatusCode != want {
			t.Errorf("deletion %d answered %d %s", i+1, res.StatusCode, body)
		}
	}
	if res, _ := w.send(t, "GET", "/aiia/v2/consents", "", "", login); res.StatusCode != 404 || w.State(Aiia, "consents/"+AiiaID("login-1")) != Revoked {
		t.Errorf("an ended consent answered %d", res.StatusCode)
	}
	if res, _ := w.send(t, "DELETE", "/aiia/v2/consents", "", "", aiiaHeaders()); res.StatusCode != 400 {
		t.Errorf("without a login token it answered %d", res.StatusCode)
	}
	session := aiiaHeaders("Authorization", "Bearer s1")
	for body, want := range map[string]int{
		`{"userHash":"u","loginToken":"l"}`:                200,
		`{"userHash":"u"}`:                                 400,
		`{"userHash":"u","loginToken":"l","x":1}`:          400,
		`{"userhash":"u","loginToken":"l"}`:                400,
		`{"userHash":"u","userHash":"v","loginToken":"l"}`: 400,
	} {
		if res, answer := w.send(t, "POST", "/aiia/v1/logout", jsonType, body, session); res.StatusCode != want || want == 200 && answer != "{}" {
			t.Errorf("%s answered %d %s", body, res.StatusCode, answer)
		}
	}
	for name, change := range map[string]func(*http.Request){"no session": aiiaHeaders(), "an empty one": aiiaHeaders("Authorization", "Bearer ")} {
		if res, _ := w.send(t, "POST", "/aiia/v1/logout", jsonType, `{"userHash":"u","loginToken":"l"}`, change); res.StatusCode != 401 {
			t.Errorf("%s answered %d", name, res.StatusCode)
		}
	}
	if res, _ := w.send(t, "POST", "/aiia/v1/logout", jsonType, `{"userHash":"u","loginToken":"l"}`, aiiaHeaders("Authorization", "Bearer s", "X-Login-Token", "l")); res.StatusCode != 400 {
		t.Errorf("a header of the other call answered %d", res.StatusCode)
	}
}

// The product Data has no call that ends a consent.
func TestAiiaData(t *testing.T) {
	w := startWith(t, Options{Aiia: AiiaAccount{Product: AiiaData}})
	for _, test := range []struct{ method, path string }{{"DELETE", "/v2/consents"}, {"GET", "/v2/consents"}, {"POST", "/v1/logout"}, {"POST", "/v1/oauth/revoke"}} {
		if res, _ := w.send(t, test.method, "/aiia"+test.path, "", "", aiiaHeaders("X-Login-Token", "l")); res.StatusCode != 404 {
			t.Errorf("%v answered %d", test, res.StatusCode)
		}
	}
	if touched(w) {
		t.Errorf("something was done: %+v", w.Entries())
	}
}
