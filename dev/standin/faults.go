package standin

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// FaultKind is a way to fail.
type FaultKind string

// The ways to fail. The first group answers, or doesn't, before anything is done.
const (
	FaultUnauthorized  FaultKind = "401"
	FaultNotFound      FaultKind = "404"
	FaultConflict      FaultKind = "409"
	FaultUnprocessable FaultKind = "422"
	FaultTooMany       FaultKind = "429" // with Retry-After
	FaultServerError   FaultKind = "500"
	FaultTimeout       FaultKind = "timeout" // no answer until the caller gives up

	FaultLost FaultKind = "lost" // done, but the line breaks before the answer

	FaultLater  FaultKind = "later-fails"  // accepted as always; when the outcome is asked for, it has failed
	FaultPartly FaultKind = "later-partly" // accepted as always; later it is done for some and not for others
)

// FaultKinds lists the ways to fail.
func FaultKinds() []FaultKind {
	return []FaultKind{FaultUnauthorized, FaultNotFound, FaultConflict, FaultUnprocessable, FaultTooMany, FaultServerError, FaultTimeout,
		FaultLost, FaultLater, FaultPartly}
}

// laterRecipients accept now and do later, and partlyRecipients do it for each
// record apart. A fault of those kinds passes over all other paths.
var (
	laterRecipients  = []string{Eliq, Meta, GoogleAnalytics, GoogleAds, Firebase, Xandr, Elhub}
	partlyRecipients = []string{Eliq, GoogleAds}
)

// Fault makes requests fail. Empty fields match everything. Faults are tried in
// the order in which they were switched on; the first that matches is used.
type Fault struct {
	Kind      FaultKind `json:"kind"`
	Recipient string    `json:"recipient,omitempty"`
	Method    string    `json:"method,omitempty"`
	Path      string    `json:"path,omitempty"`        // exact, as it stands in Request.Path
	Times     int       `json:"times,omitempty"`       // how often; 0: always
	Retry     int       `json:"retry_after,omitempty"` // seconds, for FaultTooMany; 30 if 0
}

// Fail switches a fault on.
func (s *Server) Fail(f Fault) error {
	switch {
	case !slices.Contains(FaultKinds(), f.Kind):
		return fmt.Errorf("standin: no fault %q", f.Kind)
	case f.Recipient != "" && !slices.Contains(Names(), f.Recipient):
		return fmt.Errorf("standin: no recipient %q", f.Recipient)
	case f.Recipient != "" && f.Kind == FaultLater && !slices.Contains(laterRecipients, f.Recipient),
		f.Recipient != "" && f.Kind == FaultPartly && !slices.Contains(partlyRecipients, f.Recipient):
		return fmt.Errorf("standin: %s has no %s: what it answers is the outcome", f.Recipient, f.Kind)
	case f.Times < 0 || f.Retry < 0:
		return fmt.Errorf("standin: a fault can't happen %d times or ask to wait %d s", f.Times, f.Retry)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
	return nil
}

// Mend switches all faults off.
func (s *Server) Mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Faults lists those that are on, with the times that are left.
func (s *Server) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Fault
	for _, f := range s.faults {
		out = append(out, *f)
	}
	return out
}

// fault uses up the first fault that fits a request. The caller holds s.mu.
func (s *Server) fault(r Request, path form) (Fault, bool) {
	for i, f := range s.faults {
		if f.Recipient != "" && f.Recipient != r.Recipient || f.Method != "" && f.Method != r.Method || f.Path != "" && f.Path != r.Path {
			continue
		}
		if f.Kind == FaultLater && !path.later || f.Kind == FaultPartly && !path.partly {
			continue
		}
		used := *f
		if f.Times == 1 {
			s.faults = slices.Delete(s.faults, i, i+1)
		} else if f.Times > 1 {
			f.Times--
		}
		return used, true
	}
	return Fault{}, false
}

// later tells whether a fault shows only in the outcome.
func (f Fault) later() bool { return f.Kind == FaultLater || f.Kind == FaultPartly }

// before tells whether a fault comes in place of what was asked for.
func (f Fault) before() bool { return f.Kind != FaultLost && !f.later() }

// answer is what a fault answers, in the recipient's own form; nothing for those
// that don't.
func (f Fault) answer(path form) answer {
	status, err := strconv.Atoi(string(f.Kind))
	if err != nil {
		return answer{}
	}
	a := path.refusal(status, http.StatusText(status))
	if f.Kind == FaultTooMany {
		retry := f.Retry
		if retry == 0 {
			retry = 30
		}
		a.retryAfter = time.Duration(retry) * time.Second
	}
	return a
}
