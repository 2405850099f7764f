package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store/storetest"
	"elekt.no/innsyn/web"
)

// device puts a phone with the app into the company's database.
func (p *portal) device(t testing.TB, installation, customer string) {
	t.Helper()
	if _, err := p.db.Owner(t).ExecContext(t.Context(), `INSERT INTO elekt.device (installation_id, customer_no, platform, model, os_version, app_version,
		language, time_zone, first_seen, last_seen) VALUES ($1, $2, 'ios', 'iPhone', '19', '7.1', 'nb', 'Europe/Oslo', $3, $3)`,
		installation, customer, p.clock()); err != nil {
		t.Fatal(err)
	}
}

func applied(installation string, version any, states ...map[string]any) map[string]any {
	return map[string]any{"installation": installation, "version": version, "states": states}
}

// Turning off personalised ads: the phone is told at the next question, and its word
// confirms what waited for it, once every phone has spoken.
func TestDevices(t *testing.T) {
	p := open(t)
	v := p.linked(t, "101010", "free")
	p.device(t, "phone-1", "101010")
	p.device(t, "phone-2", "101010")
	c := p.caller(t, "app-backend", web.ScopeDeviceRead, web.ScopeDeviceWrite)
	const at = "/api/v1/device/consents?installation="
	flag := func(installation, purpose string) string {
		t.Helper()
		a := c.get(at + installation)
		for _, one := range a.m["consents"].([]any) {
			if m := one.(map[string]any); m["purpose"] == purpose {
				return fmt.Sprint(m["allowed"], a.num("version"), m["recipients"])
			}
		}
		t.Fatalf("%d: no %s in %s", a.StatusCode, purpose, a.body)
		return ""
	}
	if got := flag("phone-1", "personalised-ads"); got != "false 0 [admob xandr applovin addapptr]" {
		t.Error(got)
	}
	v.choose("personalised-ads")
	if got := flag("phone-2", "personalised-ads"); got != "true 1 [admob xandr applovin addapptr]" {
		t.Error(got)
	}
	v.choose("personalised-ads")
	first := c.get(at + "phone-1")
	if got := flag("phone-1", "personalised-ads"); got != "false 2 [admob xandr applovin addapptr]" {
		t.Error(got)
	}
	if a := c.with("If-None-Match", first.Header.Get("ETag")).get(at + "phone-1"); a.StatusCode != http.StatusNotModified {
		t.Errorf("%d", a.StatusCode)
	}
	// As the worker leaves what waits for a phone.
	if _, err := p.db.App(t).Exec(`UPDATE delivery SET state = 'accepted', note = $1 WHERE recipient = 'admob' AND action = 'stop' AND version = 2`, privacy.NoteDevice); err != nil {
		t.Fatal(err)
	}
	state := func() string {
		t.Helper()
		var s string
		if err := p.db.App(t).QueryRow(`SELECT state FROM delivery WHERE recipient = 'admob' AND action = 'stop' AND version = 2`).Scan(&s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	off := map[string]any{"purpose": "personalised-ads", "allowed": false}
	on := map[string]any{"purpose": "personalised-ads", "allowed": true}
	const ack = "/api/v1/device/acknowledgements"
	for _, step := range []struct {
		body map[string]any
		want string
	}{
		{applied("phone-1", 1, off), "accepted"}, // an older version
		{applied("phone-1", 2, off), "accepted"}, // the other phone hasn't spoken
		{applied("phone-2", 2, on), "accepted"},  // and says that it still shows them
		{applied("phone-2", 2, off), "confirmed"},
		{applied("phone-2", 2, off), "confirmed"},
	} {
		if a := c.post(ack, step.body); a.StatusCode != http.StatusNoContent || len(a.body) > 0 {
			t.Errorf("%v: %d %s", step.body, a.StatusCode, a.body)
		}
		if got := state(); got != step.want {
			t.Errorf("after %v: %s, want %s", step.body, got, step.want)
		}
	}
	before := p.rows(t)
	for name, q := range map[string]struct {
		body          any
		status        int
		reason, field string
	}{
		"a version to come":    {applied("phone-1", 3, off), 409, "version-ahead", "version"},
		"no version":           {applied("phone-1", nil, off), 400, "bad-value", "version"},
		"a version below zero": {applied("phone-1", -1, off), 400, "bad-value", "version"},
		"no phone":             {applied("", 2, off), 400, "bad-value", "installation"},
		"an unknown phone":     {applied("phone-3", 2, off), 404, "unknown-installation", "installation"},
		"no states":            {applied("phone-1", 2), 400, "bad-value", "states"},
		"an unknown purpose":   {applied("phone-1", 2, map[string]any{"purpose": "x", "allowed": false}), 400, "unknown-purpose", "states.0.purpose"},
		"no choice":            {applied("phone-1", 2, map[string]any{"purpose": "user-profile", "allowed": true}), 400, "unknown-purpose", "states.0.purpose"},
		"no flag":              {applied("phone-1", 2, off, map[string]any{"purpose": "analytics"}), 400, "bad-value", "states.1.allowed"},
		"an unknown recipient": {applied("phone-1", 2, map[string]any{"purpose": "analytics", "allowed": false, "recipient": "x"}), 400, "unknown-recipient", "states.0.recipient"},
		"too many":             {applied("phone-1", 2, many(off, 201)...), 413, "too-many-states", "states"},
		"too long":             {`{"installation": "` + strings.Repeat("a", 70<<10) + `"}`, 413, "body-too-large", ""},
		"a word too many":      {`{"installation": "phone-1", "version": 2, "states": [], "more": 1}`, 400, "unknown-field", "more"},
	} {
		if a := c.post(ack, q.body); a.StatusCode != q.status || a.str("reason") != q.reason || a.str("field") != q.field {
			t.Errorf("%s: %d %s %s, want %d %s %s", name, a.StatusCode, a.str("reason"), a.str("field"), q.status, q.reason, q.field)
		}
	}
	for query, status := range map[string]int{"": 400, "phone-3": 404, "a%20b": 400, "phone-1&installation=phone-2": 400, "phone-1&x=1": 400} {
		if a := c.get(at + query); a.StatusCode != status {
			t.Errorf("%s: %d", query, a.StatusCode)
		}
	}
	// A customer who was never here: the defaults, and nothing to acknowledge.
	p.customer(t, "101011", "plus")
	p.device(t, "phone-4", "101011")
	if got := flag("phone-4", "personalised-ads"); !strings.HasPrefix(got, "false 0 ") {
		t.Error(got)
	}
	if a := c.post(ack, applied("phone-4", 0, off)); a.StatusCode != http.StatusNotFound || a.str("reason") != "unknown-person" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if after := p.rows(t); after != before {
		t.Errorf("written: %s, before %s", after, before)
	}
	p.verify(t)
}

func many(m map[string]any, n int) []map[string]any {
	out := make([]map[string]any, n)
	for i := range out {
		out[i] = m
	}
	return out
}

// Whose phone it is stands in the company's database: without it there is no answer.
func TestDevicesWithoutTheCompanyDatabase(t *testing.T) {
	db := storetest.New(t)
	behind := *db
	behind.AppURL = db.CompanyURL
	company := behind.Outage(t)
	p := openOn(t, db, db.AppURL, company.AppURL)
	p.linked(t, "101010", "free")
	p.device(t, "phone-1", "101010")
	c := p.caller(t, "app-backend", everyScope...)
	company.Begin(t)
	for _, a := range []said{c.get("/api/v1/device/consents?installation=phone-1"),
		c.post("/api/v1/device/acknowledgements", applied("phone-1", 0, map[string]any{"purpose": "analytics", "allowed": false}))} {
		if a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	}
	company.End(t)
	if a := c.get("/api/v1/device/consents?installation=phone-1"); a.StatusCode != http.StatusOK {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}
