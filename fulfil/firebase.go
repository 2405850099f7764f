package fulfil

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// FirebaseURL is the address at which Firebase deletes installations.
const FirebaseURL = "https://console.firebase.google.com"

// FirebaseConfig is the company's Firebase project.
type FirebaseConfig struct {
	BaseURL  string   `yaml:"base_url"` // FirebaseURL if empty
	Project  string   `yaml:"project"`  // its id
	Purposes []string `yaml:"purposes"`
}

// Validate names the first fault of the configuration.
func (c *FirebaseConfig) Validate() error {
	if c.Project == "" {
		return errors.New("project is missing")
	}
	return validURLs(map[string]string{"base_url": c.BaseURL})
}

// firebase deletes installations of the app, and with them what Firebase has of the
// phone, within 180 days, of which nobody is told. What is collected from now on is
// decided by flags in the app, so a stop waits for the phones. An installation
// serves all purposes at once, so it is deleted when the person has said no to all
// of them; the app gets a new one when it needs one.
type firebase struct {
	identified
	caller
	config FirebaseConfig
	token  *tokens
	phones *device
}

func newFirebase(c FirebaseConfig, g *google, phones *device) *firebase {
	c.BaseURL = or(c.BaseURL, FirebaseURL)
	return &firebase{caller: newCaller(g.now), config: c, token: g.tokens(scopeFirebase), phones: phones}
}

// Purposes are those of the configuration.
func (f *firebase) Purposes() []string { return f.config.Purposes }

// Do carries out a task.
func (f *firebase) Do(ctx context.Context, t Task) (Outcome, error) {
	switch t.Action {
	case privacy.ActionStop, privacy.ActionAllow:
		return f.phones.wait(ctx, t)
	case privacy.ActionErase:
		if t.stillNeeded(f.config.Purposes) {
			return settled(privacy.NoteStillNeeded), nil
		}
		return f.erase(ctx, t)
	}
	return unknownAction(), nil
}

// Poll looks again whether the phones have applied it.
func (f *firebase) Poll(ctx context.Context, t Task, p store.Pending) (Outcome, error) {
	return f.phones.Poll(ctx, t, p)
}

func (f *firebase) erase(ctx context.Context, t Task) (Outcome, error) {
	if len(t.IDs.Devices) == 0 {
		return noAddress(), nil
	}
	for _, phone := range t.IDs.Devices {
		a, err := f.token.with(ctx, func(token string) (answer, error) {
			return f.do(ctx, request{method: http.MethodDelete, bearer: token,
				url: join(f.config.BaseURL, "/v1/project/"+url.PathEscape(f.config.Project)+"/instanceId/"+url.PathEscape(phone.Installation))})
		})
		if err != nil {
			return Outcome{}, err
		}
		if !gone(a) && a.Status != http.StatusConflict { // 409: deleted already
			return a.Outcome, nil
		}
	}
	return Outcome{State: privacy.DeliveryAccepted, Status: http.StatusOK, Note: privacy.NoteNotSignalled}, nil
}
