package fulfil

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// ElhubConfig is the company as a third party at Elhub, through the service that
// carries its market messages.
type ElhubConfig struct {
	BaseURL  string   `yaml:"base_url"` // of the message service
	Key      string   `yaml:"key"`
	KeyFile  string   `yaml:"key_file"`
	GLN      string   `yaml:"gln"` // of the company, 13 digits
	Purposes []string `yaml:"purposes"`
}

// Validate names the first fault of the configuration.
func (c *ElhubConfig) Validate() error {
	switch {
	case c.BaseURL == "":
		return errors.New("base_url is missing")
	case c.Key == "":
		return errors.New("key is missing")
	case len(c.GLN) != 13 || onlyDigits(c.GLN) != c.GLN:
		return fmt.Errorf("gln: %q is not 13 digits", c.GLN)
	}
	return validURLs(map[string]string{"base_url": c.BaseURL})
}

// elhub ends the company's access to a person's metering points: the market process
// BRS-NO-622, message 34, of which a removal takes effect at once. Metering points
// are named by their ids, never people. Access is given by the person alone, in Min
// side, and what Elhub has stays: it keeps the register by law.
type elhub struct {
	identified
	caller
	config ElhubConfig
}

func newElhub(c ElhubConfig, now func() time.Time) *elhub {
	return &elhub{caller: newCaller(now), config: c}
}

// Purposes are those of the configuration.
func (e *elhub) Purposes() []string { return e.config.Purposes }

// elhubMessage is what a market message is about. The same task makes the same
// message, so that a repeat is known as one.
type elhubMessage struct {
	Process       string `json:"process"`
	Message       string `json:"message"`
	Reference     string `json:"reference"`
	Sender        string `json:"sender"`
	MeteringPoint string `json:"meteringPoint"`
	Operation     string `json:"operation"`
	Sent          string `json:"sent"`
}

// elhubReceipt is the answer, also to a question about a message.
type elhubReceipt struct {
	Status string `json:"status"`
}

// Do carries out a task.
func (e *elhub) Do(ctx context.Context, t Task) (Outcome, error) {
	switch t.Action {
	case privacy.ActionAllow:
		return userLink{}.Do(ctx, Task{})
	case privacy.ActionErase: // law: GDPR 17(3)(b)
		return Outcome{State: privacy.DeliveryRefused, Note: privacy.NoteKeptByLaw}, nil
	case privacy.ActionStop:
	default:
		return unknownAction(), nil
	}
	if len(t.IDs.Meters) == 0 {
		return noAddress(), nil
	}
	out := settled("")
	var pending []string
	for _, meter := range t.IDs.Meters {
		m := elhubMessage{Process: "BRS-NO-622", Message: "34", Reference: elhubReference(t.ID, meter), Sender: e.config.GLN,
			MeteringPoint: meter, Operation: "remove", Sent: t.CreatedAt.UTC().Format(time.RFC3339)}
		a, err := e.do(ctx, request{method: http.MethodPost, url: join(e.config.BaseURL, "/messages"), bearer: e.config.Key, json: m})
		if err != nil {
			return Outcome{}, err
		}
		o := elhubOutcome(a)
		if o.State == privacy.DeliveryAccepted {
			pending = append(pending, m.Reference)
		}
		if out = worse(out, o); rank(out.State) > rank(privacy.DeliveryAccepted) {
			return out, nil
		}
	}
	out.Handle, out.AskAfter = strings.Join(pending, " "), elhubFirst
	return out, nil
}

// elhubFirst is when a message that is looked at is asked about.
const elhubFirst = time.Minute

// Poll asks about messages that weren't answered at once.
func (e *elhub) Poll(ctx context.Context, _ Task, p store.Pending) (Outcome, error) {
	out := settled("")
	for _, reference := range strings.Fields(p.Handle) {
		a, err := e.do(ctx, request{method: http.MethodGet, url: join(e.config.BaseURL, "/messages/"+reference), bearer: e.config.Key})
		if err != nil {
			return Outcome{}, err
		}
		o := elhubOutcome(a)
		if a.State != privacy.DeliveryConfirmed {
			o = unasked(a)
		}
		out = worse(out, o)
	}
	return out, nil
}

// elhubOutcome reads an answer. What Elhub rejects the same message can't mend.
func elhubOutcome(a answer) Outcome {
	if a.State != privacy.DeliveryConfirmed {
		return a.Outcome
	}
	var r elhubReceipt
	if !a.read(&r) {
		return a.Outcome
	}
	switch r.Status {
	case "accepted":
	case "pending":
		a.State = privacy.DeliveryAccepted
	case "rejected":
		a.State, a.Note, a.Task = privacy.DeliveryNeedsManual, "rejected", TaskAgreement
	default:
		a.State, a.Note = privacy.DeliveryNeedsManual, "bad-answer"
	}
	return a.Outcome
}

// elhubReference is a UUID (version 8) of a task and a metering point.
func elhubReference(delivery, meter string) string {
	h := sha256.Sum256([]byte("elhub " + delivery + " " + meter))
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
