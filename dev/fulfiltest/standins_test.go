package fulfiltest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"elekt.no/innsyn/dev/demo"
	"elekt.no/innsyn/dev/standin"
	"elekt.no/innsyn/fulfil"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
	"elekt.no/innsyn/store/storetest"
)

// recipientWay is the whole way from the outbox to every recipient that has an
// interface, with one customer who is known at all of them.
type recipientWay struct {
	*way
	account, installation, push, meter, advertising string
}

func credentials(t *testing.T, key *rsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(map[string]string{"type": "service_account", "client_email": "innsyn@elekt.example", "private_key_id": "g1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": "https://oauth2.googleapis.com/token"})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func newRecipientWay(t *testing.T) *recipientWay {
	t.Helper()
	db := storetest.New(t)
	w := &recipientWay{way: &way{t: t, owner: db.Owner(t), person: privacy.NewPersonRef()},
		account: "account-1", installation: strings.Repeat("f", 22), push: "push:1", meter: "707057500012345678",
		advertising: "123e4567-e89b-12d3-a456-426655440000"}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	w.standin = standin.New(standin.Options{Now: w.now,
		Eliq:  standin.EliqAccount{ClientID: "elekt", ClientSecret: "secret", Consents: []string{"breakdown"}},
		Enode: standin.EnodeAccount{ClientID: "elekt", ClientSecret: "secret"},
		Meta:  standin.MetaAccount{AccessToken: "secret", Audiences: []string{"1001"}},
		Google: standin.GoogleAccount{ServiceAccount: "innsyn@elekt.example", Key: &key.PublicKey, KeyID: "g1", Property: "3001",
			Project: "elekt-app", AdsAccount: "9001", UserLists: []string{"501"}},
		Xandr: standin.XandrAccount{User: "elekt", Password: "secret"},
		Aiia:  standin.AiiaAccount{ClientID: "elekt", ClientSecret: "secret"},
		Elhub: standin.ElhubAccount{GLN: "7080000000001", Key: "secret"},
	})
	w.standin.AddHome(w.account, "home", w.meter)
	srv := httptest.NewServer(w.standin)
	t.Cleanup(srv.Close)
	at := standin.URLsAt(srv.URL)
	if err := demo.Load(t.Context(), w.owner, bytes.Repeat([]byte{2}, 32)); err != nil {
		t.Fatal(err)
	}
	if w.st, err = store.Open(store.Options{URL: db.AppURL, CompanyURL: db.CompanyURL, MaxPairs: fulfil.Pairs}); err != nil {
		t.Fatal(err)
	}
	w.st.Now = w.now
	if w.c, err = privacy.LoadCatalogue("catalogue.yaml", privacy.EmbeddedCatalogue); err != nil {
		t.Fatal(err)
	}
	if err := w.st.KeepCatalogue(t.Context(), w.c); err != nil {
		t.Fatal(err)
	}
	w.known()
	worker, err := fulfil.New(fulfil.Options{
		Store: w.st, Catalogue: w.c, CodeKey: codeKey, Log: slog.New(slog.NewTextHandler(&w.logs, nil)),
		Backoff: fulfil.Backoff{First: 10 * time.Millisecond, Most: 100 * time.Millisecond, Chance: func() float64 { return 0.5 }},
		Recipients: fulfil.Recipients{
			Eliq: &fulfil.EliqConfig{AuthURL: at.EliqAuth, DataURL: at.EliqData, InsightsURL: at.EliqInsights, ClientID: "elekt", ClientSecret: "secret",
				Purposes: map[string]fulfil.EliqPurpose{"home-breakdown": {Consent: "breakdown"}}},
			Enode: &fulfil.EnodeConfig{AuthURL: at.EnodeAuth, BaseURL: at.Enode, ClientID: "elekt", ClientSecret: "secret",
				Purposes: map[string]fulfil.EnodePurpose{"smart-charging": {Stop: "authorization", Erase: "user"}}},
			Meta: &fulfil.MetaConfig{BaseURL: at.Meta, AccessToken: "secret",
				Purposes: map[string]fulfil.MetaPurpose{"social-custom-audiences": {Audiences: []string{"1001"}}}},
			Google:    &fulfil.GoogleConfig{Credentials: credentials(t, key), TokenURL: at.GoogleOAuth + "/token"},
			Analytics: &fulfil.AnalyticsConfig{BaseURL: at.GoogleAnalytics, Property: "3001", Purposes: []string{"analytics"}, Identifiers: []string{"user_id", "email", "phone"}},
			Ads: &fulfil.AdsConfig{BaseURL: at.DataManager, Account: "9001",
				Purposes: map[string]fulfil.AdsPurpose{"social-custom-audiences": {Lists: []string{"501"}}}},
			FCM: &fulfil.FCMConfig{BaseURL: at.FCM, Project: "elekt-app",
				Purposes: map[string]fulfil.FCMPurpose{"push-alerts": {Topics: []string{"alerts"}}}},
			Firebase: &fulfil.FirebaseConfig{BaseURL: at.Firebase, Project: "elekt-app", Purposes: []string{"analytics"}},
			Xandr:    &fulfil.XandrConfig{BaseURL: at.Xandr, User: "elekt", Password: "secret"},
			Aiia: &fulfil.AiiaConfig{BaseURL: at.Aiia, Product: fulfil.AiiaEnterprise, ClientID: "elekt", ClientSecret: "secret",
				Purposes: []string{"service-payment"}},
			Elhub: &fulfil.ElhubConfig{BaseURL: at.Elhub, Key: "secret", GLN: "7080000000001", Purposes: []string{"meter-insight-elhub"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- worker.Run(ctx, 5*time.Second) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := w.st.Close(); err != nil {
			t.Error(err)
		}
		for _, secret := range []string{w.customer.Email, w.customer.Phone, "secret", w.account, w.installation, w.push, w.meter, w.advertising, "login-1"} {
			if strings.Contains(w.logs.String(), secret) {
				t.Errorf("the log holds %q:\n%s", secret, w.logs.String())
			}
		}
	})
	return w
}

// known makes the person a customer with an account, a phone, a meter and a login
// at Aiia.
func (w *recipientWay) known() {
	w.t.Helper()
	w.exec(`INSERT INTO person (person_ref) VALUES ($1)`, w.person)
	w.exec(`INSERT INTO person_link (person_ref, system, external_id, evidence)
		SELECT $1, 'customer', customer_no, 'national-id' FROM elekt.customer WHERE email IS NOT NULL AND phone IS NOT NULL ORDER BY customer_no LIMIT 1`, w.person)
	var err error
	if w.customer, err = w.st.Customer(w.t.Context(), w.person); err != nil {
		w.t.Fatal(err)
	}
	no := w.customer.No
	w.exec(`UPDATE elekt.customer SET app_account_id = $2 WHERE customer_no = $1`, no, w.account)
	w.exec(`DELETE FROM elekt.device WHERE customer_no = $1`, no)
	w.exec(`INSERT INTO elekt.device (installation_id, customer_no, platform, model, os_version, app_version, language, time_zone, push_token, advertising_id, first_seen, last_seen)
		VALUES ($1, $2, 'android', 'x', '1', '1', 'nb', 'Europe/Oslo', $3, $4, now(), now())`, w.installation, no, w.push, w.advertising)
	// This part of the company's database needs no more than the connectors read.
	w.exec(`DROP TABLE IF EXISTS elekt.meter, elekt.partner_account CASCADE`)
	w.exec(`CREATE TABLE elekt.meter (metering_point_id text, customer_no text)`)
	w.exec(`CREATE TABLE elekt.partner_account (customer_no text, partner text, kind text, value text)`)
	w.exec(`GRANT SELECT ON elekt.meter, elekt.partner_account TO elekt_reader`)
	w.exec(`INSERT INTO elekt.meter VALUES ($1, $2)`, w.meter, no)
	w.exec(`INSERT INTO elekt.partner_account VALUES ($1, 'aiia', 'login-token', 'login-1')`, no)
}

// tell puts a row into the outbox and waits until it has a state.
func (w *recipientWay) tell(recipient, purpose string, a privacy.Action, version int, want privacy.DeliveryState) privacy.Delivery {
	w.t.Helper()
	w.exec(`INSERT INTO delivery (person_ref, recipient, purpose, action, version, not_before, created_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, now() - interval '1 minute', now() - interval '1 minute', now() - interval '1 minute')`,
		w.person, recipient, purpose, string(a), version)
	if _, err := w.st.EnqueueOverdue(w.t.Context(), w.now()); err != nil {
		w.t.Fatal(err)
	}
	return w.state(recipient, purpose, a, want)
}

func (w *recipientWay) state(recipient, purpose string, a privacy.Action, want privacy.DeliveryState) privacy.Delivery {
	w.t.Helper()
	end := time.NewTimer(20 * time.Second)
	defer end.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		all, err := w.st.Deliveries(w.t.Context(), w.person, purpose)
		if err != nil {
			w.t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(d privacy.Delivery) bool { return d.Recipient == recipient && d.Action == a })
		if i >= 0 && all[i].State == want {
			return all[i]
		}
		select {
		case <-tick.C:
		case <-end.C:
			w.t.Fatalf("%s %s is never %s: %+v\n%s", recipient, a, want, all, w.logs.String())
		}
	}
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// Every connector says to its stand-in what the document has and nothing else, and
// calls done what is done.
func TestEveryRecipientTheWholeWay(t *testing.T) {
	w := newRecipientWay(t)
	email, phone := strings.ToLower(w.customer.Email), w.customer.Phone
	for _, x := range []struct {
		recipient, purpose string
		action             privacy.Action
		want               privacy.DeliveryState
		entry, state       string
	}{
		{"eliq", "home-breakdown", privacy.ActionStop, privacy.DeliveryConfirmed, "users/" + w.account + "/consents/breakdown", standin.Refused},
		{"eliq", "home-breakdown", privacy.ActionErase, privacy.DeliveryConfirmed, "meters/" + w.meter, standin.Deleted},
		{"enode", "smart-charging", privacy.ActionStop, privacy.DeliveryConfirmed, "users/" + w.account, standin.Deauthorized},
		{"enode", "smart-charging", privacy.ActionErase, privacy.DeliveryConfirmed, "users/" + w.account, standin.Deleted},
		{"meta", "social-custom-audiences", privacy.ActionStop, privacy.DeliveryAccepted, "audiences/1001/EMAIL:" + hash(email), standin.Removed},
		{"google-ads", "social-custom-audiences", privacy.ActionStop, privacy.DeliveryAccepted, "", ""},
		{"google-analytics", "analytics", privacy.ActionErase, privacy.DeliveryAccepted, "properties/3001/userProvidedData/" + phone, standin.Deleted},
		{"fcm", "push-alerts", privacy.ActionStop, privacy.DeliveryConfirmed, "registrations/" + w.push + "/topicSubscriptions/alerts", standin.Unsubscribed},
		{"fcm", "push-alerts", privacy.ActionAllow, privacy.DeliveryConfirmed, "registrations/" + w.push + "/topicSubscriptions/alerts", standin.Subscribed},
		{"firebase", "analytics", privacy.ActionErase, privacy.DeliveryAccepted, "instanceId/" + w.installation, standin.Deleted},
		{"xandr", "personalised-ads", privacy.ActionErase, privacy.DeliveryAccepted, "maid/" + w.advertising, standin.Deleted},
		{"aiia", "service-payment", privacy.ActionStop, privacy.DeliveryConfirmed, "consents/" + standin.AiiaID("login-1"), standin.Revoked},
		{"elhub", "meter-insight-elhub", privacy.ActionStop, privacy.DeliveryConfirmed, "meteringPoints/" + w.meter, standin.Removed},
	} {
		version := 1
		if x.action == privacy.ActionAllow {
			version = 2
		}
		w.tell(x.recipient, x.purpose, x.action, version, x.want)
		if x.entry != "" && w.standin.State(x.recipient, x.entry) != x.state {
			t.Errorf("%s %s: %s is %q, want %q", x.recipient, x.action, x.entry, w.standin.State(x.recipient, x.entry), x.state)
		}
	}
	for _, entry := range []string{"users/" + w.account, "locations/home", "locations/home/homeprofile"} {
		if w.standin.State(standin.Eliq, entry) != standin.Deleted {
			t.Errorf("Eliq has %s still", entry)
		}
	}
	// Google Ads says how it went when it is asked, half a minute later.
	w.exec(`UPDATE delivery_poll SET next_at = now() - interval '1 second'`)
	w.exec(`UPDATE river_job SET state = 'available', scheduled_at = now() WHERE state = 'scheduled'`)
	w.state("google-ads", "social-custom-audiences", privacy.ActionStop, privacy.DeliveryConfirmed)
	for _, entry := range []string{"emailAddress:" + hash(email), "phoneNumber:" + hash(phone)} {
		if w.standin.State(standin.GoogleAds, "audiences/501/"+entry) != standin.Removed {
			t.Errorf("Google Ads has %s still", entry)
		}
	}
	for _, r := range w.standin.Requests() {
		if r.Status < 200 || r.Status >= 300 {
			if r.Recipient != standin.Eliq || r.Method != "GET" || !strings.Contains(r.Answer, "USER_NOT_FOUND") { // gone, as was asked for
				t.Errorf("refused: %+v", r)
			}
		}
	}
}

// What is accepted and fails later is never shown as done.
func TestAcceptedAndFailedLater(t *testing.T) {
	w := newRecipientWay(t)
	if err := w.standin.Fail(standin.Fault{Kind: standin.FaultLater, Recipient: standin.GoogleAds, Times: 1}); err != nil {
		t.Fatal(err)
	}
	w.tell("google-ads", "social-custom-audiences", privacy.ActionStop, 1, privacy.DeliveryAccepted)
	if got := w.standin.Operations(); len(got) != 1 || got[0].State != standin.OperationRunning {
		t.Fatalf("operations are %+v", got)
	}
	w.exec(`UPDATE delivery_poll SET next_at = now() - interval '1 second'`)
	w.exec(`UPDATE river_job SET state = 'available', scheduled_at = now() WHERE state = 'scheduled'`)
	// It is said anew, and is accepted anew.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	first := ""
	if _, err := w.standin.Wait(ctx, func(r standin.Request) bool {
		if r.Path != "/datamanager/v1/audienceMembers:remove" {
			return false
		}
		if first == "" {
			first = r.Answer
		}
		return r.Answer != first
	}); err != nil {
		t.Fatalf("%v\n%s", err, w.logs.String())
	}
	d := w.state("google-ads", "social-custom-audiences", privacy.ActionStop, privacy.DeliveryAccepted)
	if d.Attempts != 2 || w.standin.Operations()[0].State != standin.OperationFailed {
		t.Errorf("%d attempts; operations are %+v", d.Attempts, w.standin.Operations())
	}
}
