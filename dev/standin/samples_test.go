package standin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// sample is a good request of a recipient.
type sample struct {
	recipient    string
	method, path string
	kind, body   string
	header       map[string]string
	want         int    // status
	entry, state string // that it leads to, if any

	secret string // a header or, with =, a field that carries the credentials
	denied int    // status without it
}

const jsonType = "application/json"

// sign makes a JWT; kid may be empty.
func sign(t *testing.T, key any, algorithm jose.SignatureAlgorithm, kid string, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", kid))
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	out, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// googleForm is a token request with an assertion; change may spoil its claims.
func (w *world) googleForm(t *testing.T, change map[string]any) string {
	t.Helper()
	now := time.Now().Unix()
	claims := map[string]any{"iss": "innsyn@elekt.example", "aud": w.url + "/google-oauth/token", "iat": now, "exp": now + 3600,
		"scope": strings.Join([]string{scopeAnalytics, scopeDataManager, scopeMessaging, scopeCloud}, " ")}
	for name, v := range change {
		claims[name] = v
	}
	return url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"},
		"assertion": {sign(t, googleKey(), jose.RS256, "g1", claims)}}.Encode()
}

// appleForm is a revocation; change may spoil the claims of its client secret.
func appleForm(t *testing.T, change map[string]any) string {
	t.Helper()
	now := time.Now().Unix()
	claims := map[string]any{"iss": "TEAM", "sub": "no.elekt.app", "aud": appleAudience, "iat": now, "exp": now + 600}
	for name, v := range change {
		claims[name] = v
	}
	return url.Values{"client_id": {"no.elekt.app"}, "client_secret": {sign(t, appleKey(), jose.ES256, "a1", claims)},
		"token": {"refresh-1"}, "token_type_hint": {"refresh_token"}}.Encode()
}

// getToken asks a token server; field is the name of the token in its answer.
func (w *world) getToken(t *testing.T, path, kind, body string, change func(*http.Request)) string {
	t.Helper()
	res, answer := w.send(t, http.MethodPost, path, kind, body, change)
	got := read[struct {
		AccessToken string        `json:"access_token"`
		Response    xandrResponse `json:"response"`
	}](t, answer)
	if res.StatusCode != http.StatusOK || got.AccessToken+got.Response.Token == "" {
		t.Fatalf("no token: %d %s", res.StatusCode, answer)
	}
	return got.AccessToken + got.Response.Token
}

func (w *world) eliqToken(t *testing.T, aud string) string {
	t.Helper()
	return "Bearer " + w.getToken(t, "/eliq-auth/oauth/token", formType,
		url.Values{"grant_type": {"client_credentials"}, "client_id": {"elekt-backend"}, "client_secret": {"eliq-secret"}, "aud": {aud}}.Encode(), nil)
}

func (w *world) enodeToken(t *testing.T) string {
	t.Helper()
	return "Bearer " + w.getToken(t, "/enode-auth/oauth2/token", formType, "grant_type=client_credentials", enodeBasic)
}

func enodeBasic(r *http.Request) { r.SetBasicAuth("enode-client", "enode-secret") }

func (w *world) googleToken(t *testing.T, change map[string]any) string {
	t.Helper()
	return "Bearer " + w.getToken(t, "/google-oauth/token", formType, w.googleForm(t, change), nil)
}

func (w *world) xandrToken(t *testing.T) string {
	t.Helper()
	return w.getToken(t, "/xandr/auth", jsonType, `{"auth":{"username":"xandr-user","password":"xandr-secret"}}`, nil)
}

// hashed stands for a SHA-256.
var aHash = strings.Repeat("0a", 32)

const (
	aReference = "0b8f7a7e-3c52-4d0a-9f57-6d1f5f0a3c11"
	aPoint     = "707057500012345678"
)

func elhubBody(operation string) string {
	return `{"process":"BRS-NO-622","message":"34","reference":"` + aReference + `","sender":"7080000000001","meteringPoint":"` + aPoint +
		`","operation":"` + operation + `","sent":"2026-11-24T12:00:00Z"}`
}

const removal9 = `{"destinations":[{"operatingAccount":{"accountType":"GOOGLE_ADS","accountId":"9001"},"productDestinationId":"501"}],"audienceMembers":[{"userData":{"userIdentifiers":[{"emailAddress":"HASH"}]}}],"encoding":"HEX"}`

// removeBody takes one person off an audience at Google Ads.
func removeBody() string { return strings.Replace(removal9, "HASH", aHash, 1) }

func metaForm(values ...string) string {
	payload := `{"schema":["EMAIL"],"data":[["` + strings.Join(values, `"],["`) + `"]]}`
	return url.Values{"payload": {payload}, "access_token": {"meta-token"}}.Encode()
}

// samples has one of each recipient.
func (w *world) samples(t *testing.T) []sample {
	t.Helper()
	eliq, enode, google, xandr := w.eliqToken(t, eliqData), w.enodeToken(t), w.googleToken(t, nil), w.xandrToken(t)
	basic, err := http.NewRequest(http.MethodPost, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	enodeBasic(basic)
	aiia := map[string]string{"X-Client-Id": "aiia-client", "X-Client-Secret": "aiia-secret", "X-Login-Token": "login-1"}
	return []sample{
		{recipient: EliqAuth, method: "POST", path: "/eliq-auth/oauth/token", kind: formType, want: 200,
			body:   "grant_type=client_credentials&client_id=elekt-backend&client_secret=eliq-secret&aud=insights-api",
			secret: "client_secret=eliq-secret", denied: 401},
		{recipient: Eliq, method: "DELETE", path: "/eliq/integration/api/v1/users/p1", want: 204, entry: "users/p1", state: Deleted,
			header: map[string]string{"Authorization": eliq, "X-Request-Id": "r1"}, secret: "Authorization", denied: 401},
		{recipient: EnodeAuth, method: "POST", path: "/enode-auth/oauth2/token", kind: formType, body: "grant_type=client_credentials", want: 200,
			header: map[string]string{"Authorization": basic.Header.Get("Authorization")}, secret: "Authorization", denied: 401},
		{recipient: Enode, method: "DELETE", path: "/enode/users/p1/authorization", want: 204, entry: "users/p1", state: Deauthorized,
			header: map[string]string{"Authorization": enode}, secret: "Authorization", denied: 401},
		{recipient: Meta, method: "DELETE", path: "/meta/v25.0/111/users", kind: formType, body: metaForm(aHash), want: 200,
			entry: "audiences/111/EMAIL:" + aHash, state: Removed, secret: "access_token=meta-token", denied: 401},
		{recipient: GoogleOAuth, method: "POST", path: "/google-oauth/token", kind: formType, body: w.googleForm(t, nil), want: 200,
			secret: "assertion=" + mustField(t, w.googleForm(t, nil), "assertion"), denied: 400},
		{recipient: GoogleLogin, method: "POST", path: "/google-oauth/revoke", kind: formType, body: "token=t1", want: 200,
			entry: "tokens/" + fingerprint("t1"), state: Revoked},
		{recipient: GoogleAnalytics, method: "POST", path: "/google-analytics/v1alpha/properties/3001:submitUserDeletion", kind: jsonType,
			body: `{"userId":"p1"}`, want: 200, entry: "properties/3001/userId/p1", state: Deleted,
			header: map[string]string{"Authorization": google}, secret: "Authorization", denied: 401},
		{recipient: GoogleAds, method: "POST", path: "/datamanager/v1/audienceMembers:remove", kind: jsonType, body: removeBody(), want: 200,
			header: map[string]string{"Authorization": google}, secret: "Authorization", denied: 401},
		{recipient: FCM, method: "DELETE", path: "/fcm/v1/projects/elekt-app/registrations/r1/topicSubscriptions/prices", want: 200,
			entry: "registrations/r1/topicSubscriptions/prices", state: Unsubscribed,
			header: map[string]string{"Authorization": google}, secret: "Authorization", denied: 401},
		{recipient: Firebase, method: "DELETE", path: "/firebase/v1/project/elekt-app/instanceId/abcdefghijklmnopqrstuv", want: 200,
			entry: "instanceId/abcdefghijklmnopqrstuv", state: Deleted,
			header: map[string]string{"Authorization": google}, secret: "Authorization", denied: 401},
		{recipient: Xandr, method: "POST", path: "/xandr/privacy/consumer-request", kind: jsonType, want: 200,
			body:  `{"identifier":"123e4567-e89b-12d3-a456-426655440000","identifier_type":"maid","request_type":"delete"}`,
			entry: "maid/123e4567-e89b-12d3-a456-426655440000", state: Deleted,
			header: map[string]string{"Authorization": xandr}, secret: "Authorization", denied: 401},
		{recipient: Aiia, method: "DELETE", path: "/aiia/v2/consents", want: 204, entry: "consents/" + AiiaID("login-1"), state: Revoked,
			header: aiia, secret: "X-Client-Secret", denied: 401},
		{recipient: Elhub, method: "POST", path: "/elhub/messages", kind: jsonType, body: elhubBody("remove"), want: 200,
			entry: "meteringPoints/" + aPoint, state: Removed,
			header: map[string]string{"Authorization": "Bearer elhub-key"}, secret: "Authorization", denied: 401},
		{recipient: AppleLogin, method: "POST", path: "/apple/auth/revoke", kind: formType, body: appleForm(t, nil), want: 200,
			entry: "tokens/" + fingerprint("refresh-1"), state: Revoked, secret: "client_id=no.elekt.app", denied: 400},
	}
}

func mustField(t *testing.T, form, name string) string {
	t.Helper()
	values, err := url.ParseQuery(form)
	if err != nil {
		t.Fatal(err)
	}
	return url.QueryEscape(values.Get(name))
}

// send makes the request.
func (x sample) send(t *testing.T, w *world, change func(*http.Request)) (*http.Response, string) {
	t.Helper()
	return w.send(t, x.method, x.path, x.kind, x.body, func(r *http.Request) {
		for name, v := range x.header {
			r.Header.Set(name, v)
		}
		if change != nil {
			change(r)
		}
	})
}

// touched tells whether anything was done.
func touched(w *world) bool { return len(w.Entries())+len(w.Operations()) > 0 }

func TestEveryRecipientTakesWhatIsDocumented(t *testing.T) {
	w := start(t)
	var names []string
	for _, x := range w.samples(t) {
		names = append(names, x.recipient)
		res, body := x.send(t, w, nil)
		if res.StatusCode != x.want {
			t.Errorf("%s answered %d %s", x.recipient, res.StatusCode, body)
		}
		if x.entry != "" && w.State(x.recipient, x.entry) != x.state {
			t.Errorf("%s: %s is %q", x.recipient, x.entry, w.State(x.recipient, x.entry))
		}
		kept, err := w.Wait(t.Context(), func(r Request) bool { return r.Path == x.path && r.Status == x.want })
		if err != nil || kept.Recipient != x.recipient || kept.Method != x.method {
			t.Errorf("%s: kept %+v, %v", x.recipient, kept, err)
		}
	}
	if want := Names()[2:]; strings.Join(sorted(names), " ") != strings.Join(sorted(want), " ") {
		t.Errorf("samples are of %v", names)
	}
	_, page := w.send(t, http.MethodGet, "/", "", "", nil)
	for _, x := range w.samples(t) {
		if !strings.Contains(page, x.method+" "+x.path) || !strings.Contains(page, "<option>"+x.recipient+"</option>") {
			t.Errorf("the page doesn't show %s", x.recipient)
		}
	}
}

func TestEveryRecipientRefusesWhatIsNot(t *testing.T) {
	w := start(t)
	for _, x := range w.samples(t) {
		bad := map[string]func(*sample) func(*http.Request){
			"another method": func(y *sample) func(*http.Request) { y.method, y.want = "PATCH", 404; return nil },
			"another path":   func(y *sample) func(*http.Request) { y.path, y.want = y.path+"/more", 404; return nil },
			"prefix alone": func(y *sample) func(*http.Request) {
				y.path, y.want = "/"+strings.Split(y.path, "/")[1], 404
				return nil
			},
			"two slashes":   func(y *sample) func(*http.Request) { y.path, y.want = "/"+y.path, 404; return nil },
			"unknown query": func(y *sample) func(*http.Request) { y.path += "?unknown=1"; return nil },
			"unknown header": func(*sample) func(*http.Request) {
				return func(r *http.Request) { r.Header.Set("X-Unknown", "1") }
			},
			"a cookie": func(*sample) func(*http.Request) { return func(r *http.Request) { r.Header.Set("Cookie", "a=b") } },
			"header twice": func(*sample) func(*http.Request) {
				return func(r *http.Request) { r.Header["Accept"] = []string{"*/*", "*/*"} }
			},
			"wants XML": func(*sample) func(*http.Request) { return func(r *http.Request) { r.Header.Set("Accept", "text/xml") } },
		}
		if x.kind == "" {
			bad["a body"] = func(y *sample) func(*http.Request) { y.kind, y.body = "text/plain", "x"; return nil }
		} else {
			bad["no content type"] = func(y *sample) func(*http.Request) { y.kind = ""; return nil }
			bad["text"] = func(y *sample) func(*http.Request) { y.kind = "text/plain"; return nil }
			bad["latin-1"] = func(y *sample) func(*http.Request) { y.kind += "; charset=iso-8859-1"; return nil }
		}
		switch x.kind {
		case formType:
			bad["unknown field"] = func(y *sample) func(*http.Request) { y.body += "&unknown=1"; return nil }
			bad["field twice"] = func(y *sample) func(*http.Request) {
				y.body += "&" + y.body[:strings.IndexAny(y.body+"&", "&")]
				return nil
			}
			bad["no fields"] = func(y *sample) func(*http.Request) { y.body, y.want = "", 0; return nil }
		case jsonType:
			bad["unknown field"] = func(y *sample) func(*http.Request) { y.body = `{"unknown":1,` + y.body[1:]; return nil }
			bad["name in capitals"] = func(y *sample) func(*http.Request) {
				y.body = `{"` + strings.ToUpper(y.body[2:4]) + y.body[4:]
				return nil
			}
			bad["something after"] = func(y *sample) func(*http.Request) { y.body += "{}"; return nil }
			bad["broken"] = func(y *sample) func(*http.Request) { y.body = y.body[1:]; return nil }
			bad["empty"] = func(y *sample) func(*http.Request) { y.body = "{}"; return nil }
			bad["a form"] = func(y *sample) func(*http.Request) { y.kind, y.body = formType, "a=b"; return nil }
		}
		if name, value, field := strings.Cut(x.secret, "="); x.secret != "" && field {
			bad["no credentials"] = func(y *sample) func(*http.Request) {
				y.body, y.want = strings.Replace(y.body, name+"="+value, name+"=x", 1), y.denied
				return nil
			}
		} else if x.secret != "" {
			bad["no credentials"] = func(y *sample) func(*http.Request) {
				y.want = y.denied
				return func(r *http.Request) { r.Header.Del(name) }
			}
			bad["wrong credentials"] = func(y *sample) func(*http.Request) {
				y.want = y.denied
				return func(r *http.Request) { r.Header.Set(name, "Bearer x") }
			}
		}
		for name, spoil := range bad {
			t.Run(x.recipient+" "+name, func(t *testing.T) {
				w.Reset()
				y := x
				y.want = http.StatusBadRequest
				if y.recipient == Xandr {
					y.want = http.StatusUnprocessableEntity
				}
				change := spoil(&y)
				if y.kind != x.kind && strings.Contains(x.secret, "=") {
					y.want = 0 // the credentials can't be read either
				}
				res, body := y.send(t, w, change)
				if y.want != 0 && res.StatusCode != y.want || res.StatusCode < 400 || res.StatusCode >= 500 {
					t.Errorf("answered %d %s, want %d", res.StatusCode, body, y.want)
				}
				if touched(w) {
					t.Errorf("it was done all the same: %+v %+v", w.Entries(), w.Operations())
				}
				path, _, _ := strings.Cut(y.path, "?")
				if last := w.Requests()[len(w.Requests())-1]; last.Path != path || last.Status != res.StatusCode {
					t.Errorf("kept %+v", last)
				}
			})
		}
	}
}

func TestEveryRecipientFails(t *testing.T) {
	w := start(t)
	for _, x := range w.samples(t) {
		for _, kind := range FaultKinds() {
			if (Fault{Kind: kind}).later() {
				continue
			}
			t.Run(x.recipient+" "+string(kind), func(t *testing.T) {
				w.Reset()
				w.fail(t, Fault{Kind: kind, Recipient: x.recipient, Times: 1, Retry: 7})
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				if kind == FaultTimeout {
					ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
				}
				defer cancel()
				res, err := w.try(ctx, x.method, x.path, x.kind, x.body, func(r *http.Request) {
					for name, v := range x.header {
						r.Header.Set(name, v)
					}
				})
				switch kind {
				case FaultTimeout:
					if !errors.Is(err, context.DeadlineExceeded) || touched(w) {
						t.Errorf("ended with %v, done: %v", err, touched(w))
					}
				case FaultLost:
					if err == nil || x.entry != "" && !touched(w) {
						t.Errorf("ended with %v, done: %v", err, touched(w))
					}
				default:
					if err != nil {
						t.Fatal(err)
					}
					res.Body.Close()
					if strconv.Itoa(res.StatusCode) != string(kind) || touched(w) {
						t.Errorf("answered %d, done: %v", res.StatusCode, touched(w))
					}
					if retry := res.Header.Get("Retry-After"); (kind == FaultTooMany) != (retry == "7") {
						t.Errorf("Retry-After is %q", retry)
					}
				}
				kept, err := w.Wait(t.Context(), func(r Request) bool { return r.Path == x.path })
				if err != nil || kept.Fault != kind || kept.Recipient != x.recipient {
					t.Errorf("kept %+v, %v", kept, err)
				}
				if kind == FaultLost {
					return
				}
				if res, body := x.send(t, w, nil); res.StatusCode != x.want {
					t.Errorf("the next one answered %d %s", res.StatusCode, body)
				}
			})
		}
	}
}

// What is accepted and fails later looks the same at first, and changes nothing.
func TestAcceptedAndLaterFailed(t *testing.T) {
	w := start(t)
	for _, x := range w.samples(t) {
		if fault := (Fault{Kind: FaultLater, Recipient: x.recipient}); w.Fail(fault) != nil || x.recipient == Eliq {
			continue // Eliq's deletions are at once; for its jobs see TestEliqJobs
		}
		t.Run(x.recipient, func(t *testing.T) {
			w.Reset()
			w.fail(t, Fault{Kind: FaultLater, Times: 1}) // passes over what isn't done later
			w.samples(t)
			if len(w.Faults()) != 1 {
				t.Fatal("a token server used the fault up")
			}
			res, body := x.send(t, w, nil)
			if res.StatusCode != x.want {
				t.Errorf("answered %d %s", res.StatusCode, body)
			}
			if x.recipient == GoogleAds {
				w.send(t, "GET", "/datamanager/v1/requestStatus:retrieve?requestId="+w.Operations()[0].ID, "", "", bearer(x.header["Authorization"]))
			}
			if len(w.Entries()) != 0 {
				t.Errorf("it was done: %+v", w.Entries())
			}
			if got := w.Operations(); x.recipient != Elhub && (len(got) != 1 || got[0].State != OperationFailed || got[0].Recipient != x.recipient) {
				t.Errorf("operations are %+v", got)
			}
			if kept := w.Requests()[len(w.Requests())-1]; x.recipient != GoogleAds && kept.Fault != FaultLater {
				t.Errorf("kept %+v", kept)
			}
			_, page := w.send(t, http.MethodGet, "/", "", "", nil)
			if !strings.Contains(page, "later-fails") {
				t.Error("the page doesn't show it")
			}
		})
	}
	for _, f := range []Fault{{Kind: FaultLater, Recipient: Enode}, {Kind: FaultPartly, Recipient: Meta}, {Kind: FaultPartly, Recipient: Mailgun}} {
		if w.Fail(f) == nil {
			t.Errorf("%+v was taken", f)
		}
	}
}

func bearer(header string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", header) }
}

func TestNoSecretsAreKept(t *testing.T) {
	w := start(t)
	all := w.samples(t)
	for _, x := range all {
		x.send(t, w, nil)
	}
	aiia := all[12]
	w.send(t, "POST", "/aiia/v1/logout", jsonType, `{"userHash":"p1","loginToken":"login-2"}`, func(r *http.Request) {
		for name, v := range aiia.header {
			r.Header.Set(name, v)
		}
		r.Header.Del("X-Login-Token")
		r.Header.Set("Authorization", "Bearer session-1")
	})
	if w.State(Aiia, "logins/"+AiiaID("login-2")) != Revoked {
		t.Fatal("logout did nothing")
	}
	_, body := w.send(t, http.MethodGet, "/-/received.json", "", "", nil)
	_, page := w.send(t, http.MethodGet, "/", "", "", nil)
	secrets := []string{"eliq-secret", "enode-secret", "meta-token", "xandr-secret", "aiia-secret", "elhub-key", "login-1", "login-2", "session-1", "refresh-1", "access_token"}
	for _, x := range all {
		if v := x.header["Authorization"]; v != "" {
			secrets = append(secrets, v[strings.LastIndex(v, " ")+1:])
		}
		if _, v, ok := strings.Cut(x.secret, "assertion="); ok {
			secrets = append(secrets, v)
		}
	}
	for _, secret := range secrets {
		if strings.Contains(body, secret) || strings.Contains(page, secret) {
			t.Errorf("%s is kept", secret)
		}
	}
	if !strings.Contains(body, aHash) || !strings.Contains(page, aHash) {
		t.Error("what was sent isn't shown")
	}
}

func TestURLs(t *testing.T) {
	w := start(t)
	at := URLsAt(w.url + "/")
	google, eliq, insights := w.googleToken(t, nil), w.eliqToken(t, eliqData), w.eliqToken(t, eliqInsights)
	for _, test := range []struct{ method, url, authorization string }{
		{"GET", at.EliqData + "/users/p1", eliq},
		{"GET", at.EliqInsights + "/users?extref=p1", insights},
		{"GET", at.Enode + "/users/p1", w.enodeToken(t)},
		{"DELETE", at.FCM + "/v1/projects/elekt-app/registrations/r1/topicSubscriptions/t", google},
		{"DELETE", at.Firebase + "/v1/project/elekt-app/instanceId/abcdefghijk", google},
	} {
		path, ok := strings.CutPrefix(test.url, w.url)
		if !ok {
			t.Errorf("%s isn't ours", test.url)
		}
		if res, body := w.send(t, test.method, path, "", "", bearer(test.authorization)); res.StatusCode >= 300 {
			t.Errorf("%s answered %d %s", test.url, res.StatusCode, body)
		}
	}
	for what, got := range map[string]string{"eliq-auth": at.EliqAuth, "enode-auth": at.EnodeAuth, "meta": at.Meta, "google-oauth": at.GoogleOAuth,
		"google-analytics": at.GoogleAnalytics, "datamanager": at.DataManager, "xandr": at.Xandr, "aiia": at.Aiia, "elhub": at.Elhub, "apple": at.Apple} {
		if got != w.url+"/"+what {
			t.Errorf("%s is at %s", what, got)
		}
	}
	if at.Mailgun != w.url || at.Sveve != w.url {
		t.Errorf("Mailgun is at %s, Sveve at %s", at.Mailgun, at.Sveve)
	}
}
