package fulfil

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

var ok = reply{status: 200, body: "{}"}

func wantLines(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("called\n %q, want\n %q", got, want)
	}
}

func wantOutcome(t *testing.T, o Outcome, state privacy.DeliveryState, note string) {
	t.Helper()
	if o.State != state || o.Note != note {
		t.Errorf("%s %q, want %s %q", o.State, o.Note, state, note)
	}
}

func TestEliqErasesFromTheLeavesAndLooksAgain(t *testing.T) {
	v := newVendor(t)
	k := named("eliq")
	v.on("GET /data/v1/users/u%2F1/locations", reply{status: 200, body: `[{"id":"home"}]`})
	v.on("GET /data/v1/locations/home/meters", reply{status: 200, body: `[{"id":"m1"},{"id":"m2"}]`})
	for _, p := range []string{"/meters/m1", "/locations/home/homeprofile", "/locations/home", "/users/u%2F1"} {
		v.on("DELETE /data/v1"+p, reply{status: 204})
	}
	v.on("DELETE /data/v1/meters/m2", reply{status: 400, body: `{"code":"METER_NOT_FOUND"}`}) // as its reference has it
	v.on("GET /data/v1/users/u%2F1", reply{status: 400, body: `{"code":"USER_NOT_FOUND"}`})
	c := k.make(t, v)
	o := do(t, c, k.task)
	if o.State != privacy.DeliveryConfirmed {
		t.Errorf("%+v", o)
	}
	wantLines(t, v.lines(), "GET /data/v1/users/u%2F1/locations", "GET /data/v1/locations/home/meters", "DELETE /data/v1/meters/m1",
		"DELETE /data/v1/meters/m2", "DELETE /data/v1/locations/home/homeprofile", "DELETE /data/v1/locations/home",
		"DELETE /data/v1/users/u%2F1", "GET /data/v1/users/u%2F1")

	v.on("GET /data/v1/users/u%2F1", reply{status: 200, body: `{"id":"u/1"}`})
	wantOutcome(t, do(t, c, k.task), privacy.DeliveryFailed, "still-there")

	v.calls()
	task := k.task
	task.Stopped = []string{"home-breakdown"}
	wantOutcome(t, do(t, c, task), privacy.DeliveryConfirmed, privacy.NoteStillNeeded)
	if calls := v.lines(); len(calls) > 0 {
		t.Errorf("another purpose needs the home: called %q", calls)
	}
}

func TestEliqTurnsTheConsentOff(t *testing.T) {
	v := newVendor(t)
	c := named("eliq").make(t, v)
	stop := taskOf("eliq", "home-breakdown", privacy.ActionStop)
	v.on("GET /data/v1/users/u%2F1", reply{status: 200, body: `{"id":"u/1","eliq_id":77}`})
	v.on("GET /v3/users/77/consents", reply{status: 200, body: `[{"version_id":"v0","name":"terms","given_consent":true,"language_code":"nb-NO"},
		{"version_id":"v1","name":"privacy_policy","given_consent":true,"is_mandatory":false,"language_code":"nb-NO"}]`})
	v.on("PUT /v3/users/77/consents", reply{status: 200})
	if o := do(t, c, stop); o.State != privacy.DeliveryConfirmed {
		t.Errorf("%+v", o)
	}
	calls := v.calls()
	last := calls[len(calls)-1]
	if want := `[{"version_id":"v1","name":"privacy_policy","given_consent":false,"language_code":"nb-NO"}]`; last.call != "PUT /v3/users/77/consents" || last.body != want {
		t.Errorf("%s %s, want %s", last.call, last.body, want)
	}
	if last.header.Get("Authorization") != "Bearer tok" {
		t.Errorf("authorization %q", last.header.Get("Authorization"))
	}
	v.on("GET /v3/users/77/consents", reply{status: 200, body: `[{"version_id":"v1","name":"privacy_policy","given_consent":false,"language_code":"nb-NO"}]`})
	do(t, c, stop)
	if slices.Contains(v.lines(), "PUT /v3/users/77/consents") {
		t.Error("turned off what is off")
	}
	v.on("GET /v3/users/77/consents", reply{status: 200, body: `[]`})
	wantOutcome(t, do(t, c, stop), privacy.DeliveryNeedsManual, "no-such-consent")
	wantOutcome(t, do(t, c, taskOf("eliq", "weather-location-analysis", privacy.ActionStop)), privacy.DeliveryConfirmed, privacy.NoteOwnStop)
}

func TestEliqAsksForATokenPerInterface(t *testing.T) {
	v := newVendor(t)
	c := named("eliq").make(t, v)
	v.on("GET /data/v1/users/u%2F1", reply{status: 200, body: `{"eliq_id":77}`})
	v.on("GET /v3/users/77/consents", reply{status: 200, body: `[]`})
	do(t, c, taskOf("eliq", "home-breakdown", privacy.ActionStop))
	var audiences []string
	for _, s := range v.heard {
		if s.call == "POST /oauth/token" {
			form, err := url.ParseQuery(s.body)
			if err != nil || form.Get("grant_type") != "client_credentials" || form.Get("client_id") != "c" || form.Get("client_secret") != "s" {
				t.Errorf("token request %q", s.body)
			}
			audiences = append(audiences, form.Get("aud"))
		}
	}
	if !slices.Equal(audiences, []string{"data-management-api", "insights-api"}) {
		t.Errorf("audiences %q", audiences)
	}
}

func TestEnode(t *testing.T) {
	v := newVendor(t)
	c := named("enode").make(t, v)
	v.on("DELETE /users/e%201/authorization", reply{status: 204})
	v.on("DELETE /users/e%201", reply{status: 204})
	wantOutcome(t, do(t, c, taskOf("enode", "car-location", privacy.ActionStop)), privacy.DeliveryConfirmed, "")
	wantOutcome(t, do(t, c, taskOf("enode", "car-location", privacy.ActionErase)), privacy.DeliveryConfirmed, "")
	wantOutcome(t, do(t, c, taskOf("enode", "car-location", privacy.ActionAllow)), privacy.DeliveryConfirmed, privacy.NoteOwnStop)
	wantLines(t, v.lines(), "DELETE /users/e%201/authorization", "DELETE /users/e%201")

	gentle := newEnode(EnodeConfig{AuthURL: v.URL, BaseURL: v.URL, ClientID: "c", ClientSecret: "s",
		Purposes: map[string]EnodePurpose{"car-location": {}}}, time.Now)
	wantOutcome(t, do(t, gentle, taskOf("enode", "car-location", privacy.ActionStop)), privacy.DeliveryConfirmed, privacy.NoteOwnStop)
	wantOutcome(t, do(t, gentle, taskOf("enode", "car-location", privacy.ActionErase)), privacy.DeliveryConfirmed, privacy.NoteNothingKept)
	wantLines(t, v.lines())
}

func TestMeta(t *testing.T) {
	v := newVendor(t)
	k := named("meta")
	c := k.make(t, v)
	taken := reply{status: 200, body: `{"audience_id":"1","session_id":"9","num_received":1,"num_invalid_entries":0,"invalid_entry_samples":{}}`}
	v.on("DELETE /v25.0/111/users", taken)
	v.on("DELETE /v25.0/222/users", taken)
	wantOutcome(t, do(t, c, k.task), privacy.DeliveryAccepted, privacy.NoteNotSignalled)
	calls := v.calls()
	if len(calls) != 2 {
		t.Fatalf("%d calls", len(calls))
	}
	form, err := url.ParseQuery(calls[0].body)
	// sha256 of kari.demo@gmail.com and of 4799900123
	want := `{"schema":["EMAIL","PHONE"],"data":[["` + hexHash("kari.demo@gmail.com") + `","` + hexHash("4799900123") + `"]]}`
	if err != nil || form.Get("payload") != want || form.Get("access_token") != "secret" || len(form) != 2 {
		t.Errorf("sent %q, want %s", calls[0].body, want)
	}
	for name, tc := range map[string]struct {
		reply
		state privacy.DeliveryState
		note  string
	}{
		"refused entry":   {reply{status: 200, body: `{"num_received":1,"num_invalid_entries":1,"invalid_entry_samples":{"x":"kari.demo@gmail.com"}}`}, privacy.DeliveryNeedsManual, "entry-refused"},
		"nothing came":    {reply{status: 200, body: `{"num_received":0}`}, privacy.DeliveryNeedsManual, "entry-refused"},
		"closed audience": {reply{status: 400, body: `{"error":{"code":100,"error_subcode":1713230}}`}, privacy.DeliveryNeedsManual, "audience-closed"},
		"no permission":   {reply{status: 400, body: `{"error":{"code":294}}`}, privacy.DeliveryNeedsManual, "meta-294"},
		"rate":            {reply{status: 400, body: `{"error":{"code":17}}`}, privacy.DeliveryFailed, "meta-17"},
		"update failed":   {reply{status: 400, body: `{"error":{"code":2650}}`}, privacy.DeliveryFailed, "meta-2650"},
		"transient":       {reply{status: 500, body: `{"error":{"code":9,"is_transient":true}}`}, privacy.DeliveryFailed, "meta-9"},
	} {
		v.on("DELETE /v25.0/222/users", tc.reply)
		o := do(t, c, k.task)
		if o.State != tc.state || o.Note != tc.note {
			t.Errorf("%s: %+v", name, o)
		}
	}
	v.calls()
	wantOutcome(t, do(t, c, taskOf("meta", "marketing-tech", privacy.ActionAllow)), privacy.DeliveryConfirmed, privacy.NoteOwnStop)
	o := do(t, c, taskOf("meta", "social-media-replies", privacy.ActionErase))
	wantOutcome(t, o, privacy.DeliveryNeedsManual, privacy.NoteManual)
	if o.Task != TaskMessages {
		t.Errorf("task %q", o.Task)
	}
	wantLines(t, v.lines())
}

func TestAnalytics(t *testing.T) {
	v := newVendor(t)
	k := named("google-analytics")
	path := "/v1alpha/properties/42:submitUserDeletion"
	v.on("POST "+path, reply{status: 200, body: `{"deletionRequestTime":"2026-11-24T08:00:00Z"}`})
	c := k.make(t, v)
	wantOutcome(t, do(t, c, k.task), privacy.DeliveryAccepted, privacy.NoteNotSignalled)
	var bodies []string
	for _, s := range v.calls() {
		bodies = append(bodies, s.body)
	}
	if !slices.Equal(bodies, []string{`{"userId":"app-7"}`, `{"appInstanceId":"inst-1"}`}) {
		t.Errorf("sent %q", bodies)
	}
	wantOutcome(t, do(t, c, taskOf("google-analytics", "analytics", privacy.ActionStop)), privacy.DeliveryAccepted, privacy.NoteDevice)
	all := newAnalytics(AnalyticsConfig{BaseURL: v.URL, Property: "42", Purposes: []string{"analytics"}, Identifiers: []string{"email", "phone", "client"}},
		testGoogle(t, v), &device{acks: phones{}, now: time.Now})
	do(t, all, k.task)
	bodies = nil
	for _, s := range v.calls() {
		bodies = append(bodies, s.body)
	}
	if !slices.Equal(bodies, []string{`{"userProvidedData":"karidemo@gmail.com"}`, `{"userProvidedData":"+4799900123"}`}) {
		t.Errorf("sent %q", bodies)
	}
}

func TestGoogleAds(t *testing.T) {
	v := newVendor(t)
	k := named("google-ads")
	c := k.make(t, v).(*ads)
	v.on("POST /v1/audienceMembers:remove", reply{status: 200, body: `{"requestId":"r-1"}`})
	o := do(t, c, k.task)
	if o.State != privacy.DeliveryAccepted || o.Handle != "r-1" || o.AskAfter <= 0 {
		t.Errorf("%+v", o)
	}
	want := `{"destinations":[{"operatingAccount":{"accountType":"GOOGLE_ADS","accountId":"1234567890"},"productDestinationId":"7"},` +
		`{"operatingAccount":{"accountType":"GOOGLE_ADS","accountId":"1234567890"},"productDestinationId":"8"}],` +
		`"audienceMembers":[{"userData":{"userIdentifiers":[{"emailAddress":"` + hexHash("karidemo@gmail.com") + `"},{"phoneNumber":"` + hexHash("+4799900123") + `"}]}}],"encoding":"HEX"}`
	if got := v.calls()[0].body; got != want {
		t.Errorf("sent\n%s, want\n%s", got, want)
	}
	status := func(each ...string) reply {
		b := `{"requestStatusPerDestination":[`
		for i, s := range each {
			if i > 0 {
				b += ","
			}
			b += `{"requestStatus":"` + s + `"}`
		}
		return reply{status: 200, body: b + "]}"}
	}
	for _, tc := range []struct {
		reply
		state privacy.DeliveryState
	}{
		{status("SUCCESS", "SUCCESS"), privacy.DeliveryConfirmed},
		{status("SUCCESS", "PROCESSING"), privacy.DeliveryAccepted},
		{status("SUCCESS", "FAILED"), privacy.DeliveryFailed},
		{status("PARTIAL_SUCCESS"), privacy.DeliveryFailed},
		{status("NEW_WORD"), privacy.DeliveryNeedsManual},
		{status(), privacy.DeliveryNeedsManual},
		{reply{status: 503}, privacy.DeliveryAccepted},
		{reply{status: 429}, privacy.DeliveryAccepted},
		{reply{status: 404}, privacy.DeliveryNeedsManual},
		{reply{status: 403}, privacy.DeliveryNeedsManual},
	} {
		v.on("GET /v1/requestStatus:retrieve", tc.reply)
		o, err := c.Poll(t.Context(), k.task, store.Pending{Handle: "r-1"})
		if err != nil || o.State != tc.state {
			t.Errorf("%d %s: %+v, %v; want %s", tc.status, tc.body, o, err, tc.state)
		}
	}
	if !slices.Contains(v.lines(), "GET /v1/requestStatus:retrieve?requestId=r-1") {
		t.Error("not asked by the request's id")
	}
	wantOutcome(t, do(t, c, taskOf("google-ads", "marketing-tech", privacy.ActionAllow)), privacy.DeliveryConfirmed, privacy.NoteOwnStop)
}

func TestFCM(t *testing.T) {
	v := newVendor(t)
	k := named("fcm")
	c := k.make(t, v)
	base := "/v1/projects/elekt/registrations/"
	v.on("DELETE "+base+"push-a/topicSubscriptions/price", ok)
	v.on("DELETE "+base+"push%2Fb/topicSubscriptions/price", reply{status: 404})
	wantOutcome(t, do(t, c, k.task), privacy.DeliveryConfirmed, "")
	wantLines(t, v.lines(), "DELETE "+base+"push-a/topicSubscriptions/price", "DELETE "+base+"push%2Fb/topicSubscriptions/price")
	v.on("POST "+base+"push-a/topicSubscriptions", ok)
	v.on("POST "+base+"push%2Fb/topicSubscriptions", reply{status: 409})
	wantOutcome(t, do(t, c, taskOf("fcm", "push-alerts", privacy.ActionAllow)), privacy.DeliveryConfirmed, "")
	for _, s := range v.calls() {
		if !strings.HasSuffix(s.call, "?topic_name=price") || s.body != "{}" {
			t.Errorf("%s %s", s.call, s.body)
		}
	}
	wantOutcome(t, do(t, c, taskOf("fcm", "feedback", privacy.ActionStop)), privacy.DeliveryConfirmed, privacy.NoteOwnStop)
}

func TestFirebase(t *testing.T) {
	v := newVendor(t)
	k := named("firebase")
	c := k.make(t, v)
	v.on("DELETE /v1/project/elekt/instanceId/"+fidA, ok)
	v.on("DELETE /v1/project/elekt/instanceId/"+fidB, reply{status: 409})
	wantOutcome(t, do(t, c, k.task), privacy.DeliveryAccepted, privacy.NoteNotSignalled)
	wantLines(t, v.lines(), "DELETE /v1/project/elekt/instanceId/"+fidA, "DELETE /v1/project/elekt/instanceId/"+fidB)
	wantOutcome(t, do(t, c, taskOf("firebase", "analytics", privacy.ActionErase)), privacy.DeliveryConfirmed, privacy.NoteStillNeeded)
	wantOutcome(t, do(t, c, taskOf("firebase", "analytics", privacy.ActionStop)), privacy.DeliveryAccepted, privacy.NoteDevice)
	wantLines(t, v.lines())
}

func TestXandr(t *testing.T) {
	v := newVendor(t)
	k := named("xandr")
	v.on("POST /privacy/consumer-request", ok)
	c := k.make(t, v)
	wantOutcome(t, do(t, c, k.task), privacy.DeliveryAccepted, privacy.NoteNotSignalled)
	calls := v.calls()
	if want := `{"identifier":"6d92078a-8246-4ba4-ae5b-76104861e7dc","identifier_type":"maid","request_type":"delete"}`; len(calls) != 1 || calls[0].body != want || calls[0].header.Get("Authorization") != "tok" {
		t.Errorf("sent %+v, want %s", calls, want)
	}
	wantOutcome(t, do(t, c, taskOf("xandr", "personalised-ads", privacy.ActionStop)), privacy.DeliveryAccepted, privacy.NoteDevice)
	v.on("POST /auth", reply{status: 200, body: `{"response":{"error_id":"NOAUTH","error":"No match found for user/pass"}}`})
	wantOutcome(t, do(t, k.make(t, v), k.task), privacy.DeliveryNeedsManual, "token-bad-answer")
	stranger := newXandr(nil, &device{acks: phones{}, now: time.Now})
	o := do(t, stranger, k.task)
	wantOutcome(t, o, privacy.DeliveryNeedsManual, privacy.NoteManual)
	if o.Task != TaskAds {
		t.Errorf("task %q", o.Task)
	}
}

func TestAiia(t *testing.T) {
	v := newVendor(t)
	k := named("aiia")
	v.on("DELETE /v2/consents", reply{status: 204})
	c := k.make(t, v)
	wantOutcome(t, do(t, c, k.task), privacy.DeliveryConfirmed, "")
	calls := v.calls()
	if len(calls) != 1 || calls[0].header.Get("X-Login-Token") != "login-1" || calls[0].header.Get("X-Client-Id") != "c" || calls[0].header.Get("X-Client-Secret") != "s" {
		t.Errorf("sent %+v", calls)
	}
	data := newAiia(AiiaConfig{BaseURL: v.URL, Product: AiiaData, Purposes: []string{"service-payment"}}, time.Now)
	o := do(t, data, k.task)
	wantOutcome(t, o, privacy.DeliveryNeedsManual, privacy.NoteManual)
	if o.Task != TaskAiia {
		t.Errorf("task %q", o.Task)
	}
	wantOutcome(t, do(t, data, taskOf("aiia", "service-payment", privacy.ActionAllow)), privacy.DeliveryConfirmed, privacy.NoteOwnStop)
	wantLines(t, v.lines())
}

func TestElhub(t *testing.T) {
	v := newVendor(t)
	k := named("elhub")
	c := k.make(t, v).(*elhub)
	v.on("POST /messages", reply{status: 200, body: `{"status":"accepted"}`})
	wantOutcome(t, do(t, c, k.task), privacy.DeliveryConfirmed, "")
	first := v.calls()
	do(t, c, k.task)
	if second := v.calls(); len(first) != 2 || first[0].body != second[0].body || first[0].body == first[1].body {
		t.Errorf("a repeat is another message:\n%+v\n%+v", first, second)
	}
	var m elhubMessage
	if err := json.Unmarshal([]byte(first[0].body), &m); err != nil {
		t.Fatal(err)
	}
	reference := m.Reference
	m.Reference = ""
	if want := (elhubMessage{Process: "BRS-NO-622", Message: "34", Sender: "7080000000001", MeteringPoint: "707057500012345678", Operation: "remove", Sent: "2026-11-24T08:00:00Z"}); m != want {
		t.Errorf("sent %+v, want %+v", m, want)
	}
	v.on("POST /messages", reply{status: 200, body: `{"status":"pending"}`})
	o := do(t, c, k.task)
	if o.State != privacy.DeliveryAccepted || strings.Fields(o.Handle)[0] != reference || len(strings.Fields(o.Handle)) != 2 {
		t.Errorf("%+v", o)
	}
	for _, r := range strings.Fields(o.Handle) {
		v.on("GET /messages/"+r, reply{status: 503}, reply{status: 200, body: `{"status":"pending"}`}, reply{status: 200, body: `{"status":"accepted"}`})
	}
	for _, want := range []privacy.DeliveryState{privacy.DeliveryAccepted, privacy.DeliveryAccepted, privacy.DeliveryConfirmed} {
		got, err := c.Poll(t.Context(), k.task, store.Pending{Handle: o.Handle})
		if err != nil || got.State != want {
			t.Errorf("%+v, %v; want %s", got, err, want)
		}
	}
	v.on("POST /messages", reply{status: 200, body: `{"status":"rejected","code":"unknown-sender"}`})
	if o := do(t, c, k.task); o.State != privacy.DeliveryNeedsManual || o.Task != TaskAgreement {
		t.Errorf("%+v", o)
	}
	wantOutcome(t, do(t, c, taskOf("elhub", "meter-insight-elhub", privacy.ActionErase)), privacy.DeliveryRefused, "kept-by-law")
	wantOutcome(t, do(t, c, taskOf("elhub", "meter-insight-elhub", privacy.ActionAllow)), privacy.DeliveryNeedsManual, privacy.NoteUserLink)
}

func TestGoogleAssertion(t *testing.T) {
	v := newVendor(t)
	g := testGoogle(t, v)
	tok := g.tokens(scopeAds)
	if _, _, o, err := tok.get(t.Context()); err != nil || o.State != privacy.DeliveryConfirmed {
		t.Fatal(o, err)
	}
	form, err := url.ParseQuery(v.heard[0].body)
	if err != nil || form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		t.Fatalf("%q", v.heard[0].body)
	}
	parts := strings.Split(form.Get("assertion"), ".")
	var c googleClaims
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || len(parts) != 3 || json.Unmarshal(b, &c) != nil {
		t.Fatalf("%q", form.Get("assertion"))
	}
	if c.Issuer != "innsyn@elekt.example" || c.Scope != scopeAds || c.Audience != v.URL+"/token" || c.Expires-c.IssuedAt != int64(assertionLife.Seconds()) {
		t.Errorf("claims %+v", c)
	}
}

func TestHashing(t *testing.T) {
	// made with sha256sum
	const (
		meta, google             = "8bdcb3a3beb47cd5020cf8e4629c2c76844886f0701fdb99e5fd10393f8de884", "3f5e3f0534e30d1e97ddb087387044c12e6c9328f889e64bd6ec4e7d70fc356a"
		metaNumber, googleNumber = "780495a32ec4746440b454a030d094c7f02a1c1438b2b881289260bcb292c207", "50e6d0240f01f136ca620753f6832620df5f3c595eeb010c4d0d2e47c05ef3e0"
	)
	for _, tc := range []struct{ got, want string }{
		{metaEmail(" Kari.Demo@GMAIL.com\n"), meta},
		{googleEmail(" Kari.Demo@GMAIL.com"), google},
		{googleEmail("Kari.Demo@example.no"), hexHash("kari.demo@example.no")},
		{googleEmail("k.d@googlemail.com"), hexHash("kd@googlemail.com")},
		{metaPhone("+47 999 00 123"), metaNumber},
		{metaPhone("004799900123"), metaNumber},
		{googlePhone("+47 999 00 123"), googleNumber},
		{hexHash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}, // FIPS 180-4
		{metaEmail("nobody"), ""}, {metaEmail(""), ""}, {metaPhone(""), ""}, {googleEmail("@x"), ""}, {googlePhone("-"), ""},
	} {
		if tc.got != tc.want {
			t.Errorf("%s, want %s", tc.got, tc.want)
		}
	}
}

func TestConfigurationFaultsOfRecipients(t *testing.T) {
	credentials, err := testAccount()
	if err != nil {
		t.Fatal(err)
	}
	good := Recipients{
		Eliq:      &EliqConfig{ClientID: "c", ClientSecret: "s", DataURL: "https://elekt.eliq.example/integration/api/v1"},
		Enode:     &EnodeConfig{ClientID: "c", ClientSecret: "s"},
		Meta:      &MetaConfig{AccessToken: "t", Purposes: map[string]MetaPurpose{"x": {Audiences: []string{"1"}}}},
		Google:    &GoogleConfig{Credentials: credentials},
		Analytics: &AnalyticsConfig{Property: "1"}, Ads: &AdsConfig{Account: "1"}, FCM: &FCMConfig{Project: "p"}, Firebase: &FirebaseConfig{Project: "p"},
		Xandr: &XandrConfig{User: "u", Password: "p"}, Aiia: &AiiaConfig{Product: AiiaData},
		Elhub: &ElhubConfig{BaseURL: "https://b2b.example", Key: "k", GLN: "7080000000001"},
	}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Recipients){
		"eliq: client_id": func(r *Recipients) { r.Eliq = &EliqConfig{} },
		"eliq: data_url":  func(r *Recipients) { r.Eliq = &EliqConfig{ClientID: "c", ClientSecret: "s"} },
		"needs insights_url": func(r *Recipients) {
			e := *r.Eliq
			e.Purposes = map[string]EliqPurpose{"x": {Consent: "y"}}
			r.Eliq = &e
		},
		"enode: purposes.x: stop": func(r *Recipients) {
			e := *r.Enode
			e.Purposes = map[string]EnodePurpose{"x": {Stop: "maybe"}}
			r.Enode = &e
		},
		"enode: purposes.x: erase": func(r *Recipients) {
			e := *r.Enode
			e.Purposes = map[string]EnodePurpose{"x": {Erase: "maybe"}}
			r.Enode = &e
		},
		"enode: base_url":    func(r *Recipients) { e := *r.Enode; e.BaseURL = "http://enode.example"; r.Enode = &e },
		"meta: access_token": func(r *Recipients) { r.Meta = &MetaConfig{} },
		"not the id of an audience": func(r *Recipients) {
			r.Meta = &MetaConfig{AccessToken: "t", Purposes: map[string]MetaPurpose{"x": {Audiences: []string{"../1"}}}}
		},
		"audiences or messages":       func(r *Recipients) { r.Meta = &MetaConfig{AccessToken: "t", Purposes: map[string]MetaPurpose{"x": {}}} },
		"google: credentials":         func(r *Recipients) { r.Google = &GoogleConfig{Credentials: "{}"} },
		"the service account":         func(r *Recipients) { r.Google = nil },
		"google-analytics: property":  func(r *Recipients) { r.Analytics = &AnalyticsConfig{Property: "properties/1"} },
		"google-analytics: identifie": func(r *Recipients) { r.Analytics = &AnalyticsConfig{Property: "1", Identifiers: []string{"nin"}} },
		"google-ads: account":         func(r *Recipients) { r.Ads = &AdsConfig{Account: "123-456"} },
		"between one and":             func(r *Recipients) { r.Ads = &AdsConfig{Account: "1", Purposes: map[string]AdsPurpose{"x": {}}} },
		"fcm: project":                func(r *Recipients) { r.FCM = &FCMConfig{} },
		"firebase: project":           func(r *Recipients) { r.Firebase = &FirebaseConfig{} },
		"xandr: password":             func(r *Recipients) { r.Xandr = &XandrConfig{User: "u"} },
		"aiia: product":               func(r *Recipients) { r.Aiia = &AiiaConfig{} },
		"aiia: client_id":             func(r *Recipients) { r.Aiia = &AiiaConfig{Product: AiiaEnterprise} },
		"elhub: gln":                  func(r *Recipients) { r.Elhub = &ElhubConfig{BaseURL: "https://b2b.example", Key: "k", GLN: "1"} },
	} {
		r := good
		spoil(&r)
		if err := r.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error about %q", err, want)
		} else if strings.Contains(err.Error(), "PRIVATE") {
			t.Error("the error tells a secret")
		}
	}
}
