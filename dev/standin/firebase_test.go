package standin

import (
	"strings"
	"testing"
)

func TestTopics(t *testing.T) {
	w := start(t)
	token := bearer(w.googleToken(t, nil))
	const at = "/fcm/v1/projects/elekt-app/registrations/r1:APA91b/topicSubscriptions"
	for _, step := range []struct {
		method, path, kind, body string
		want                     int
		state                    string
	}{
		{"DELETE", at + "/prices", "", "", 200, Unsubscribed},
		{"DELETE", at + "/prices", "", "", 404, Unsubscribed},
		{"DELETE", at + "/prices?allowMissing=true", "", "", 200, Unsubscribed},
		{"POST", at + "?topic_name=prices", jsonType, "{}", 200, Subscribed},
		{"POST", at + "?topic_name=prices", jsonType, "{}", 409, Subscribed},
		{"DELETE", at + "/prices", jsonType, "{}", 200, Unsubscribed},
		{"DELETE", at + "/prices", jsonType, `{"name":"x"}`, 400, Unsubscribed},
		{"DELETE", at + "/prices?allowMissing=1", "", "", 400, Unsubscribed},
		{"POST", at, jsonType, "{}", 400, Unsubscribed},
		{"POST", at + "?topic_name=a%20b", jsonType, "{}", 400, Unsubscribed},
		{"POST", at + "?topic_name=prices", jsonType, "", 400, Unsubscribed},
		{"POST", at + "?topic_name=prices", jsonType, `{"topic_name":"prices"}`, 400, Unsubscribed},
		{"POST", strings.Replace(at, "elekt-app", "other", 1) + "?topic_name=prices", jsonType, "{}", 403, Unsubscribed},
		{"GET", at, "", "", 404, Unsubscribed}, // left out
	} {
		res, body := w.send(t, step.method, step.path, step.kind, step.body, token)
		if got := w.State(FCM, "registrations/r1:APA91b/topicSubscriptions/prices"); res.StatusCode != step.want || got != step.state {
			t.Errorf("%s %s %s answered %d %s, %q", step.method, step.path, step.body, res.StatusCode, body, got)
		}
		if step.method == "POST" && step.want == 200 && read[topicSubscription](t, body).TopicName != "prices" {
			t.Errorf("answered %s", body)
		}
	}
}

func TestInstallations(t *testing.T) {
	w := start(t)
	token := bearer(w.googleToken(t, nil))
	fid := strings.Repeat("a", 22)
	for _, step := range []struct {
		path string
		want int
	}{
		{"elekt-app/instanceId/" + fid, 200},
		{"elekt-app/instanceId/" + fid, 409},
		{"other/instanceId/" + fid, 403},
		{"elekt-app/instanceId/short", 400},
		{"elekt-app/instanceId/" + fid[:21] + ".", 400},
		{"elekt-app/instanceId/" + fid + "a", 400},
	} {
		if res, body := w.send(t, "DELETE", "/firebase/v1/project/"+step.path, "", "", token); res.StatusCode != step.want {
			t.Errorf("%s answered %d %s", step.path, res.StatusCode, body)
		}
	}
	if got := w.Entries(); len(got) != 1 || got[0].State != Deleted || got[0].Recipient != Firebase || got[0].Request == 0 {
		t.Errorf("entries are %+v", got)
	}
}
