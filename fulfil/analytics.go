package fulfil

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// AnalyticsURL is the address of Google Analytics' Admin API.
const AnalyticsURL = "https://analyticsadmin.googleapis.com"

// AnalyticsConfig is the company's property at Google Analytics.
type AnalyticsConfig struct {
	BaseURL  string   `yaml:"base_url"` // AnalyticsURL if empty
	Property string   `yaml:"property"` // its number
	Purposes []string `yaml:"purposes"`
	// Identifiers under which the company gave people to Analytics: user_id (the
	// app's account id), app_instance and client (partner accounts of that kind),
	// email, phone. user_id and app_instance if empty.
	Identifiers []string `yaml:"identifiers"`
}

var analyticsIdentifiers = []string{"user_id", "app_instance", "client", "email", "phone"}

// Validate names the first fault of the configuration.
func (c *AnalyticsConfig) Validate() error {
	if c.Property == "" || onlyDigits(c.Property) != c.Property {
		return fmt.Errorf("property: %q is not the number of a property", c.Property)
	}
	for _, id := range c.Identifiers {
		if !slices.Contains(analyticsIdentifiers, id) {
			return fmt.Errorf("identifiers: %q is none of %v", id, analyticsIdentifiers)
		}
	}
	return validURLs(map[string]string{"base_url": c.BaseURL})
}

// analytics has the data of a person deleted at Google Analytics. What is counted
// from now on is decided by the flag in the app, so a stop waits for the phones. A
// deletion is one call for each name under which Analytics knows the person; when
// it is carried out nobody is told.
type analytics struct {
	identified
	caller
	config AnalyticsConfig
	token  *tokens
	phones *device
}

func newAnalytics(c AnalyticsConfig, g *google, phones *device) *analytics {
	c.BaseURL = or(c.BaseURL, AnalyticsURL)
	if len(c.Identifiers) == 0 {
		c.Identifiers = []string{"user_id", "app_instance"}
	}
	return &analytics{caller: newCaller(g.now), config: c, token: g.tokens(scopeAnalytics), phones: phones}
}

// Purposes are those of the configuration.
func (a *analytics) Purposes() []string { return a.config.Purposes }

// analyticsUser names a person in exactly one way.
type analyticsUser struct {
	UserID           string `json:"userId,omitempty"`
	ClientID         string `json:"clientId,omitempty"`
	AppInstanceID    string `json:"appInstanceId,omitempty"`
	UserProvidedData string `json:"userProvidedData,omitempty"`
}

// Do carries out a task.
func (a *analytics) Do(ctx context.Context, t Task) (Outcome, error) {
	switch t.Action {
	case privacy.ActionStop, privacy.ActionAllow:
		return a.phones.wait(ctx, t)
	case privacy.ActionErase:
		if t.stillNeeded(a.config.Purposes) {
			return settled(privacy.NoteStillNeeded), nil
		}
		return a.erase(ctx, t)
	}
	return unknownAction(), nil
}

// Poll looks again whether the phones have applied it.
func (a *analytics) Poll(ctx context.Context, t Task, p store.Pending) (Outcome, error) {
	return a.phones.Poll(ctx, t, p)
}

func (a *analytics) names(t Task) (out []analyticsUser) {
	for _, kind := range a.config.Identifiers {
		switch kind {
		case "user_id":
			if t.IDs.Account != "" {
				out = append(out, analyticsUser{UserID: t.IDs.Account})
			}
		case "app_instance":
			for _, id := range t.IDs.At("google-analytics", "app-instance") {
				out = append(out, analyticsUser{AppInstanceID: id})
			}
		case "client":
			for _, id := range t.IDs.At("google-analytics", "client") {
				out = append(out, analyticsUser{ClientID: id})
			}
		case "email":
			if e := googlePlainEmail(t.Contact.Email); e != "" {
				out = append(out, analyticsUser{UserProvidedData: e})
			}
		case "phone":
			if p := googlePlainPhone(t.Contact.Phone); p != "" {
				out = append(out, analyticsUser{UserProvidedData: p})
			}
		}
	}
	return out
}

func (a *analytics) erase(ctx context.Context, t Task) (Outcome, error) {
	names := a.names(t)
	if len(names) == 0 {
		return noAddress(), nil
	}
	for _, n := range names {
		got, err := a.token.with(ctx, func(token string) (answer, error) {
			return a.do(ctx, request{method: http.MethodPost, url: join(a.config.BaseURL, "/v1alpha/properties/"+a.config.Property+":submitUserDeletion"),
				bearer: token, json: n})
		})
		if err != nil || got.State != privacy.DeliveryConfirmed {
			return got.Outcome, err
		}
		var taken struct {
			At string `json:"deletionRequestTime"`
		}
		if !got.read(&taken) || taken.At == "" {
			return Outcome{State: privacy.DeliveryNeedsManual, Status: got.Status, Note: "bad-answer"}, nil
		}
	}
	return Outcome{State: privacy.DeliveryAccepted, Status: http.StatusOK, Note: privacy.NoteNotSignalled}, nil
}
