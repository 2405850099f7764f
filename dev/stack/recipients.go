package stack

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"path/filepath"
	"text/template"

	"elekt.no/innsyn/dev/standin"
)

// How the company is known at the recipients of the development world. Ids are
// made up.
const (
	sveveUser      = "elekt"
	eliqClient     = "elekt-backend"
	enodeClient    = "elekt"
	serviceAccount = "innsyn@elekt-app.iam.example"
	property       = "310000001"
	project        = "elekt-app"
	adsAccount     = "9000000001"
	xandrUser      = "elekt-privacy"
	aiiaClient     = "elekt"
	elhubGLN       = "7080000000001"
)

// What a purpose is called at Eliq, at Meta, at Google Ads and at FCM.
var (
	eliqConsents = map[string]string{"home-breakdown": "breakdown", "weather-location-analysis": "weather"}
	audiences    = map[string]string{
		"marketing-tech": "120000000000001", "social-custom-audiences": "120000000000002",
		"lookalike-prospecting": "120000000000003", "profiling-marketing": "120000000000004",
	}
	userLists = map[string]string{
		"marketing-tech": "7000000001", "social-custom-audiences": "7000000002",
		"lookalike-prospecting": "7000000003", "profiling-marketing": "7000000004",
	}
	topics = map[string]string{
		"push-alerts": "alerts", "location-price-alerts": "price-alerts", "meter-error-alert": "meter-errors",
		"invoice-error-alert": "invoice-errors", "direct-marketing-customer": "offers", "partner-offers": "partner-offers",
	}
)

// secretFiles hold one secret each, by recipient.
var secretFiles = map[string]string{
	standin.Mailgun: "mailgun.key", standin.Sveve: "sveve.password",
	standin.Eliq: "eliq.secret", standin.Enode: "enode.secret", standin.Meta: "meta.token", standin.Xandr: "xandr.password",
	standin.Aiia: "aiia.secret", standin.Elhub: "elhub.key",
}

// googleFile is the JSON key of the service account.
const googleFile = "google.json"

// recipientSecrets are what the portal proves itself with at the recipients.
type recipientSecrets struct {
	secrets map[string]string // by recipient
	google  *rsa.PublicKey
}

func loadRecipientSecrets(dir string) (*recipientSecrets, error) {
	r := &recipientSecrets{secrets: map[string]string{}}
	for name, file := range secretFiles {
		s, err := secret(dir, file, random)
		if err != nil {
			return nil, err
		}
		r.secrets[name] = s
	}
	text, err := secret(dir, googleFile, serviceAccountKey)
	if err != nil {
		return nil, err
	}
	bad := fmt.Errorf("%s is not the key of a service account; remove it", filepath.Join(dir, googleFile))
	var k googleKey
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		return nil, bad
	}
	block, _ := pem.Decode([]byte(k.Key))
	if block == nil {
		return nil, bad
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, bad
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, bad
	}
	r.google = &key.PublicKey
	return r, nil
}

// googleKey is the file that Google gives out for a service account. The address of
// the token server is overruled by the configuration: the stand-ins' port changes.
type googleKey struct {
	Type     string `json:"type"`
	Project  string `json:"project_id"`
	KeyID    string `json:"private_key_id"`
	Key      string `json:"private_key"`
	Email    string `json:"client_email"`
	TokenURL string `json:"token_uri"`
}

const googleKeyID = "innsyn-dev-1"

func serviceAccountKey() (string, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	b, err := json.MarshalIndent(googleKey{Type: "service_account", Project: project, KeyID: googleKeyID,
		Key:   string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		Email: serviceAccount, TokenURL: "https://oauth2.googleapis.com/token"}, "", "  ")
	return string(b), err
}

// accounts opens the company's accounts at the stand-ins.
func (r *recipientSecrets) accounts(o *standin.Options) {
	o.MailgunKey, o.SveveUser, o.SvevePassword = r.secrets[standin.Mailgun], sveveUser, r.secrets[standin.Sveve]
	o.Eliq = standin.EliqAccount{ClientID: eliqClient, ClientSecret: r.secrets[standin.Eliq]}
	for _, name := range eliqConsents {
		o.Eliq.Consents = append(o.Eliq.Consents, name)
	}
	o.Enode = standin.EnodeAccount{ClientID: enodeClient, ClientSecret: r.secrets[standin.Enode]}
	o.Meta = standin.MetaAccount{AccessToken: r.secrets[standin.Meta]}
	for _, id := range audiences {
		o.Meta.Audiences = append(o.Meta.Audiences, id)
	}
	o.Google = standin.GoogleAccount{ServiceAccount: serviceAccount, Key: r.google, KeyID: googleKeyID, Property: property,
		Project: project, AdsAccount: adsAccount}
	for _, id := range userLists {
		o.Google.UserLists = append(o.Google.UserLists, id)
	}
	o.Xandr = standin.XandrAccount{User: xandrUser, Password: r.secrets[standin.Xandr]}
	o.Aiia = standin.AiiaAccount{Product: standin.AiiaEnterprise, ClientID: aiiaClient, ClientSecret: r.secrets[standin.Aiia]}
	o.Elhub = standin.ElhubAccount{GLN: elhubGLN, Key: r.secrets[standin.Elhub]}
	o.Polls = 1
}

// recipientsText is the part of the configuration that is about the recipients.
const recipientsText = `recipients:
  mailgun:
    base_url: {{q .At.Mailgun}}
    key_file: {{q (file "mailgun")}}
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
    base_url: {{q .At.Sveve}}
    user: ` + sveveUser + `
    password_file: {{q (file "sveve")}}
    from: Elekt
  eliq:
    auth_url: {{q .At.EliqAuth}}
    data_url: {{q .At.EliqData}}
    insights_url: {{q .At.EliqInsights}}
    client_id: ` + eliqClient + `
    client_secret_file: {{q (file "eliq")}}
    purposes:
{{range $purpose, $consent := .EliqConsents}}      {{$purpose}}: {consent: {{$consent}}}
{{end}}  enode:
    auth_url: {{q .At.EnodeAuth}}
    base_url: {{q .At.Enode}}
    client_id: ` + enodeClient + `
    client_secret_file: {{q (file "enode")}}
    purposes:
      smart-charging: {stop: authorization, erase: user}
      car-location: {stop: own, erase: nothing}
  meta:
    base_url: {{q .At.Meta}}
    access_token_file: {{q (file "meta")}}
    purposes:
{{range $purpose, $id := .Audiences}}      {{$purpose}}: {audiences: [{{q $id}}]}
{{end}}      customer-support: {messages: true}
      social-media-replies: {messages: true}
  google:
    credentials_file: ` + googleFile + `
    token_url: {{q (print .At.GoogleOAuth "/token")}}
  google-analytics:
    base_url: {{q .At.GoogleAnalytics}}
    property: {{q "` + property + `"}}
    purposes: [analytics, demographic-usage-logging, profiling-advice, cross-app-tracking]
  google-ads:
    base_url: {{q .At.DataManager}}
    account: {{q "` + adsAccount + `"}}
    purposes:
{{range $purpose, $id := .UserLists}}      {{$purpose}}: {lists: [{{q $id}}]}
{{end}}  fcm:
    base_url: {{q .At.FCM}}
    project: ` + project + `
    purposes:
{{range $purpose, $topic := .Topics}}      {{$purpose}}: {topics: [{{$topic}}]}
{{end}}  firebase:
    base_url: {{q .At.Firebase}}
    project: ` + project + `
    purposes: [functional-tech, analytics, crash-reporting]
  xandr:
    base_url: {{q .At.Xandr}}
    user: ` + xandrUser + `
    password_file: {{q (file "xandr")}}
  aiia:
    base_url: {{q .At.Aiia}}
    product: enterprise
    client_id: ` + aiiaClient + `
    client_secret_file: {{q (file "aiia")}}
    purposes: [service-payment]
  elhub:
    base_url: {{q .At.Elhub}}
    key_file: {{q (file "elhub")}}
    gln: {{q "` + elhubGLN + `"}}
    purposes: [meter-insight-elhub]
`

// secretFile is the file of a recipient's secret.
func secretFile(name string) (string, error) {
	f, ok := secretFiles[name]
	if !ok {
		return "", fmt.Errorf("no secret of %q", name)
	}
	return f, nil
}

// recipientsConfig is what recipientsText needs.
type recipientsConfig struct {
	At                                                             standin.URLs
	MailDomain, NewsDomain, NewsletterList, InterestList, MailFrom string
	EliqConsents, Audiences, UserLists, Topics                     map[string]string
}

func newRecipientsConfig(standins string) recipientsConfig {
	return recipientsConfig{
		At: standin.URLsAt(standins), MailDomain: mailDomain, NewsDomain: newsDomain, NewsletterList: mailingLists["newsletter"],
		InterestList: mailingLists["interest-list"], MailFrom: "Elekt <personvern@" + mailDomain + ">",
		EliqConsents: eliqConsents, Audiences: audiences, UserLists: userLists, Topics: topics,
	}
}

// homes puts the homes in the company database on record at Eliq: a location for
// each metering point of a customer, who is known there by the account at Eliq or,
// without one, by that of the app. Nothing if the database has no such tables.
func (s *Stack) homes(ctx context.Context) error {
	return with(s.Databases.CompanyOwner, func(db *sql.DB) (err error) {
		var there bool
		const tables = `SELECT to_regclass('elekt.partner_account') IS NOT NULL AND to_regclass('elekt.meter') IS NOT NULL`
		if err := db.QueryRowContext(ctx, tables).Scan(&there); err != nil || !there {
			return err
		}
		rows, err := db.QueryContext(ctx, `SELECT coalesce(a.value, c.app_account_id), m.metering_point_id
			FROM elekt.customer c JOIN elekt.meter m ON m.customer_no = c.customer_no
			LEFT JOIN elekt.partner_account a ON a.customer_no = c.customer_no AND a.partner = 'eliq' AND a.kind = 'user'
			WHERE coalesce(a.value, c.app_account_id) IS NOT NULL ORDER BY 1, 2`)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			var user, meter string
			if err := rows.Scan(&user, &meter); err != nil {
				return err
			}
			s.Standin.AddHome(user, "home-"+meter, meter)
		}
		return rows.Err()
	})
}

var recipientsFuncs = template.FuncMap{"file": secretFile}
