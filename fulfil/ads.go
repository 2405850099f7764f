package fulfil

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// AdsURL is the address of Google's Data Manager API.
const AdsURL = "https://datamanager.googleapis.com"

// AdsConfig is the company's account at Google Ads.
type AdsConfig struct {
	BaseURL      string                `yaml:"base_url"`      // AdsURL if empty
	Account      string                `yaml:"account"`       // customer id, digits
	LoginAccount string                `yaml:"login_account"` // manager account through which it is reached, if any
	Purposes     map[string]AdsPurpose `yaml:"purposes"`
}

// AdsPurpose is what Google Ads has for a purpose.
type AdsPurpose struct {
	Lists []string `yaml:"lists"` // ids of customer lists
}

// mostLists is how many lists one call may name.
const mostLists = 10

// Validate names the first fault of the configuration.
func (c *AdsConfig) Validate() error {
	if c.Account == "" || onlyDigits(c.Account) != c.Account {
		return fmt.Errorf("account: %q is not a customer id without hyphens", c.Account)
	}
	if onlyDigits(c.LoginAccount) != c.LoginAccount {
		return fmt.Errorf("login_account: %q is not a customer id without hyphens", c.LoginAccount)
	}
	for _, id := range slices.Sorted(maps.Keys(c.Purposes)) {
		lists := c.Purposes[id].Lists
		if len(lists) == 0 || len(lists) > mostLists {
			return fmt.Errorf("purposes.%s: between one and %d lists", id, mostLists)
		}
		for _, l := range lists {
			if l == "" || onlyDigits(l) != l {
				return fmt.Errorf("purposes.%s: %q is not the id of a list", id, l)
			}
		}
	}
	return validURLs(map[string]string{"base_url": c.BaseURL})
}

// ads takes people off Google Ads' customer lists. They are known there by hashes;
// what is on a list can't be read back, so done is what Google says of the request
// when it is asked later.
type ads struct {
	caller
	config AdsConfig
	token  *tokens
}

func newAds(c AdsConfig, g *google) *ads {
	c.BaseURL = or(c.BaseURL, AdsURL)
	return &ads{caller: newCaller(g.now), config: c, token: g.tokens(scopeAds)}
}

// Purposes are those of the configuration.
func (a *ads) Purposes() []string { return slices.Sorted(maps.Keys(a.config.Purposes)) }

// adsRemoval is the request; its types below it.
type adsRemoval struct {
	Destinations []adsDestination `json:"destinations"`
	Members      []adsMember      `json:"audienceMembers"`
	Encoding     string           `json:"encoding"`
}

type adsDestination struct {
	Login     *adsAccount `json:"loginAccount,omitempty"`
	Operating adsAccount  `json:"operatingAccount"`
	List      string      `json:"productDestinationId"`
}

type adsAccount struct {
	Type string `json:"accountType"`
	ID   string `json:"accountId"`
}

type adsMember struct {
	UserData struct {
		Identifiers []adsIdentifier `json:"userIdentifiers"`
	} `json:"userData"`
}

type adsIdentifier struct {
	Email string `json:"emailAddress,omitempty"`
	Phone string `json:"phoneNumber,omitempty"`
}

// Do carries out a task. An erasure is the same removal once more: it may have been
// undone in between by an upload that was under way.
func (a *ads) Do(ctx context.Context, t Task) (Outcome, error) {
	if t.Action == privacy.ActionAllow { // the company's next upload brings the person back
		return settled(privacy.NoteOwnStop), nil
	}
	var m adsMember
	if h := googleEmail(t.Contact.Email); h != "" {
		m.UserData.Identifiers = append(m.UserData.Identifiers, adsIdentifier{Email: h})
	}
	if h := googlePhone(t.Contact.Phone); h != "" {
		m.UserData.Identifiers = append(m.UserData.Identifiers, adsIdentifier{Phone: h})
	}
	if len(m.UserData.Identifiers) == 0 {
		return noAddress(), nil
	}
	removal := adsRemoval{Members: []adsMember{m}, Encoding: "HEX"}
	for _, list := range a.config.Purposes[t.Purpose].Lists {
		d := adsDestination{Operating: adsAccount{"GOOGLE_ADS", a.config.Account}, List: list}
		if a.config.LoginAccount != "" {
			d.Login = &adsAccount{"GOOGLE_ADS", a.config.LoginAccount}
		}
		removal.Destinations = append(removal.Destinations, d)
	}
	got, err := a.token.with(ctx, func(token string) (answer, error) {
		return a.do(ctx, request{method: http.MethodPost, url: join(a.config.BaseURL, "/v1/audienceMembers:remove"), bearer: token, json: removal})
	})
	if err != nil || got.State != privacy.DeliveryConfirmed {
		return got.Outcome, err
	}
	var taken struct {
		ID string `json:"requestId"`
	}
	if !got.read(&taken) || taken.ID == "" {
		return Outcome{State: privacy.DeliveryNeedsManual, Status: got.Status, Note: "bad-answer"}, nil
	}
	return Outcome{State: privacy.DeliveryAccepted, Status: got.Status, Handle: taken.ID, AskAfter: adsFirst}, nil
}

// adsFirst is when a request is asked about for the first time.
const adsFirst = 30 * time.Second

// Poll asks how a request has gone, for each list.
func (a *ads) Poll(ctx context.Context, _ Task, p store.Pending) (Outcome, error) {
	got, err := a.token.with(ctx, func(token string) (answer, error) {
		return a.do(ctx, request{method: http.MethodGet, bearer: token,
			url: join(a.config.BaseURL, "/v1/requestStatus:retrieve?"+url.Values{"requestId": {p.Handle}}.Encode())})
	})
	if err != nil || got.State != privacy.DeliveryConfirmed {
		return unasked(got), err
	}
	var status struct {
		Each []struct {
			Status string `json:"requestStatus"`
		} `json:"requestStatusPerDestination"`
	}
	if !got.read(&status) || len(status.Each) == 0 {
		return Outcome{State: privacy.DeliveryNeedsManual, Status: got.Status, Note: "bad-answer"}, nil
	}
	out := got.Outcome
	for _, s := range status.Each {
		switch s.Status {
		case "SUCCESS":
		case "PROCESSING", "REQUEST_STATUS_UNKNOWN":
			out = worse(out, Outcome{State: privacy.DeliveryAccepted, Status: got.Status})
		case "FAILED", "PARTIAL_SUCCESS": // one person: partly is not
			out = worse(out, Outcome{State: privacy.DeliveryFailed, Status: got.Status, Note: "later-failed"})
		default:
			out = worse(out, Outcome{State: privacy.DeliveryNeedsManual, Status: got.Status, Note: "bad-answer"})
		}
	}
	return out, nil
}
