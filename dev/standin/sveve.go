package standin

import (
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of Sveve, in characters.
const (
	sveveText   = 1071
	sveveSender = 11
	sveveRef    = 36
)

// sveveAnswer is what SendMessage answers with f=json. The status is 200 also
// when nothing was sent.
type sveveAnswer struct {
	Response sveveResponse `json:"response"`
}

type sveveResponse struct {
	MsgOkCount  int          `json:"msgOkCount"`
	StdSMSCount int          `json:"stdSMSCount"`
	IDs         []int        `json:"ids,omitempty"`
	Errors      []sveveError `json:"errors,omitempty"`
	FatalError  string       `json:"fatalError,omitempty"`
}

type sveveError struct {
	Number  string `json:"number"`
	Message string `json:"message"`
}

func (s *Server) sveveRoutes() {
	p := s.paths(&recipient{name: Sveve, authorize: s.sveveLogin})
	fields := []string{"user", "passwd", "to", "msg", "from", "f", "ref", "date_time", "test"}
	p.add("GET", "/SMS/SendMessage", form{query: fields}, s.sendSMS)
	p.add("POST", "/SMS/SendMessage", form{takes: takesForm, fields: fields}, s.sendSMS)
}

func fatal(message string) answer {
	return answer{status: http.StatusOK, body: sveveAnswer{sveveResponse{FatalError: message}}}
}

func (s *Server) sveveLogin(c *call) (answer, bool) {
	if !same(c.one("user"), s.options.SveveUser) || !same(c.one("passwd"), s.options.SvevePassword) {
		return fatal("Feil brukernavn/passord"), false
	}
	return answer{}, true
}

// norwegian is a mobile number as Sveve takes it.
var norwegian = regexp.MustCompile(`^(?:\+47|0047|47)?[0-9]{8}$`)

func (s *Server) sendSMS(c *call) answer {
	text := c.one("msg")
	switch {
	case c.one("f") != "json":
		return badRequest("f must be json: the stand-in answers nothing else")
	case text == "":
		return fatal("Meldingstekst mangler")
	case utf8.RuneCountInString(text) > sveveText:
		return fatal("Meldingsteksten er for lang")
	case c.one("to") == "":
		return fatal("Mottaker mangler")
	case utf8.RuneCountInString(c.one("from")) > sveveSender:
		return fatal("Avsenderen er for lang")
	case utf8.RuneCountInString(c.one("ref")) > sveveRef:
		return fatal("Referansen er for lang")
	case c.fields.Has("test") && c.one("test") != "true" && c.one("test") != "false":
		return badRequest("test is neither true nor false")
	}
	if at := c.one("date_time"); at != "" {
		if _, err := time.Parse("200601021504", at); err != nil {
			return badRequest("date_time is not yyyyMMddHHmm")
		}
	}
	m := Message{Request: c.id, At: c.now, Recipient: Sveve, From: c.one("from"), Text: text, Ref: c.one("ref"), Test: c.one("test") == "true"}
	var out sveveResponse
	for i, number := range strings.Split(c.one("to"), ",") {
		number = strings.TrimSpace(number)
		if !norwegian.MatchString(number) {
			out.Errors = append(out.Errors, sveveError{number, "Ugyldig mobilnummer"})
			continue
		}
		m.To = append(m.To, number)
		out.IDs = append(out.IDs, c.id*1000+i)
	}
	out.MsgOkCount = len(m.To)
	out.StdSMSCount = out.MsgOkCount * parts(text)
	if out.MsgOkCount > 0 {
		s.keep(m)
	}
	return answer{status: http.StatusOK, body: sveveAnswer{out}}
}

// parts is how many standard messages a text fills: 160 characters, or 153 each
// when there are several.
func parts(text string) int {
	n := utf8.RuneCountInString(text)
	if n <= 160 {
		return 1
	}
	return (n + 152) / 153
}
