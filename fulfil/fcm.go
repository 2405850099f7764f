package fulfil

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"elekt.no/innsyn/privacy"
)

// FCMURL is the address of Firebase Cloud Messaging.
const FCMURL = "https://fcm.googleapis.com"

// FCMConfig is the company's Firebase project, as far as alerts go.
type FCMConfig struct {
	BaseURL  string                `yaml:"base_url"` // FCMURL if empty
	Project  string                `yaml:"project"`  // its id
	Purposes map[string]FCMPurpose `yaml:"purposes"`
}

// FCMPurpose is what FCM has for a purpose.
type FCMPurpose struct {
	// Topics that phones are subscribed to for it. Empty: alerts go to each phone by
	// itself, and the company's own stop is all there is.
	Topics []string `yaml:"topics"`
}

// Validate names the first fault of the configuration.
func (c *FCMConfig) Validate() error {
	if c.Project == "" {
		return errors.New("project is missing")
	}
	for _, id := range slices.Sorted(maps.Keys(c.Purposes)) {
		if slices.Contains(c.Purposes[id].Topics, "") {
			return fmt.Errorf("purposes.%s: a topic is empty", id)
		}
	}
	return validURLs(map[string]string{"base_url": c.BaseURL})
}

// fcm unsubscribes and subscribes phones to the topics of a purpose. An erasure
// unsubscribes once more; the installation itself is Firebase's.
type fcm struct {
	identified
	caller
	config FCMConfig
	token  *tokens
}

func newFCM(c FCMConfig, g *google) *fcm {
	c.BaseURL = or(c.BaseURL, FCMURL)
	return &fcm{caller: newCaller(g.now), config: c, token: g.tokens(scopeMessaging)}
}

// Purposes are those of the configuration.
func (f *fcm) Purposes() []string { return slices.Sorted(maps.Keys(f.config.Purposes)) }

// Do carries out a task.
func (f *fcm) Do(ctx context.Context, t Task) (Outcome, error) {
	topics := f.config.Purposes[t.Purpose].Topics
	if len(topics) == 0 {
		return settled(privacy.NoteOwnStop), nil
	}
	told := false
	for _, phone := range t.IDs.Devices {
		if phone.PushToken == "" {
			continue
		}
		told = true
		for _, topic := range topics {
			a, err := f.call(ctx, phone.PushToken, topic, t.Action == privacy.ActionAllow)
			if err != nil || a.State != privacy.DeliveryConfirmed {
				return a.Outcome, err
			}
		}
	}
	if !told {
		return noAddress(), nil
	}
	return Outcome{State: privacy.DeliveryConfirmed, Status: http.StatusOK}, nil
}

func (f *fcm) call(ctx context.Context, registration, topic string, subscribe bool) (answer, error) {
	r := request{method: http.MethodDelete}
	path := "/v1/projects/" + url.PathEscape(f.config.Project) + "/registrations/" + url.PathEscape(registration) + "/topicSubscriptions"
	r.url = join(f.config.BaseURL, path+"/"+url.PathEscape(topic))
	already := http.StatusNotFound // unsubscribed, or the app is gone from the phone
	if subscribe {
		r.method, r.json, already = http.MethodPost, struct{}{}, http.StatusConflict
		r.url = join(f.config.BaseURL, path+"?"+url.Values{"topic_name": {topic}}.Encode())
	}
	a, err := f.token.with(ctx, func(token string) (answer, error) {
		r.bearer = token
		return f.do(ctx, r)
	})
	if a.Status == already || a.Status == http.StatusNotFound {
		a.State = privacy.DeliveryConfirmed
	}
	return a, err
}
