package idp

import (
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"

	"elekt.no/innsyn/dev/demo"
)

// vippsApp is the step-up of Vipps, asked for and answered with the same value.
const vippsApp = "urn:vipps:acr:app_auth"

// vippsRememberedFor is how far back the login of a remembered person lies.
const vippsRememberedFor = 12 * 24 * time.Hour

// vipps is Vipps MobilePay Login API v2: an issuer with a trailing slash, RS256,
// scopes in camel case, telephone numbers without plus, an address that is never
// missing but may be empty, and no acr unless the app's confirmation was asked for.
func vipps() shape {
	return shape{
		name: Vipps, title: "Vipps",
		issuerPath:    "/vipps/access-management-1.0/access/",
		authorize:     "/oauth2/auth",
		token:         "/oauth2/token",
		jwks:          "/.well-known/jwks.json",
		endSession:    "/oauth2/sessions/logout",
		userinfoPath:  "/vipps/vipps-userinfo-api/userinfo",
		alg:           jose.RS256,
		authMethods:   []string{SecretBasic, SecretPost, PrivateKeyJWT},
		scopes:        []string{"openid", "name", "email", "phoneNumber", "address", "birthDate", "gender", "nin", "delegatedConsents", "customFlow"},
		responseModes: []string{"query"},
		plainPKCE:     true,
		idTokenLife:   time.Hour,
		accessLife:    10 * time.Minute,
		cacheFor:      time.Hour,
		require: func(r *oidc.AuthRequest) error {
			if len(r.State) < 8 {
				return oidc.ErrInvalidRequest().WithDescription("The state is missing or does not have enough characters. It must be at least 8 characters long.")
			}
			return nil
		},
		authenticate: func(l *login, p demo.Person) {
			l.subject = p.VippsSub
			if p.VippsRemembered || l.fault(FaultLowerAssurance) {
				l.at = l.at.Add(-vippsRememberedFor)
				return
			}
			if slices.Contains(l.ACRValues, vippsApp) {
				l.acr = vippsApp
			}
		},
		claims: func(l *login) map[string]any {
			c := vippsPerson(l)
			c["jti"], c["aud"], c["sid"], c["msn"] = randomUUID(), []string{l.ClientID}, l.sid, "100000"
			c["rat"], c["auth_time"] = l.created.Unix(), l.at.Unix()
			if l.acr != "" {
				c["acr"] = l.acr
			}
			return c
		},
		userinfo: func(l *login) map[string]any {
			c := vippsPerson(l)
			c["sid"] = l.sid
			return c
		},
		discovery: map[string]any{
			"acr_values_supported":                 []string{vippsApp},
			"backchannel_logout_supported":         false,
			"backchannel_logout_session_supported": false,
			"frontchannel_logout_supported":        false,
			"claims_supported": []string{"sub", "name", "given_name", "family_name", "email", "email_verified", "phone_number",
				"birthdate", "address", "other_addresses", "nin", "sid"},
		},
	}
}

// vippsPerson is what the scopes give about the person.
func vippsPerson(l *login) map[string]any {
	p, c := l.person, map[string]any{}
	if l.scope("name") {
		c["name"], c["given_name"], c["family_name"] = p.Name(), p.GivenName, p.FamilyName
	}
	if l.scope("email") && p.Email != "" {
		c["email"], c["email_verified"] = p.Email, true
	}
	if l.scope("phoneNumber") && p.Phone != "" {
		c["phone_number"] = strings.TrimPrefix(p.Phone, "+")
	}
	if l.scope("birthDate") && p.BirthDate != "" {
		c["birthdate"] = p.BirthDate
	}
	if l.scope("nin") && p.NationalID != "" {
		c["nin"] = p.NationalID
	}
	if l.scope("address") {
		a := map[string]any{"address_type": "", "street_address": "", "postal_code": "", "region": "", "country": "", "formatted": ""}
		if p.Address.Street != "" {
			a["address_type"], a["street_address"], a["postal_code"] = "home", p.Address.Street, p.Address.PostalCode
			a["region"], a["country"] = p.Address.City, "NO"
			a["formatted"] = strings.Join([]string{p.Address.Street, p.Address.PostalCode, p.Address.City, "NO"}, "\n")
		}
		c["address"], c["other_addresses"] = a, []any{}
	}
	return c
}
