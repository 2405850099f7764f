package standin

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

const unsubscribes = "/v3/" + domain + "/unsubscribes"

func TestSuppression(t *testing.T) {
	w := start(t)
	res, body := w.post(t, unsubscribes, url.Values{"address": {"Ingrid@example.com"}, "tag": {"newsletter"}})
	if got := read[mailgunAddress](t, body); res.StatusCode != http.StatusOK || got.Address != "Ingrid@example.com" || got.Message != "Address has been added to the unsubscribes table" {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	w.post(t, unsubscribes, url.Values{"address": {"ingrid@example.com"}, "tag": {"marketing"}})
	w.post(t, unsubscribes, url.Values{"address": {"ingrid@example.com"}, "tag": {"newsletter"}})
	if got := w.Suppressed(domain, "ingrid@example.com"); !slices.Equal(got, []string{"marketing", "newsletter"}) {
		t.Errorf("tags are %v", got)
	}
	if got := w.Suppressed("mg2.example.com", "ingrid@example.com"); got != nil {
		t.Errorf("suppressed at the other domain: %v", got)
	}
	res, body = w.send(t, http.MethodGet, unsubscribes+"/ingrid@example.com", "", "", nil)
	if got := read[suppressionOutput](t, body); res.StatusCode != http.StatusOK || len(got.Tags) != 2 || !strings.HasSuffix(got.CreatedAt, "UTC") {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	if res, _ := w.send(t, http.MethodDelete, unsubscribes+"/ingrid%40example.com", "", "", nil); res.StatusCode != http.StatusOK {
		t.Errorf("delete answered %d", res.StatusCode)
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		if res, _ := w.send(t, method, unsubscribes+"/ingrid@example.com", "", "", nil); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s of nobody answered %d", method, res.StatusCode)
		}
	}
	w.post(t, unsubscribes, url.Values{"address": {"all@example.com"}})
	if got := w.Suppressed(domain, "all@example.com"); !slices.Equal(got, []string{"*"}) {
		t.Errorf("without a tag: %v", got)
	}
}

func TestSuppressionJSON(t *testing.T) {
	w := start(t)
	res, body := w.send(t, http.MethodPost, unsubscribes, "application/json",
		`[{"address":"a@example.com","tags":["newsletter"],"created_at":"Thu, 13 Oct 2011 18:02:00 UTC"},{"address":"b@example.com"}]`, nil)
	if got := read[reason](t, body); res.StatusCode != http.StatusOK || got.Message != "2 addresses have been added to the unsubscribes table" {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	if a, b := w.Suppressed(domain, "a@example.com"), w.Suppressed(domain, "b@example.com"); !slices.Equal(a, []string{"newsletter"}) || !slices.Equal(b, []string{"*"}) {
		t.Errorf("tags are %v and %v", a, b)
	}
	var many []string
	for i := range mostSuppressions + 1 {
		many = append(many, fmt.Sprintf(`{"address":"%d@example.com"}`, i))
	}
	for name, body := range map[string]string{
		"unknown field":   `[{"address":"c@example.com","tag":"newsletter"}]`,
		"one object":      `{"address":"c@example.com"}`,
		"empty":           `[]`,
		"too many":        "[" + strings.Join(many, ",") + "]",
		"no address":      `[{"tags":["newsletter"]}]`,
		"empty tag":       `[{"address":"c@example.com","tags":[""]}]`,
		"date":            `[{"address":"c@example.com","created_at":"2026-11-24"}]`,
		"half bad":        `[{"address":"c@example.com"},{"address":"d"}]`,
		"something after": `[{"address":"c@example.com"}] []`,
		"broken":          `[{`,
	} {
		if res, body := w.send(t, http.MethodPost, unsubscribes, "application/json", body, nil); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s answered %d %s", name, res.StatusCode, body)
		}
	}
	if got := w.Suppressed(domain, "c@example.com"); got != nil {
		t.Errorf("a refused call left %v", got)
	}
}

func TestMembers(t *testing.T) {
	w := start(t)
	members := "/v3/lists/" + list + "/members"
	res, body := w.post(t, members, url.Values{"address": {"a@example.com"}, "name": {"A"}, "subscribed": {"yes"}})
	if res.StatusCode != http.StatusOK || !strings.Contains(body, "Mailing list member has been created") {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	if res, body := w.post(t, members, url.Values{"address": {"a@example.com"}}); res.StatusCode != http.StatusBadRequest || !strings.Contains(body, "already exists") {
		t.Errorf("the same again answered %d %s", res.StatusCode, body)
	}
	if res, _ := w.post(t, members, url.Values{"address": {"a@example.com"}, "upsert": {"yes"}, "subscribed": {"no"}}); res.StatusCode != http.StatusOK {
		t.Errorf("upsert answered %d", res.StatusCode)
	}
	if m, ok := w.MemberOf(list, "A@example.com"); !ok || m.Subscribed {
		t.Errorf("member is %+v, %v", m, ok)
	}
	res, body = w.send(t, http.MethodGet, members+"/a@example.com", "", "", nil)
	shown := read[struct {
		Member struct {
			Address    string
			Subscribed bool
			Vars       map[string]string
		}
	}](t, body)
	if res.StatusCode != http.StatusOK || shown.Member.Address != "a@example.com" || shown.Member.Vars == nil || strings.Contains(body, `"list"`) {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	res, body = w.send(t, http.MethodDelete, members+"/a@example.com", "", "", nil)
	if res.StatusCode != http.StatusOK || body != `{"member":{"address":"a@example.com"},"message":"Mailing list member has been deleted"}` {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		if res, _ := w.send(t, method, members+"/a@example.com", "", "", nil); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s of nobody answered %d", method, res.StatusCode)
		}
	}
	if res, _ := w.send(t, http.MethodDelete, "/v3/lists/other@mg.example.com/members/a@example.com", "", "", nil); res.StatusCode != http.StatusNotFound {
		t.Errorf("another list answered %d", res.StatusCode)
	}
}

func mailFields() url.Values {
	return url.Values{"from": {"Elekt <post@mg.example.com>"}, "to": {"ingrid@example.com"}, "subject": {"Kode"}, "text": {"123456"},
		"o:tag": {"newsletter"}, "o:tracking": {"no"}, "h:List-Unsubscribe": {"<https://example.com/u>"}}
}

func TestMessages(t *testing.T) {
	w := start(t)
	res, body := w.post(t, "/v3/"+domain+"/messages", mailFields())
	if got := read[mailgunQueued](t, body); res.StatusCode != http.StatusOK || got.Message != "Queued. Thank you." || !strings.HasSuffix(got.ID, "@"+domain+">") {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	m, err := w.WaitMessage(t.Context(), func(m Message) bool { return m.Subject == "Kode" })
	if err != nil || m.Text != "123456" || !slices.Equal(m.To, []string{"ingrid@example.com"}) || m.Headers["List-Unsubscribe"][0] != "<https://example.com/u>" || m.Suppressed != nil {
		t.Errorf("kept %+v, %v", m, err)
	}
	// A stop of the newsletter stops the newsletter, and not the message about rights.
	w.post(t, unsubscribes, url.Values{"address": {"ingrid@example.com"}, "tag": {"newsletter"}})
	w.post(t, "/v3/"+domain+"/messages", mailFields())
	rights := mailFields()
	rights.Del("o:tag")
	w.post(t, "/v3/"+domain+"/messages", rights)
	w.post(t, unsubscribes, url.Values{"address": {"ingrid@example.com"}, "tag": {"*"}})
	w.post(t, "/v3/"+domain+"/messages", rights)
	var withheld []bool
	for _, m := range w.Messages() {
		withheld = append(withheld, len(m.Suppressed) > 0)
	}
	if !slices.Equal(withheld, []bool{false, true, false, true}) {
		t.Errorf("withheld: %v", withheld)
	}
	for name, change := range map[string]func(url.Values){
		"no sender":     func(f url.Values) { f.Del("from") },
		"no recipient":  func(f url.Values) { f.Del("to") },
		"no subject":    func(f url.Values) { f.Del("subject") },
		"no text":       func(f url.Values) { f.Del("text") },
		"bad recipient": func(f url.Values) { f.Set("to", "nobody") },
		"bad sender":    func(f url.Values) { f.Set("from", "nobody") },
		"bad option":    func(f url.Values) { f.Set("o:tracking", "perhaps") },
		"unknown":       func(f url.Values) { f.Set("o:deliver-now", "yes") },
		"bare prefix":   func(f url.Values) { f.Set("h:", "x") },
		"two subjects":  func(f url.Values) { f.Add("subject", "another") },
	} {
		f := mailFields()
		change(f)
		if res, body := w.post(t, "/v3/"+domain+"/messages", f); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s answered %d %s", name, res.StatusCode, body)
		}
	}
	if len(w.Messages()) != 4 {
		t.Error("a refused message was kept")
	}
}

func TestMultipart(t *testing.T) {
	w := start(t)
	body := "--x\r\nContent-Disposition: form-data; name=\"address\"\r\n\r\na@example.com\r\n--x\r\nContent-Disposition: form-data; name=\"tag\"\r\n\r\nnewsletter\r\n--x--\r\n"
	if res, answer := w.send(t, http.MethodPost, unsubscribes, "multipart/form-data; boundary=x", body, nil); res.StatusCode != http.StatusOK {
		t.Errorf("answered %d %s", res.StatusCode, answer)
	}
	if got := w.Suppressed(domain, "a@example.com"); !slices.Equal(got, []string{"newsletter"}) {
		t.Errorf("tags are %v", got)
	}
	file := strings.Replace(body, `name="tag"`, `name="tag"; filename="tag.txt"`, 1)
	if res, _ := w.send(t, http.MethodPost, unsubscribes, "multipart/form-data; boundary=x", file, nil); res.StatusCode != http.StatusBadRequest {
		t.Errorf("a file answered %d", res.StatusCode)
	}
}

func TestMailgunRefuses(t *testing.T) {
	w := start(t)
	good := url.Values{"address": {"a@example.com"}}.Encode()
	for _, test := range []struct {
		name, method, path, kind, body string
		change                         func(*http.Request)
		want                           int
	}{
		{"wrong key", "POST", unsubscribes, formType, good, func(r *http.Request) { r.SetBasicAuth("api", "x") }, 401},
		{"wrong user", "POST", unsubscribes, formType, good, func(r *http.Request) { r.SetBasicAuth("apix", key) }, 401},
		{"no key", "DELETE", unsubscribes + "/a@example.com", "", "", func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		{"bearer", "POST", unsubscribes, formType, good, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) }, 401},
		{"unknown domain", "POST", "/v3/other.example.com/unsubscribes", formType, good, nil, 404},
		{"unknown field", "POST", unsubscribes, formType, good + "&tags=newsletter", nil, 400},
		{"field twice", "POST", unsubscribes, formType, good + "&tag=a&tag=b", nil, 400},
		{"empty tag", "POST", unsubscribes, formType, good + "&tag=", nil, 400},
		{"no address", "POST", unsubscribes, formType, "tag=a", nil, 400},
		{"name and address", "POST", unsubscribes, formType, url.Values{"address": {"A <a@example.com>"}}.Encode(), nil, 400},
		{"query", "POST", unsubscribes + "?tag=a", formType, good, nil, 400},
		{"query on delete", "DELETE", unsubscribes + "/a@example.com?tag=a", "", "", nil, 400},
		{"body on delete", "DELETE", unsubscribes + "/a@example.com", formType, "tag=a", nil, 400},
		{"no content type", "POST", unsubscribes, "", good, nil, 400},
		{"text", "POST", unsubscribes, "text/plain", good, nil, 400},
		{"latin-1", "POST", unsubscribes, formType + "; charset=iso-8859-1", good, nil, 400},
		{"broken form", "POST", unsubscribes, formType, "address=%zz", nil, 400},
		{"wants XML", "POST", unsubscribes, formType, good, func(r *http.Request) { r.Header.Set("Accept", "application/xml") }, 400},
		{"JSON where a form is wanted", "POST", "/v3/lists/" + list + "/members", "application/json", `{"address":"a@example.com"}`, nil, 400},
		{"odd upsert", "POST", "/v3/lists/" + list + "/members", formType, good + "&upsert=1", nil, 400},
		{"odd vars", "POST", "/v3/lists/" + list + "/members", formType, good + "&vars=x", nil, 400},
		{"too large", "POST", unsubscribes, formType, "address=" + strings.Repeat("a", bodyLimit+1), nil, 400},
	} {
		t.Run(test.name, func(t *testing.T) {
			res, body := w.send(t, test.method, test.path, test.kind, test.body, test.change)
			if res.StatusCode != test.want {
				t.Errorf("answered %d %s", res.StatusCode, body)
			}
			if got := w.Suppressed(domain, "a@example.com"); got != nil {
				t.Errorf("it was done all the same: %v", got)
			}
			if last := w.Requests()[len(w.Requests())-1]; last.Status != test.want || last.Recipient != Mailgun {
				t.Errorf("kept %+v", last)
			}
		})
	}
}
