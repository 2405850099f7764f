package fulfiltest

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elekt.no/innsyn/dev/demo"
	"elekt.no/innsyn/dev/standin"
	"elekt.no/innsyn/fulfil"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
	"elekt.no/innsyn/store/storetest"
)

const (
	domainA  = "mail.elekt.example"
	domainB  = "news.elekt.example"
	newsList = "newsletter@" + domainB
)

var codeKey = bytes.Repeat([]byte{1}, 32)

// way is the whole way from a choice to the recipients.
type way struct {
	t        *testing.T
	standin  *standin.Server
	st       *store.Store
	owner    *sql.DB
	c        *privacy.Catalogue
	person   privacy.PersonRef
	customer *store.Customer
	ahead    atomic.Int64 // how far the clock is ahead
	logs     logs
}

type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (w *way) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

// newWay starts a worker; it is stopped when the test ends.
func newWay(t *testing.T) *way {
	t.Helper()
	db := storetest.New(t)
	w := &way{t: t, owner: db.Owner(t), person: privacy.NewPersonRef()}
	w.standin = standin.New(standin.Options{MailgunKey: "key", Domains: []string{domainA, domainB},
		Lists: []string{newsList, "interest@" + domainB}, SveveUser: "elekt", SvevePassword: "secret", Now: w.now})
	srv := httptest.NewServer(w.standin)
	t.Cleanup(srv.Close)
	if err := demo.Load(t.Context(), w.owner, bytes.Repeat([]byte{2}, 32)); err != nil {
		t.Fatal(err)
	}
	var err error
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
	w.exec(`INSERT INTO person (person_ref) VALUES ($1)`, w.person)
	w.exec(`INSERT INTO person_link (person_ref, system, external_id, evidence)
		SELECT $1, 'customer', customer_no, 'national-id' FROM elekt.customer JOIN elekt.newsletter USING (customer_no)
		WHERE 'newsletter' = ANY(lists) AND customer.phone IS NOT NULL ORDER BY customer_no LIMIT 1`, w.person)
	if w.customer, err = w.st.Customer(t.Context(), w.person); err != nil {
		t.Fatal(err)
	}
	if err := w.standin.Subscribe(newsList, w.customer.Email, ""); err != nil {
		t.Fatal(err)
	}
	worker, err := fulfil.New(fulfil.Options{
		Store: w.st, Catalogue: w.c, CodeKey: codeKey, Log: slog.New(slog.NewTextHandler(&w.logs, nil)),
		Backoff: fulfil.Backoff{First: 10 * time.Millisecond, Most: 100 * time.Millisecond, Chance: func() float64 { return 0.5 }},
		Recipients: fulfil.Recipients{Mailgun: &fulfil.MailgunConfig{BaseURL: srv.URL, Key: "key", Domains: []string{domainA, domainB},
			From: "Elekt <personvern@" + domainA + ">", FromDomain: domainA,
			Purposes: map[string]fulfil.MailgunPurpose{
				"newsletter":    {Tag: "newsletter", List: newsList},
				"interest-list": {Tag: "interest-list", List: "interest@" + domainB},
			}},
			Sveve: &fulfil.SveveConfig{BaseURL: srv.URL, User: "elekt", Password: "secret", From: "Elekt"}},
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
		for _, secret := range []string{w.customer.Email, w.customer.Phone, w.customer.FamilyName, "secret"} {
			if strings.Contains(w.logs.String(), secret) {
				t.Errorf("the log holds something of the person or a password:\n%s", w.logs.String())
			}
		}
	})
	return w
}

func (w *way) exec(query string, args ...any) {
	w.t.Helper()
	if _, err := w.owner.Exec(query, args...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *way) choose(purpose string, yes bool) {
	w.t.Helper()
	p, err := w.c.Purpose(purpose)
	if err != nil {
		w.t.Fatal(err)
	}
	d := p.No()
	if yes {
		d = p.Yes()
	}
	err = w.st.RecordChoices(w.t.Context(), w.person, []string{purpose}, func(now map[string]*privacy.Choice) ([]*privacy.Change, error) {
		f := privacy.Form{Decision: d, Text: w.c.Shown(p, "nb").Hash(), Language: "nb", Channel: privacy.ChannelWeb, Actor: privacy.ActorPerson}
		if c := now[purpose]; c != nil {
			f.Version = c.Version
		}
		change, err := w.c.Change(w.person, p, now[purpose], w.customer.Circumstances(), f, w.now())
		if change == nil || err != nil {
			return nil, err
		}
		return []*privacy.Change{change}, nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// await waits until Mailgun's row of an action of the newest version has a state.
func (w *way) await(purpose string, a privacy.Action, want privacy.DeliveryState) privacy.Delivery {
	w.t.Helper()
	end := time.NewTimer(40 * time.Second)
	defer end.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		all, err := w.st.Deliveries(w.t.Context(), w.person, purpose)
		if err != nil {
			w.t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(d privacy.Delivery) bool { return d.Recipient == "mailgun" && d.Action == a })
		if i >= 0 && all[i].State == want {
			return all[i]
		}
		select {
		case <-tick.C:
		case <-end.C:
			w.t.Fatalf("%s of %s is never %s: %+v\n%s", a, purpose, want, all, w.logs.String())
		}
	}
}

func (w *way) suppressed() string {
	w.t.Helper()
	a, b := w.standin.Suppressed(domainA, w.customer.Email), w.standin.Suppressed(domainB, w.customer.Email)
	if !slices.Equal(a, b) {
		w.t.Fatalf("stopped for %q at one domain and %q at the other", a, b)
	}
	return strings.Join(a, " ")
}

// refused fails if the stand-in met anything that its document doesn't have.
func (w *way) refused() {
	w.t.Helper()
	for _, r := range w.standin.Requests() {
		if r.Status == 400 || r.Status == 401 || r.Recipient == "" {
			b, err := json.Marshal(r)
			if err != nil {
				w.t.Fatal(err)
			}
			w.t.Errorf("refused: %s", b)
		}
	}
}

func TestNewsletterTheWholeWay(t *testing.T) {
	w := newWay(t)
	w.choose("newsletter", true)
	w.await("newsletter", privacy.ActionAllow, privacy.DeliveryConfirmed)
	w.choose("newsletter", false)
	w.await("newsletter", privacy.ActionStop, privacy.DeliveryConfirmed)
	if got := w.suppressed(); got != "newsletter" {
		t.Fatalf("stopped for %q", got)
	}
	if _, there := w.standin.MemberOf(newsList, w.customer.Email); !there {
		t.Fatal("the list was left at once")
	}
	w.ahead.Store(int64(privacy.EraseDelay + time.Minute))
	// the queue's own clock can't be set: what the sweep does, without waiting for it
	if n, err := w.st.EnqueueOverdue(t.Context(), w.now().Add(-20*time.Second)); n == 0 || err != nil {
		t.Fatalf("%d pairs are due, %v", n, err)
	}
	w.await("newsletter", privacy.ActionErase, privacy.DeliveryConfirmed)
	if _, there := w.standin.MemberOf(newsList, w.customer.Email); there {
		t.Fatal("still on the list a day later")
	}
	if got := w.suppressed(); got != "newsletter" {
		t.Errorf("stopped for %q after the erasure", got)
	}
	w.choose("interest-list", false)
	w.await("interest-list", privacy.ActionStop, privacy.DeliveryConfirmed)
	w.choose("newsletter", true)
	w.await("newsletter", privacy.ActionAllow, privacy.DeliveryConfirmed)
	if got := w.suppressed(); got != "interest-list" {
		t.Errorf("stopped for %q after a new yes, want the other purpose only", got)
	}
	if m, there := w.standin.MemberOf(newsList, w.customer.Email); !there || !m.Subscribed {
		t.Error("a new yes put nobody on the list")
	}
	w.refused()
}

func TestMailgunFailsInEveryWay(t *testing.T) {
	for _, x := range []struct {
		fault standin.Fault
		want  privacy.DeliveryState
		note  string
		tries int
	}{
		{standin.Fault{Kind: standin.FaultServerError, Times: 2}, privacy.DeliveryConfirmed, "", 3},
		{standin.Fault{Kind: standin.FaultTooMany, Retry: 1, Times: 1}, privacy.DeliveryConfirmed, "", 2},
		{standin.Fault{Kind: standin.FaultLost, Method: "POST", Times: 1}, privacy.DeliveryConfirmed, "", 2},
		{standin.Fault{Kind: standin.FaultUnauthorized}, privacy.DeliveryNeedsManual, "http-401", 1},
		{standin.Fault{Kind: standin.FaultUnprocessable}, privacy.DeliveryNeedsManual, "http-422", 1},
		{standin.Fault{Kind: standin.FaultConflict}, privacy.DeliveryNeedsManual, "http-409", 1},
	} {
		t.Run(string(x.fault.Kind), func(t *testing.T) {
			w := newWay(t)
			x.fault.Recipient = standin.Mailgun
			if err := w.standin.Fail(x.fault); err != nil {
				t.Fatal(err)
			}
			w.choose("newsletter", false)
			d := w.await("newsletter", privacy.ActionStop, x.want)
			if d.Note != x.note || d.Attempts != x.tries {
				t.Errorf("note %q after %d attempts, want %q after %d", d.Note, d.Attempts, x.note, x.tries)
			}
			if x.want == privacy.DeliveryConfirmed && w.suppressed() != "newsletter" {
				t.Errorf("stopped for %q", w.suppressed())
			}
		})
	}
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// ask asks for a code to the person's own record, not linked yet.
func (w *way) ask() {
	w.t.Helper()
	w.exec(`DELETE FROM person_link`)
	if err := w.st.AskCode(w.t.Context(), w.person, w.customer); err != nil {
		w.t.Fatal(err)
	}
}

// arrives waits for the message and uses its code.
func (w *way) arrives(recipient, to string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	m, err := w.standin.WaitMessage(ctx, func(m standin.Message) bool { return m.Recipient == recipient })
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.logs.String())
	}
	if !slices.Equal(m.To, []string{to}) {
		w.t.Errorf("sent to %q", m.To)
	}
	code := sixDigits.FindString(m.Text)
	got, err := w.st.UseCode(w.t.Context(), w.person, func(id string) []byte { return privacy.HashCode(codeKey, id, code) })
	if err != nil {
		w.t.Errorf("the code of %q: %v", m.Text, err)
	}
	if c, err := w.st.Customer(w.t.Context(), w.person); err != nil || c.No != w.customer.No {
		w.t.Errorf("%s: linked to %+v, %v", got, c, err)
	}
	if strings.Contains(w.logs.String(), code) {
		w.t.Error("the log holds the code")
	}
}

func TestCodeArrivesBySMS(t *testing.T) {
	w := newWay(t)
	w.ask()
	w.arrives(standin.Sveve, w.customer.Phone)
	w.refused()
}

func TestCodeArrivesByMailWhenSveveRefuses(t *testing.T) {
	w := newWay(t)
	if err := w.standin.Fail(standin.Fault{Kind: standin.FaultUnauthorized, Recipient: standin.Sveve}); err != nil {
		t.Fatal(err)
	}
	w.ask()
	w.arrives(standin.Mailgun, w.customer.Email)
}

func TestCodeArrivesWhenSveveIsBack(t *testing.T) {
	w := newWay(t)
	if err := w.standin.Fail(standin.Fault{Kind: standin.FaultServerError, Recipient: standin.Sveve, Times: 1}); err != nil {
		t.Fatal(err)
	}
	w.ask()
	w.arrives(standin.Sveve, w.customer.Phone)
}
