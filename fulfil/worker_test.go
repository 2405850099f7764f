package fulfil

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
)

// run starts a worker as production does. The function returned stops it.
func (s *stage) run(o Options) (stop func()) {
	s.t.Helper()
	if o.Store == nil {
		o.Store = s.open()
		o.Store.Now = time.Now
	}
	o.Catalogue, o.Log, o.CodeKey, o.AddressKey = s.c, s.work.log, codeKey, codeKey
	if o.Recipients.Mailgun == nil {
		o.Recipients.Mailgun = new(s.post.config())
	}
	w, err := New(o)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx, 5*time.Second) }()
	stop = func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Errorf("the worker ended with %v", err)
		}
	}
	return stop
}

func (s *stage) eventually(purpose, want string) {
	s.t.Helper()
	eventually(s.t, purpose+" "+want, func() bool {
		b := s.board(purpose)
		return len(b) > 0 && string(b[len(b)-1].State) == want
	})
}

func TestWorkerTellsRecipientsAndSendsCodes(t *testing.T) {
	s := newStage(t)
	phone := newPhone(t)
	stop := s.run(Options{Recipients: Recipients{Sveve: new(phone.config())}})
	s.choose("newsletter", true)
	s.eventually("newsletter", "confirmed")
	eventually(t, "the number is on the company's own list", func() bool {
		all, err := s.st.Deliveries(t.Context(), s.person, "newsletter")
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range all {
			if d.Recipient == "sveve" {
				return d.State == privacy.DeliveryConfirmed && d.Note == privacy.NoteOwnStop
			}
		}
		return false
	})
	s.exec(`UPDATE person_link SET ended_at = now(), ended_why = 'test', person_ref = $1`, s.other())
	c, err := s.st.CustomerByNo(t.Context(), "100200")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.st.AskCode(t.Context(), s.person, c); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the code is sent", func() bool {
		phone.mu.Lock()
		defer phone.mu.Unlock()
		return len(phone.sms) == 1
	})
	stop()
	for _, secret := range []string{"kari", "99900123", testKey, "Demo"} {
		if strings.Contains(s.logged(), secret) {
			t.Errorf("the log holds %q:\n%s", secret, s.logged())
		}
	}
	var leaks int
	if err := s.owner.QueryRow(`SELECT count(*) FROM river_job WHERE args::text ~ 'kari|99900123' OR array_to_string(errors, ' ') ~ 'kari|99900123'`).Scan(&leaks); err != nil {
		t.Fatal(err)
	}
	if leaks > 0 {
		t.Errorf("%d jobs hold the person's address or number", leaks)
	}
}

// other is a second person.
func (s *stage) other() privacy.PersonRef {
	p := privacy.NewPersonRef()
	s.exec(`INSERT INTO person (person_ref) VALUES ($1)`, p)
	return p
}

func TestWorkerTriesAgainByItself(t *testing.T) {
	s := newStage(t)
	s.post.set(failing(http.StatusServiceUnavailable))
	stop := s.run(Options{Backoff: Backoff{First: 10 * time.Millisecond, Most: time.Second, Chance: func() float64 { return 0.5 }}})
	defer stop()
	s.choose("newsletter", false)
	s.eventually("newsletter", "failed")
	s.post.set(nil)
	s.eventually("newsletter", "confirmed")
}

func TestStoppedWorkerLetsTheCallEnd(t *testing.T) {
	s := newStage(t)
	calling, goOn := make(chan struct{}), make(chan struct{})
	s.post.set(func(n int, _ http.ResponseWriter, _ *http.Request) bool {
		if n == 1 {
			close(calling)
			<-goOn
		}
		return false
	})
	stop := s.run(Options{})
	s.choose("newsletter", false)
	<-calling
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	close(goOn)
	<-stopped
	s.want("newsletter", "1 stop confirmed")
}

func TestTwoNodesShareTheWork(t *testing.T) {
	s := newStage(t)
	stopA, stopB := s.run(Options{}), s.run(Options{})
	for range 5 {
		s.choose("newsletter", true)
		s.choose("interest-list", true)
		s.choose("newsletter", false)
		s.choose("interest-list", false)
	}
	last := func(purpose string) privacy.DeliveryState {
		b := s.board(purpose)
		return b[len(b)-2].State // before the erasure
	}
	eventually(t, "all is told", func() bool {
		return last("newsletter") == privacy.DeliveryConfirmed && last("interest-list") == privacy.DeliveryConfirmed
	})
	stopA()
	stopB()
	if got := s.post.tags(domainA, kari); got != "interest-list newsletter" {
		t.Errorf("stopped for %q", got)
	}
	for _, purpose := range []string{"newsletter", "interest-list"} {
		for _, d := range s.board(purpose) {
			if d.Action != privacy.ActionErase && d.State != privacy.DeliveryConfirmed && d.State != privacy.DeliverySuperseded {
				t.Errorf("%s %d %s: %s", purpose, d.Version, d.Action, d.State)
			}
		}
	}
}

func TestWorkerWaitsForTheDatabase(t *testing.T) {
	s := newStage(t)
	o := s.Outage(t)
	o.Begin(t)
	s.AppURL = o.AppURL
	stop := s.run(Options{})
	defer stop()
	eventually(t, "the worker says that it waits", func() bool { return strings.Contains(s.logged(), "waiting for the database") })
	o.End(t)
	s.choose("newsletter", true)
	s.eventually("newsletter", "confirmed")
	o.Begin(t)
	s.choose("newsletter", false) // through the other way
	o.End(t)
	eventually(t, "the stop is told after the outage", func() bool { return s.board("newsletter")[1].State == privacy.DeliveryConfirmed })
}

func TestWorkerIsNotMadeOfABadConfiguration(t *testing.T) {
	s := newStage(t)
	unknown := s.post.config()
	unknown.Purposes = map[string]MailgunPurpose{"no-such-purpose": {Tag: "x"}}
	for want, o := range map[string]Options{
		"mailgun: key":    {Recipients: Recipients{Mailgun: &MailgunConfig{}}},
		"sveve: user":     {Recipients: Recipients{Sveve: &SveveConfig{}}},
		"no-such":         {Recipients: Recipients{Mailgun: &unknown}},
		"service account": {Recipients: Recipients{FCM: &FCMConfig{Project: "elekt"}}},
	} {
		o.Store, o.Catalogue, o.Log = s.st, s.c, s.work.log
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error about %q", err, want)
		}
	}
}

func TestConnected(t *testing.T) {
	s := newStage(t)
	for want, o := range map[string]Options{
		"xandr":               {}, // through the app at least
		"mailgun xandr":       {Recipients: Recipients{Mailgun: new(s.post.config())}},
		"mailgun sveve xandr": {Recipients: Recipients{Mailgun: new(s.post.config())}, AddressKey: codeKey},
	} {
		o.Store, o.Catalogue, o.Log = s.st, s.c, s.work.log
		w, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(w.Connected(), " "); got != want {
			t.Errorf("connected %q, want %q", got, want)
		}
	}
}
