package stack

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"elekt.no/innsyn/dev/idp"
)

// configText is the configuration of the development world, and an example for
// docs/CONFIG.md. Secrets are in files beside it.
var configText = template.Must(template.New("config").Funcs(template.FuncMap{"q": quote}).Funcs(recipientsFuncs).Parse(
	`# Written anew by make run at each start; changes are lost. docs/CONFIG.md explains the fields.
env: development
base_url: {{q .Portal}}
listen: {{q .Listen}}

database:
  url: {{q .Databases.App}}
  owner: {{q .Databases.Owner}}
  company: {{q .Databases.Company}}

keys:
  session_file: {{q .SessionFile}}
  national_id_file: {{q .NationalIDFile}}

api:
  issuer: {{q .APIIssuer}}
  audience: {{q .APIAudience}}
  algorithms: [ES256]

providers:
  - id: bankid
    preset: bankid
    issuer: {{q .BankIDIssuer}}
    client_id: {{q .BankIDClient}}
    client_auth: private_key_jwt
    key_file: {{q .BankIDFile}}
    key_id: {{q .BankIDKeyID}}
    scopes: [openid, profile, nnin_altsub]
  - id: vipps
    preset: vipps
    issuer: {{q .VippsIssuer}}
    client_id: {{q .VippsClient}}
    client_secret_file: {{q .VippsFile}}
    scopes: [openid, name, phoneNumber, birthDate, nin]

` + recipientsText))

// quote writes a text as YAML takes it, which is as JSON does.
func quote(s string) (string, error) {
	b, err := json.Marshal(s)
	return string(b), err
}

// writeConfig writes the binary's configuration and returns its path.
func (s *Stack) writeConfig(dir string) (string, error) {
	var b strings.Builder
	err := configText.Execute(&b, struct {
		*Stack
		recipientsConfig
		Listen, BankIDIssuer, VippsIssuer, BankIDClient, VippsClient, BankIDKeyID string
		SessionFile, NationalIDFile, BankIDFile, VippsFile                        string
		APIIssuer, APIAudience                                                    string
	}{
		Stack: s, recipientsConfig: newRecipientsConfig(s.Standins), Listen: strings.TrimPrefix(s.Portal, "http://"),
		BankIDIssuer: s.IDP.Issuer("bankid"), VippsIssuer: s.IDP.Issuer("vipps"),
		BankIDClient: bankIDClient, VippsClient: vippsClient, BankIDKeyID: bankIDKeyID,
		SessionFile: sessionFile, NationalIDFile: nationalIDFile, BankIDFile: bankIDFile, VippsFile: vippsFile,
		APIIssuer: s.IDP.Issuer(idp.Company), APIAudience: s.apiAudience(),
	})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "config.yaml")
	return path, os.WriteFile(path, []byte(b.String()), 0o600)
}
