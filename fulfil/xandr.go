package fulfil

import (
	"context"
	"errors"
	"net/http"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// XandrURL is the address of Xandr's interface (Microsoft Monetize).
const XandrURL = "https://api.appnexus.com"

// XandrConfig is the company's membership at Xandr, if it has one.
type XandrConfig struct {
	BaseURL      string `yaml:"base_url"` // XandrURL if empty
	User         string `yaml:"user"`     // of type member
	Password     string `yaml:"password"`
	PasswordFile string `yaml:"password_file"`
}

// Validate names the first fault of the configuration.
func (c *XandrConfig) Validate() error {
	switch {
	case c.User == "":
		return errors.New("user is missing")
	case c.Password == "":
		return errors.New("password is missing")
	}
	return validURLs(map[string]string{"base_url": c.BaseURL})
}

// xandr is reached through the ad kit in the app: a stop is a flag on the phones,
// since Xandr forgetting an advertising id doesn't keep it from learning it anew. An
// erasure asks Xandr to forget the ids, if the company is a member; else a human
// writes.
type xandr struct {
	all
	identified
	caller
	config *XandrConfig // nil: not a member
	token  *tokens
	phones *device
}

func newXandr(c *XandrConfig, phones *device) *xandr {
	x := &xandr{all: phones.all, caller: newCaller(phones.now), phones: phones}
	if c == nil {
		return x
	}
	config := *c
	config.BaseURL = or(config.BaseURL, XandrURL)
	x.config = &config
	x.token = &tokens{now: phones.now, parse: xandrToken, fetch: func(ctx context.Context) (answer, error) {
		var login xandrLogin
		login.Auth.Username, login.Auth.Password = config.User, config.Password
		return x.do(ctx, request{method: http.MethodPost, url: join(config.BaseURL, "/auth"), json: login})
	}}
	return x
}

type xandrLogin struct {
	Auth struct {
		Username string `json:"username"`
		Password string `json:"password"`
	} `json:"auth"`
}

// xandrToken reads the token, which is good for two hours. A refusal may come with
// status 200.
func xandrToken(a *answer) (string, time.Duration) {
	var body struct {
		Response struct {
			Token string `json:"token"`
		} `json:"response"`
	}
	a.read(&body)
	return body.Response.Token, 2 * time.Hour
}

// xandrRequest asks for a deletion.
type xandrRequest struct {
	Identifier string `json:"identifier"`
	Type       string `json:"identifier_type"`
	Request    string `json:"request_type"`
}

// Do carries out a task.
func (x *xandr) Do(ctx context.Context, t Task) (Outcome, error) {
	switch {
	case t.Action == privacy.ActionStop, t.Action == privacy.ActionAllow:
		return x.phones.wait(ctx, t)
	case t.Action != privacy.ActionErase:
		return unknownAction(), nil
	case x.config == nil:
		return byHand(TaskAds), nil
	}
	told := false
	for _, phone := range t.IDs.Devices {
		if phone.Advertising == "" {
			continue
		}
		told = true
		a, err := x.token.with(ctx, func(token string) (answer, error) {
			return x.do(ctx, request{method: http.MethodPost, url: join(x.config.BaseURL, "/privacy/consumer-request"),
				header: map[string]string{"Authorization": token}, json: xandrRequest{phone.Advertising, "maid", "delete"}})
		})
		if err != nil || a.State != privacy.DeliveryConfirmed {
			return a.Outcome, err
		}
	}
	if !told {
		return noAddress(), nil
	}
	return Outcome{State: privacy.DeliveryAccepted, Status: http.StatusOK, Note: privacy.NoteNotSignalled}, nil
}

// Poll looks again whether the phones have applied it.
func (x *xandr) Poll(ctx context.Context, t Task, p store.Pending) (Outcome, error) {
	return x.phones.Poll(ctx, t, p)
}
