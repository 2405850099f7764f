package fulfil

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// modes gives the stage a worker with what each mode comes to, and what the
// recipients given are connected as.
func (s *stage) modes(r Recipients) {
	s.t.Helper()
	connectors, others, err := r.connect(Options{Store: s.st, Catalogue: s.c, AddressKey: codeKey}, s.now)
	if err != nil {
		s.t.Fatal(err)
	}
	s.work = &deliveries{store: s.st, contacts: s.st, connectors: connectors, others: others, backoff: steady, call: store.CallTime,
		log: slog.New(slog.NewTextHandler(s, nil))}
}

func (s *stage) bringTo(recipient string) {
	s.t.Helper()
	busy, err := s.work.bring(s.t.Context(), privacy.BringUpToDate{Person: s.person, Recipient: recipient})
	if busy || err != nil {
		s.t.Fatal(busy, err)
	}
}

func (s *stage) pollOf(recipient string) {
	s.t.Helper()
	busy, err := s.work.poll(s.t.Context(), privacy.PollDelivery{Person: s.person, Recipient: recipient})
	if busy || err != nil {
		s.t.Fatal(busy, err)
	}
}

// wantAt compares what a recipient is told of a purpose with lines as "1 stop confirmed".
func (s *stage) wantAt(recipient, purpose string, want ...string) {
	s.t.Helper()
	all, err := s.st.Deliveries(context.Background(), s.person, purpose)
	if err != nil {
		s.t.Fatal(err)
	}
	var got []string
	for _, d := range all {
		if d.Recipient == recipient {
			got = append(got, strings.TrimSpace(fmt.Sprintf("%d %s %s %s", d.Version, d.Action, d.State, d.Note)))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.t.Fatalf("%s of %s:\n got %q\nwant %q", recipient, purpose, got, want)
	}
}

func (s *stage) phone(installation string, seen time.Time) {
	s.exec(`INSERT INTO elekt.device (installation_id, customer_no, platform, model, os_version, app_version, language, time_zone, push_token, first_seen, last_seen)
		VALUES ($1, '100200', 'ios', 'iPhone', '19', '5', 'nb', 'Europe/Oslo', $1, $2, $2)`, installation, seen)
}

func (s *stage) acknowledge(installation string, states ...store.DeviceState) {
	s.t.Helper()
	if err := s.st.AcknowledgeDevice(s.t.Context(), installation, states); err != nil {
		s.t.Fatal(err)
	}
}

func TestStopWaitsForEveryPhone(t *testing.T) {
	s := newStage(t)
	s.modes(Recipients{})
	s.phone(fidA, s.now())
	s.phone(fidB, s.now())
	s.phone("cOLDOLDOLDOLDOLDOLDOLD", s.now().Add(-store.DeviceLife-time.Hour)) // lies in a drawer
	s.choose("personalised-ads", false)
	s.bringTo("admob")
	s.wantAt("admob", "personalised-ads", "1 stop accepted waiting-device")

	no := store.DeviceState{Purpose: "personalised-ads", Version: 1}
	s.acknowledge(fidA, no)
	s.wantAt("admob", "personalised-ads", "1 stop accepted waiting-device")
	yes := no
	yes.Allowed = true
	s.acknowledge(fidB, yes) // says that it goes on
	s.wantAt("admob", "personalised-ads", "1 stop accepted waiting-device")
	s.acknowledge(fidB, no)
	s.wantAt("admob", "personalised-ads", "1 stop confirmed device")
	s.acknowledge(fidB, no) // the app says it at each start
	s.wantAt("admob", "personalised-ads", "1 stop confirmed device")
}

func TestAcknowledgementOfOneKitIsForItAlone(t *testing.T) {
	s := newStage(t)
	s.modes(Recipients{})
	s.phone(fidA, s.now())
	s.choose("personalised-ads", false)
	for _, r := range []string{"admob", "applovin", "addapptr", "xandr"} {
		s.bringTo(r)
		s.wantAt(r, "personalised-ads", "1 stop accepted waiting-device")
	}
	s.acknowledge(fidA, store.DeviceState{Recipient: "applovin", Purpose: "personalised-ads", Version: 1})
	s.wantAt("applovin", "personalised-ads", "1 stop confirmed device")
	s.wantAt("admob", "personalised-ads", "1 stop accepted waiting-device")
	s.acknowledge(fidA, store.DeviceState{Purpose: "personalised-ads", Version: 1})
	for _, r := range []string{"admob", "addapptr", "xandr"} {
		s.wantAt(r, "personalised-ads", "1 stop confirmed device")
	}
}

func TestNewerChoiceReplacesOneThatWaitsForThePhone(t *testing.T) {
	s := newStage(t)
	s.modes(Recipients{})
	s.phone(fidA, s.now())
	s.choose("personalised-ads", true)
	s.bringTo("admob")
	s.wantAt("admob", "personalised-ads", "1 allow accepted waiting-device")
	s.choose("personalised-ads", false)
	s.wantAt("admob", "personalised-ads", "1 allow superseded newer-choice", "2 stop queued", "2 erase queued")
	s.acknowledge(fidA, store.DeviceState{Purpose: "personalised-ads", Version: 1, Allowed: true}) // an old page of the app
	s.bringTo("admob")
	s.wantAt("admob", "personalised-ads", "1 allow superseded newer-choice", "2 stop accepted waiting-device", "2 erase queued")
	s.acknowledge(fidA, store.DeviceState{Purpose: "personalised-ads", Version: 2})
	s.wantAt("admob", "personalised-ads", "1 allow superseded newer-choice", "2 stop confirmed device", "2 erase queued")
	s.acknowledge(fidA, store.DeviceState{Purpose: "personalised-ads", Version: 1, Allowed: true}) // late on its way
	s.choose("personalised-ads", true)
	s.pass(time.Second)
	s.bringTo("admob")
	s.wantAt("admob", "personalised-ads", "1 allow superseded newer-choice", "2 stop confirmed device", "2 erase superseded newer-choice", "3 allow accepted waiting-device")
}

func TestPhoneThatWasQuickerThanTheWorker(t *testing.T) {
	s := newStage(t)
	s.modes(Recipients{})
	s.phone(fidA, s.now())
	s.choose("personalised-ads", false)
	s.acknowledge(fidA, store.DeviceState{Purpose: "personalised-ads", Version: 1})
	s.bringTo("admob")
	s.wantAt("admob", "personalised-ads", "1 stop confirmed device")
}

func TestAcknowledgementWhileTheWorkerHasTheRow(t *testing.T) {
	s := newStage(t)
	s.modes(Recipients{})
	s.phone(fidA, s.now())
	s.choose("personalised-ads", false)
	s.exec(`UPDATE delivery SET state = 'sent', changed_at = $1 WHERE recipient = 'admob'`, s.now())
	s.acknowledge(fidA, store.DeviceState{Purpose: "personalised-ads", Version: 1})
	var n int
	if err := s.owner.QueryRow(`SELECT count(*) FROM river_job WHERE kind = 'poll_delivery' AND args->>'recipient' = 'admob'`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	if n != 1 {
		t.Errorf("%d jobs look again, want 1", n)
	}
	s.exec(`UPDATE delivery SET state = 'accepted', note = 'waiting-device' WHERE recipient = 'admob'`)
	s.pollOf("admob")
	s.wantAt("admob", "personalised-ads", "1 stop confirmed device")
}

func TestPhoneThatComesLater(t *testing.T) {
	s := newStage(t)
	s.modes(Recipients{})
	s.choose("personalised-ads", false)
	s.bringTo("admob")
	s.wantAt("admob", "personalised-ads", "1 stop not_connected no-address")
	s.phone(fidA, s.now())
	s.acknowledge(fidA, store.DeviceState{Purpose: "personalised-ads", Version: 1})
	s.wantAt("admob", "personalised-ads", "1 stop queued")
	s.bringTo("admob")
	s.wantAt("admob", "personalised-ads", "1 stop confirmed device")
}

func TestAcknowledgementsThatAreRefused(t *testing.T) {
	s := newStage(t)
	s.phone(fidA, s.now())
	state := store.DeviceState{Purpose: "personalised-ads", Version: 1}
	if err := s.st.AcknowledgeDevice(t.Context(), "unknown", []store.DeviceState{state}); privacy.KindOf(err) != privacy.NotFound {
		t.Errorf("unknown installation: %v", err)
	}
	state.Version = -1
	if err := s.st.AcknowledgeDevice(t.Context(), fidA, []store.DeviceState{state}); privacy.KindOf(err) != privacy.Invalid {
		t.Errorf("version -1: %v", err)
	}
	s.exec(`UPDATE person_link SET ended_at = now(), ended_why = 'test'`)
	state.Version = 1
	if err := s.st.AcknowledgeDevice(t.Context(), fidA, []store.DeviceState{state}); privacy.KindOf(err) != privacy.NotFound {
		t.Errorf("nobody's phone: %v", err)
	}
	var n int
	if err := s.owner.QueryRow(`SELECT count(*) FROM device_ack`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d acknowledgements were kept, %v", n, err)
	}
}

func TestInstallationsAreKeptAsHashes(t *testing.T) {
	s := newStage(t)
	s.phone(fidA, s.now())
	s.acknowledge(fidA, store.DeviceState{Purpose: "personalised-ads", Version: 1})
	var row string
	if err := s.owner.QueryRow(`SELECT device_ack::text FROM device_ack`).Scan(&row); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(row, fidA) || strings.Contains(row, fmt.Sprintf("%x", fidA)) {
		t.Errorf("the row holds the installation's id: %s", row)
	}
}

func TestManualRecipientsGetATask(t *testing.T) {
	s := newStage(t)
	s.modes(Recipients{})
	s.choose("invoice-check", true)
	s.bringTo("efaktura")
	s.wantAt("efaktura", "invoice-check", "1 allow confirmed own-stop")
	s.choose("invoice-check", false)
	s.bringTo("efaktura")
	s.wantAt("efaktura", "invoice-check", "1 allow confirmed own-stop", "2 stop needs_manual manual", "2 erase queued")
	s.pass(privacy.EraseDelay)
	s.bringTo("efaktura")

	tasks, err := s.st.ManualTasks(t.Context(), 10)
	if err != nil || len(tasks) != 2 {
		t.Fatalf("%d tasks, %v; want 2", len(tasks), err)
	}
	stop, erase := tasks[0], tasks[1]
	today := privacy.Day(s.now().Add(-privacy.EraseDelay))
	if stop.Template != TaskEFaktura || stop.Action != privacy.ActionStop || !stop.Due.Equal(today.AddDate(0, 0, stopDays)) || stop.Person != s.person {
		t.Errorf("%+v", stop)
	}
	if erase.Action != privacy.ActionErase || !erase.Due.Equal(privacy.Due(s.now())) {
		t.Errorf("%+v, due %v", erase, privacy.Due(s.now()))
	}
	if strings.Contains(s.logged(), "level=ERROR") {
		t.Errorf("nothing went wrong:\n%s", s.logged())
	}
	for name, bad := range map[string]func() error{
		"without evidence": func() error {
			return s.st.FinishManualTask(t.Context(), s.person, stop.ID, privacy.DeliveryConfirmed, "", "staff:1")
		},
		"by nobody": func() error {
			return s.st.FinishManualTask(t.Context(), s.person, stop.ID, privacy.DeliveryConfirmed, "mail 7", "")
		},
		"as queued": func() error {
			return s.st.FinishManualTask(t.Context(), s.person, stop.ID, privacy.DeliveryQueued, "mail 7", "staff:1")
		},
	} {
		if err := bad(); privacy.KindOf(err) != privacy.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.st.FinishManualTask(t.Context(), s.other(), stop.ID, privacy.DeliveryConfirmed, "mail 7", "staff:1"); privacy.KindOf(err) != privacy.NotFound {
		t.Errorf("as of another person: %v", err)
	}
	if err := s.st.FinishManualTask(t.Context(), s.person, stop.ID, privacy.DeliveryConfirmed, "mail 7", "staff:1"); err != nil {
		t.Fatal(err)
	}
	if err := s.st.FinishManualTask(t.Context(), s.person, stop.ID, privacy.DeliveryRefused, "mail 8", "staff:2"); privacy.KindOf(err) != privacy.Conflict {
		t.Errorf("twice: %v", err)
	}
	s.wantAt("efaktura", "invoice-check", "1 allow confirmed own-stop", "2 stop confirmed by-hand", "2 erase needs_manual manual")

	s.choose("invoice-check", true) // takes the erasure back, and its task with it
	if tasks, err = s.st.ManualTasks(t.Context(), 10); err != nil || len(tasks) != 0 {
		t.Errorf("%d tasks are open, %v; want none", len(tasks), err)
	}
	if err := s.st.FinishManualTask(t.Context(), s.person, erase.ID, privacy.DeliveryConfirmed, "mail 9", "staff:1"); privacy.KindOf(err) != privacy.Conflict {
		t.Errorf("a task that a newer choice closed: %v", err)
	}
	if tasks, err = s.st.ManualTasksOf(t.Context(), s.person); err != nil || len(tasks) != 2 || tasks[1].Evidence != "mail 7" || tasks[1].DoneBy != "staff:1" {
		t.Errorf("%+v, %v", tasks, err)
	}
}

func TestFaultOfACallIsATaskAndCanBeSentAgain(t *testing.T) {
	s := newStage(t)
	s.post.set(failing(http.StatusUnauthorized))
	s.choose("newsletter", false)
	s.bring()
	tasks, err := s.st.ManualTasks(t.Context(), 10)
	if err != nil || len(tasks) != 1 || tasks[0].Template != TaskFault || tasks[0].Note != "http-401" {
		t.Fatalf("%+v, %v", tasks, err)
	}
	if !strings.Contains(s.logged(), "level=ERROR") {
		t.Error("nobody hears of it")
	}
	s.post.set(nil)
	if err := s.st.Resend(t.Context(), s.other(), tasks[0].ID); privacy.KindOf(err) != privacy.NotFound {
		t.Errorf("as of another person: %v", err)
	}
	if err := s.st.Resend(t.Context(), s.person, tasks[0].ID); err != nil {
		t.Fatal(err)
	}
	s.bring()
	s.want("newsletter", "1 stop confirmed")
	if tasks, err = s.st.ManualTasks(t.Context(), 10); err != nil || len(tasks) != 0 {
		t.Errorf("%d tasks are open, %v", len(tasks), err)
	}
}

func TestGeneralManualRecipientAndUserLink(t *testing.T) {
	s := newStage(t)
	s.modes(Recipients{})
	s.choose("customer-support", false)
	s.bringTo("kundo")
	s.wantAt("kundo", "customer-support", "1 stop needs_manual manual")
	for recipient, task := range map[string]string{"kundo": TaskKundo, "accountant": TaskStop, "kredinor": TaskKredinor} {
		o, err := s.work.others[recipient].Do(t.Context(), Task{Delivery: privacy.Delivery{Action: privacy.ActionStop}})
		if err != nil || o.Task != task {
			t.Errorf("%s: %+v, %v", recipient, o, err)
		}
	}
	s.choose("invoice-check", false)
	s.bringTo("vipps")
	s.wantAt("vipps", "invoice-check", "2 stop needs_manual user-link")
	tasks, err := s.st.ManualTasks(t.Context(), 10)
	if err != nil || len(tasks) != 1 {
		t.Errorf("%d tasks, %v; the person's own is nobody else's task", len(tasks), err)
	}
	if o, err := s.work.others["bankid"].Do(t.Context(), Task{}); err != nil || o.State != privacy.DeliveryConfirmed {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestSMSListHoldsANo(t *testing.T) {
	s := newStage(t)
	phone := newPhone(t)
	s.modes(Recipients{Sveve: &SveveConfig{BaseURL: phone.URL, User: "elekt", Password: "x", From: "Elekt", Purposes: []string{"newsletter"}}})
	sms := newSveve(phone.config(), s.now)
	sms.list = s.work.connectors[sveveID].(*smsList)
	send := func(purpose string) Outcome {
		t.Helper()
		o, err := sms.sendAbout(t.Context(), purpose, "+47 999 00 123", "Hei", "ref")
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	if o := send("newsletter"); o.State != privacy.DeliveryAccepted {
		t.Errorf("before: %+v", o)
	}
	s.choose("newsletter", false)
	s.bringTo("sveve")
	s.wantAt("sveve", "newsletter", "1 stop confirmed own-stop")
	if o := send("newsletter"); o.State != privacy.DeliveryRefused || len(phone.sms) != 1 {
		t.Errorf("after a no: %+v, %d SMS", o, len(phone.sms))
	}
	if o := send("interest-list"); o.State != privacy.DeliveryAccepted {
		t.Errorf("about something else: %+v", o)
	}
	var held string
	if err := s.owner.QueryRow(`SELECT string_agg(suppression::text, ' ') FROM suppression`).Scan(&held); err != nil || strings.Contains(held, "99900123") {
		t.Errorf("the list holds the number: %s, %v", held, err)
	}
	s.exec(`DELETE FROM elekt.device`)
	s.exec(`DELETE FROM elekt.customer`) // the no outlives the record
	if o := send("newsletter"); o.State != privacy.DeliveryRefused {
		t.Errorf("without a record: %+v", o)
	}
	s.exec(`INSERT INTO elekt.customer (customer_no, given_name, family_name, phone, created_at) VALUES ('100200', 'Kari', 'Demo', '+4799900123', now())`)
	s.choose("newsletter", true)
	s.bringTo("sveve")
	if o := send("newsletter"); o.State != privacy.DeliveryAccepted {
		t.Errorf("after a new yes: %+v", o)
	}
	s.choose("newsletter", false)
	s.choose("interest-list", true)
	s.choose("interest-list", false)
	s.pass(privacy.EraseDelay)
	s.bringTo("sveve")
	tasks, err := s.st.ManualTasks(t.Context(), 10)
	if err != nil || len(tasks) != 1 || tasks[0].Template != TaskSveve || tasks[0].Purpose != "newsletter" {
		t.Errorf("%+v, %v; SMS were sent for the newsletter alone", tasks, err)
	}
}

// slowly is a recipient that takes everything on and says later how it went.
type slowly struct {
	all
	said  []Outcome
	asked []string
	done  int
}

func (l *slowly) Do(context.Context, Task) (Outcome, error) {
	l.done++
	return Outcome{State: privacy.DeliveryAccepted, Status: 200, Handle: fmt.Sprintf("job-%d", l.done), AskAfter: time.Minute}, nil
}

func (l *slowly) Poll(_ context.Context, _ Task, p store.Pending) (Outcome, error) {
	l.asked = append(l.asked, p.Handle)
	o := l.said[0]
	l.said = l.said[1:]
	return o, nil
}

func TestWhatIsDoneLaterIsAskedAbout(t *testing.T) {
	s := newStage(t)
	accepted, failed, done := Outcome{State: privacy.DeliveryAccepted}, Outcome{State: privacy.DeliveryFailed, Note: "later-failed"}, settled("")
	l := &slowly{all: all{"newsletter"}, said: []Outcome{accepted, failed, done}}
	s.work.connectors["mailgun"] = l
	s.choose("newsletter", false)
	s.bring()
	s.want("newsletter", "1 stop accepted")
	s.pollOf("mailgun") // too early
	if len(l.asked) > 0 {
		t.Errorf("asked %q at once", l.asked)
	}
	s.pass(time.Minute)
	s.pollOf("mailgun")
	s.want("newsletter", "1 stop accepted")
	s.pollOf("mailgun")
	if len(l.asked) != 1 {
		t.Errorf("asked %q without a pause", l.asked)
	}
	s.pass(time.Hour)
	s.pollOf("mailgun")
	s.want("newsletter", "1 stop failed later-failed")
	if d := s.board("newsletter")[0]; !d.NextAttempt.Equal(s.now().Add(steady.First)) {
		t.Errorf("next attempt %v", d.NextAttempt)
	}
	s.pass(steady.First)
	s.bring()
	s.want("newsletter", "1 stop accepted")
	s.pass(time.Minute)
	s.pollOf("mailgun")
	s.want("newsletter", "1 stop confirmed")
	if want := []string{"job-1", "job-1", "job-2"}; !slices.Equal(l.asked, want) {
		t.Errorf("asked %q, want %q", l.asked, want)
	}
	var n int
	if err := s.owner.QueryRow(`SELECT count(*) FROM delivery_poll`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d are still to be asked about, %v", n, err)
	}
}

func TestFailureThatANewerChoiceOvertookIsNotSentAgain(t *testing.T) {
	s := newStage(t)
	l := &slowly{all: all{"newsletter"}, said: []Outcome{{State: privacy.DeliveryFailed}, settled(""), settled("")}}
	s.work.connectors["mailgun"] = l
	s.choose("newsletter", true)
	s.bring()
	s.choose("newsletter", false)
	s.bring()
	s.want("newsletter", "1 allow accepted", "2 stop accepted", "2 erase queued")
	s.pass(time.Minute)
	s.pollOf("mailgun")
	s.pass(steady.First)
	s.bring()
	s.want("newsletter", "1 allow superseded newer-choice", "2 stop confirmed", "2 erase queued")
	if l.done != 2 {
		t.Errorf("told %d times, want 2", l.done)
	}
}

func TestAHumanIsAskedWhenARecipientNeverFinishes(t *testing.T) {
	s := newStage(t)
	l := &slowly{all: all{"newsletter"}, said: []Outcome{{State: privacy.DeliveryAccepted}, {State: privacy.DeliveryAccepted}}}
	s.work.connectors["mailgun"] = l
	s.choose("newsletter", false)
	s.bring()
	s.pass(pollFor)
	s.pollOf("mailgun")
	s.want("newsletter", "1 stop accepted")
	s.pass(2 * time.Hour)
	s.pollOf("mailgun")
	s.want("newsletter", "1 stop needs_manual never-finished")
}

func TestLostQuestionIsAskedAnew(t *testing.T) {
	s := newStage(t)
	l := &slowly{all: all{"newsletter"}, said: []Outcome{settled("")}}
	s.work.connectors["mailgun"] = l
	s.choose("newsletter", false)
	s.bring()
	s.exec(`DELETE FROM river_job`)
	s.pass(time.Hour)
	n, err := s.st.EnqueueUnasked(t.Context(), s.now().Add(-overdue))
	if err != nil || n != 1 {
		t.Fatalf("%d, %v; want 1", n, err)
	}
	if n, err = s.st.EnqueueUnasked(t.Context(), s.now().Add(-overdue)); err != nil || n != 0 {
		t.Errorf("again: %d, %v", n, err)
	}
	s.pollOf("mailgun")
	s.want("newsletter", "1 stop confirmed")
}

func TestIdentifiersOfACustomer(t *testing.T) {
	s := newStage(t)
	s.phone(fidA, s.now())
	s.exec(`UPDATE elekt.customer SET app_account_id = 'app-7'`)
	ids, err := s.st.Identifiers(t.Context(), s.person)
	if err != nil {
		t.Fatal(err)
	}
	if ids.CustomerNo != "100200" || ids.Account != "app-7" || ids.Email != kari || len(ids.Devices) != 1 || ids.Devices[0].Installation != fidA || ids.Devices[0].PushToken != fidA {
		t.Errorf("%+v", ids)
	}
	s.exec(`UPDATE person_link SET ended_at = now(), ended_why = 'test'`)
	if _, err := s.st.Identifiers(t.Context(), s.person); privacy.KindOf(err) != privacy.NotFound {
		t.Errorf("without a link: %v", err)
	}
}
