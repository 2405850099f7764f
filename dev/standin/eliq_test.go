package standin

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

const (
	eliqDataBase     = eliqPrefix + eliqDataPath
	eliqInsightsBase = eliqPrefix + eliqInsightsPath
)

func TestEliqToken(t *testing.T) {
	w := start(t)
	good := `{"grant_type":"client_credentials","client_id":"elekt-backend","client_secret":"eliq-secret","aud":"insights-api","scope":"insights.read","sub":"p1","sub_type":"user"}`
	read := "Bearer " + w.getToken(t, "/eliq-auth/oauth/token", jsonType, good, nil)
	if res, body := w.send(t, "GET", eliqInsightsBase+"/users?extref=p1", "", "", bearer(read)); res.StatusCode != 200 {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	for name, test := range map[string]struct{ method, path, authorization string }{
		"a token that may only read": {"PUT", eliqInsightsBase + "/users/1000001/consents", read},
		"of the other interface":     {"GET", eliqDataBase + "/users/p1", read},
		"of the other, back":         {"GET", eliqInsightsBase + "/users?extref=p1", w.eliqToken(t, eliqData)},
		"of nobody":                  {"GET", eliqDataBase + "/users/p1", "Bearer "},
		"of another scheme":          {"GET", eliqDataBase + "/users/p1", "Basic x"},
	} {
		if res, body := w.send(t, test.method, test.path, "", "", bearer(test.authorization)); res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s answered %d %s", name, res.StatusCode, body)
		}
	}
	for name, test := range map[string]struct {
		from, to string
		want     int
	}{
		"another grant":  {"client_credentials", "password", 400},
		"another secret": {"eliq-secret", "x", 401},
		"a number":       {"elekt-backend", "1234567890", 401}, // the way of version 1
		"another API":    {"insights-api", "x-api", 400},
		"another scope":  {"insights.read", "data.write", 400},
		"half a subject": {`"sub":"p1",`, ``, 400},
		"another kind":   {`"user"`, `"location"`, 400},
	} {
		if res, body := w.send(t, "POST", "/eliq-auth/oauth/token", jsonType, strings.Replace(good, test.from, test.to, 1), nil); res.StatusCode != test.want {
			t.Errorf("%s answered %d %s", name, res.StatusCode, body)
		}
	}
	w.ForgetTokens()
	if res, _ := w.send(t, "GET", eliqInsightsBase+"/users?extref=p1", "", "", bearer(read)); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a forgotten token answered %d", res.StatusCode)
	}
}

func TestEliqErase(t *testing.T) {
	for _, missing := range []int{0, http.StatusNotFound} {
		w := startWith(t, Options{Eliq: EliqAccount{Missing: missing}})
		w.AddHome("p1", "home", "meter-1", "meter-2")
		token := bearer(w.eliqToken(t, eliqData))
		get := func(path string) (int, string) {
			res, body := w.send(t, "GET", eliqDataBase+path, "", "", token)
			return res.StatusCode, body
		}
		if status, body := get("/users/p1/locations"); status != 200 || body != `[{"id":"home","user_id":"p1"}]` {
			t.Errorf("locations: %d %s", status, body)
		}
		if status, body := get("/locations/home/meters"); status != 200 || !strings.Contains(body, "meter-2") {
			t.Errorf("meters: %d %s", status, body)
		}
		if status, body := get("/users/p1"); status != 200 || body != `{"id":"p1","eliq_id":1000001}` {
			t.Errorf("user: %d %s", status, body)
		}
		want := missing
		if want == 0 {
			want = http.StatusBadRequest
		}
		for _, path := range []string{"/meters/meter-1", "/meters/meter-2", "/locations/home/homeprofile", "/locations/home", "/users/p1"} {
			if res, body := w.send(t, "DELETE", eliqDataBase+path, "", "", token); res.StatusCode != http.StatusNoContent || body != "" || res.Header.Get("Content-Type") != "" {
				t.Errorf("%s answered %d %s", path, res.StatusCode, body)
			}
			if w.State(Eliq, path[1:]) != Deleted {
				t.Errorf("%s is %q", path, w.State(Eliq, path[1:]))
			}
		}
		for _, path := range []string{"/meters/meter-1", "/locations/home", "/locations/home/homeprofile", "/users/p1"} {
			if res, body := w.send(t, "DELETE", eliqDataBase+path, "", "", token); res.StatusCode != want || !strings.HasSuffix(read[eliqError](t, body).Code, "_NOT_FOUND") {
				t.Errorf("%s again answered %d %s", path, res.StatusCode, body)
			}
		}
		for _, path := range []string{"/users/p1", "/users/p1/locations", "/locations/home/meters", "/meters/meter-1"} {
			if status, body := get(path); status != want || !strings.Contains(body, "_NOT_FOUND") {
				t.Errorf("%s answered %d %s", path, status, body)
			}
		}
		w.Reset()
		if status, body := get("/users/p1/locations"); status != 200 || body != "[]" {
			t.Errorf("after a reset: %d %s", status, body)
		}
	}
}

func TestEliqConsents(t *testing.T) {
	w := startWith(t, Options{Eliq: EliqAccount{Consents: []string{"breakdown"}}})
	token := bearer(w.eliqToken(t, eliqInsights))
	_, body := w.send(t, "GET", eliqInsightsBase+"/users?extref=p1", "", "", token)
	user := read[eliqInsightsUser](t, body)
	path := fmt.Sprintf("%s/users/%d/consents", eliqInsightsBase, user.ID)
	_, body = w.send(t, "GET", path, "", "", token)
	all := read[[]eliqConsent](t, body)
	if user.ExtRef != "p1" || len(all) != 1 || !all[0].GivenConsent || all[0].Name != "breakdown" {
		t.Fatalf("got %+v %+v", user, all)
	}
	input := fmt.Sprintf(`[{"version_id":%q,"name":"breakdown","given_consent":false,"language_code":"nb-NO"}]`, all[0].VersionID)
	for name, bad := range map[string]string{
		"an object":       input[1 : len(input)-1],
		"nothing":         `[]`,
		"no language":     strings.Replace(input, `,"language_code":"nb-NO"`, "", 1),
		"no decision":     strings.Replace(input, `,"given_consent":false`, "", 1),
		"another version": strings.Replace(input, all[0].VersionID, "x", 1),
		"another consent": strings.Replace(input, "breakdown", "x", 1),
		"unknown field":   strings.Replace(input, "{", `{"is_updated":true,`, 1),
		"text for bool":   strings.Replace(input, "false", `"false"`, 1),
	} {
		if res, body := w.send(t, "PUT", path, jsonType, bad, token); res.StatusCode != http.StatusBadRequest || w.State(Eliq, "users/p1/consents/breakdown") != "" {
			t.Errorf("%s answered %d %s", name, res.StatusCode, body)
		}
	}
	if res, body := w.send(t, "PUT", path, jsonType, input, token); res.StatusCode != 200 || body != "" || w.State(Eliq, "users/p1/consents/breakdown") != Refused {
		t.Errorf("answered %d %s", res.StatusCode, body)
	}
	if _, body = w.send(t, "GET", path, "", "", token); read[[]eliqConsent](t, body)[0].GivenConsent {
		t.Error("the consent is still given")
	}
	if w.send(t, "PUT", path, jsonType, strings.Replace(input, "false", "true", 1), token); w.State(Eliq, "users/p1/consents/breakdown") != Given {
		t.Error("the consent isn't given again")
	}
	for path, want := range map[string]int{"/users/p1/consents": 400, "/users/5/consents": 404, "/users": 400} {
		if res, body := w.send(t, "GET", eliqInsightsBase+path, "", "", token); res.StatusCode != want {
			t.Errorf("%s answered %d %s", path, res.StatusCode, body)
		}
	}
	w.send(t, "DELETE", eliqDataBase+"/users/p1", "", "", bearer(w.eliqToken(t, eliqData)))
	for _, path := range []string{path, eliqInsightsBase + "/users?extref=p1"} {
		if res, _ := w.send(t, "GET", path, "", "", token); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s of a deleted user answered %d", path, res.StatusCode)
		}
	}
}

// upload sends a job's file.
func (w *world) upload(t *testing.T, path, field, name, content string) (*http.Response, string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	part, err := m.CreateFormFile(field, name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return w.send(t, "POST", eliqDataBase+path, m.FormDataContentType(), b.String(), bearer(w.eliqToken(t, eliqData)))
}

func TestEliqJobs(t *testing.T) {
	const rows = "{\"id\":\"m1\"}\n{\"id\":\"m2\"}\n"
	for _, test := range []struct {
		fault  FaultKind
		states []string
		failed int
		m1, m2 string
	}{
		{"", []string{"processing", "completed", "completed"}, 0, Deleted, Deleted},
		{FaultLater, []string{"processing", "failed", "failed"}, 0, "", ""},
		{FaultPartly, []string{"processing", "completed"}, 1, Deleted, ""},
	} {
		t.Run("fault "+string(test.fault), func(t *testing.T) {
			w := startWith(t, Options{Polls: 1})
			if test.fault != "" {
				w.fail(t, Fault{Kind: test.fault, Recipient: Eliq, Times: 1})
			}
			token := bearer(w.eliqToken(t, eliqData))
			res, body := w.upload(t, "/jobs/meter/delete", "content", "r1.ndjson", rows)
			job := read[eliqJobEntry](t, body)
			if res.StatusCode != 200 || job.State != "received" || job.Reference != "r1" || job.Rows != 2 || job.Type != "import" || len(w.Faults()) != 0 {
				t.Fatalf("answered %d %s", res.StatusCode, body)
			}
			for _, want := range test.states {
				_, body := w.send(t, "GET", eliqDataBase+"/jobs/"+job.ID, "", "", token)
				if job = read[eliqJobEntry](t, body); job.State != want {
					t.Errorf("state is %s, want %s", job.State, want)
				}
			}
			if job.FailedRows != test.failed || w.State(Eliq, "meters/m1") != test.m1 || w.State(Eliq, "meters/m2") != test.m2 {
				t.Errorf("%+v: meters are %q, %q", job, w.State(Eliq, "meters/m1"), w.State(Eliq, "meters/m2"))
			}
			_, body = w.send(t, "GET", eliqDataBase+"/jobs/"+job.ID+"/failures", "", "", token)
			if got := read[[]eliqFailure](t, body); len(got) != test.failed || test.failed > 0 && (got[0].Row != 2 || got[0].Code != "INTERNAL_ERROR") {
				t.Errorf("failures: %s", body)
			}
			_, body = w.send(t, "GET", eliqDataBase+"/jobs?reference=r1&limit=5", "", "", token)
			if got := read[[]eliqJobEntry](t, body); len(got) != 1 || got[0].ID != job.ID {
				t.Errorf("found %s", body)
			}
			_, page := w.send(t, http.MethodGet, "/", "", "", nil)
			if !strings.Contains(page, "delete 2 meters") || !strings.Contains(page, "{&#34;id&#34;:&#34;m1&#34;}") {
				t.Error("the page doesn't show the job")
			}
		})
	}
	w := startWith(t, Options{Polls: 5})
	token := bearer(w.eliqToken(t, eliqData))
	for name, test := range map[string]struct{ path, field, file, content, code string }{
		"another entity":    {"/jobs/car/delete", "content", "a.ndjson", rows, "JOB_ENTITY_INVALID"},
		"another operation": {"/jobs/user/upsert", "content", "a.ndjson", rows, "JOB_OPERATION_INVALID"},
		"another field":     {"/jobs/user/delete", "file", "a.ndjson", rows, "JOB_FILE_MISSING"},
		"another format":    {"/jobs/user/delete", "content", "a.csv", rows, "JOB_FILE_FORMAT_INVALID"},
		"no format":         {"/jobs/user/delete", "content", "a", rows, "JOB_FILE_FORMAT_MISSING"},
		"no name":           {"/jobs/user/delete", "content", ".ndjson", rows, "JOB_FILE_NAME_MISSING"},
		"empty":             {"/jobs/user/delete", "content", "a.ndjson", "", "JOB_FILE_MISSING"},
		"another row":       {"/jobs/user/delete", "content", "a.ndjson", `{"name":"x"}`, "INPUT_MISSING"},
	} {
		if res, body := w.upload(t, test.path, test.field, test.file, test.content); res.StatusCode != 400 || read[eliqError](t, body).Code != test.code {
			t.Errorf("%s answered %d %s", name, res.StatusCode, body)
		}
	}
	_, body := w.upload(t, "/jobs/user/export", "content", "r2.ndjson", "{\"id\":\"p1\"}\n")
	job := read[eliqJobEntry](t, body)
	if res, body := w.upload(t, "/jobs/user/export", "content", "r2.ndjson", rows); res.StatusCode != 400 || read[eliqError](t, body).Code != "JOB_REFERENCE_ALREADY_EXISTS" {
		t.Errorf("the same reference answered %d %s", res.StatusCode, body)
	}
	at := eliqDataBase + "/jobs/" + job.ID
	if res, body := w.send(t, "GET", at+"/result", "", "", token); res.StatusCode != 500 || read[eliqError](t, body).Code != "JOB_NOT_YET_FINISHED" {
		t.Errorf("an early result answered %d %s", res.StatusCode, body)
	}
	for range 6 {
		w.send(t, "GET", at, "", "", token)
	}
	res, body := w.send(t, "GET", at+"/result", "", "", token)
	if res.Header.Get("Content-Type") != "application/x-ndjson" || body != `{"is_successful":true,"result":{"id":"p1"},"input":{"id":"p1"}}`+"\n" {
		t.Errorf("the result is %d %s", res.StatusCode, body)
	}
	if res, body := w.send(t, "GET", at+"/cancel", "", "", token); res.StatusCode != 400 || read[eliqError](t, body).Code != "JOB_IS_COMPLETED" {
		t.Errorf("a late cancel answered %d %s", res.StatusCode, body)
	}
	_, body = w.upload(t, "/jobs/user/delete", "content", "r3.ndjson", rows)
	at = eliqDataBase + "/jobs/" + read[eliqJobEntry](t, body).ID
	if res, _ := w.send(t, "GET", at+"/cancel", "", "", token); res.StatusCode != http.StatusAccepted {
		t.Errorf("cancel answered %d", res.StatusCode)
	}
	if _, body := w.send(t, "GET", at, "", "", token); read[eliqJobEntry](t, body).State != "canceled" || w.State(Eliq, "users/m1") != "" {
		t.Errorf("after a cancel: %s", body)
	}
	if res, body := w.send(t, "GET", eliqDataBase+"/jobs/none", "", "", token); res.StatusCode != 404 || read[eliqError](t, body).Code != "JOB_NOT_FOUND" {
		t.Errorf("no job answered %d %s", res.StatusCode, body)
	}
}
