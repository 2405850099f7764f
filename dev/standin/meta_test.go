package standin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestMeta(t *testing.T) {
	w := startWith(t, Options{Meta: MetaAccount{Flagged: []string{"222"}}})
	two := strings.Repeat("0b", 32)
	res, body := w.send(t, "POST", "/meta/v25.0/111/users", formType, metaForm(aHash, two), nil)
	if got := read[metaAnswer](t, body); res.StatusCode != 200 || got.AudienceID != "111" || got.NumReceived != 2 || got.NumInvalid != 0 || got.SessionID == "" ||
		!strings.Contains(body, `"invalid_entry_samples":{}`) {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	res, body = w.send(t, "DELETE", "/meta/v25.0/111/users?"+metaForm(two), "", "", nil)
	if res.StatusCode != 200 || w.State(Meta, "audiences/111/EMAIL:"+aHash) != MemberOn || w.State(Meta, "audiences/111/EMAIL:"+two) != Removed {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	both := url.Values{"payload": {`{"schema":["EMAIL","PHONE"],"data":[["","` + aHash + `"]]}`}, "access_token": {"meta-token"}}.Encode()
	if res, body := w.send(t, "DELETE", "/meta/v25.0/111/users", formType, both, nil); res.StatusCode != 200 || w.State(Meta, "audiences/111/PHONE:"+aHash) != Removed {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	res, body = w.send(t, "DELETE", "/meta/v25.0/222/users", formType, metaForm(aHash), nil)
	if got := read[metaError](t, body).Error; res.StatusCode != 400 || got.Code != 100 || got.Subcode != 1713230 {
		t.Errorf("a flagged audience answered %d %s", res.StatusCode, body)
	}
}

func TestMetaRefuses(t *testing.T) {
	w := start(t)
	form := func(payload string) string {
		return url.Values{"payload": {payload}, "access_token": {"meta-token"}}.Encode()
	}
	good := `{"schema":["EMAIL"],"data":[["` + aHash + `"]]}`
	rows := strings.Repeat(`["`+aHash+`"],`, mostRows+1)
	for name, payload := range map[string]string{
		"in clear":       `{"schema":["EMAIL"],"data":[["kari@example.com"]]}`,
		"in capitals":    strings.ToUpper(good),
		"unknown key":    strings.Replace(good, "EMAIL", "MAIL", 1),
		"key twice":      `{"schema":["EMAIL","EMAIL"],"data":[["` + aHash + `","` + aHash + `"]]}`,
		"too long a row": `{"schema":["EMAIL"],"data":[["` + aHash + `","` + aHash + `"]]}`,
		"nobody":         `{"schema":["EMAIL"],"data":[[""]]}`,
		"no rows":        `{"schema":["EMAIL"],"data":[]}`,
		"too many":       `{"schema":["EMAIL"],"data":[` + rows[:len(rows)-1] + `]}`,
		"a session":      `{"session":{},` + good[1:],
		"no JSON":        "x",
		"device in caps": `{"schema":["MADID"],"data":[["123E4567-E89B-12D3-A456-426655440000"]]}`,
	} {
		if res, body := w.send(t, "DELETE", "/meta/v25.0/111/users", formType, form(payload), nil); res.StatusCode != 400 || read[metaError](t, body).Error.Code != 100 {
			t.Errorf("%s answered %d %s", name, res.StatusCode, body)
		}
	}
	for path, want := range map[string]int{"/v25.0/333/users": 400, "/v24.0/111/users": 404, "/111/users": 404, "/v25.0/111/usersreplace": 404, "/v25.0/act_7/usersofanyaudience": 404} {
		if res, body := w.send(t, "DELETE", "/meta"+path, formType, form(good), nil); res.StatusCode != want {
			t.Errorf("%s answered %d %s", path, res.StatusCode, body)
		}
	}
	if res, _ := w.send(t, http.MethodPost, "/meta/v25.0/111/users?"+form(good), "", "", nil); res.StatusCode < 400 {
		t.Errorf("a POST in the query answered %d", res.StatusCode)
	}
	if touched(w) {
		t.Errorf("something was done: %+v", w.Entries())
	}
	w = startWith(t, Options{Meta: MetaAccount{AnyAudience: true, AdAccount: "7"}})
	if res, _ := w.send(t, "DELETE", "/meta/v25.0/act_7/usersofanyaudience", formType, form(good), nil); res.StatusCode != 200 || w.State(Meta, "audiences/222/EMAIL:"+aHash) != Removed {
		t.Errorf("all audiences answered %d", res.StatusCode)
	}
	if res, _ := w.send(t, "DELETE", "/meta/v25.0/act_8/usersofanyaudience", formType, form(good), nil); res.StatusCode != 400 {
		t.Errorf("another account answered %d", res.StatusCode)
	}
}
