package fulfil

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"elekt.no/innsyn/privacy"
)

// EliqAuthURL is where Eliq gives out access tokens.
const EliqAuthURL = "https://auth-api.eliq.com"

// EliqConfig is the company's account at Eliq. The addresses of the two interfaces
// are the company's own and come from Eliq.
type EliqConfig struct {
	AuthURL          string                 `yaml:"auth_url"`     // EliqAuthURL if empty
	DataURL          string                 `yaml:"data_url"`     // Data Management, with its path
	InsightsURL      string                 `yaml:"insights_url"` // Insights, with its path
	ClientID         string                 `yaml:"client_id"`
	ClientSecret     string                 `yaml:"client_secret"`
	ClientSecretFile string                 `yaml:"client_secret_file"`
	Purposes         map[string]EliqPurpose `yaml:"purposes"`
}

// EliqPurpose is how a purpose is known at Eliq.
type EliqPurpose struct {
	// Consent is the name of the consent at Eliq that goes with the purpose; if it is
	// empty, the company's own stop is all there is.
	Consent string `yaml:"consent"`
}

// Validate names the first fault of the configuration.
func (c *EliqConfig) Validate() error {
	if c.ClientID == "" {
		return errors.New("client_id is missing")
	}
	if c.ClientSecret == "" {
		return errors.New("client_secret is missing")
	}
	if c.DataURL == "" {
		return errors.New("data_url is missing")
	}
	for _, id := range slices.Sorted(maps.Keys(c.Purposes)) {
		if c.Purposes[id].Consent != "" && c.InsightsURL == "" {
			return fmt.Errorf("purposes.%s: a consent needs insights_url", id)
		}
	}
	return validURLs(map[string]string{"auth_url": c.AuthURL, "data_url": c.DataURL, "insights_url": c.InsightsURL})
}

// eliq tells Eliq, which analyses what uses electricity in a home. The person is
// known there by an id of the company's own.
//
// A stop turns off the consent that goes with the purpose; the company sends
// nothing more from the moment of the choice. An erasure deletes meters, homes and
// user in that order, because that a deletion takes along what hangs below is
// written nowhere, and is done when Eliq no longer knows the user.
type eliq struct {
	identified
	caller
	config         EliqConfig
	data, insights *tokens
}

func newEliq(c EliqConfig, now func() time.Time) *eliq {
	c.AuthURL = or(c.AuthURL, EliqAuthURL)
	e := &eliq{caller: newCaller(now), config: c}
	e.data, e.insights = e.tokens("data-management-api"), e.tokens("insights-api")
	return e
}

func (e *eliq) tokens(audience string) *tokens {
	return &tokens{now: e.now, parse: oauthToken, fetch: func(ctx context.Context) (answer, error) {
		return e.do(ctx, request{method: http.MethodPost, url: join(e.config.AuthURL, "/oauth/token"), form: url.Values{
			"grant_type": {"client_credentials"}, "client_id": {e.config.ClientID}, "client_secret": {e.config.ClientSecret}, "aud": {audience}}})
	}}
}

// Purposes are those of the configuration.
func (e *eliq) Purposes() []string { return slices.Sorted(maps.Keys(e.config.Purposes)) }

// Do carries out a task.
func (e *eliq) Do(ctx context.Context, t Task) (Outcome, error) {
	user := t.own("eliq", "user")
	if user == "" {
		return noAddress(), nil
	}
	consent := e.config.Purposes[t.Purpose].Consent
	switch t.Action {
	case privacy.ActionStop, privacy.ActionAllow:
		if consent == "" {
			return settled(privacy.NoteOwnStop), nil
		}
		return e.consent(ctx, user, consent, t.Action == privacy.ActionAllow)
	case privacy.ActionErase:
		if t.stillNeeded(e.Purposes()) {
			return settled(privacy.NoteStillNeeded), nil
		}
		return e.erase(ctx, user)
	}
	return unknownAction(), nil
}

// eliqConsent is one of a user's consents at Eliq.
type eliqConsent struct {
	Version  string `json:"version_id"`
	Name     string `json:"name"`
	Given    bool   `json:"given_consent"`
	Language string `json:"language_code"`
}

// consent turns one of the user's consents on or off, in the version that Eliq has.
// The Insights interface knows people by Eliq's own number.
func (e *eliq) consent(ctx context.Context, user, name string, given bool) (Outcome, error) {
	a, err := e.call(ctx, e.data, http.MethodGet, e.config.DataURL, "/users/"+url.PathEscape(user), nil)
	if err != nil || a.State != privacy.DeliveryConfirmed {
		return eliqGone(a).Outcome, err
	}
	var known struct {
		ID int64 `json:"eliq_id"`
	}
	if !a.read(&known) {
		return a.Outcome, nil
	}
	if known.ID == 0 {
		return Outcome{State: privacy.DeliveryNeedsManual, Status: a.Status, Note: "no-eliq-id"}, nil
	}
	path := "/users/" + strconv.FormatInt(known.ID, 10) + "/consents"
	if a, err = e.call(ctx, e.insights, http.MethodGet, e.config.InsightsURL, path, nil); err != nil || a.State != privacy.DeliveryConfirmed {
		return eliqGone(a).Outcome, err
	}
	var all []eliqConsent
	if !a.read(&all) {
		return a.Outcome, nil
	}
	i := slices.IndexFunc(all, func(c eliqConsent) bool { return c.Name == name })
	if i < 0 {
		return Outcome{State: privacy.DeliveryNeedsManual, Status: a.Status, Note: "no-such-consent"}, nil
	}
	if all[i].Given == given {
		return a.Outcome, nil
	}
	all[i].Given = given
	a, err = e.call(ctx, e.insights, http.MethodPut, e.config.InsightsURL, path, all[i:i+1])
	return a.Outcome, err
}

// eliqThing is something that has an id of the company's own.
type eliqThing struct {
	ID string `json:"id"`
}

func (e *eliq) erase(ctx context.Context, user string) (Outcome, error) {
	userPath := "/users/" + url.PathEscape(user)
	homes, a, err := e.things(ctx, userPath+"/locations")
	if err != nil || a.State != privacy.DeliveryConfirmed {
		return a.Outcome, err
	}
	for _, home := range homes {
		path := "/locations/" + url.PathEscape(home.ID)
		meters, a, err := e.things(ctx, path+"/meters")
		if err != nil || a.State != privacy.DeliveryConfirmed {
			return a.Outcome, err
		}
		for _, m := range meters {
			if a, err := e.remove(ctx, "/meters/"+url.PathEscape(m.ID)); err != nil || a.State != privacy.DeliveryConfirmed {
				return a.Outcome, err
			}
		}
		for _, p := range []string{path + "/homeprofile", path} {
			if a, err := e.remove(ctx, p); err != nil || a.State != privacy.DeliveryConfirmed {
				return a.Outcome, err
			}
		}
	}
	if a, err := e.remove(ctx, userPath); err != nil || a.State != privacy.DeliveryConfirmed {
		return a.Outcome, err
	}
	a, err = e.call(ctx, e.data, http.MethodGet, e.config.DataURL, userPath, nil)
	if err != nil {
		return Outcome{}, err
	}
	if a.State == privacy.DeliveryConfirmed { // still there
		return Outcome{State: privacy.DeliveryFailed, Status: a.Status, Note: "still-there"}, nil
	}
	return eliqGone(a).Outcome, nil
}

// things lists what hangs below something; nothing if that is gone.
func (e *eliq) things(ctx context.Context, path string) ([]eliqThing, answer, error) {
	a, err := e.call(ctx, e.data, http.MethodGet, e.config.DataURL, path, nil)
	if err != nil {
		return nil, a, err
	}
	var out []eliqThing
	if a.State == privacy.DeliveryConfirmed {
		a.read(&out)
	}
	return out, eliqGone(a), nil
}

func (e *eliq) remove(ctx context.Context, path string) (answer, error) {
	a, err := e.call(ctx, e.data, http.MethodDelete, e.config.DataURL, path, nil)
	return eliqGone(a), err
}

func (e *eliq) call(ctx context.Context, t *tokens, method, base, path string, body any) (answer, error) {
	return t.with(ctx, func(token string) (answer, error) {
		return e.do(ctx, request{method: method, url: join(base, path), bearer: token, json: body})
	})
}

// eliqGone makes "not there" of an answer a success. Eliq says it with 404, or with
// 400 and a code.
func eliqGone(a answer) answer {
	var fault struct {
		Code string `json:"code"`
	}
	if a.Status == http.StatusNotFound ||
		a.Status == http.StatusBadRequest && (&answer{body: a.body}).read(&fault) && strings.HasSuffix(fault.Code, "_NOT_FOUND") {
		a.State = privacy.DeliveryConfirmed
	}
	return a
}
