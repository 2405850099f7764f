package fulfil

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// errUnsent makes the queue try again.
var errUnsent = errors.New("the code could not be sent yet")

// codes sends one-time codes to the contact on file: by SMS if there is a number
// and a way to send, else by e-mail.
//
// The code is made here, when it is sent, so that it lies nowhere before; its
// hash is kept first, so that a code in somebody's hand is always known. A
// repeated sending makes a new code, and the older one no longer works.
type codes struct {
	store  *store.Store
	key    []byte // of privacy.HashCode
	sender string // whom the messages are from, as people say it
	mail   *mailgun
	sms    *sveve
	log    *slog.Logger
}

// way is a way to send a message.
type way struct {
	channel string
	send    func(ctx context.Context, code string) (Outcome, error)
}

// send sends the code of a job. errUnsent, or an error of the database, means
// that it is to be tried again.
func (c *codes) send(ctx context.Context, args privacy.SendCode) error {
	t, err := c.store.CodeToSend(ctx, args.Code)
	switch privacy.KindOf(err) {
	case privacy.Gone:
		return nil // used, replaced or run out
	case privacy.NotFound:
		return c.failed(ctx, args.Code, "no-customer")
	}
	if err != nil {
		return err
	}
	ctx = i18n.With(ctx, t.Customer.Language)
	note := "no-way"
	for _, w := range c.ways(ctx, t) {
		code := privacy.NewCode()
		if err := c.store.SetCode(ctx, t.ID, w.channel, privacy.HashCode(c.key, t.ID, code)); err != nil {
			if privacy.KindOf(err) == privacy.Gone {
				return nil
			}
			return err
		}
		o, err := w.send(ctx, code)
		if err != nil {
			return err
		}
		c.log.Log(ctx, level(o.State), "code", "code", t.ID, "channel", w.channel, "state", string(o.State), "status", o.Status, "note", o.Note)
		switch o.State {
		case privacy.DeliveryAccepted, privacy.DeliveryConfirmed:
			return nil
		case privacy.DeliveryFailed:
			return errUnsent
		}
		note = o.Note // refused for good: the other way may do
	}
	return c.failed(ctx, args.Code, note)
}

func (c *codes) failed(ctx context.Context, id, note string) error {
	c.log.ErrorContext(ctx, "code", "code", id, "state", "failed", "note", note)
	return c.store.CodeFailed(ctx, id)
}

func (c *codes) ways(ctx context.Context, t *store.CodeToSend) []way {
	text := func(key, code string) string {
		minutes := max(1, int(t.Expires.Sub(c.store.Now()).Round(time.Minute).Minutes()))
		return plain(i18n.T(ctx, key, "Code", code, "Sender", c.sender, "Life", i18n.T(ctx, "message.code.life", "Count", minutes)))
	}
	var out []way
	if c.sms != nil && t.Customer.Phone != "" {
		out = append(out, way{"sms", func(ctx context.Context, code string) (Outcome, error) {
			return c.sms.send(ctx, t.Customer.Phone, text("message.code.sms", code), t.ID)
		}})
	}
	if c.mail != nil && c.mail.config.From != "" && t.Customer.Email != "" {
		out = append(out, way{"email", func(ctx context.Context, code string) (Outcome, error) {
			return c.mail.send(ctx, t.Customer.Email, text("message.code.subject", code), text("message.code.mail", code))
		}})
	}
	return out
}

// plain takes out the spaces that only a page needs: an SMS with one is sent in
// another alphabet and costs twice as much.
func plain(s string) string { return strings.ReplaceAll(s, "\u00a0", " ") }

// send sends a message of the portal to one person.
func (m *mailgun) send(ctx context.Context, to, subject, text string) (Outcome, error) {
	a, err := m.form(ctx, http.MethodPost, fmt.Sprintf("/v3/%s/messages", url.PathEscape(m.config.FromDomain)),
		url.Values{"from": {m.config.From}, "to": {to}, "subject": {subject}, "text": {text}})
	if a.State == privacy.DeliveryConfirmed {
		a.State = privacy.DeliveryAccepted // taken on, not arrived
	}
	return a.Outcome, err
}
