package standin

import (
	"net/http"
	"strings"
	"testing"
)

func TestEnode(t *testing.T) {
	w := start(t)
	res, body := w.send(t, "POST", "/enode-auth/oauth2/token", formType, "grant_type=client_credentials", enodeBasic)
	if res.StatusCode != 200 || !strings.Contains(body, `"expires_in":3599,"scope":""`) || !strings.Contains(body, `"token_type":"bearer"`) {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	if res, _ := w.send(t, "POST", "/enode-auth/oauth2/token", formType, "grant_type=password", enodeBasic); res.StatusCode != 400 {
		t.Errorf("another grant answered %d", res.StatusCode)
	}
	token := bearer(w.enodeToken(t))
	call := func(method, path string) int {
		t.Helper()
		res, _ := w.send(t, method, "/enode"+path, "", "", token)
		return res.StatusCode
	}
	// A stop keeps the user; it may be repeated. A deletion may not.
	for _, step := range []struct {
		method, path string
		want         int
		state        string
	}{
		{"GET", "/users/p1", 200, ""},
		{"DELETE", "/users/p1/authorization", 204, Deauthorized},
		{"DELETE", "/users/p1/authorization", 204, Deauthorized},
		{"GET", "/users/p1", 200, Deauthorized},
		{"DELETE", "/users/p1", 204, Deleted},
		{"DELETE", "/users/p1", 404, Deleted},
		{"DELETE", "/users/p1/authorization", 404, Deleted},
		{"GET", "/users/p1", 404, Deleted},
		{"DELETE", "/users/p2/vendors/TESLA", 404, Deleted}, // in client code only
	} {
		if got := call(step.method, step.path); got != step.want || w.State(Enode, "users/p1") != step.state {
			t.Errorf("%s %s answered %d, %q", step.method, step.path, got, w.State(Enode, "users/p1"))
		}
	}
	w = startWith(t, Options{Enode: EnodeAccount{Vendors: true}})
	token = bearer(w.enodeToken(t))
	if got := call(http.MethodDelete, "/users/p2/vendors/TESLA"); got != 204 || w.State(Enode, "users/p2/vendors/TESLA") != Removed {
		t.Errorf("a vendor answered %d", got)
	}
}
