package fulfil

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"elekt.no/innsyn/privacy"
)

// AiiaURL is the address of Aiia (Mastercard Open Finance) in Europe.
const AiiaURL = "https://api.nordicapigateway.com"

// Products of Aiia.
const (
	AiiaEnterprise = "enterprise" // for companies with a licence of their own
	AiiaData       = "data"       // under Aiia's licence
)

// AiiaConfig is the company's agreement with Aiia.
type AiiaConfig struct {
	BaseURL          string   `yaml:"base_url"` // AiiaURL if empty
	Product          string   `yaml:"product"`  // enterprise or data
	ClientID         string   `yaml:"client_id"`
	ClientSecret     string   `yaml:"client_secret"`
	ClientSecretFile string   `yaml:"client_secret_file"`
	Purposes         []string `yaml:"purposes"`
}

// Validate names the first fault of the configuration.
func (c *AiiaConfig) Validate() error {
	switch {
	case c.Product != AiiaEnterprise && c.Product != AiiaData:
		return fmt.Errorf("product is %q, must be %s or %s", c.Product, AiiaEnterprise, AiiaData)
	case c.Product == AiiaEnterprise && c.ClientID == "":
		return errors.New("client_id is missing")
	case c.Product == AiiaEnterprise && c.ClientSecret == "":
		return errors.New("client_secret is missing")
	}
	return validURLs(map[string]string{"base_url": c.BaseURL})
}

// aiia ends a person's consent to have their accounts read or paid from. With the
// product Enterprise that is a call for each login token that the company has; with
// Data there is none, and a human writes. Records of payments stay with Aiia, a
// payment firm of its own right: law: GDPR 17(3)(b)
type aiia struct {
	identified
	caller
	config AiiaConfig
}

func newAiia(c AiiaConfig, now func() time.Time) *aiia {
	c.BaseURL = or(c.BaseURL, AiiaURL)
	return &aiia{caller: newCaller(now), config: c}
}

// Purposes are those of the configuration.
func (a *aiia) Purposes() []string { return a.config.Purposes }

// Do carries out a task.
func (a *aiia) Do(ctx context.Context, t Task) (Outcome, error) {
	if t.Action == privacy.ActionAllow { // the person gives a new consent at the bank
		return settled(privacy.NoteOwnStop), nil
	}
	if a.config.Product == AiiaData {
		return byHand(TaskAiia), nil
	}
	logins := t.IDs.At("aiia", "login-token")
	if len(logins) == 0 {
		return noAddress(), nil
	}
	for _, login := range logins {
		got, err := a.do(ctx, request{method: http.MethodDelete, url: join(a.config.BaseURL, "/v2/consents"), header: map[string]string{
			"X-Client-Id": a.config.ClientID, "X-Client-Secret": a.config.ClientSecret, "X-Login-Token": login}})
		if err != nil || !gone(got) {
			return got.Outcome, err
		}
	}
	return Outcome{State: privacy.DeliveryConfirmed, Status: http.StatusNoContent}, nil
}
