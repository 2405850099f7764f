package stack

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// configText is the configuration of the development world, and an example for
// docs/CONFIG.md. Secrets are in files beside it.
var configText = template.Must(template.New("config").Funcs(template.FuncMap{"q": quote}).Parse(
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

recipients:
  mailgun:
    base_url: {{q .Standins}}
    key_file: {{q .MailgunFile}}
    domains: [{{q .MailDomain}}, {{q .NewsDomain}}]
    purposes:
      newsletter: {tag: newsletter, list: {{q .NewsletterList}}}
      interest-list: {tag: interest-list, list: {{q .InterestList}}}
      direct-marketing-customer: {tag: marketing}
      direct-marketing-noncustomer: {tag: marketing}
      partner-offers: {tag: marketing}
    from: {{q .MailFrom}}
    from_domain: {{q .MailDomain}}
  sveve:
    base_url: {{q .Standins}}
    user: {{q .SveveUser}}
    password_file: {{q .SveveFile}}
    from: Elekt
`))

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
		Listen, BankIDIssuer, VippsIssuer, BankIDClient, VippsClient, BankIDKeyID  string
		SessionFile, NationalIDFile, BankIDFile, VippsFile, MailgunFile, SveveFile string
		MailDomain, NewsDomain, NewsletterList, InterestList, MailFrom, SveveUser  string
	}{
		Stack: s, Listen: strings.TrimPrefix(s.Portal, "http://"),
		BankIDIssuer: s.IDP.Issuer("bankid"), VippsIssuer: s.IDP.Issuer("vipps"),
		BankIDClient: bankIDClient, VippsClient: vippsClient, BankIDKeyID: bankIDKeyID,
		SessionFile: sessionFile, NationalIDFile: nationalIDFile, BankIDFile: bankIDFile,
		VippsFile: vippsFile, MailgunFile: mailgunFile, SveveFile: sveveFile,
		MailDomain: mailDomain, NewsDomain: newsDomain, NewsletterList: mailingLists["newsletter"],
		InterestList: mailingLists["interest-list"], MailFrom: "Elekt <personvern@" + mailDomain + ">", SveveUser: sveveUser,
	})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "config.yaml")
	return path, os.WriteFile(path, []byte(b.String()), 0o600)
}
