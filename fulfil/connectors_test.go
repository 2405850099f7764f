package fulfil

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// vendor plays a recipient: it answers what it was told to and keeps what it heard.
type vendor struct {
	*httptest.Server
	mu      sync.Mutex
	heard   []said
	answers map[string][]reply // by "METHOD path", in order; the last one stays
	fault   reply              // answers every call but for tokens, if it has a status
	hang    bool               // every call but for tokens gets no answer
}

type said struct {
	call   string // "METHOD path?query"
	header http.Header
	body   string
}

type reply struct {
	status int
	body   string
	header map[string]string
}

// tokenPaths are where the test's accounts get their tokens.
var tokenPaths = []string{"/oauth/token", "/oauth2/token", "/token", "/auth"}

func newVendor(t *testing.T) *vendor {
	t.Helper()
	v := &vendor{answers: map[string][]reply{}}
	for _, p := range tokenPaths {
		v.answers["POST "+p] = []reply{{status: 200, body: `{"access_token":"tok","expires_in":3599,"response":{"status":"OK","token":"tok"}}`}}
	}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		v.mu.Lock()
		v.heard = append(v.heard, said{r.Method + " " + r.URL.RequestURI(), r.Header, string(b)})
		key := r.Method + " " + r.URL.EscapedPath()
		token := slices.Contains(tokenPaths, r.URL.Path)
		a, hang := v.fault, v.hang && !token
		if a.status == 0 || token {
			a = reply{status: 404, body: `{"code":"NO_SUCH_PATH"}`}
			if queue := v.answers[key]; len(queue) > 0 {
				a = queue[0]
				if len(queue) > 1 {
					v.answers[key] = queue[1:]
				}
			}
		}
		v.mu.Unlock()
		if hang {
			<-r.Context().Done()
			return
		}
		for k, value := range a.header {
			w.Header().Set(k, value)
		}
		w.WriteHeader(a.status)
		io.WriteString(w, a.body)
	}))
	t.Cleanup(v.Close)
	return v
}

func (v *vendor) on(call string, answers ...reply) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.answers[call] = answers
}

// calls are those that were heard since the last time, without those for tokens.
func (v *vendor) calls() (out []said) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, s := range v.heard {
		path := strings.Fields(s.call)[1]
		if !slices.Contains(tokenPaths, path) {
			out = append(out, s)
		}
	}
	v.heard = nil
	return out
}

func (v *vendor) lines() (out []string) {
	for _, s := range v.calls() {
		out = append(out, s.call)
	}
	return out
}

// testAccount is a service account, made once.
var testAccount = sync.OnceValues(func() (string, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(googleKey{Type: "service_account", Email: "innsyn@elekt.example", KeyID: "k1",
		Key: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), TokenURL: "https://oauth2.googleapis.com/token"})
	return string(b), err
})

func testGoogle(t *testing.T, v *vendor) *google {
	t.Helper()
	credentials, err := testAccount()
	if err != nil {
		t.Fatal(err)
	}
	g, err := newGoogle(GoogleConfig{Credentials: credentials, TokenURL: v.URL + "/token"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// phones is what the app has said, for connectors that wait for it.
type phones struct{ applied bool }

func (p phones) DeviceApplied(context.Context, *privacy.Delivery, []string) (bool, error) {
	return p.applied, nil
}

const (
	fidA = "cAAAAAAAAAAAAAAAAAAAAA"
	fidB = "cBBBBBBBBBBBBBBBBBBBBB"
)

// someone is a person whom every recipient knows.
func someone() store.Identifiers {
	now := time.Now()
	return store.Identifiers{CustomerNo: "100200", Account: "app-7", Email: " Kari.Demo@GMail.com ", Phone: "+4799900123",
		Devices: []store.Device{
			{Installation: fidA, Platform: "ios", PushToken: "push-a", Advertising: "6d92078a-8246-4ba4-ae5b-76104861e7dc", LastSeen: now},
			{Installation: fidB, Platform: "android", PushToken: "push/b", LastSeen: now.Add(-time.Hour)},
		},
		Meters: []string{"707057500012345678", "707057500012345685"},
		Accounts: []store.PartnerAccount{
			{Partner: "eliq", Kind: "user", Value: "u/1"}, {Partner: "enode", Kind: "user", Value: "e 1"},
			{Partner: "aiia", Kind: "login-token", Value: "login-1"}, {Partner: "google-analytics", Kind: "app-instance", Value: "inst-1"},
		}}
}

func taskOf(recipient, purpose string, action privacy.Action, stopped ...string) Task {
	ids := someone()
	return Task{IDs: ids, Contact: Contact{Email: ids.Email, Phone: ids.Phone}, Stopped: stopped, Delivery: privacy.Delivery{
		ID: "7d8f2f0e-6f3b-4b0e-9d6e-0c1e8f5a2b11", Recipient: recipient, Purpose: purpose, Action: action, Version: 3,
		CreatedAt: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)}}
}

// kind is one connector with a task that calls it.
type kind struct {
	name string
	make func(*testing.T, *vendor) Connector
	task Task
	gone []int // statuses that mean that it was done before
}

// kinds are all connectors that call somebody.
func kinds() []kind {
	erase, stop := privacy.ActionErase, privacy.ActionStop
	return []kind{
		{"eliq", func(_ *testing.T, v *vendor) Connector {
			return newEliq(EliqConfig{AuthURL: v.URL, DataURL: v.URL + "/data/v1", InsightsURL: v.URL + "/v3", ClientID: "c", ClientSecret: "s",
				Purposes: map[string]EliqPurpose{"home-breakdown": {Consent: "privacy_policy"}, "weather-location-analysis": {}}}, time.Now)
		}, taskOf("eliq", "home-breakdown", erase, "weather-location-analysis", "home-breakdown"), []int{404}},
		{"enode", func(_ *testing.T, v *vendor) Connector {
			return newEnode(EnodeConfig{AuthURL: v.URL, BaseURL: v.URL, ClientID: "c", ClientSecret: "s",
				Purposes: map[string]EnodePurpose{"car-location": {Stop: "authorization", Erase: "user"}}}, time.Now)
		}, taskOf("enode", "car-location", erase), []int{404}},
		{"meta", func(_ *testing.T, v *vendor) Connector {
			return newMeta(MetaConfig{BaseURL: v.URL, AccessToken: "secret", Purposes: map[string]MetaPurpose{
				"marketing-tech": {Audiences: []string{"111", "222"}}, "social-media-replies": {Messages: true}}}, time.Now)
		}, taskOf("meta", "marketing-tech", stop), nil},
		{"google-analytics", func(t *testing.T, v *vendor) Connector {
			return newAnalytics(AnalyticsConfig{BaseURL: v.URL, Property: "42", Purposes: []string{"analytics"}}, testGoogle(t, v), &device{acks: phones{}, now: time.Now})
		}, taskOf("google-analytics", "analytics", erase), nil},
		{"google-ads", func(t *testing.T, v *vendor) Connector {
			return newAds(AdsConfig{BaseURL: v.URL, Account: "1234567890", Purposes: map[string]AdsPurpose{"marketing-tech": {Lists: []string{"7", "8"}}}}, testGoogle(t, v))
		}, taskOf("google-ads", "marketing-tech", stop), nil},
		{"fcm", func(t *testing.T, v *vendor) Connector {
			return newFCM(FCMConfig{BaseURL: v.URL, Project: "elekt", Purposes: map[string]FCMPurpose{"push-alerts": {Topics: []string{"price"}}, "feedback": {}}}, testGoogle(t, v))
		}, taskOf("fcm", "push-alerts", stop), []int{404}},
		{"firebase", func(t *testing.T, v *vendor) Connector {
			return newFirebase(FirebaseConfig{BaseURL: v.URL, Project: "elekt", Purposes: []string{"analytics", "crash-reporting"}}, testGoogle(t, v), &device{acks: phones{}, now: time.Now})
		}, taskOf("firebase", "analytics", erase, "crash-reporting"), []int{404, 409}},
		{"xandr", func(_ *testing.T, v *vendor) Connector {
			return newXandr(&XandrConfig{BaseURL: v.URL, User: "u", Password: "p"}, &device{acks: phones{}, now: time.Now})
		}, taskOf("xandr", "personalised-ads", erase), nil},
		{"aiia", func(_ *testing.T, v *vendor) Connector {
			return newAiia(AiiaConfig{BaseURL: v.URL, Product: AiiaEnterprise, ClientID: "c", ClientSecret: "s", Purposes: []string{"service-payment"}}, time.Now)
		}, taskOf("aiia", "service-payment", stop), []int{404}},
		{"elhub", func(_ *testing.T, v *vendor) Connector {
			return newElhub(ElhubConfig{BaseURL: v.URL, Key: "k", GLN: "7080000000001", Purposes: []string{"meter-insight-elhub"}}, time.Now)
		}, taskOf("elhub", "meter-insight-elhub", stop), nil},
	}
}

func named(name string) kind {
	all := kinds()
	return all[slices.IndexFunc(all, func(k kind) bool { return k.name == name })]
}

func do(t *testing.T, c Connector, task Task) Outcome {
	t.Helper()
	o, err := c.Do(t.Context(), task)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Every fault means the same at every recipient, but for those that say "gone".
func TestFaultsOfEveryRecipient(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			v := newVendor(t)
			for _, status := range []int{401, 403, 404, 409, 422, 400, 302, 408, 425, 429, 500, 503} {
				v.fault = reply{status: status, header: map[string]string{"Retry-After": "120", "Location": v.URL + "/elsewhere"}}
				o := do(t, k.make(t, v), k.task)
				want := privacy.DeliveryNeedsManual
				switch {
				case slices.Contains(k.gone, status):
					want = privacy.DeliveryConfirmed
					if k.name == "firebase" {
						want = privacy.DeliveryAccepted // and within 180 days
					}
				case status == 408, status == 425, status == 429, status >= 500:
					want = privacy.DeliveryFailed
				}
				if o.State != want {
					t.Errorf("%d: %s (%s), want %s", status, o.State, o.Note, want)
				}
				if want == privacy.DeliveryFailed && o.RetryAfter != 2*time.Minute {
					t.Errorf("%d: tried again after %v, asked for two minutes", status, o.RetryAfter)
				}
				if slices.Contains(v.lines(), "GET /elsewhere") {
					t.Errorf("%d: the redirect was followed", status)
				}
			}
		})
	}
}

func TestSilenceOfEveryRecipient(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t)
			v.hang = true
			c := k.make(t, v)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if o, err := c.Do(ctx, k.task); err == nil {
				t.Errorf("%+v, want to be interrupted", o)
			}
			v.CloseClientConnections()
			v.Close()
			if o := do(t, k.make(t, v), k.task); o.State != privacy.DeliveryFailed || !strings.HasSuffix(o.Note, "no-answer") {
				t.Errorf("%+v, want to be tried again", o)
			}
		})
	}
}

func TestTokenServerThatFails(t *testing.T) {
	for _, k := range kinds() {
		v := newVendor(t)
		for status, want := range map[int]privacy.DeliveryState{401: privacy.DeliveryNeedsManual, 400: privacy.DeliveryNeedsManual, 503: privacy.DeliveryFailed} {
			for _, p := range tokenPaths {
				v.on("POST "+p, reply{status: status})
			}
			o := do(t, k.make(t, v), k.task)
			if len(v.calls()) > 0 {
				break // this recipient takes its secret with every call
			}
			if o.State != want || !strings.HasPrefix(o.Note, "token-http-") {
				t.Errorf("%s %d: %+v, want %s", k.name, status, o, want)
			}
		}
	}
}

func TestTokenIsKeptAndFetchedAnewWhenItIsRefused(t *testing.T) {
	v := newVendor(t)
	k := named("enode")
	c := k.make(t, v)
	v.on("DELETE /users/e%201", reply{status: 204}, reply{status: 401}, reply{status: 204})
	tokens := func() (n int) {
		v.mu.Lock()
		defer v.mu.Unlock()
		for _, s := range v.heard {
			if s.call == "POST /oauth2/token" {
				n++
			}
		}
		v.heard = nil
		return n
	}
	if o := do(t, c, k.task); o.State != privacy.DeliveryConfirmed || tokens() != 1 {
		t.Fatalf("%+v", o)
	}
	if o := do(t, c, k.task); o.State != privacy.DeliveryConfirmed || tokens() != 1 {
		t.Errorf("%+v, want a new token once", o)
	}
	if o := do(t, c, k.task); o.State != privacy.DeliveryConfirmed || tokens() != 0 {
		t.Errorf("%+v, want the token that is kept", o)
	}
}

func TestNobodyToTellOf(t *testing.T) {
	for _, k := range kinds() {
		v := newVendor(t)
		task := k.task
		task.IDs, task.Contact = store.Identifiers{}, Contact{}
		if o := do(t, k.make(t, v), task); o.State != privacy.DeliveryNotConnected || o.Note != privacy.NoteNoAddress {
			t.Errorf("%s: %+v", k.name, o)
		}
		if c := v.lines(); len(c) > 0 {
			t.Errorf("%s: called %q", k.name, c)
		}
	}
}

func TestAnswersThatCannotBeRead(t *testing.T) {
	for _, k := range kinds() {
		v := newVendor(t)
		v.fault = reply{status: 200, body: "<html>"}
		o := do(t, k.make(t, v), k.task)
		switch k.name {
		case "enode", "fcm", "aiia", "firebase", "xandr": // the status says it all
			continue
		}
		if o.State != privacy.DeliveryNeedsManual || o.Note != "bad-answer" {
			t.Errorf("%s: %+v, want a human", k.name, o)
		}
	}
}
