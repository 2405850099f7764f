package standin

import "testing"

func TestXandr(t *testing.T) {
	w := start(t)
	for body, want := range map[string]int{
		`{"auth":{"username":"xandr-user","password":"x"}}`:             401,
		`{"auth":{"username":"xandr-user","password":"","remember":1}}`: 422,
		`{}`: 401,
	} {
		if res, answer := w.send(t, "POST", "/xandr/auth", jsonType, body, nil); res.StatusCode != want {
			t.Errorf("%s answered %d %s", body, res.StatusCode, answer)
		}
	}
	value := w.xandrToken(t)
	request := func(id, kind, what string) string {
		return `{"identifier":"` + id + `","identifier_type":"` + kind + `","request_type":"` + what + `"}`
	}
	for body, want := range map[string]int{
		request("7738918429796999062", "uuid2", "delete"):                  200,
		request("7738918429796999063", "uuid2", "access"):                  200,
		request("123e4567-e89b-12d3-a456-426655440000", "uuid2", "delete"): 422,
		request("7738918429796999062", "maid", "delete"):                   422,
		request("7738918429796999062", "idfa", "delete"):                   422,
		request("7738918429796999062", "uuid2", "suppress"):                422,
	} {
		if res, answer := w.send(t, "POST", "/xandr/privacy/consumer-request", jsonType, body, bearer(value)); res.StatusCode != want {
			t.Errorf("%s answered %d %s", body, res.StatusCode, answer)
		}
	}
	if w.State(Xandr, "uuid2/7738918429796999062") != Deleted || w.State(Xandr, "uuid2/7738918429796999063") != Asked || len(w.Entries()) != 2 {
		t.Errorf("entries are %+v", w.Entries())
	}
	// The token stands in the header as it is.
	if res, answer := w.send(t, "POST", "/xandr/privacy/consumer-request", jsonType, request("1", "uuid2", "delete"), bearer("Bearer "+value)); res.StatusCode != 401 || read[xandrAnswer](t, answer).Response.ErrorID != "NOAUTH" {
		t.Errorf("a bearer answered %d %s", res.StatusCode, answer)
	}
}
