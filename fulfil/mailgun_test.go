package fulfil

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
)

func (p *post) connector() *mailgun { return newMailgun(p.config(), time.Now) }

func (p *post) do(t *testing.T, purpose string, a privacy.Action, stopped ...string) Outcome {
	t.Helper()
	o, err := p.connector().Do(t.Context(), Task{Delivery: privacy.Delivery{Purpose: purpose, Action: a},
		Contact: Contact{Email: kari}, Stopped: stopped, Kept: p.kept,
		Keep: func(_ context.Context, kept []string) error { p.kept = kept; return nil }})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func confirmed(t *testing.T, o Outcome) {
	t.Helper()
	if o.State != privacy.DeliveryConfirmed {
		t.Fatalf("%+v, want confirmed", o)
	}
}

func TestMailgunStopKeepsOtherStops(t *testing.T) {
	p := newPost(t)
	p.suppress(domainA, kari, "invoices")
	confirmed(t, p.do(t, "newsletter", privacy.ActionStop))
	if a, b := p.tags(domainA, kari), p.tags(domainB, kari); a != "invoices newsletter" || b != "newsletter" {
		t.Errorf("stopped for %q and %q", a, b)
	}
	p.took()
	confirmed(t, p.do(t, "newsletter", privacy.ActionStop))
	for _, c := range p.took() {
		if !strings.HasPrefix(c, "GET ") {
			t.Errorf("stopped already, and yet %s", c)
		}
	}
}

func TestMailgunAllowKeepsOtherStops(t *testing.T) {
	p := newPost(t)
	p.suppress(domainA, kari, "newsletter", "invoices")
	p.suppress(domainB, kari, "newsletter")
	confirmed(t, p.do(t, "newsletter", privacy.ActionAllow))
	if a, b := p.tags(domainA, kari), p.tags(domainB, kari); a != "invoices" || b != "" {
		t.Errorf("stopped for %q and %q, want invoices and nothing", a, b)
	}
	if !p.isMember(news, kari) {
		t.Error("not on the list")
	}
}

func TestMailgunAllowSurvivesBreakingOffAfterTheRemoval(t *testing.T) {
	p := newPost(t)
	p.suppress(domainA, kari, "newsletter", "marketing", "invoices")
	p.set(func(_ int, w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusBadGateway)
		}
		return r.Method == http.MethodPost
	})
	broken := func(t *testing.T) {
		if o := p.do(t, "newsletter", privacy.ActionAllow); o.State != privacy.DeliveryFailed {
			t.Fatalf("%+v, want failed", o)
		}
		if got := p.tags(domainA, kari); got != "" {
			t.Fatalf("stopped for %q: the removal was to succeed", got)
		}
	}
	mend := p.before
	broken(t)
	p.set(nil)
	confirmed(t, p.do(t, "newsletter", privacy.ActionAllow))
	if got := p.tags(domainA, kari); got != "invoices marketing" {
		t.Errorf("stopped for %q: stops that only Mailgun knew were lost", got)
	}
	// Also if what comes next is about something else.
	p.suppress(domainA, kari, "newsletter", everyTag)
	p.set(mend)
	broken(t)
	p.set(nil)
	confirmed(t, p.do(t, "newsletter", privacy.ActionStop))
	if got := p.tags(domainA, kari); got != "interest-list marketing newsletter" {
		t.Errorf("stopped for %q after a no", got)
	}
	if len(p.kept) > 0 {
		t.Errorf("still kept: %q", p.kept)
	}
}

func TestMailgunAllowDoesNotLiftAStopOfTheSameTag(t *testing.T) {
	p := newPost(t)
	p.suppress(domainA, kari, "marketing")
	p.suppress(domainB, kari, "marketing")
	confirmed(t, p.do(t, "direct-marketing-customer", privacy.ActionAllow, "partner-offers"))
	if got := p.tags(domainA, kari); got != "marketing" {
		t.Errorf("stopped for %q, want marketing", got)
	}
	for _, c := range p.took() {
		if strings.HasPrefix(c, "DELETE") {
			t.Errorf("%s, though nothing was to be lifted", c)
		}
	}
}

func TestMailgunAllowAfterAStopOfAllMailAllowsOneKindOnly(t *testing.T) {
	p := newPost(t)
	p.suppress(domainA, kari, everyTag)
	confirmed(t, p.do(t, "newsletter", privacy.ActionAllow))
	if got := p.tags(domainA, kari); got != "interest-list marketing" {
		t.Errorf("stopped for %q, want every other purpose", got)
	}
}

func TestMailgunStopNeverStopsAllMail(t *testing.T) {
	p := newPost(t)
	for purpose := range p.config().Purposes {
		confirmed(t, p.do(t, purpose, privacy.ActionStop))
	}
	if got := p.tags(domainA, kari); got != "interest-list marketing newsletter" {
		t.Errorf("stopped for %q", got)
	}
}

func TestMailgunErase(t *testing.T) {
	p := newPost(t)
	p.subscribe(news, kari)
	confirmed(t, p.do(t, "newsletter", privacy.ActionErase))
	if p.isMember(news, kari) {
		t.Error("still on the list")
	}
	confirmed(t, p.do(t, "newsletter", privacy.ActionErase)) // 404
	p.took()
	confirmed(t, p.do(t, "partner-offers", privacy.ActionErase))
	if c := p.took(); len(c) > 0 {
		t.Errorf("no list, and yet %q", c)
	}
}

func TestMailgunStopIsNotDoneUntilEveryDomainIs(t *testing.T) {
	p := newPost(t)
	p.set(func(_ int, w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, domainB) {
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}
		return false
	})
	if o := p.do(t, "newsletter", privacy.ActionStop); o.State != privacy.DeliveryFailed || o.Status != http.StatusInternalServerError {
		t.Errorf("%+v, want failed", o)
	}
}

func TestMailgunAnswerThatIsNoEntryGoesToAHuman(t *testing.T) {
	p := newPost(t)
	p.set(func(_ int, w http.ResponseWriter, r *http.Request) bool {
		w.Write([]byte("<html>"))
		return true
	})
	if o := p.do(t, "newsletter", privacy.ActionStop); o.State != privacy.DeliveryNeedsManual || o.Note != "bad-answer" {
		t.Errorf("%+v, want a human", o)
	}
}

func TestMailgunFollowsNoRedirect(t *testing.T) {
	p := newPost(t)
	elsewhere := newPost(t)
	p.set(failing(http.StatusTemporaryRedirect, "Location", elsewhere.URL))
	if o := p.do(t, "newsletter", privacy.ActionStop); o.State != privacy.DeliveryNeedsManual {
		t.Errorf("%+v, want a human", o)
	}
	if c := elsewhere.took(); len(c) > 0 {
		t.Errorf("the address was carried elsewhere: %q", c)
	}
}

func TestMailgunInterruptedIsAnError(t *testing.T) {
	p := newPost(t)
	ctx, stop := context.WithCancel(t.Context())
	p.set(func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		stop()
		<-r.Context().Done()
		return true
	})
	o, err := p.connector().Do(ctx, Task{Delivery: privacy.Delivery{Purpose: "newsletter", Action: privacy.ActionStop}, Contact: Contact{Email: kari}})
	if err == nil || strings.Contains(err.Error(), "kari") {
		t.Errorf("%+v, %v; want an error that names nobody", o, err)
	}
}

func TestMailgunConfigFaults(t *testing.T) {
	good := newPost(t).config()
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*MailgunConfig){
		"key":                           func(c *MailgunConfig) { c.Key = "" },
		"base_url":                      func(c *MailgunConfig) { c.BaseURL = "http://api.example.org" },
		"not scheme, host and port":     func(c *MailgunConfig) { c.BaseURL = "https://api.example.org/v3" },
		"domains: nothing":              func(c *MailgunConfig) { c.Domains = nil },
		"domains[1]":                    func(c *MailgunConfig) { c.Domains = []string{"a.no", "b.no/x"} },
		"purposes.newsletter: tag is":   func(c *MailgunConfig) { c.Purposes = map[string]MailgunPurpose{"newsletter": {}} },
		"would stop service mail":       func(c *MailgunConfig) { c.Purposes = map[string]MailgunPurpose{"newsletter": {Tag: "*"}} },
		`purposes.newsletter: list "x"`: func(c *MailgunConfig) { c.Purposes = map[string]MailgunPurpose{"newsletter": {Tag: "n", List: "x"}} },
		"purposes.b: a has the same list": func(c *MailgunConfig) {
			c.Purposes = map[string]MailgunPurpose{"a": {Tag: "a", List: news}, "b": {Tag: "b", List: news}}
		},
		"from and from_domain": func(c *MailgunConfig) { c.FromDomain = "" },
		"from: ":               func(c *MailgunConfig) { c.From = "Elekt" },
		"from_domain: ":        func(c *MailgunConfig) { c.FromDomain = "x y" },
	} {
		c := good
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error about %q", err, want)
		}
	}
	local := good
	local.BaseURL = "http://127.0.0.2:8082"
	if err := local.Validate(); err != nil {
		t.Error(err)
	}
	if got := newMailgun(good, time.Now).Purposes(); !slices.IsSorted(got) || len(got) != 4 {
		t.Errorf("purposes %q", got)
	}
}
