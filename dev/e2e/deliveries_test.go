package e2e

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"elekt.no/innsyn/dev/standin"
)

// stand-in's faults for the newsletter's yes.
func failing(t *testing.T, kind standin.FaultKind, times int) {
	t.Helper()
	if err := world.Standin.Fail(standin.Fault{Kind: kind, Recipient: standin.Mailgun, Method: http.MethodPost,
		Path: "/v3/lists/" + newsList + "/members", Times: times}); err != nil {
		t.Fatal(err)
	}
}

// later lets the time pass that a delivery waits before it is tried again.
func later(t *testing.T) {
	t.Helper()
	owner(t, `UPDATE delivery SET next_attempt = now(), changed_at = changed_at - interval '1 minute', not_before = not_before - interval '1 minute'
		WHERE state IN ('queued', 'sent', 'failed')`)
	owner(t, `UPDATE river_job SET state = 'available', scheduled_at = now() WHERE state IN ('scheduled', 'retryable') AND kind = 'bring_up_to_date'`)
}

// TestDeliveryFails is a recipient that answers with an error: the person sees
// that it isn't done and when it is tried again, and then it arrives.
func TestDeliveryFails(t *testing.T) {
	anew(t)
	failing(t, standin.FaultServerError, 1)
	v := arrive(t)
	v.comes("ingrid")
	v.visit("/consents")
	v.turns(newsletter, true)
	until(t, "the failure on record", func() bool {
		return number(t, `SELECT count(*) FROM delivery WHERE recipient = 'mailgun' AND state = 'failed'`) == 1
	})
	v.visit("/consents/" + newsletter)
	v.sees("#board", v.says("delivery.failed"))
	if strings.Contains(v.text("#board li:nth-of-type(2)"), v.says("delivery.confirmed")) {
		t.Error("the board says confirmed")
	}
	v.visit("/overview")
	v.sees("main .rows", v.says("attention.failed-title", "Name", "Mailgun"))
	later(t)
	subscribes(t, person(t, "ingrid").Email)
	settled(t, newsletter)
	v.visit("/consents/" + newsletter)
	v.sees("#board li.is-confirmed:nth-of-type(2)", "Mailgun")
}

// TestWorkerKilled is a power cut in the middle of a delivery: what was chosen
// arrives when a worker is there again.
func TestWorkerKilled(t *testing.T) {
	anew(t)
	failing(t, standin.FaultTimeout, 0)
	v := arrive(t)
	v.comes("ingrid")
	v.visit("/consents")
	v.turns(newsletter, true)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := world.Standin.Wait(ctx, func(r standin.Request) bool { return r.Fault == standin.FaultTimeout }); err != nil {
		t.Fatal(err)
	}
	if state := one[string](t, `SELECT state FROM delivery WHERE recipient = 'mailgun'`); state != "sent" {
		t.Errorf("while it is under way it is %s", state)
	}
	if err := world.Worker.Kill(); err != nil {
		t.Fatal(err)
	}
	v.visit("/consents/" + newsletter)
	v.sees("#board", v.says("delivery.sent"))
	world.Standin.Mend()
	// Time passes: the dead worker's job and its lead are nobody's any more.
	owner(t, `UPDATE river_job SET attempted_at = attempted_at - interval '5 minutes' WHERE state = 'running'`)
	owner(t, `UPDATE river_leader SET expires_at = now() - interval '1 second'`)
	later(t)
	if err := world.Worker.Start(); err != nil {
		t.Fatal(err)
	}
	subscribes(t, person(t, "ingrid").Email)
	settled(t, newsletter)
	if n := number(t, `SELECT count(*) FROM delivery_attempt a JOIN delivery d USING (delivery_id) WHERE d.recipient = 'mailgun'`); n != 2 {
		t.Errorf("%d attempts are on record, want the broken one and the good one", n)
	}
	owner(t, `DELETE FROM river_job WHERE state = 'running'`)
}

// TestServeKilled is the same for the portal: a press that gets no answer says
// so, and everybody is still logged in when it is back.
func TestServeKilled(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.comes("ingrid")
	v.visit("/consents")
	if err := world.Serve.Kill(); err != nil {
		t.Fatal(err)
	}
	v.eye.expectLoss()
	v.press(switchOf(newsletter))
	v.sees(messageOf(newsletter), v.says("fault.no-answer.title"))
	v.axe()
	if err := world.Serve.Start(); err != nil {
		t.Fatal(err)
	}
	if err := world.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	v.visit("/consents")
	v.turns(newsletter, true)
}

// boardLine is a line of the board as it is seen.
type boardLine struct {
	Text string
	Done bool
}

// TestBoard compares the board with what is on record, recipient by recipient:
// each says its own state, and nobody's is nicer than it is.
func TestBoard(t *testing.T) {
	anew(t)
	v := arrive(t)
	v.comes("ingrid")
	v.visit("/consents")
	for _, purpose := range []string{newsletter, "personalised-ads", "invoice-check"} {
		v.turns(purpose, true)
		settled(t, purpose)
		v.visit("/consents/" + purpose)
		rows, err := world.owner.QueryContext(t.Context(), `SELECT recipient, state FROM delivery WHERE purpose = $1 AND action = 'allow'`, purpose)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		n, confirmed := 0, 1 // the company's own line
		for rows.Next() {
			var recipient, state string
			if err := rows.Scan(&recipient, &state); err != nil {
				t.Fatal(err)
			}
			n++
			name := world.catalogue.Recipient(recipient).NameIn(v.lang)
			line := ask[boardLine](v, `(l => ({Text: l?.innerText ?? "", Done: l?.matches(".is-confirmed") ?? false}))
				([...document.querySelectorAll("#board li")].find(l => l.querySelector(".board-name").innerText === `+quote(name)+`))`)
			if line.Text == "" {
				t.Errorf("%s: %s isn't on the board", purpose, name)
				continue
			}
			says := strings.Contains(plain(line.Text), v.says("delivery.confirmed"))
			if line.Done != (state == "confirmed") || says && state != "confirmed" {
				t.Errorf("%s: %s is %s, and the board says %q", purpose, name, state, plain(line.Text))
			}
			if line.Done {
				confirmed++
			}
		}
		if err := rows.Err(); err != nil || n == 0 {
			t.Fatalf("%s: %d deliveries, %v", purpose, n, err)
		}
		if shown := v.count("#board li.is-confirmed"); shown != confirmed {
			t.Errorf("%s: %d lines are marked confirmed, want %d", purpose, shown, confirmed)
		}
		v.visit("/consents")
	}
}
