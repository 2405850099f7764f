package standin

import (
	"net/http"
	"regexp"
	"time"
)

// Elhub, in place of a B2B message. In life the process BRS-NO-622 is a market
// message ("34, update of third party access") that a third party sends through a
// message service with its business certificate, or a form in the portal for
// market participants. There is no REST interface for it; the Access API can't
// withdraw metering data. What is here is ours: a document with what the message
// is about, and an answer that accepts or rejects it. Whoever connects Elhub for
// good replaces the envelope, not the meaning:
//
//	POST /messages              Authorization: Bearer <key>, application/json
//	  {"process": "BRS-NO-622", "message": "34", "reference": "<uuid, ours>",
//	   "sender": "<GLN of the third party>", "meteringPoint": "<18 digits>",
//	   "operation": "remove" | "add", "sent": "<RFC 3339>"}
//	200 {"reference": ..., "status": "accepted" | "pending" | "rejected", "code": ..., "text": ...}
//	GET  /messages/{reference}  200 as above, 404
//
// From the document: removal takes effect at once; an addition waits for the end
// user (three working days, then it counts as rejected).
//
// Ours: the same reference again answers as the first time, so that a repeat does
// no harm; with another content it is 409. Access that is taken away already is
// taken away again. With FaultLater a removal is rejected at once, since Elhub's
// answer is the outcome, and an addition when it is asked for.

// ElhubAccount is the company as a third party at Elhub.
type ElhubAccount struct {
	GLN string // 13 digits
	Key string // stands for the certificate
}

func (s *Server) elhubRoutes() {
	p := s.paths(&recipient{name: Elhub, prefix: elhubPrefix, headers: []string{"Authorization"}, authorize: s.elhubKey, refuse: elhubRefusal})
	p.add("POST", "/messages", form{takes: takesJSON, later: true}, s.elhubReceive)
	p.add("GET", "/messages/{reference}", form{}, s.elhubShow)
}

func (s *Server) elhubKey(c *call) (answer, bool) {
	if h := c.Header.Get("Authorization"); !same(h, "Bearer "+s.options.Elhub.Key) || s.options.Elhub.Key == "" {
		return c.refuse(http.StatusUnauthorized, "not the sender's certificate"), false
	}
	return answer{}, true
}

// elhubFault is a refusal before the message is looked at.
type elhubFault struct {
	Error string `json:"error"`
}

func elhubRefusal(_ int, why string) any { return elhubFault{why} }

type elhubDocument struct {
	Process       string `json:"process"`
	Message       string `json:"message"`
	Reference     string `json:"reference"`
	Sender        string `json:"sender"`
	MeteringPoint string `json:"meteringPoint"`
	Operation     string `json:"operation"`
	Sent          string `json:"sent"`
}

type elhubReceipt struct {
	Reference string `json:"reference"`
	Status    string `json:"status"`
	Code      string `json:"code,omitempty"`
	Text      string `json:"text,omitempty"`
}

// elhubMessage is one that was received.
type elhubMessage struct {
	document  elhubDocument
	receipt   elhubReceipt
	operation string // id, of one that is pending
}

var (
	gln           = regexp.MustCompile(`^[0-9]{13}$`)
	meteringPoint = regexp.MustCompile(`^[0-9]{18}$`)
)

func (s *Server) elhubReceive(c *call) answer {
	var in elhubDocument
	if err := c.decode(&in); err != nil {
		return c.refuse(http.StatusBadRequest, "%s", err)
	}
	_, sentErr := time.Parse(time.RFC3339, in.Sent)
	switch {
	case in.Process != "BRS-NO-622" || in.Message != "34":
		return c.refuse(http.StatusBadRequest, "neither the process nor the message is known here")
	case !lowerUUID.MatchString(in.Reference):
		return c.refuse(http.StatusBadRequest, "reference is not a UUID")
	case !gln.MatchString(in.Sender) || sentErr != nil:
		return c.refuse(http.StatusBadRequest, "sender or sent is not valid")
	case in.Operation != "remove" && in.Operation != "add":
		return c.refuse(http.StatusBadRequest, "operation is neither remove nor add")
	}
	if m, there := s.elhub[in.Reference]; there {
		if m.document != in {
			return c.refuse(http.StatusConflict, "the reference belongs to another message")
		}
		return answer{status: http.StatusOK, body: m.receipt}
	}
	m := elhubMessage{document: in, receipt: elhubReceipt{Reference: in.Reference, Status: "accepted"}}
	switch {
	case in.Sender != s.options.Elhub.GLN:
		m.receipt = elhubReceipt{in.Reference, "rejected", "unknown-sender", "The sender is no third party"}
	case !meteringPoint.MatchString(in.MeteringPoint):
		m.receipt = elhubReceipt{in.Reference, "rejected", "unknown-metering-point", "The metering point is not known"}
	case in.Operation == "add":
		o := s.accept(c, "access to "+in.MeteringPoint, func(bool) { s.put(c, "meteringPoints/"+in.MeteringPoint, Granted) })
		m.operation = o.ID
		m.receipt.Status = "pending"
	case c.outcome == FaultLater:
		m.receipt = elhubReceipt{in.Reference, "rejected", "processing-failed", "The message could not be processed"}
	default:
		s.put(c, "meteringPoints/"+in.MeteringPoint, Removed)
	}
	s.elhub[in.Reference] = m
	return answer{status: http.StatusOK, body: m.receipt}
}

func (s *Server) elhubShow(c *call) answer {
	m, ok := s.elhub[c.PathValue("reference")]
	if !ok {
		return c.refuse(http.StatusNotFound, "no such message")
	}
	if m.receipt.Status == "pending" {
		o, _ := s.operation(Elhub, m.operation)
		switch o.State {
		case OperationDone:
			m.receipt.Status = "accepted"
		case OperationFailed:
			m.receipt = elhubReceipt{m.document.Reference, "rejected", "not-approved", "The end user has not approved"}
		}
		s.elhub[m.document.Reference] = m
	}
	return answer{status: http.StatusOK, body: m.receipt}
}
