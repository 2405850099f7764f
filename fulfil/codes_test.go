package fulfil

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// phone plays Sveve.
type phone struct {
	*httptest.Server
	mu     sync.Mutex
	sms    []url.Values
	answer string // JSON of an answer that refuses; empty sends
	status int
}

func newPhone(t *testing.T) *phone {
	t.Helper()
	p := &phone{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		p.mu.Lock()
		defer p.mu.Unlock()
		switch {
		case r.Method != http.MethodPost || r.URL.RequestURI() != "/SMS/SendMessage":
			w.WriteHeader(http.StatusNotFound)
		case p.status != 0:
			w.WriteHeader(p.status)
		case p.answer != "":
			w.Write([]byte(p.answer))
		default:
			p.sms = append(p.sms, r.PostForm)
			json.NewEncoder(w).Encode(map[string]any{"response": map[string]any{"msgOkCount": 1, "stdSMSCount": 1, "ids": []int{7}}})
		}
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *phone) config() SveveConfig {
	return SveveConfig{BaseURL: p.URL, User: "elekt", Password: "hemmelig", From: "Elekt"}
}

var codeKey = bytes.Repeat([]byte{7}, 32)

// codeStage is a stage where the person asks for a code to the customer record
// of somebody who isn't linked yet: themselves.
type codeStage struct {
	*stage
	phone *phone
	codes *codes
}

func newCodeStage(t *testing.T) *codeStage {
	s := &codeStage{stage: newStage(t), phone: newPhone(t)}
	s.exec(`DELETE FROM person_link`)
	s.codes = &codes{store: s.st, key: codeKey, sender: "Elekt", log: slog.New(slog.NewTextHandler(s, nil)),
		mail: newMailgun(s.post.config(), s.now), sms: newSveve(s.phone.config(), s.now)}
	return s
}

// ask asks for a code and gives the id that its job has.
func (s *codeStage) ask() string {
	s.t.Helper()
	c, err := s.st.CustomerByNo(s.t.Context(), "100200")
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.st.AskCode(s.t.Context(), s.person, c); err != nil {
		s.t.Fatal(err)
	}
	var id, queue string
	if err := s.owner.QueryRow(`SELECT args->>'code', queue FROM river_job WHERE kind = 'send_code' ORDER BY id DESC LIMIT 1`).Scan(&id, &queue); err != nil {
		s.t.Fatal(err)
	}
	if queue != store.QueueCodes {
		s.t.Errorf("the job is in queue %q", queue)
	}
	return id
}

func (s *codeStage) send(id string) {
	s.t.Helper()
	if err := s.codes.send(s.t.Context(), privacy.SendCode{Code: id}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *codeStage) state(id string) (state string) {
	s.t.Helper()
	if err := s.owner.QueryRow(`SELECT state FROM one_time_code WHERE code_id = $1`, id).Scan(&state); err != nil {
		s.t.Fatal(err)
	}
	return state
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// use types the code of a message and tells whether it makes the link.
func (s *codeStage) use(text string) bool {
	s.t.Helper()
	code := sixDigits.FindString(text)
	if code == "" {
		s.t.Fatalf("no code in %q", text)
	}
	_, err := s.st.UseCode(s.t.Context(), s.person, func(id string) []byte { return privacy.HashCode(codeKey, id, code) })
	if err != nil && privacy.KindOf(err) != privacy.Invalid {
		s.t.Fatal(err)
	}
	return err == nil
}

func TestCodeGoesToThePhoneOnFile(t *testing.T) {
	s := newCodeStage(t)
	id := s.ask()
	s.send(id)
	if len(s.phone.sms) != 1 || len(s.post.messages) != 0 {
		t.Fatalf("%d SMS and %d e-mails, want one SMS", len(s.phone.sms), len(s.post.messages))
	}
	m := s.phone.sms[0]
	if m.Get("to") != "+4799900123" || m.Get("from") != "Elekt" || m.Get("ref") != id || m.Get("f") != "json" {
		t.Errorf("sent %v", m)
	}
	// the customer record says nynorsk
	if text := m.Get("msg"); !strings.Contains(text, "Han verkar i 10 minutt") || strings.Contains(text, "\u00a0") || len([]rune(text)) > 160 {
		t.Errorf("text %q", text)
	}
	if strings.Contains(m.Get("msg"), "Kari") {
		t.Errorf("the text names the person: %q", m.Get("msg"))
	}
	code := sixDigits.FindString(m.Get("msg"))
	if l := s.logged(); strings.Contains(l, code) || strings.Contains(l, "99900123") {
		t.Errorf("the log holds the code or the number:\n%s", l)
	}
	if !s.use(m.Get("msg")) {
		t.Error("the code that was sent doesn't work")
	}
}

func TestCodeIsInTheLanguageOfTheRecord(t *testing.T) {
	s := newCodeStage(t)
	s.exec(`UPDATE elekt.customer SET language = 'en'`)
	s.send(s.ask())
	if text := s.phone.sms[0].Get("msg"); !strings.Contains(text, "Your code is") {
		t.Errorf("text %q", text)
	}
}

func TestCodeGoesByMailWithoutAPhone(t *testing.T) {
	s := newCodeStage(t)
	s.exec(`UPDATE elekt.customer SET phone = NULL`)
	s.send(s.ask())
	if len(s.post.messages) != 1 {
		t.Fatalf("%d e-mails, want 1", len(s.post.messages))
	}
	m := s.post.messages[0]
	if m["to"] != kari || m["domain"] != domainA || m["subject"] != "Koden din frå Elekt" || m["from"] != "Elekt <personvern@mg.example.no>" {
		t.Errorf("sent %v", m)
	}
	if strings.Contains(m["text"], "Kari") || !s.use(m["text"]) {
		t.Errorf("text %q", m["text"])
	}
}

func TestCodeGoesByMailWhenTheNumberIsRefused(t *testing.T) {
	for _, answer := range []string{
		`{"response":{"msgOkCount":0,"errors":[{"number":"x","message":"Ugyldig mobilnummer"}]}}`,
		`{"response":{"fatalError":"Feil brukernavn/passord"}}`,
		`<html>`,
	} {
		s := newCodeStage(t)
		s.phone.answer = answer
		id := s.ask()
		s.send(id)
		if len(s.post.messages) != 1 || s.state(id) != "sent" || !s.use(s.post.messages[0]["text"]) {
			t.Errorf("%s: %d e-mails", answer, len(s.post.messages))
		}
	}
}

func TestCodeThatNobodyTakesHasFailed(t *testing.T) {
	s := newCodeStage(t)
	s.phone.answer = `{"response":{"fatalError":"Feil brukernavn/passord"}}`
	s.post.set(failing(http.StatusUnauthorized))
	id := s.ask()
	s.send(id)
	if got := s.state(id); got != "failed" {
		t.Errorf("state %q, want failed", got)
	}
}

func TestCodeIsMadeAnewWhenItIsSentAgain(t *testing.T) {
	s := newCodeStage(t)
	id := s.ask()
	s.phone.status = http.StatusServiceUnavailable
	if err := s.codes.send(t.Context(), privacy.SendCode{Code: id}); !errors.Is(err, errUnsent) {
		t.Fatalf("%v, want to be tried again", err)
	}
	s.phone.status = 0
	s.send(id)
	s.send(id) // the worker died before its job was marked as done
	if len(s.phone.sms) != 2 {
		t.Fatalf("%d SMS, want 2", len(s.phone.sms))
	}
	if s.use(s.phone.sms[0].Get("msg")) {
		t.Error("the older code works too")
	}
	if !s.use(s.phone.sms[1].Get("msg")) {
		t.Error("the newer code doesn't work")
	}
}

func TestCodeThatRanOutIsNotSent(t *testing.T) {
	s := newCodeStage(t)
	id := s.ask()
	s.pass(store.CodeLife + time.Second)
	s.send(id)
	if len(s.phone.sms)+len(s.post.messages) > 0 {
		t.Error("a code that no longer works was sent")
	}
}

func TestCodeOfARecordThatIsGoneHasFailed(t *testing.T) {
	s := newCodeStage(t)
	id := s.ask()
	s.exec(`DELETE FROM elekt.customer`)
	s.send(id)
	if got := s.state(id); got != "failed" {
		t.Errorf("state %q, want failed", got)
	}
}

func TestSveveConfigFaults(t *testing.T) {
	good := SveveConfig{User: "u", Password: "p", From: "Elekt"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*SveveConfig){
		"user":        func(c *SveveConfig) { c.User = "" },
		"password":    func(c *SveveConfig) { c.Password = "" },
		"from is":     func(c *SveveConfig) { c.From = "" },
		"longer than": func(c *SveveConfig) { c.From = "Elekt Personvern" },
		"base_url":    func(c *SveveConfig) { c.BaseURL = "sveve.no" },
	} {
		c := good
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error about %q", err, want)
		}
	}
}
