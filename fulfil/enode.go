package fulfil

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"elekt.no/innsyn/privacy"
)

// Enode's addresses in production.
const (
	EnodeAuthURL = "https://oauth.production.enode.io"
	EnodeURL     = "https://enode-api.production.enode.io"
)

// EnodeConfig is the company's account at Enode.
type EnodeConfig struct {
	AuthURL          string                  `yaml:"auth_url"` // EnodeAuthURL if empty
	BaseURL          string                  `yaml:"base_url"` // EnodeURL if empty
	ClientID         string                  `yaml:"client_id"`
	ClientSecret     string                  `yaml:"client_secret"`
	ClientSecretFile string                  `yaml:"client_secret_file"`
	Purposes         map[string]EnodePurpose `yaml:"purposes"`
}

// EnodePurpose says how much of what Enode has goes with a purpose. Enode has one
// user and one set of links to cars and chargers for a person, whatever they are
// used for.
type EnodePurpose struct {
	// Stop is authorization (all links to the person's cars and chargers end, and
	// they must be linked anew) or own (nothing is said: the company stops asking).
	// own if empty.
	Stop string `yaml:"stop"`
	// Erase is user (everything about the person) or nothing. nothing if empty.
	Erase string `yaml:"erase"`
}

// Validate names the first fault of the configuration.
func (c *EnodeConfig) Validate() error {
	if c.ClientID == "" {
		return errors.New("client_id is missing")
	}
	if c.ClientSecret == "" {
		return errors.New("client_secret is missing")
	}
	for _, id := range slices.Sorted(maps.Keys(c.Purposes)) {
		if s := c.Purposes[id].Stop; s != "" && s != "own" && s != "authorization" {
			return fmt.Errorf("purposes.%s: stop is %q, must be authorization or own", id, s)
		}
		if s := c.Purposes[id].Erase; s != "" && s != "nothing" && s != "user" {
			return fmt.Errorf("purposes.%s: erase is %q, must be user or nothing", id, s)
		}
	}
	return validURLs(map[string]string{"auth_url": c.AuthURL, "base_url": c.BaseURL})
}

// enode tells Enode, which runs smart charging. A stop takes away Enode's access to
// the cars and keeps the user; an erasure deletes both.
type enode struct {
	identified
	caller
	config EnodeConfig
	token  *tokens
}

func newEnode(c EnodeConfig, now func() time.Time) *enode {
	c.AuthURL, c.BaseURL = or(c.AuthURL, EnodeAuthURL), or(c.BaseURL, EnodeURL)
	e := &enode{caller: newCaller(now), config: c}
	e.token = &tokens{now: now, parse: oauthToken, fetch: func(ctx context.Context) (answer, error) {
		return e.do(ctx, request{method: http.MethodPost, url: join(c.AuthURL, "/oauth2/token"),
			basic: url.UserPassword(c.ClientID, c.ClientSecret), form: url.Values{"grant_type": {"client_credentials"}}})
	}}
	return e
}

// Purposes are those of the configuration.
func (e *enode) Purposes() []string { return slices.Sorted(maps.Keys(e.config.Purposes)) }

// Do carries out a task.
func (e *enode) Do(ctx context.Context, t Task) (Outcome, error) {
	user, p := t.own("enode", "user"), e.config.Purposes[t.Purpose]
	if user == "" {
		return noAddress(), nil
	}
	path := "/users/" + url.PathEscape(user)
	switch t.Action {
	case privacy.ActionAllow: // the person links the car again, in the app
		return settled(privacy.NoteOwnStop), nil
	case privacy.ActionStop:
		if p.Stop != "authorization" {
			return settled(privacy.NoteOwnStop), nil
		}
		return e.remove(ctx, path+"/authorization")
	case privacy.ActionErase:
		if p.Erase != "user" {
			return settled(privacy.NoteNothingKept), nil
		}
		if t.stillNeeded(e.Purposes()) {
			return settled(privacy.NoteStillNeeded), nil
		}
		return e.remove(ctx, path)
	}
	return unknownAction(), nil
}

func (e *enode) remove(ctx context.Context, path string) (Outcome, error) {
	a, err := e.token.with(ctx, func(token string) (answer, error) {
		return e.do(ctx, request{method: http.MethodDelete, url: join(e.config.BaseURL, path), bearer: token})
	})
	if gone(a) {
		a.State = privacy.DeliveryConfirmed
	}
	return a.Outcome, err
}
