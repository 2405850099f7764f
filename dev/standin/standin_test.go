package standin

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	key      = "key-for-tests"
	domain   = "mg.example.com"
	list     = "newsletter@mg.example.com"
	formType = "application/x-www-form-urlencoded"
)

type world struct {
	*Server
	url string
}

func start(t *testing.T) *world {
	t.Helper()
	return startWith(t, Options{})
}

// startWith fills in the credentials of the recipients that o has none for.
func startWith(t *testing.T, o Options) *world {
	t.Helper()
	o.MailgunKey, o.Domains, o.Lists = key, []string{domain, "mg2.example.com"}, []string{list}
	o.SveveUser, o.SvevePassword = "elekt", "secret"
	o.Eliq.ClientID, o.Eliq.ClientSecret = "elekt-backend", "eliq-secret"
	o.Enode.ClientID, o.Enode.ClientSecret = "enode-client", "enode-secret"
	o.Meta.AccessToken, o.Meta.Audiences = "meta-token", []string{"111", "222"}
	o.Google = GoogleAccount{ServiceAccount: "innsyn@elekt.example", Key: &googleKey().PublicKey, KeyID: "g1", Property: "3001",
		Project: "elekt-app", AdsAccount: "9001", UserLists: []string{"501", "502"}}
	o.Xandr = XandrAccount{User: "xandr-user", Password: "xandr-secret"}
	o.Aiia.ClientID, o.Aiia.ClientSecret = "aiia-client", "aiia-secret"
	o.Elhub = ElhubAccount{GLN: "7080000000001", Key: "elhub-key"}
	o.Apple = AppleAccount{TeamID: "TEAM", ClientID: "no.elekt.app", KeyID: "a1", Key: &appleKey().PublicKey}
	s := New(o)
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return &world{s, h.URL}
}

var googleKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

var appleKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
})

// send makes one request; change may spoil it.
func (w *world) send(t *testing.T, method, path, kind, body string, change func(*http.Request)) (*http.Response, string) {
	t.Helper()
	res, err := w.try(t.Context(), method, path, kind, body, change)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

func (w *world) try(ctx context.Context, method, path, kind, body string, change func(*http.Request)) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, w.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if strings.HasPrefix(path, "/v3/") {
		r.SetBasicAuth("api", key)
	}
	if change != nil {
		change(r)
	}
	return http.DefaultTransport.RoundTrip(r) // the default client would follow, and retry
}

func (w *world) post(t *testing.T, path string, fields url.Values) (*http.Response, string) {
	t.Helper()
	return w.send(t, http.MethodPost, path, formType, fields.Encode(), nil)
}

func read[T any](t *testing.T, body string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return v
}

func TestAnswersThisMachineOnly(t *testing.T) {
	s := New(Options{})
	for _, test := range []struct{ host, from string }{
		{"127.0.0.2:8082", "192.0.2.1:5000"}, {"rebound.example.com", "127.0.0.1:5000"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host, r.RemoteAddr = test.host, test.from
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusForbidden {
			t.Errorf("%v answered %d", test, w.Code)
		}
	}
}

func TestUnknownPaths(t *testing.T) {
	w := start(t)
	for _, test := range []struct{ method, path string }{
		{"GET", "/v3/" + domain + "/unsubscribes"},
		{"PUT", "/v3/" + domain + "/unsubscribes"},
		{"POST", "/v4/" + domain + "/unsubscribes"},
		{"POST", "/v3/" + domain + "/bounces"},
		{"POST", "/v3/" + domain + "/unsubscribes/a@example.com"},
		{"PUT", "/v3/lists/" + list + "/members/a@example.com"},
		{"DELETE", "/v3/lists/" + list},
		{"GET", "/v3/" + domain + "/messages"},
		{"GET", "/SMS/AccountAdm"},
		{"PUT", "/SMS/SendMessage"},
		{"GET", "/sms/sendmessage"},
		{"POST", "/-/nothing"},
	} {
		res, body := w.send(t, test.method, test.path, "", "", nil)
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("%s %s answered %d %s", test.method, test.path, res.StatusCode, body)
		}
		last := w.Requests()[len(w.Requests())-1]
		if last.Path != test.path || last.Recipient != "" || last.Status != http.StatusNotFound {
			t.Errorf("kept %+v", last)
		}
	}
}

func TestWait(t *testing.T) {
	w := start(t)
	w.post(t, "/v3/"+domain+"/unsubscribes", url.Values{"address": {"a@example.com"}})
	isPost := func(r Request) bool { return r.Method == http.MethodPost }
	first, err := w.Wait(t.Context(), isPost)
	if err != nil || first.Fields.Get("address") != "a@example.com" {
		t.Fatalf("got %+v, %v", first, err)
	}
	type result struct {
		Request
		error
	}
	got := make(chan result)
	go func() {
		r, err := w.Wait(t.Context(), func(r Request) bool { return r.Method == http.MethodDelete })
		got <- result{r, err}
	}()
	w.send(t, http.MethodDelete, "/v3/"+domain+"/unsubscribes/a@example.com", "", "", nil)
	if r := <-got; r.error != nil || r.ID <= first.ID || r.Status != http.StatusOK {
		t.Errorf("got %+v", r)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := w.Wait(ctx, func(r Request) bool { return r.Method == "NEVER" }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting ended with %v", err)
	}
}

func TestCredentialsAreNotKept(t *testing.T) {
	w := start(t)
	w.post(t, "/v3/"+domain+"/unsubscribes", url.Values{"address": {"a@example.com"}})
	w.sms(t, nil)
	_, body := w.send(t, http.MethodGet, "/-/received.json", "", "", nil)
	_, page := w.send(t, http.MethodGet, "/", "", "", nil)
	for _, secret := range []string{key, "secret"} {
		if strings.Contains(body, secret) || strings.Contains(page, secret) {
			t.Errorf("%s is kept", secret)
		}
	}
	if !strings.Contains(body, "a@example.com") || !strings.Contains(page, "a@example.com") {
		t.Error("the address isn't shown")
	}
}

func TestPage(t *testing.T) {
	w := start(t)
	if err := w.Subscribe(list, "kari@example.com", "Kari"); err != nil {
		t.Fatal(err)
	}
	w.sms(t, url.Values{"msg": {"Koden din er 123456 <b>"}})
	w.post(t, "/v3/"+domain+"/unsubscribes", url.Values{"address": {"ola@example.com"}, "tag": {"newsletter"}})
	if err := w.Fail(Fault{Kind: FaultServerError, Recipient: Sveve, Times: 2}); err != nil {
		t.Fatal(err)
	}
	res, body := w.send(t, http.MethodGet, "/", "", "", nil)
	for _, want := range []string{`<html lang="nb">`, "Koden din er 123456 &lt;b&gt;", "ola@example.com", "newsletter", "kari@example.com", "500 for sveve, 2 ganger til", "POST /SMS/SendMessage"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, unwanted := range []string{"<script", "style=", "onclick"} {
		if strings.Contains(body, unwanted) {
			t.Errorf("the page holds %q", unwanted)
		}
	}
	if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy is %q", csp)
	}
	if res, _ := w.send(t, http.MethodGet, "/-/style.css", "", "", nil); res.StatusCode != http.StatusOK {
		t.Errorf("the stylesheet answered %d", res.StatusCode)
	}
}

func TestReceivedJSON(t *testing.T) {
	w := start(t)
	w.post(t, "/v3/"+domain+"/unsubscribes", url.Values{"address": {"a@example.com"}, "tag": {"newsletter"}})
	if err := w.Subscribe(list, "b@example.com", "B"); err != nil {
		t.Fatal(err)
	}
	w.sms(t, nil)
	_, body := w.send(t, http.MethodGet, "/-/received.json", "", "", nil)
	got := read[everything](t, body)
	if len(got.Requests) != 2 || len(got.Messages) != 1 ||
		len(got.Suppressions) != 1 || got.Suppressions[0].Domain != domain || !slices.Equal(got.Suppressions[0].Tags, []string{"newsletter"}) ||
		len(got.Members) != 1 || got.Members[0].List != list {
		t.Errorf("got %s", body)
	}
	res, _ := w.send(t, http.MethodPost, "/-/reset", "", "", nil)
	if res.StatusCode != http.StatusSeeOther {
		t.Errorf("reset answered %d", res.StatusCode)
	}
	if len(w.Requests()) != 0 || len(w.Messages()) != 0 || w.Suppressed(domain, "a@example.com") != nil {
		t.Error("a reset keeps something")
	}
	if _, there := w.MemberOf(list, "b@example.com"); there {
		t.Error("a reset keeps a member")
	}
	if err := w.Subscribe("other@mg.example.com", "b@example.com", "B"); err == nil {
		t.Error("a list that isn't there was taken")
	}
}

func TestForeignForms(t *testing.T) {
	w := start(t)
	for _, path := range []string{"/-/reset", "/-/faults", "/-/faults.json"} {
		res, _ := w.send(t, http.MethodPost, path, formType, "kind=500&times=0", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
		if res.StatusCode != http.StatusForbidden {
			t.Errorf("%s answered %d", path, res.StatusCode)
		}
	}
	if len(w.Faults()) != 0 {
		t.Error("a foreign form switched a fault on")
	}
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }
