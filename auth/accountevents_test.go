package auth

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"

	"elekt.no/innsyn/privacy"
)

const eventSecret = "0123456789abcdef0123456789abcdef"

// eventRig is somebody with two logins and a session of each.
type eventRig struct {
	*rig
	t      *testing.T
	stub   *stub
	person privacy.PersonRef
}

func newEventRig(t *testing.T, kind string) *eventRig {
	t.Helper()
	s := newStub(t)
	c := s.config()
	c.Events, c.EventAudiences = kind, []string{"app.elekt"}
	if kind == EventsVipps {
		c.EventSecret = eventSecret
	}
	r := &eventRig{rig: newRig(t, "http://127.0.0.1:8080", c), t: t, stub: s, person: privacy.NewPersonRef()}
	r.exec(`INSERT INTO person (person_ref) VALUES ($1)`, r.person)
	for i, issuer := range []string{s.URL, "https://other.example"} {
		r.exec(`WITH l AS (INSERT INTO login (person_ref, provider, issuer, subject, assurance) VALUES ($1, 'stub', $2, 'subject-1', 1) RETURNING login_id)
			INSERT INTO session (id_hash, person_ref, login_id, class, assurance, auth_at, created_at, seen_at, expires_at)
			SELECT sha256($3), $1, login_id, 'customer', 1, now(), now(), now(), now() + interval '1 hour' FROM l`, r.person, issuer, []byte{byte(i)})
	}
	return r
}

func (r *eventRig) exec(query string, args ...any) {
	r.t.Helper()
	if _, err := r.owner.Exec(query, args...); err != nil {
		r.t.Fatal(err)
	}
}

// left is how many sessions there are, and the events that were noted.
func (r *eventRig) left() (sessions int, noted []string) {
	r.t.Helper()
	if err := r.owner.QueryRow(`SELECT count(*) FROM session`).Scan(&sessions); err != nil {
		r.t.Fatal(err)
	}
	if err := r.owner.QueryRow(`SELECT array_agg(kind || ' ' || reason) FROM auth_event WHERE person_ref = $1`, r.person).Scan(pq.Array(&noted)); err != nil {
		r.t.Fatal(err)
	}
	return sessions, noted
}

func (r *eventRig) send(secret, body string) error {
	return r.AccountEvent(r.t.Context(), "stub", secret, []byte(body))
}

// unsigned is a token as Vipps makes it.
func unsigned(t *testing.T, header string, claims map[string]any) string {
	t.Helper()
	b, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(b)
}

func TestVippsConsentRevokedEndsItsSessionsAndNothingElse(t *testing.T) {
	r := newEventRig(t, EventsVipps)
	now := time.Now().Unix()
	good := func() map[string]any {
		return map[string]any{"exp": now + 300, "iat": now, "nbf": now, "sub": "subject-1", "event": "CONSENT_REVOKED"}
	}
	const none = `{"alg":"none","typ": "JWT"}`
	for name, tc := range map[string]struct {
		secret, body string
		kind         privacy.ErrorKind
	}{
		"wrong secret": {"x", unsigned(t, none, good()), privacy.NotFound},
		"no secret":    {"", unsigned(t, none, good()), privacy.NotFound},
		"signed":       {eventSecret, unsigned(t, none, good()) + ".c2ln", privacy.Invalid},
		"another alg":  {eventSecret, unsigned(t, `{"alg":"HS256"}`, good()), privacy.Invalid},
		"not a token":  {eventSecret, "hei", privacy.Invalid},
		"empty":        {eventSecret, "", privacy.Invalid},
		"too long":     {eventSecret, strings.Repeat("a", maxEvent+1), privacy.Invalid},
		"nobody":       {eventSecret, unsigned(t, none, map[string]any{"iat": now, "event": "CONSENT_REVOKED"}), privacy.Invalid},
		"old":          {eventSecret, unsigned(t, none, map[string]any{"iat": now - int64(eventLife.Seconds()) - 10, "sub": "subject-1", "event": "CONSENT_REVOKED"}), privacy.Invalid},
		"of tomorrow":  {eventSecret, unsigned(t, none, map[string]any{"iat": now + 86400, "sub": "subject-1", "event": "CONSENT_REVOKED"}), privacy.Invalid},
	} {
		if err := r.send(tc.secret, tc.body); privacy.KindOf(err) != tc.kind || err == nil {
			t.Errorf("%s: %v, want %s", name, err, tc.kind)
		}
	}
	other := good()
	other["event"] = "SOMETHING_ELSE"
	stranger := good()
	stranger["sub"] = "nobody-here"
	for name, c := range map[string]map[string]any{"another event": other, "a stranger": stranger} {
		if err := r.send(eventSecret, unsigned(t, none, c)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n, noted := r.left(); n != 2 || len(noted) != 0 {
		t.Errorf("%d sessions, noted %q; nothing was to happen", n, noted)
	}
	if err := r.send(eventSecret, unsigned(t, none, good())+"."); err != nil {
		t.Fatal(err)
	}
	if n, noted := r.left(); n != 1 || len(noted) != 1 || noted[0] != "account-event consent-revoked" {
		t.Errorf("%d sessions, noted %q; want the other login's, and one note", n, noted)
	}
	var logins int
	if err := r.owner.QueryRow(`SELECT count(*) FROM login`).Scan(&logins); err != nil || logins != 2 {
		t.Errorf("%d logins, %v: a hint ends none", logins, err)
	}
	if strings.Contains(r.log.String(), "subject-1") {
		t.Errorf("the log names the subject: %s", r.log)
	}
}

// apple is a notification as Apple makes it.
func (r *eventRig) apple(event string, changes map[string]any) string {
	r.t.Helper()
	events, err := json.Marshal(map[string]any{"type": event, "sub": "subject-1", "event_time": 1611765847700})
	if err != nil {
		r.t.Fatal(err)
	}
	b, err := json.Marshal(map[string]string{"payload": r.signed(string(events), changes)})
	if err != nil {
		r.t.Fatal(err)
	}
	return string(b)
}

func (r *eventRig) signed(events any, changes map[string]any) string {
	r.stub.claims = map[string]any{"events": events, "nonce": nil, "sub": nil, "auth_time": nil, "exp": nil, "given_name": nil, "birthdate": nil}
	for k, v := range changes {
		r.stub.claims[k] = v
	}
	return r.stub.token(r.t, "")
}

func TestAppleEvents(t *testing.T) {
	for event, ends := range map[string]bool{"consent-revoked": true, "account-delete": true, "account-deleted": true,
		"email-disabled": false, "email-enabled": false, "new-event": false} {
		r := newEventRig(t, EventsApple)
		if err := r.send("", r.apple(event, map[string]any{"aud": "app.elekt"})); err != nil {
			t.Fatalf("%s: %v", event, err)
		}
		n, noted := r.left()
		if ends && (n != 1 || len(noted) != 1 || noted[0] != "account-event "+event) || !ends && (n != 2 || len(noted) != 0) {
			t.Errorf("%s: %d sessions, noted %q", event, n, noted)
		}
	}
}

// risc is a token as Google makes it.
func (r *eventRig) risc(event string, changes map[string]any) string {
	issuer := r.stub.URL + "/"
	return r.signed(map[string]any{event: map[string]any{"subject": map[string]any{"subject_type": "iss-sub", "iss": issuer, "sub": "subject-1"}}}, changes)
}

const riscEvent = "https://schemas.openid.net/secevent/risc/event-type/"

func TestGoogleEvents(t *testing.T) {
	for event, ends := range map[string]bool{riscEvent + "sessions-revoked": true, riscEvent + "account-disabled": true, riscEvent + "account-purged": true,
		"https://schemas.openid.net/secevent/oauth/event-type/tokens-revoked": true,
		riscEvent + "account-enabled":                                         false, "https://schemas.example/secevent/risc/event-type/account-disabled": false} {
		r := newEventRig(t, EventsGoogle)
		r.stub.header = map[string]any{"typ": "secevent+jwt"}
		if err := r.send("", r.risc(event, map[string]any{"iss": r.stub.URL + "/"})); err != nil {
			t.Fatalf("%s: %v", event, err)
		}
		if n, noted := r.left(); ends != (n == 1 && len(noted) == 1) || !ends && n != 2 {
			t.Errorf("%s: %d sessions, noted %q", event, n, noted)
		}
	}
}

func TestSignedEventsThatAreRefused(t *testing.T) {
	r := newEventRig(t, EventsGoogle)
	now := time.Now().Unix()
	event := riscEvent + "account-disabled"
	for reason, body := range map[string]string{
		"event-issuer":       r.risc(event, map[string]any{"iss": "https://evil.example"}),
		"event-audience":     r.risc(event, map[string]any{"aud": "somebody-else"}),
		"event-time":         r.risc(event, map[string]any{"iat": now - int64(eventLife.Seconds()) - 10}),
		"event-not-an-event": r.idToken(),
		"event-subject":      r.signed(map[string]any{event: map[string]any{"subject": map[string]any{"iss": "https://evil.example", "sub": "subject-1"}}}, nil),
		"event-claims":       r.signed("text", nil),
		"event-form":         "hei",
		"event-alg":          unsigned(t, `{"alg":"none"}`, map[string]any{"iat": now}) + ".",
	} {
		err := r.send("", body)
		if privacy.KindOf(err) != privacy.Invalid || !strings.Contains(err.Error(), "("+reason+")") {
			t.Errorf("%v, want %s", err, reason)
		}
	}
	forged := r.risc(event, nil)
	if err := r.send("", forged[:len(forged)-8]+"AAAAAAAA"); privacy.KindOf(err) != privacy.Invalid {
		t.Errorf("forged: %v", err)
	}
	login := r.signed(map[string]any{}, map[string]any{"nonce": "n"})
	if err := r.send("", login); privacy.KindOf(err) != privacy.Invalid {
		t.Errorf("a login taken for an event: %v", err)
	}
	if n, noted := r.left(); n != 2 || len(noted) != 0 {
		t.Errorf("%d sessions, noted %q; nothing was to happen", n, noted)
	}
}

// idToken is an ordinary ID token.
func (r *eventRig) idToken() string {
	r.stub.claims = map[string]any{}
	return r.stub.token(r.t, "nonce")
}

func TestEventsOfAProviderThatIsDownAreSentAgain(t *testing.T) {
	r := newEventRig(t, EventsGoogle)
	body := r.risc(riscEvent+"account-disabled", nil)
	r.stub.Config.Handler = http.NotFoundHandler()
	if err := r.send("", body); privacy.KindOf(err) != privacy.Unavailable {
		t.Errorf("%v, want unavailable", err)
	}
}

func TestProvidersWithoutEvents(t *testing.T) {
	r := newEventRig(t, "")
	for _, provider := range []string{"stub", "unknown"} {
		if err := r.AccountEvent(t.Context(), provider, "", nil); privacy.KindOf(err) != privacy.NotFound {
			t.Errorf("%s: %v", provider, err)
		}
	}
	for want, c := range map[string]ProviderConfig{"event_secret": {Events: EventsVipps, EventSecret: "short"}, "events is": {Events: "facebook"}} {
		if err := c.checkEvents(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error about %q", err, want)
		}
	}
}
