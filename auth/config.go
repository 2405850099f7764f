package auth

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"elekt.no/innsyn/privacy"
)

// ProviderConfig describes one OpenID provider. docs/CONFIG.md explains each
// field. What a preset gives, a field that is set here replaces; Params are
// merged by name, and an empty value takes one away.
type ProviderConfig struct {
	ID     string `yaml:"id"`     // stands in the path /login/{id}
	Preset string `yaml:"preset"` // bankid, vipps, or empty
	Name   string `yaml:"name"`   // as people know it

	Issuer            string `yaml:"issuer"` // exactly as in the tokens, slash at the end or not
	ClientID          string `yaml:"client_id"`
	ClientAuth        string `yaml:"client_auth"` // client_secret_basic, client_secret_post, private_key_jwt
	ClientSecret      string `yaml:"client_secret"`
	ClientSecretFile  string `yaml:"client_secret_file"`
	Key               string `yaml:"key"` // PEM or JWK, for private_key_jwt
	KeyFile           string `yaml:"key_file"`
	KeyID             string `yaml:"key_id"`
	AssertionAudience string `yaml:"assertion_audience"` // the issuer if empty

	Scopes      []string          `yaml:"scopes"`
	Params      map[string]string `yaml:"params"`       // added to every authorization request
	FreshParams map[string]string `yaml:"fresh_params"` // added when the person must log in anew
	Locales     map[string]string `yaml:"locales"`      // our language → ui_locales

	ACR        map[string]privacy.Assurance `yaml:"acr"`     // acr in the token → level; others count as low
	Ask        map[string]string            `yaml:"ask"`     // level → acr_values to ask for it
	AskFor     privacy.Assurance            `yaml:"ask_for"` // the level that an ordinary login asks for
	TimeClaim  string                       `yaml:"time_claim"`
	Algorithms []string                     `yaml:"algorithms"`
	UserInfo   bool                         `yaml:"userinfo"` // fetch claims that the ID token lacks

	Subject       string `yaml:"subject"`     // claim with the stable subject
	NationalID    string `yaml:"national_id"` // claims; empty: the provider has none
	Phone         string `yaml:"phone"`
	PhoneVerified string `yaml:"phone_verified"` // "always", or the claim that says so
	GivenName     string `yaml:"given_name"`
	FamilyName    string `yaml:"family_name"`
	BirthDate     string `yaml:"birth_date"`
	AppAccount    string `yaml:"app_account"`

	Events          string   `yaml:"events"` // vipps, apple, google: what it may tell of its accounts; empty: nothing
	EventSecret     string   `yaml:"event_secret"`
	EventSecretFile string   `yaml:"event_secret_file"`
	EventAudiences  []string `yaml:"event_audiences"` // besides client_id

	Callback string        `yaml:"callback"` // path; /login/{id}/callback if empty
	Timeout  time.Duration `yaml:"timeout"`  // of one request to the provider; 10s if zero
}

// Ways in which the portal proves itself at the token endpoint.
const (
	SecretBasic   = "client_secret_basic"
	SecretPost    = "client_secret_post"
	PrivateKeyJWT = "private_key_jwt"
)

// Always, as PhoneVerified, means that the provider hands out verified numbers only.
const Always = "always"

// presets are the providers whose shape is known. What their documents leave
// open is set in the configuration.
var presets = map[string]ProviderConfig{
	// BankID OIDC, API version 4. The sub changes from login to login, so
	// bankid_altsub is the subject; auth_time is deprecated and iat stands for it.
	// acr_values are asked for without ";LOA=" and come back with it.
	"bankid": {
		Name:       "BankID",
		ClientAuth: PrivateKeyJWT,
		Scopes:     []string{"openid", "profile"},
		Params:     map[string]string{"api_version": "4"},
		Locales:    map[string]string{privacy.Bokmal: "nb", privacy.Nynorsk: "nb", privacy.English: "en"},
		ACR: map[string]privacy.Assurance{
			"urn:bankid:bid;LOA=4": privacy.AssuranceHigh,
			"urn:bankid:bis;LOA=3": privacy.AssuranceSubstantial,
		},
		Ask:        map[string]string{"high": "urn:bankid:bid", "substantial": "urn:bankid:bid urn:bankid:bis"},
		TimeClaim:  "iat",
		Algorithms: []string{"ES256"},
		Subject:    "bankid_altsub", NationalID: "nnin_altsub",
		GivenName: "given_name", FamilyName: "family_name", BirthDate: "birthdate",
	},
	// Vipps MobilePay Login API v2. Without the app's confirmation there is no acr:
	// the person may only be remembered by the browser.
	"vipps": {
		Name:       "Vipps",
		ClientAuth: SecretBasic,
		Scopes:     []string{"openid", "name", "phoneNumber", "birthDate"},
		ACR:        map[string]privacy.Assurance{"urn:vipps:acr:app_auth": privacy.AssuranceSubstantial},
		Ask:        map[string]string{"substantial": "urn:vipps:acr:app_auth"},
		AskFor:     privacy.AssuranceSubstantial,
		TimeClaim:  "auth_time",
		Algorithms: []string{"RS256"},
		Subject:    "sub", NationalID: "nin", Phone: "phone_number", PhoneVerified: Always,
		GivenName: "given_name", FamilyName: "family_name", BirthDate: "birthdate",
	},
}

// algorithms that an ID token may be signed with. None and the HMAC family are
// not among them and can't be configured. (checklist 14)
var algorithms = []string{"ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512", "EdDSA"}

// reserved are parameters that the flow itself sets.
var reserved = []string{"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge",
	"code_challenge_method", "acr_values", "ui_locales", "response_mode", "request", "request_uri", "id_token_hint", "login_hint"}

var providerID = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

// Validate tells what is wrong with a configuration, in words for whoever wrote it.
func (c ProviderConfig) Validate() error {
	_, err := c.complete()
	return err
}

// complete fills in preset and defaults and checks the result.
func (c ProviderConfig) complete() (ProviderConfig, error) {
	p, known := presets[c.Preset]
	if c.Preset != "" && !known {
		return c, fmt.Errorf("provider %q: preset %q is unknown; there are %s", c.ID, c.Preset,
			strings.Join(slices.Sorted(maps.Keys(presets)), ", "))
	}
	if err := c.checkEvents(); err != nil {
		return c, fmt.Errorf("provider %q: %w", c.ID, err)
	}
	c.Name, c.ClientAuth = or(c.Name, p.Name), or(c.ClientAuth, p.ClientAuth)
	c.TimeClaim, c.Subject = or(c.TimeClaim, or(p.TimeClaim, "auth_time")), or(c.Subject, or(p.Subject, "sub"))
	c.NationalID, c.Phone, c.PhoneVerified = or(c.NationalID, p.NationalID), or(c.Phone, p.Phone), or(c.PhoneVerified, p.PhoneVerified)
	c.GivenName, c.FamilyName = or(c.GivenName, or(p.GivenName, "given_name")), or(c.FamilyName, or(p.FamilyName, "family_name"))
	c.BirthDate, c.AppAccount = or(c.BirthDate, or(p.BirthDate, "birthdate")), or(c.AppAccount, p.AppAccount)
	c.AssertionAudience, c.Callback = or(c.AssertionAudience, c.Issuer), or(c.Callback, "/login/"+c.ID+"/callback")
	if c.Scopes == nil {
		c.Scopes = p.Scopes
	}
	if c.Locales == nil {
		c.Locales = p.Locales
	}
	if c.ACR == nil {
		c.ACR = p.ACR
	}
	if c.Ask == nil {
		c.Ask = p.Ask
	}
	if c.AskFor == privacy.AssuranceNone {
		c.AskFor = p.AskFor
	}
	if c.Algorithms == nil {
		c.Algorithms = p.Algorithms
	}
	params := maps.Clone(p.Params)
	if params == nil {
		params = map[string]string{}
	}
	maps.Copy(params, c.Params)
	maps.DeleteFunc(params, func(_, v string) bool { return v == "" })
	c.Params = params
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	if err := c.check(); err != nil {
		return c, fmt.Errorf("provider %q: %w", c.ID, err)
	}
	return c, nil
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (c ProviderConfig) check() error {
	if !providerID.MatchString(c.ID) {
		return errors.New("id must be a short word of a-z, 0-9 and -, beginning with a letter")
	}
	if c.Name == "" {
		return errors.New("name is missing")
	}
	if err := checkIssuer(c.Issuer); err != nil {
		return err
	}
	if c.ClientID == "" {
		return errors.New("client_id is missing")
	}
	if err := c.checkClientAuth(); err != nil {
		return err
	}
	if !slices.Contains(c.Scopes, "openid") {
		return errors.New("scopes must hold openid")
	}
	for _, m := range []map[string]string{c.Params, c.FreshParams} {
		for name := range m {
			if slices.Contains(reserved, name) {
				return fmt.Errorf("params: %s is set by the portal itself", name)
			}
		}
	}
	for lang := range c.Locales {
		if !slices.Contains(privacy.Languages, lang) {
			return fmt.Errorf("locales: %q is not one of %s", lang, strings.Join(privacy.Languages, ", "))
		}
	}
	for acr, level := range c.ACR {
		if acr == "" || level == privacy.AssuranceNone {
			return fmt.Errorf("acr: %q has no level", acr)
		}
	}
	for level, values := range c.Ask {
		if _, err := privacy.ParseAssurance(level); err != nil || strings.TrimSpace(values) == "" {
			return fmt.Errorf("ask: %q must be low, substantial or high, with acr_values", level)
		}
	}
	if c.AskFor > c.top() {
		return fmt.Errorf("ask_for is %s, but no acr gives more than %s", c.AskFor, c.top())
	}
	if len(c.Algorithms) == 0 {
		return errors.New("algorithms is missing, as [ES256]")
	}
	for _, a := range c.Algorithms {
		if !slices.Contains(algorithms, a) {
			return fmt.Errorf("algorithms: %q may not sign; there are %s", a, strings.Join(algorithms, ", "))
		}
	}
	if c.Phone == "" && c.PhoneVerified != "" || c.Phone != "" && c.PhoneVerified == "" {
		return errors.New("phone and phone_verified belong together: name the claim that says a number is verified, or always")
	}
	if !strings.HasPrefix(c.Callback, "/") || strings.ContainsAny(c.Callback, "?#{}\\") || strings.HasPrefix(c.Callback, "//") {
		return fmt.Errorf("callback %q must be a path of the portal", c.Callback)
	}
	if c.Timeout < time.Second || c.Timeout > time.Minute {
		return errors.New("timeout must be between 1s and 1m")
	}
	return nil
}

func (c ProviderConfig) checkClientAuth() error {
	switch c.ClientAuth {
	case SecretBasic, SecretPost:
		if c.ClientSecret == "" && c.ClientSecretFile == "" {
			return fmt.Errorf("client_auth %s needs client_secret or client_secret_file", c.ClientAuth)
		}
	case PrivateKeyJWT:
		if c.Key == "" && c.KeyFile == "" {
			return errors.New("client_auth private_key_jwt needs key or key_file")
		}
		if c.Key != "" {
			if _, err := newAssertion(c); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("client_auth is %q, must be %s, %s or %s", c.ClientAuth, SecretBasic, SecretPost, PrivateKeyJWT)
	}
	return nil
}

func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case issuer == "":
		return errors.New("issuer is missing")
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return fmt.Errorf("issuer %q is not an address", issuer)
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("issuer %q must be https", issuer)
}

// loopback tells whether a host name is this machine.
func loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback()
}

// top is the highest level that the provider can give.
func (c ProviderConfig) top() privacy.Assurance {
	top := privacy.AssuranceLow
	for _, l := range c.ACR {
		top = max(top, l)
	}
	return top
}

// level is what a token's acr is worth: the lowest if absent or unknown. (checklist 21)
func (c ProviderConfig) level(acr string) privacy.Assurance {
	if l, ok := c.ACR[acr]; ok && acr != "" {
		return l
	}
	return privacy.AssuranceLow
}

// acrValues is what to ask for to get at least a level; empty if nothing needs
// to be asked. ok is false if the provider can't give the level.
func (c ProviderConfig) acrValues(need privacy.Assurance) (values string, ok bool) {
	if need > c.top() {
		return "", false
	}
	for level := max(need, c.AskFor); level <= privacy.AssuranceHigh; level++ {
		if v := c.Ask[level.String()]; v != "" {
			return v, true
		}
		if level <= privacy.AssuranceLow {
			return "", true
		}
	}
	return "", true
}
