package standin

import (
	"net/http"
	"strings"
	"testing"
)

func (w *world) dataManager(t *testing.T, verb, body string) (*http.Response, string) {
	t.Helper()
	return w.send(t, "POST", "/datamanager/v1/audienceMembers:"+verb, jsonType, body, bearer(w.googleToken(t, nil)))
}

func (w *world) requestStatusOf(t *testing.T, id string) string {
	t.Helper()
	res, body := w.send(t, "GET", "/datamanager/v1/requestStatus:retrieve?requestId="+id, "", "", bearer(w.googleToken(t, nil)))
	if res.StatusCode != 200 {
		t.Fatalf("answered %d %s", res.StatusCode, body)
	}
	return body
}

func TestDataManager(t *testing.T) {
	two := strings.Repeat("0b", 32)
	body := strings.Replace(removeBody(), `}]}}]`, `},{"phoneNumber":"`+two+`"}]}},{"userData":{"userIdentifiers":[{"emailAddress":"`+two+`"}]}}]`, 1)
	for _, test := range []struct {
		fault            FaultKind
		status           string
		first, last      string
		errors, counters string
	}{
		{"", "SUCCESS", Removed, Removed, "", `"recordCount":"2","userIdentifierCount":"3"`},
		{FaultLater, "FAILED", "", "", `"errorCounts":[{"recordCount":"2","reason":"PROCESSING_ERROR_REASON_INTERNAL_ERROR"}]`, `"recordCount":"2"`},
		{FaultPartly, "PARTIAL_SUCCESS", Removed, "", `"errorCounts":[{"recordCount":"1"`, `"recordCount":"2"`},
	} {
		t.Run(test.status, func(t *testing.T) {
			w := startWith(t, Options{Polls: 1})
			if test.fault != "" {
				w.fail(t, Fault{Kind: test.fault, Recipient: GoogleAds, Times: 1})
			}
			res, answer := w.dataManager(t, "remove", body)
			id := read[requestTaken](t, answer).RequestID
			if res.StatusCode != 200 || id == "" {
				t.Fatalf("answered %d %s", res.StatusCode, answer)
			}
			first, last := "audiences/501/emailAddress:"+aHash, "audiences/501/emailAddress:"+two
			if got := w.requestStatusOf(t, id); !strings.Contains(got, `"requestStatus":"PROCESSING"`) || w.State(GoogleAds, first) != "" {
				t.Errorf("at first: %s, %q", got, w.State(GoogleAds, first))
			}
			for range 2 {
				got := w.requestStatusOf(t, id)
				if !strings.Contains(got, `"requestStatus":"`+test.status+`"`) || !strings.Contains(got, test.errors) || !strings.Contains(got, test.counters) ||
					!strings.Contains(got, `"audienceMembersRemovalStatus":{"userDataRemovalStatus"`) || !strings.Contains(got, `"productDestinationId":"501"`) {
					t.Errorf("then: %s", got)
				}
			}
			if w.State(GoogleAds, first) != test.first || w.State(GoogleAds, last) != test.last {
				t.Errorf("states are %q, %q", w.State(GoogleAds, first), w.State(GoogleAds, last))
			}
		})
	}
	w := start(t)
	ingest := strings.Replace(body, "{", `{"consent":{"adUserData":"CONSENT_GRANTED"},"termsOfService":{"customerMatchTermsOfServiceStatus":"ACCEPTED"},`, 1)
	_, answer := w.dataManager(t, "ingest", ingest)
	if got := w.requestStatusOf(t, read[requestTaken](t, answer).RequestID); !strings.Contains(got, `"audienceMembersIngestionStatus"`) || w.State(GoogleAds, "audiences/501/emailAddress:"+aHash) != MemberOn {
		t.Errorf("ingestion: %s", got)
	}
	devices := strings.Replace(removeBody(), `"userData":{"userIdentifiers":[{"emailAddress":"`+aHash+`"}]}`, `"mobileData":{"mobileIds":["d1"]}`, 1)
	_, answer = w.dataManager(t, "remove", devices)
	if got := w.requestStatusOf(t, read[requestTaken](t, answer).RequestID); !strings.Contains(got, `"mobileIdCount":"1"`) || w.State(GoogleAds, "audiences/501/mobileId:d1") != Removed {
		t.Errorf("devices: %s", got)
	}
}

func TestDataManagerRefuses(t *testing.T) {
	w := start(t)
	good := removeBody()
	member := good[strings.Index(good, `{"userData"`) : strings.Index(good, `}]}}]`)+4]
	for name, test := range map[string]struct {
		from, to string
		want     int
	}{
		"in clear":            {aHash, "kari@example.com", 400},
		"in capitals":         {aHash, strings.ToUpper(aHash), 400},
		"no encoding":         {`,"encoding":"HEX"`, ``, 400},
		"another encoding":    {`"HEX"`, `"BASE64"`, 400},
		"two in one":          {`"emailAddress"`, `"phoneNumber":"` + aHash + `","emailAddress"`, 400},
		"consent of all":      {`{"dest`, `{"consent":{},"dest`, 400}, // of ingestion alone
		"encryption":          {`{"dest`, `{"encryptionInfo":{},"dest`, 400},
		"odd consent":         {`{"userData"`, `{"consent":{"adUserData":"YES"},"userData"`, 400},
		"nobody":              {member, ``, 400},
		"no identifier":       {`{"emailAddress":"` + aHash + `"}`, ``, 400},
		"no destination":      {good[strings.Index(good, "[{")+1 : strings.Index(good, "}],")+1], ``, 400},
		"another product":     {"GOOGLE_ADS", "DISPLAY_VIDEO_PARTNER", 400},
		"hyphens":             {`"9001"`, `"90-01"`, 400},
		"no list":             {`,"productDestinationId":"501"`, ``, 400},
		"somebody's account":  {`"9001"`, `"9002"`, 403},
		"somebody's audience": {`"501"`, `"777"`, 403},
		"both kinds":          {`{"userData"`, `{"mobileData":{"mobileIds":["d1"]},"userData"`, 400},
		"half an address":     {`"emailAddress":"` + aHash + `"`, `"address":{"familyName":"` + aHash + `"}`, 400},
	} {
		bad := strings.Replace(good, test.from, test.to, 1)
		if bad == good {
			t.Fatalf("%s changes nothing", name)
		}
		if res, body := w.dataManager(t, "remove", bad); res.StatusCode != test.want || read[googleError](t, body).Error.Code != test.want {
			t.Errorf("%s answered %d %s", name, res.StatusCode, body)
		}
	}
	many := strings.Replace(good, member, strings.Repeat(member+",", mostMembers)+member, 1)
	if res, body := w.dataManager(t, "remove", many); res.StatusCode != 400 {
		t.Errorf("too many answered %d %s", res.StatusCode, body)
	}
	if res, body := w.dataManager(t, "ingest", good); res.StatusCode != 400 || !strings.Contains(body, "termsOfService") {
		t.Errorf("without terms it answered %d %s", res.StatusCode, body)
	}
	if res, _ := w.dataManager(t, "removeAll", good); res.StatusCode != 404 {
		t.Errorf("another verb answered %d", res.StatusCode)
	}
	if res, body := w.dataManager(t, "remove", strings.Replace(good, "{", `{"validateOnly":true,`, 1)); res.StatusCode != 200 || touched(w) {
		t.Errorf("validation answered %d %s", res.StatusCode, body)
	}
	for query, want := range map[string]int{"requestId=none": 404, "": 400, "requestId=": 400} {
		if res, body := w.send(t, "GET", "/datamanager/v1/requestStatus:retrieve?"+query, "", "", bearer(w.googleToken(t, nil))); res.StatusCode != want {
			t.Errorf("%q answered %d %s", query, res.StatusCode, body)
		}
	}
	if touched(w) {
		t.Errorf("something was done: %+v", w.Entries())
	}
}
