package fulfil

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"elekt.no/innsyn/privacy"
)

// SveveURL is Sveve's address.
const SveveURL = "https://sveve.no"

// SveveConfig is the company's account at Sveve, which sends SMS.
type SveveConfig struct {
	BaseURL      string `yaml:"base_url"` // SveveURL if empty
	User         string `yaml:"user"`
	Password     string `yaml:"password"`
	PasswordFile string `yaml:"password_file"`
	From         string `yaml:"from"` // sender's name, at most 11 characters
	// Purposes are those of the catalogue that SMS are sent for.
	Purposes []string `yaml:"purposes"`
}

// mostSender is how long Sveve lets a sender's name be.
const mostSender = 11

// Validate names the first fault of the configuration.
func (c *SveveConfig) Validate() error {
	switch {
	case c.User == "":
		return errors.New("user is missing")
	case c.Password == "":
		return errors.New("password is missing")
	case c.From == "":
		return errors.New("from is missing")
	case len(c.From) > mostSender:
		return fmt.Errorf("from: %q is longer than %d characters", c.From, mostSender)
	}
	if err := validBase(c.BaseURL); err != nil {
		return fmt.Errorf("base_url: %w", err)
	}
	return nil
}

type sveve struct {
	config SveveConfig
	list   *smsList // whom nothing is sent about; nil where nothing with a purpose is sent
	http   *http.Client
	now    func() time.Time
}

func newSveve(c SveveConfig, now func() time.Time) *sveve {
	if c.BaseURL == "" {
		c.BaseURL = SveveURL
	}
	return &sveve{config: c, http: newHTTPClient(), now: now}
}

// sveveAnswer is what SendMessage answers, with status 200 also when it sent nothing.
type sveveAnswer struct {
	Response struct {
		OK     int `json:"msgOkCount"`
		Errors []struct {
			Message string `json:"message"`
		} `json:"errors"`
		Fatal string `json:"fatalError"`
	} `json:"response"`
}

// send sends an SMS to a number in E.164. ref is an opaque id of the message.
// Always POST: a GET would put number, text and password into logs on the way.
func (s *sveve) send(ctx context.Context, to, text, ref string) (Outcome, error) {
	form := url.Values{"user": {s.config.User}, "passwd": {s.config.Password}, "to": {to}, "msg": {text},
		"from": {s.config.From}, "ref": {ref}, "f": {"json"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(s.config.BaseURL, "/")+"/SMS/SendMessage",
		strings.NewReader(form.Encode()))
	if err != nil {
		return Outcome{State: privacy.DeliveryNeedsManual, Note: "bad-address"}, nil
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a, err := call(s.http, req, s.now)
	if err != nil || a.State != privacy.DeliveryConfirmed {
		return a.Outcome, err
	}
	var out sveveAnswer
	switch err := json.Unmarshal(a.body, &out); {
	case err != nil:
		a.State, a.Note = privacy.DeliveryNeedsManual, "bad-answer"
	case out.Response.Fatal != "":
		a.State, a.Note = privacy.DeliveryNeedsManual, "fatal"
	case len(out.Response.Errors) > 0 || out.Response.OK != 1:
		a.State, a.Note = privacy.DeliveryNeedsManual, "number-refused"
	default:
		a.State = privacy.DeliveryAccepted
	}
	return a.Outcome, nil
}
