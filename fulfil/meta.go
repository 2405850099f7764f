package fulfil

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"elekt.no/innsyn/privacy"
)

// MetaURL is the address of Meta's Graph API, and metaVersion the version whose
// documents were read.
const (
	MetaURL     = "https://graph.facebook.com"
	metaVersion = "/v25.0/"
)

// MetaConfig is the company's ad account at Meta.
type MetaConfig struct {
	BaseURL         string                 `yaml:"base_url"`     // MetaURL if empty
	AccessToken     string                 `yaml:"access_token"` // with ads_management
	AccessTokenFile string                 `yaml:"access_token_file"`
	Purposes        map[string]MetaPurpose `yaml:"purposes"`
}

// MetaPurpose is what Meta has for a purpose: audiences, or messages to a page,
// which no call reaches.
type MetaPurpose struct {
	Audiences []string `yaml:"audiences"` // ids of custom audiences
	Messages  bool     `yaml:"messages"`  // a human sees to messages
}

// Validate names the first fault of the configuration.
func (c *MetaConfig) Validate() error {
	if c.AccessToken == "" {
		return errors.New("access_token is missing")
	}
	for _, id := range slices.Sorted(maps.Keys(c.Purposes)) {
		p := c.Purposes[id]
		if len(p.Audiences) == 0 && !p.Messages {
			return fmt.Errorf("purposes.%s: audiences or messages", id)
		}
		for _, a := range p.Audiences {
			if a == "" || onlyDigits(a) != a {
				return fmt.Errorf("purposes.%s: %q is not the id of an audience", id, a)
			}
		}
	}
	return validURLs(map[string]string{"base_url": c.BaseURL})
}

// meta takes people off custom audiences. They are known there by hashes of their
// address and number; nothing can be read back, and it takes effect within a day,
// of which Meta tells nobody: such a row is never more than accepted.
type meta struct {
	caller
	config MetaConfig
}

func newMeta(c MetaConfig, now func() time.Time) *meta {
	c.BaseURL = or(c.BaseURL, MetaURL)
	return &meta{newCaller(now), c}
}

// Purposes are those of the configuration.
func (m *meta) Purposes() []string { return slices.Sorted(maps.Keys(m.config.Purposes)) }

// metaPayload names people to Meta.
type metaPayload struct {
	Schema []string   `json:"schema"`
	Data   [][]string `json:"data"`
}

// Do carries out a task. An erasure is the same removal once more: it may have been
// undone in between by an upload that was under way.
func (m *meta) Do(ctx context.Context, t Task) (Outcome, error) {
	p := m.config.Purposes[t.Purpose]
	if t.Action == privacy.ActionAllow { // the company's next upload brings the person back
		return settled(privacy.NoteOwnStop), nil
	}
	if len(p.Audiences) == 0 {
		return byHand(TaskMessages), nil
	}
	var who metaPayload
	var hashes []string
	for _, k := range []struct{ schema, hash string }{{"EMAIL", metaEmail(t.Contact.Email)}, {"PHONE", metaPhone(t.Contact.Phone)}} {
		if k.hash != "" {
			who.Schema, hashes = append(who.Schema, k.schema), append(hashes, k.hash)
		}
	}
	if len(hashes) == 0 {
		return noAddress(), nil
	}
	who.Data = [][]string{hashes}
	payload, err := json.Marshal(who)
	if err != nil {
		return Outcome{}, err
	}
	out := settled("")
	for _, audience := range p.Audiences {
		o, err := m.remove(ctx, audience, string(payload))
		if err != nil {
			return Outcome{}, err
		}
		if out = worse(out, o); out.State != privacy.DeliveryAccepted {
			return out, nil
		}
	}
	if p.Messages && t.Action == privacy.ActionErase {
		return byHand(TaskMessages), nil
	}
	return out, nil
}

// metaAnswer is what the Graph API answers. The samples of invalid entries are
// never read: they hold hashes.
type metaAnswer struct {
	Received int `json:"num_received"`
	Invalid  int `json:"num_invalid_entries"`
	Error    struct {
		Code      int  `json:"code"`
		Subcode   int  `json:"error_subcode"`
		Transient bool `json:"is_transient"`
	} `json:"error"`
}

// metaAgain are codes that asking again can mend, though they may come with 400:
// unknown and temporary faults, limits of rate, an update that failed.
var metaAgain = []int{1, 2, 4, 17, 32, 613, 2650, 80003}

// metaFlagged is the subcode of an audience that Meta has closed for changes.
const metaFlagged = 1713230

// The token and the hashes go in the body: an address would end up in logs.
func (m *meta) remove(ctx context.Context, audience, payload string) (Outcome, error) {
	a, err := m.do(ctx, request{method: http.MethodDelete, url: join(m.config.BaseURL, metaVersion+audience+"/users"),
		form: url.Values{"payload": {payload}, "access_token": {m.config.AccessToken}}})
	if err != nil || a.Status == 0 {
		return a.Outcome, err
	}
	var body metaAnswer
	readable := json.Unmarshal(a.body, &body) == nil
	switch {
	case a.State == privacy.DeliveryConfirmed && !readable:
		a.State, a.Note = privacy.DeliveryNeedsManual, "bad-answer"
	case a.State == privacy.DeliveryConfirmed && (body.Received != 1 || body.Invalid > 0):
		a.State, a.Note = privacy.DeliveryNeedsManual, "entry-refused"
	case a.State == privacy.DeliveryConfirmed:
		a.State, a.Note = privacy.DeliveryAccepted, privacy.NoteNotSignalled
	case readable && body.Error.Subcode == metaFlagged:
		a.State, a.Note, a.Task = privacy.DeliveryNeedsManual, "audience-closed", TaskAudience
	case readable && (body.Error.Transient || slices.Contains(metaAgain, body.Error.Code)):
		a.State, a.Note = privacy.DeliveryFailed, fmt.Sprintf("meta-%d", body.Error.Code)
	case readable && body.Error.Code != 0:
		a.Note = fmt.Sprintf("meta-%d", body.Error.Code)
	}
	return a.Outcome, nil
}
