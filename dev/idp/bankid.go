package idp

import (
	"regexp"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"

	"elekt.no/innsyn/dev/demo"
)

// What BankID is asked for and what it answers differ; see its pages on
// identity providers.
const (
	bankIDAskHigh        = "urn:bankid:bid"
	bankIDAskSubstantial = "urn:bankid:bis"
	bankIDHigh           = "urn:bankid:bid;LOA=4"
	bankIDSubstantial    = "urn:bankid:bis;LOA=3"
)

// elevenDigits is an identity number as it must never stand in an address.
var elevenDigits = regexp.MustCompile(`(^|\D)\d{11}(\D|$)`)

// bankID is BankID OIDC, API version 4: Keycloak's paths with an own
// authorization path, ES256, all parameters required, a subject that changes
// from login to login, no auth_time, no single sign-on.
func bankID() shape {
	return shape{
		name: BankID, title: "BankID",
		issuerPath:    "/bankid/auth/realms/current",
		authorize:     "/precheck/auth",
		token:         "/protocol/openid-connect/token",
		jwks:          "/protocol/openid-connect/certs",
		endSession:    "/protocol/openid-connect/logout",
		userinfoPath:  "/bankid-userinfo/userinfo",
		alg:           jose.ES256,
		authMethods:   []string{PrivateKeyJWT, SecretBasic, SecretPost},
		scopes:        []string{"openid", "profile", "nnin_altsub"},
		responseModes: []string{"query", "fragment", "form_post"},
		idTokenLife:   300 * time.Second,
		accessLife:    300 * time.Second,
		require: func(r *oidc.AuthRequest) error {
			switch {
			case r.State == "":
				return missing("state")
			case r.Nonce == "":
				return missing("nonce")
			case r.CodeChallenge == "":
				return missing("code_challenge")
			case r.CodeChallengeMethod != oidc.CodeChallengeMethodS256:
				return oidc.ErrInvalidRequest().WithDescription("code_challenge_method must be S256")
			case elevenDigits.MatchString(r.LoginHint):
				return oidc.ErrInvalidRequest().WithDescription("an identity number in login_hint is taken by pushed request only")
			}
			return nil
		},
		authenticate: func(l *login, p demo.Person) {
			l.subject = randomUUID()
			high, substantial := slices.Contains(l.ACRValues, bankIDAskHigh), slices.Contains(l.ACRValues, bankIDAskSubstantial)
			strong := !p.BankIDBiometrics && (high || !substantial)
			if l.fault(FaultLowerAssurance) {
				if !strong {
					return
				}
				strong = false
			}
			if strong {
				l.acr, l.amr = bankIDHigh, []string{"bid"}
			} else {
				l.acr, l.amr = bankIDSubstantial, []string{"bis-mfa", "bis-bid"}
			}
		},
		claims: func(l *login) map[string]any {
			c := map[string]any{
				"typ": "ID", "jti": randomUUID(), "aud": l.ClientID, "azp": l.ClientID,
				"sid": l.sid, "api_ver": 4, "bankid_altsub": l.person.BankIDAltSub,
			}
			if l.acr != "" {
				c["acr"], c["amr"] = l.acr, l.amr
			}
			if l.scope("profile") {
				c["name"], c["given_name"], c["family_name"] = l.person.Name(), l.person.GivenName, l.person.FamilyName
				if l.person.BirthDate != "" {
					c["birthdate"] = l.person.BirthDate
				}
			}
			if l.scope("nnin_altsub") && !l.person.BankIDNoNumber && l.person.NationalID != "" {
				c["nnin_altsub"] = l.person.NationalID
			}
			if l.fault(FaultNoSubject) {
				delete(c, "bankid_altsub")
			}
			return c
		},
		discovery: map[string]any{
			"ui_locales_supported": []string{"nb", "en"},
			"claims_supported": []string{"aud", "iss", "sub", "exp", "iat", "jti", "azp", "nonce", "sid", "at_hash", "acr", "amr",
				"bankid_altsub", "nnin_altsub", "name", "given_name", "family_name", "birthdate"},
		},
	}
}

func missing(parameter string) error {
	return oidc.ErrInvalidRequest().WithDescription("Missing parameter: %s", parameter)
}
