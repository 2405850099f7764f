package standin

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// sms sends a good message, or one with other fields.
func (w *world) sms(t *testing.T, change url.Values) (*http.Response, sveveResponse) {
	t.Helper()
	res, body := w.post(t, "/SMS/SendMessage", smsFields(change))
	if res.StatusCode != http.StatusOK {
		return res, sveveResponse{}
	}
	return res, read[sveveAnswer](t, body).Response
}

func smsFields(change url.Values) url.Values {
	f := url.Values{"user": {"elekt"}, "passwd": {"secret"}, "to": {"+4700000001"}, "msg": {"Koden er 123456"}, "from": {"Elekt"}, "f": {"json"}, "ref": {"opaque"}}
	for name, v := range change {
		if v == nil {
			f.Del(name)
		} else {
			f[name] = v
		}
	}
	return f
}

func TestSMS(t *testing.T) {
	w := start(t)
	_, got := w.sms(t, nil)
	if got.MsgOkCount != 1 || got.StdSMSCount != 1 || len(got.IDs) != 1 || got.FatalError != "" || got.Errors != nil {
		t.Errorf("answered %+v", got)
	}
	m, err := w.WaitMessage(t.Context(), func(m Message) bool { return m.Recipient == Sveve })
	if err != nil || m.Text != "Koden er 123456" || !slices.Equal(m.To, []string{"+4700000001"}) || m.Ref != "opaque" || m.From != "Elekt" {
		t.Errorf("kept %+v, %v", m, err)
	}
	if r := w.Requests()[0]; r.Fields.Get("to") != "+4700000001" || r.Fields.Has("passwd") || r.Fields.Has("user") {
		t.Errorf("kept %+v", r)
	}
	_, got = w.sms(t, url.Values{"to": {"00000002, 4700000003,12"}, "msg": {strings.Repeat("å", 161)}})
	if got.MsgOkCount != 2 || got.StdSMSCount != 4 || len(got.IDs) != 2 || len(got.Errors) != 1 || got.Errors[0].Number != "12" {
		t.Errorf("answered %+v", got)
	}
	res, body := w.send(t, http.MethodGet, "/SMS/SendMessage?"+smsFields(nil).Encode(), "", "", nil)
	if res.StatusCode != http.StatusOK || read[sveveAnswer](t, body).Response.MsgOkCount != 1 {
		t.Errorf("by GET it answered %d %s", res.StatusCode, body)
	}
	if _, got := w.sms(t, url.Values{"test": {"true"}}); got.MsgOkCount != 1 || !w.Messages()[3].Test {
		t.Errorf("a test answered %+v", got)
	}
}

func TestSveveRefuses(t *testing.T) {
	w := start(t)
	for name, change := range map[string]url.Values{
		"password":       {"passwd": {"x"}},
		"nobody":         {"user": nil, "passwd": nil},
		"no text":        {"msg": nil},
		"no number":      {"to": nil},
		"long text":      {"msg": {strings.Repeat("x", sveveText+1)}},
		"long sender":    {"from": {"Elekt Strøm AS"}},
		"long reference": {"ref": {strings.Repeat("x", sveveRef+1)}},
	} {
		if res, got := w.sms(t, change); res.StatusCode != http.StatusOK || got.FatalError == "" || got.MsgOkCount != 0 {
			t.Errorf("%s answered %d %+v", name, res.StatusCode, got)
		}
	}
	for name, change := range map[string]url.Values{
		"unknown field": {"message": {"x"}},
		"XML":           {"f": nil},
		"another form":  {"f": {"xml"}},
		"odd test":      {"test": {"1"}},
		"odd time":      {"date_time": {"tomorrow"}},
		"twice":         {"to": {"00000001", "00000002"}},
	} {
		if res, _ := w.sms(t, change); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s answered %d", name, res.StatusCode)
		}
	}
	if res, _ := w.send(t, http.MethodPost, "/SMS/SendMessage?f=json", formType, smsFields(nil).Encode(), nil); res.StatusCode != http.StatusBadRequest {
		t.Errorf("a post with fields in the address answered %d", res.StatusCode)
	}
	if _, got := w.sms(t, url.Values{"to": {"abc"}}); got.MsgOkCount != 0 || len(got.Errors) != 1 {
		t.Errorf("a number that isn't one answered %+v", got)
	}
	if len(w.Messages()) != 0 {
		t.Errorf("kept %+v", w.Messages())
	}
}
