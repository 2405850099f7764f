package fulfil

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"elekt.no/innsyn/privacy"
)

// MailgunEU is Mailgun's address for customers whose mail stays in Europe.
const MailgunEU = "https://api.eu.mailgun.net"

// MailgunConfig is the company's account at Mailgun.
type MailgunConfig struct {
	BaseURL string `yaml:"base_url"` // MailgunEU if empty
	Key     string `yaml:"key"`      // API key
	KeyFile string `yaml:"key_file"`
	// Domains are all domains that mail is sent from: what is stopped is kept by
	// Mailgun for each domain apart.
	Domains []string `yaml:"domains"`
	// Purposes are those of the catalogue that Mailgun is told about.
	Purposes map[string]MailgunPurpose `yaml:"purposes"`
	// From is the sender of the portal's own messages, and FromDomain the domain at
	// Mailgun that sends them. People get no e-mail if both are empty.
	From       string `yaml:"from"`
	FromDomain string `yaml:"from_domain"`
}

// MailgunPurpose is how mail for a purpose is known at Mailgun.
type MailgunPurpose struct {
	Tag  string `yaml:"tag"`  // that every such mail carries
	List string `yaml:"list"` // address of the mailing list; empty if there is none
}

// Validate names the first fault of the configuration.
func (c *MailgunConfig) Validate() error {
	if c.Key == "" {
		return errors.New("key is missing")
	}
	if err := validBase(c.BaseURL); err != nil {
		return fmt.Errorf("base_url: %w", err)
	}
	if len(c.Purposes) > 0 && len(c.Domains) == 0 {
		return errors.New("domains: nothing could be stopped without one")
	}
	for i, d := range c.Domains {
		if !isDomain(d) {
			return fmt.Errorf("domains[%d]: %q is not a domain", i, d)
		}
	}
	lists := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(c.Purposes)) {
		p := c.Purposes[id]
		switch {
		case p.Tag == "":
			return fmt.Errorf("purposes.%s: tag is missing", id)
		case p.Tag == everyTag:
			return fmt.Errorf("purposes.%s: the tag * would stop service mail too", id)
		case p.List == "":
			continue
		case lists[p.List] != "":
			return fmt.Errorf("purposes.%s: %s has the same list, and an erasure would take people off both", id, lists[p.List])
		}
		lists[p.List] = id
		if a, err := mail.ParseAddress(p.List); err != nil || a.Address != p.List {
			return fmt.Errorf("purposes.%s: list %q is not an address", id, p.List)
		}
	}
	if (c.From == "") != (c.FromDomain == "") {
		return errors.New("from and from_domain belong together")
	}
	if c.From == "" {
		return nil
	}
	if _, err := mail.ParseAddress(c.From); err != nil {
		return fmt.Errorf("from: %q is not an address", c.From)
	}
	if !isDomain(c.FromDomain) {
		return fmt.Errorf("from_domain: %q is not a domain", c.FromDomain)
	}
	return nil
}

// everyTag is Mailgun's tag for all mail of a domain.
const everyTag = "*"

// mailgun tells Mailgun what a person wants no more, and sends our own e-mail.
//
// A stop is an entry in the suppression table of each sending domain, for the
// purpose's tag and never for all mail: service mail goes on. An erasure takes
// the person off the purpose's mailing list; the entry that keeps mail stopped
// stays, because without it the stop would be forgotten (law: GDPR 21(3)).
type mailgun struct {
	config MailgunConfig
	http   *http.Client
	now    func() time.Time
}

func newMailgun(c MailgunConfig, now func() time.Time) *mailgun {
	if c.BaseURL == "" {
		c.BaseURL = MailgunEU
	}
	return &mailgun{config: c, http: newHTTPClient(), now: now}
}

// Purposes are those with a tag in the configuration.
func (m *mailgun) Purposes() []string { return slices.Sorted(maps.Keys(m.config.Purposes)) }

// Do carries out a task. For a person without an e-mail address there is nobody to
// tell of: that is not done, and is looked at again when there is an address.
func (m *mailgun) Do(ctx context.Context, t Task) (Outcome, error) {
	p := m.config.Purposes[t.Purpose]
	address := strings.TrimSpace(t.Contact.Email)
	if address == "" {
		return Outcome{State: privacy.DeliveryNotConnected, Note: privacy.NoteNoAddress}, nil
	}
	switch t.Action {
	case privacy.ActionStop:
		return m.stop(ctx, address, p, t)
	case privacy.ActionAllow:
		return m.allow(ctx, address, p, t)
	case privacy.ActionErase:
		return m.erase(ctx, address, p)
	}
	return Outcome{State: privacy.DeliveryNeedsManual, Note: "unknown-action"}, nil
}

// keptOf are the tags that Kept has for a domain: its lines are "domain/tag".
func keptOf(kept []string, domain string) (tags []string) {
	for _, line := range kept {
		if tag, ok := strings.CutPrefix(line, domain+"/"); ok {
			tags = append(tags, tag)
		}
	}
	return tags
}

func (m *mailgun) stop(ctx context.Context, address string, p MailgunPurpose, t Task) (o Outcome, err error) {
	for _, domain := range m.config.Domains {
		var tags []string
		if tags, o, err = m.suppressed(ctx, domain, address); err != nil || o.State != privacy.DeliveryConfirmed {
			return o, err
		}
		want := union(tags, keptOf(t.Kept, domain))
		if !slices.Contains(tags, everyTag) {
			want = union(want, []string{p.Tag})
		}
		if len(want) == len(tags) {
			continue
		}
		// The whole set, whether Mailgun adds to the entry or replaces it.
		if o, err = m.suppress(ctx, domain, address, want); err != nil || o.State != privacy.DeliveryConfirmed {
			return o, err
		}
	}
	return o, m.forget(ctx, t)
}

func (m *mailgun) allow(ctx context.Context, address string, p MailgunPurpose, t Task) (o Outcome, err error) {
	t.Kept = slices.Clone(t.Kept)
	for _, domain := range m.config.Domains {
		if o, err = m.release(ctx, domain, address, p, &t); err != nil || o.State != privacy.DeliveryConfirmed {
			return o, err
		}
	}
	if err := m.forget(ctx, t); err != nil {
		return o, err
	}
	if p.List == "" {
		return o, nil
	}
	a, err := m.form(ctx, http.MethodPost, "/v3/lists/"+url.PathEscape(p.List)+"/members",
		url.Values{"address": {address}, "subscribed": {"yes"}, "upsert": {"yes"}})
	return a.Outcome, err
}

// forget takes back what was kept: Mailgun has it again.
func (m *mailgun) forget(ctx context.Context, t Task) error {
	if len(t.Kept) == 0 {
		return nil
	}
	return t.Keep(ctx, nil)
}

// release takes the purpose's tag off the entry of a domain, unless another
// purpose with the same tag is stopped. Mailgun can only remove an entry whole, so
// the other tags are entered again at once. Among them are tags that only Mailgun
// knew, of its own unsubscribe links and of others of the company: all are on
// record before the removal, and the next task about the person enters them again
// if this one doesn't come to it, whatever it is about. What remains: an entry that
// Mailgun's own link makes between the reading and the removal is lost.
func (m *mailgun) release(ctx context.Context, domain, address string, p MailgunPurpose, t *Task) (Outcome, error) {
	tags, o, err := m.suppressed(ctx, domain, address)
	if err != nil || o.State != privacy.DeliveryConfirmed {
		return o, err
	}
	keep := m.keep(union(tags, keptOf(t.Kept, domain)), p.Tag, t.Stopped)
	if slices.ContainsFunc(tags, func(tag string) bool { return !slices.Contains(keep, tag) }) {
		if err := m.remember(ctx, t, domain, keep); err != nil {
			return Outcome{}, err
		}
		a, err := m.form(ctx, http.MethodDelete, m.suppression(domain, address), nil)
		if err != nil || !gone(a) {
			return a.Outcome, err
		}
		tags = nil
	}
	if slices.ContainsFunc(keep, func(tag string) bool { return !slices.Contains(tags, tag) }) {
		return m.suppress(ctx, domain, address, keep)
	}
	return Outcome{State: privacy.DeliveryConfirmed, Status: http.StatusOK}, nil
}

// remember keeps what a domain must have again, beside what others must.
func (m *mailgun) remember(ctx context.Context, t *Task, domain string, tags []string) error {
	lines := slices.DeleteFunc(slices.Clone(t.Kept), func(line string) bool { return strings.HasPrefix(line, domain+"/") })
	for _, tag := range tags {
		lines = append(lines, domain+"/"+tag)
	}
	if len(lines) == 0 && len(t.Kept) == 0 {
		return nil
	}
	if err := t.Keep(ctx, lines); err != nil {
		return err
	}
	t.Kept = lines
	return nil
}

// union is a with those of b that it lacks.
func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// keep is what an entry holds after a tag is allowed: its other tags, and those
// of what the person has stopped with us. An entry for all mail, which only
// Mailgun's own link makes, becomes one for every other purpose: a yes to one
// kind of marketing is no yes to the others.
func (m *mailgun) keep(tags []string, allowed string, stopped []string) []string {
	keep := slices.Clone(tags)
	if slices.Contains(tags, everyTag) {
		for _, p := range m.config.Purposes {
			keep = append(keep, p.Tag)
		}
	}
	keep = slices.DeleteFunc(keep, func(t string) bool { return t == everyTag || t == allowed })
	for _, id := range stopped {
		if p, ok := m.config.Purposes[id]; ok {
			keep = append(keep, p.Tag)
		}
	}
	slices.Sort(keep)
	return slices.Compact(keep)
}

func (m *mailgun) erase(ctx context.Context, address string, p MailgunPurpose) (Outcome, error) {
	if p.List == "" {
		return Outcome{State: privacy.DeliveryConfirmed, Note: "nothing-kept"}, nil
	}
	a, err := m.form(ctx, http.MethodDelete, "/v3/lists/"+url.PathEscape(p.List)+"/members/"+url.PathEscape(address), nil)
	if gone(a) {
		a.State = privacy.DeliveryConfirmed
	}
	return a.Outcome, err
}

// gone tells whether a deletion has reached its end: deleted, or not there.
func gone(a answer) bool {
	return a.State == privacy.DeliveryConfirmed || a.Status == http.StatusNotFound
}

func (m *mailgun) suppression(domain, address string) string {
	return "/v3/" + url.PathEscape(domain) + "/unsubscribes/" + url.PathEscape(address)
}

// suppressed reads which tags an address is stopped for; none if it has no
// entry. The outcome is confirmed if that is known.
func (m *mailgun) suppressed(ctx context.Context, domain, address string) ([]string, Outcome, error) {
	a, err := m.form(ctx, http.MethodGet, m.suppression(domain, address), nil)
	if err != nil || !gone(a) {
		return nil, a.Outcome, err
	}
	if a.Status == http.StatusNotFound {
		return nil, Outcome{State: privacy.DeliveryConfirmed, Status: http.StatusOK}, nil
	}
	var entry struct {
		Tags []string `json:"tags"`
	}
	if err := json.Unmarshal(a.body, &entry); err != nil {
		return nil, Outcome{State: privacy.DeliveryNeedsManual, Status: a.Status, Note: "bad-answer"}, nil
	}
	return entry.Tags, a.Outcome, nil
}

type suppressionEntry struct {
	Address   string   `json:"address"`
	Tags      []string `json:"tags"`
	CreatedAt string   `json:"created_at"` // RFC 2822
}

func (m *mailgun) suppress(ctx context.Context, domain, address string, tags []string) (Outcome, error) {
	body, err := json.Marshal([]suppressionEntry{{Address: address, Tags: tags, CreatedAt: m.now().UTC().Format(time.RFC1123Z)}})
	if err != nil {
		return Outcome{}, err
	}
	a, err := m.request(ctx, http.MethodPost, "/v3/"+url.PathEscape(domain)+"/unsubscribes", "application/json", body)
	return a.Outcome, err
}

func (m *mailgun) form(ctx context.Context, method, path string, fields url.Values) (answer, error) {
	if fields == nil {
		return m.request(ctx, method, path, "", nil)
	}
	return m.request(ctx, method, path, "application/x-www-form-urlencoded", []byte(fields.Encode()))
}

func (m *mailgun) request(ctx context.Context, method, path, contentType string, body []byte) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(m.config.BaseURL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return answer{Outcome: Outcome{State: privacy.DeliveryNeedsManual, Note: "bad-address"}}, nil
	}
	req.SetBasicAuth("api", m.config.Key)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return call(m.http, req, m.now)
}
