package fulfil

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

func TestYesAndNoReachMailgunAndTheListIsLeftADayLater(t *testing.T) {
	s := newStage(t)
	s.choose("newsletter", true)
	s.bring()
	s.want("newsletter", "1 allow confirmed")
	if !s.post.isMember(news, kari) {
		t.Fatal("a yes put nobody on the list")
	}
	s.choose("newsletter", false)
	s.bring()
	s.want("newsletter", "1 allow confirmed", "2 stop confirmed", "2 erase queued")
	for _, d := range []string{domainA, domainB} {
		if got := s.post.tags(d, kari); got != "newsletter" {
			t.Errorf("%s is stopped for %q, want newsletter", d, got)
		}
	}
	if !s.post.isMember(news, kari) {
		t.Error("the list was left before the day was over")
	}
	s.pass(privacy.EraseDelay)
	s.bring()
	s.want("newsletter", "1 allow confirmed", "2 stop confirmed", "2 erase confirmed")
	if s.post.isMember(news, kari) {
		t.Error("still on the list a day later")
	}
	if got := s.post.tags(domainA, kari); got != "newsletter" {
		t.Errorf("after the erasure stopped for %q: the stop was forgotten", got)
	}
	if l := s.logged(); strings.Contains(l, "kari") || strings.Contains(l, "example.no") {
		t.Errorf("the log names the person:\n%s", l)
	}
}

func TestUndoWithinADayKeepsTheList(t *testing.T) {
	s := newStage(t)
	s.choose("newsletter", true)
	s.bring()
	s.choose("newsletter", false)
	s.bring()
	s.pass(privacy.EraseDelay - time.Minute)
	s.choose("newsletter", true)
	s.bring()
	s.want("newsletter", "1 allow confirmed", "2 stop confirmed", "2 erase superseded newer-choice", "3 allow confirmed")
	s.pass(time.Hour)
	s.post.took()
	s.bring()
	if c := s.post.took(); len(c) > 0 {
		t.Errorf("called after everything was told: %q", c)
	}
	if !s.post.isMember(news, kari) || s.post.tags(domainA, kari) != "" {
		t.Errorf("member %v, stopped for %q; want a member who gets mail", s.post.isMember(news, kari), s.post.tags(domainA, kari))
	}
}

func TestErasureOfSomebodyWhoIsGoneIsDone(t *testing.T) {
	s := newStage(t)
	s.choose("newsletter", true)
	s.choose("newsletter", false)
	s.pass(privacy.EraseDelay)
	s.bring()
	s.want("newsletter", "1 allow superseded newer-choice", "2 stop confirmed", "2 erase confirmed http-404")
}

func TestOrderIsThatOfVersions(t *testing.T) {
	s := newStage(t)
	var mu sync.Mutex
	var said []string
	srv := listener(t, func(h heard) int {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, h.text)
		return http.StatusOK
	})
	s.work.connectors["mailgun"] = keyed{srv.URL, newHTTPClient()}
	for _, p := range []string{"interest-list", "newsletter", "interest-list"} {
		s.choose(p, true)
		s.choose(p, false)
	}
	s.bring()
	mu.Lock()
	defer mu.Unlock()
	// of the interest list only the last word counts
	if want := []string{"4 stop", "6 stop"}; !slices.Equal(said, want) {
		t.Errorf("said %q, want %q", said, want)
	}
}

func TestChangeDuringACallIsToldAfterIt(t *testing.T) {
	s := newStage(t)
	var said []string
	srv := listener(t, func(h heard) int {
		said = append(said, h.text) // one call at a time: the pair is held
		if len(said) == 1 {
			if err := s.chooseNow("newsletter", false); err != nil {
				t.Error(err)
			}
		}
		return http.StatusOK
	})
	s.work.connectors["mailgun"] = keyed{srv.URL, newHTTPClient()}
	s.choose("newsletter", true)
	s.bring()
	if want := []string{"1 allow", "2 stop"}; !slices.Equal(said, want) {
		t.Errorf("said %q, want %q in one run", said, want)
	}
	s.want("newsletter", "1 allow confirmed", "2 stop confirmed", "2 erase queued")
}

func TestTwoWorkersKeepTheOrder(t *testing.T) {
	s := newStage(t)
	calling, goOn := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	var said []string
	srv := listener(t, func(h heard) int {
		mu.Lock()
		said = append(said, h.text)
		first := len(said) == 1
		mu.Unlock()
		if first {
			close(calling)
			<-goOn
		}
		return http.StatusOK
	})
	s.work.connectors["mailgun"] = keyed{srv.URL, newHTTPClient()}
	other := s.worker(s.open())
	other.connectors = s.work.connectors
	s.choose("newsletter", true)

	done := make(chan error, 1)
	args := privacy.BringUpToDate{Person: s.person, Recipient: "mailgun"}
	go func() {
		_, err := s.work.bring(context.Background(), args)
		done <- err
	}()
	<-calling
	s.choose("newsletter", false)
	if busy, err := other.bring(t.Context(), args); !busy || err != nil {
		t.Errorf("the second worker went ahead: busy %v, %v", busy, err)
	}
	close(goOn)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if busy, err := other.bring(t.Context(), args); busy || err != nil {
		t.Errorf("afterwards: busy %v, %v", busy, err)
	}
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"1 allow", "2 stop"}; !slices.Equal(said, want) {
		t.Errorf("said %q, want %q", said, want)
	}
}

func TestRecipientThatIsDownIsToldWhenItIsBack(t *testing.T) {
	s := newStage(t)
	s.post.set(failing(http.StatusServiceUnavailable))
	s.choose("newsletter", false)
	s.bring()
	s.want("newsletter", "1 stop failed http-503")
	d := s.board("newsletter")[0]
	if want := s.now().Add(steady.First); !d.NextAttempt.Equal(want) {
		t.Errorf("next attempt %v, want %v", d.NextAttempt, want)
	}
	s.post.took()
	s.bring() // another choice's job comes too early
	if c := s.post.took(); len(c) > 0 {
		t.Errorf("called %q before it was time", c)
	}
	s.pass(steady.First)
	s.bring()
	d = s.board("newsletter")[0]
	if d.Attempts != 2 || !d.NextAttempt.Equal(s.now().Add(2*steady.First)) {
		t.Errorf("after two failures: attempts %d, next %v", d.Attempts, d.NextAttempt)
	}
	s.post.set(nil)
	s.pass(2 * steady.First)
	s.bring()
	s.want("newsletter", "1 stop confirmed")
	if got := s.post.tags(domainB, kari); got != "newsletter" {
		t.Errorf("stopped for %q", got)
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	s := newStage(t)
	s.post.set(failing(http.StatusTooManyRequests, "Retry-After", "120"))
	s.choose("newsletter", false)
	s.bring()
	s.want("newsletter", "1 stop failed http-429")
	if d := s.board("newsletter")[0]; !d.NextAttempt.Equal(s.now().Add(2 * time.Minute)) {
		t.Errorf("next attempt %v, want two minutes from %v", d.NextAttempt, s.now())
	}
}

func TestAnswersThatAskingAgainCannotMend(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity,
		http.StatusFound, http.StatusMethodNotAllowed} {
		s := newStage(t)
		s.post.set(failing(status, "Location", "/v3/elsewhere"))
		s.choose("newsletter", false)
		s.bring()
		d := s.board("newsletter")[0]
		if d.State != privacy.DeliveryNeedsManual || !d.NextAttempt.IsZero() {
			t.Errorf("%d: %s, next %v; want a human", status, d.State, d.NextAttempt)
		}
		s.post.took()
		s.pass(time.Hour)
		s.bring()
		if c := s.post.took(); len(c) > 0 {
			t.Errorf("%d: called again: %q", status, c)
		}
	}
}

func TestAHumanIsAskedAfterThreeDays(t *testing.T) {
	s := newStage(t)
	s.post.set(failing(http.StatusInternalServerError))
	s.choose("newsletter", false)
	s.bring()
	s.want("newsletter", "1 stop failed http-500")
	s.pass(giveUpAfter + time.Second)
	s.bring()
	s.want("newsletter", "1 stop needs_manual gave-up")
}

func TestSilenceIsTriedAgain(t *testing.T) {
	s := newStage(t)
	m := newMailgun(s.post.config(), s.now)
	m.http.Timeout = 50 * time.Millisecond
	s.work.connectors["mailgun"] = m
	s.post.set(func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		return true
	})
	s.choose("newsletter", false)
	s.bring()
	s.want("newsletter", "1 stop failed timeout")
	s.post.CloseClientConnections()
	s.post.Close()
	s.pass(steady.First)
	s.bring()
	s.want("newsletter", "1 stop failed no-answer")
	if l := s.logged(); strings.Contains(l, "kari") || strings.Contains(l, "127.0.0.1") {
		t.Errorf("the log tells whom it was about:\n%s", l)
	}
}

// A recipient that keeps the line open is a failure, tried again, and nothing of
// it is said after the next holder may speak.
func TestCallIsOverInTime(t *testing.T) {
	s := newStage(t)
	s.work.call = 50 * time.Millisecond
	s.post.set(func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		return true
	})
	s.choose("newsletter", false)
	s.bring()
	s.want("newsletter", "1 stop failed timeout")
}

// An old yes that a dead worker left behind is not said again once there is a no.
func TestOldYesIsNotSaidAgainAfterANo(t *testing.T) {
	s := newStage(t)
	s.choose("newsletter", true)
	s.exec(`UPDATE delivery SET state = 'sent', attempts = 1, changed_at = $1 WHERE recipient = 'mailgun'`, s.now())
	s.choose("newsletter", false)
	s.bring()
	s.want("newsletter", "1 allow sent", "2 stop queued", "2 erase queued")
	s.pass(store.CallTime + 10*time.Second)
	s.bring()
	s.want("newsletter", "1 allow superseded newer-choice", "2 stop confirmed", "2 erase queued")
	if s.post.isMember(news, kari) {
		t.Error("the yes was said again")
	}
}

// A no to one thing doesn't wait for the fault of another.
func TestFailureOfOnePurposeDoesNotHoldBackAnother(t *testing.T) {
	s := newStage(t)
	s.post.set(func(_ int, w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/members") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	})
	s.choose("newsletter", true)
	s.bring()
	s.want("newsletter", "1 allow failed http-503")
	s.choose("interest-list", false)
	s.bring()
	s.want("newsletter", "1 allow failed http-503")
	s.want("interest-list", "2 stop confirmed")
}

// Whoever has no address yet is told of, the erasure too, once a link gives one,
// and isn't given up on for the time before.
func TestAddressThatComesLaterIsToldOf(t *testing.T) {
	s := newStage(t)
	s.exec(`UPDATE person_link SET ended_at = now(), ended_why = 'test'`)
	s.choose("newsletter", true)
	s.bring()
	s.choose("newsletter", false)
	s.pass(privacy.EraseDelay)
	s.bring()
	s.want("newsletter", "1 allow superseded newer-choice", "2 stop not_connected no-address", "2 erase not_connected no-address")
	s.pass(2 * giveUpAfter)
	s.post.subscribe(news, kari)
	if r, err := s.st.Link(t.Context(), s.person, "100200", store.EvidenceStaff); err != nil || r != store.LinkMade {
		t.Fatalf("%s, %v", r, err)
	}
	s.post.set(failing(http.StatusServiceUnavailable))
	s.bring()
	s.want("newsletter", "1 allow superseded newer-choice", "2 stop failed http-503", "2 erase queued")
	s.post.set(nil)
	s.pass(2 * steady.First)
	s.bring()
	s.want("newsletter", "1 allow superseded newer-choice", "2 stop confirmed", "2 erase confirmed")
	if s.post.isMember(news, kari) || s.post.tags(domainA, kari) != "newsletter" {
		t.Error("not stopped, or still on the list")
	}
}

// A human hears of what only a human can mend.
func TestWhatNeedsAHumanIsLoggedAsAnError(t *testing.T) {
	s := newStage(t)
	s.post.set(failing(http.StatusUnauthorized))
	s.choose("newsletter", false)
	s.bring()
	for line := range strings.Lines(s.logged()) {
		if strings.Contains(line, "level=ERROR") && strings.Contains(line, "state=needs_manual") && strings.Contains(line, s.board("newsletter")[0].ID) {
			return
		}
	}
	t.Errorf("no error:\n%s", s.logged())
}

func TestNewerChoiceReplacesAFailure(t *testing.T) {
	s := newStage(t)
	s.post.set(failing(http.StatusInternalServerError))
	s.choose("newsletter", true)
	s.bring()
	s.post.set(nil)
	s.choose("newsletter", false)
	s.bring() // long before the next attempt of the first
	s.want("newsletter", "1 allow superseded newer-choice", "2 stop confirmed", "2 erase queued")
	if s.post.isMember(news, kari) {
		t.Error("the yes was told after the no")
	}
}

func TestWithoutAddressNobodyIsCalled(t *testing.T) {
	for name, q := range map[string]string{
		"no e-mail":  `UPDATE elekt.customer SET email = NULL`,
		"no record":  `DELETE FROM elekt.customer`,
		"not linked": `UPDATE person_link SET ended_at = now(), ended_why = 'test'`,
	} {
		s := newStage(t)
		s.exec(q)
		s.choose("newsletter", false)
		s.bring()
		s.want("newsletter", "1 stop not_connected no-address")
		if c := s.post.took(); len(c) > 0 {
			t.Errorf("%s: called %q", name, c)
		}
	}
}

// away is a company database that can't be asked.
type away struct{}

func (away) Customer(context.Context, privacy.PersonRef) (*store.Customer, error) {
	return nil, &privacy.Error{Kind: privacy.Unavailable, Reason: "company-away"}
}

func (away) Identifiers(context.Context, privacy.PersonRef) (*store.Identifiers, error) {
	return nil, &privacy.Error{Kind: privacy.Unavailable, Reason: "company-away"}
}

func TestCompanyDatabaseThatIsAwayIsNotNobody(t *testing.T) {
	s := newStage(t)
	s.choose("newsletter", false)
	s.work.contacts = away{}
	_, err := s.work.bring(t.Context(), privacy.BringUpToDate{Person: s.person, Recipient: "mailgun"})
	if privacy.KindOf(err) != privacy.Unavailable {
		t.Fatalf("%v, want unavailable", err)
	}
	s.want("newsletter", "1 stop queued")
	s.work.contacts = s.st
	s.bring()
	s.want("newsletter", "1 stop confirmed")
}

func TestWhatIsNotConnectedSaysSoUntilItIs(t *testing.T) {
	s := newStage(t)
	s.work.connectors = map[string]Connector{}
	s.choose("newsletter", false)
	s.bring()
	s.want("newsletter", "1 stop not_connected")
	w, err := New(Options{Store: s.st, Catalogue: s.c, Recipients: Recipients{Mailgun: new(s.post.config())}, Log: s.work.log})
	if err != nil {
		t.Fatal(err)
	}
	s.work = w.deliveries
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx, time.Second) }()
	eventually(t, "the stop is told", func() bool { return s.board("newsletter")[0].State == privacy.DeliveryConfirmed })
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestPurposeWithoutTagIsNotConnected(t *testing.T) {
	s := newStage(t)
	s.choose("invoice-result-notice", false)
	s.bring()
	s.want("invoice-result-notice", "1 stop not_connected")
}

func TestInterruptedCallIsMadeAgainUnderTheSameID(t *testing.T) {
	s := newStage(t)
	calling := make(chan struct{})
	var keys []string
	srv := listener(t, func(h heard) int {
		keys = append(keys, h.key)
		if len(keys) == 1 {
			close(calling)
			<-t.Context().Done()
		}
		return http.StatusOK
	})
	s.work.connectors["mailgun"] = keyed{srv.URL, newHTTPClient()}
	s.choose("newsletter", false)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := s.work.bring(ctx, privacy.BringUpToDate{Person: s.person, Recipient: "mailgun"})
		done <- err
	}()
	<-calling
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	s.want("newsletter", "1 stop queued interrupted")
	s.bring()
	s.want("newsletter", "1 stop confirmed")
	if len(keys) != 2 || keys[0] != keys[1] || keys[0] != s.board("newsletter")[0].ID {
		t.Errorf("called under %q, want twice under the row's id", keys)
	}
}

// killedEnv makes TestWorkerKilledInTheMiddleOfACall play the worker that dies:
// application URL, company URL, person, address of the recipient.
const killedEnv = "FULFIL_TEST_KILLED_WORKER"

func TestWorkerKilledInTheMiddleOfACall(t *testing.T) {
	if v := os.Getenv(killedEnv); v != "" {
		dieWhileCalling(t, strings.Split(v, "\n"))
		return
	}
	s := newStage(t)
	calls := make(chan heard, 2)
	dead := make(chan struct{})
	srv := listener(t, func(h heard) int {
		calls <- h
		if h.text == "1 stop" && len(calls) == 1 {
			select {
			case <-dead:
			case <-time.After(30 * time.Second):
			}
		}
		return http.StatusOK
	})
	s.choose("newsletter", false)
	worker := exec.Command(os.Args[0], "-test.run=^TestWorkerKilledInTheMiddleOfACall$")
	worker.Env = append(os.Environ(), killedEnv+"="+strings.Join([]string{s.AppURL, s.CompanyURL, string(s.person), srv.URL}, "\n"))
	worker.Stdout, worker.Stderr = os.Stderr, os.Stderr
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the worker calls", func() bool { return len(calls) == 1 })
	if err := worker.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := worker.Wait(); err == nil {
		t.Fatal("the worker ended by itself")
	}
	s.want("newsletter", "1 stop sent")
	first := <-calls
	close(dead)

	// What the dead worker said may still be on its way: a no waits for that.
	s.work.connectors["mailgun"] = keyed{srv.URL, newHTTPClient()}
	eventually(t, "the pair is free", func() bool {
		busy, err := s.work.bring(t.Context(), privacy.BringUpToDate{Person: s.person, Recipient: "mailgun"})
		if err != nil {
			t.Fatal(err)
		}
		return !busy
	})
	s.want("newsletter", "1 stop sent")
	s.pass(store.CallTime + 10*time.Second)
	eventually(t, "the pair is free", func() bool {
		busy, err := s.work.bring(t.Context(), privacy.BringUpToDate{Person: s.person, Recipient: "mailgun"})
		if err != nil {
			t.Fatal(err)
		}
		return !busy
	})
	second := <-calls
	if second != first {
		t.Errorf("the call was %+v, and made again as %+v", first, second)
	}
	s.want("newsletter", "1 stop confirmed")
	var attempts, unanswered int
	if err := s.owner.QueryRow(`SELECT count(*), count(*) FILTER (WHERE ended_at IS NULL) FROM delivery_attempt`).Scan(&attempts, &unanswered); err != nil {
		t.Fatal(err)
	}
	if attempts != 2 || unanswered != 1 {
		t.Errorf("%d attempts, %d without answer; want 2 and 1", attempts, unanswered)
	}
}

func dieWhileCalling(t *testing.T, args []string) {
	st, err := store.Open(store.Options{URL: args[0], CompanyURL: args[1], MaxPairs: 1})
	if err != nil {
		t.Fatal(err)
	}
	d := &deliveries{store: st, contacts: st, backoff: steady, call: store.CallTime, connectors: map[string]Connector{"mailgun": keyed{args[3], newHTTPClient()}}}
	_, err = d.bring(t.Context(), privacy.BringUpToDate{Person: privacy.PersonRef(args[2]), Recipient: "mailgun"})
	t.Fatalf("not killed: %v", err)
}
