package standin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"time"
)

// mailgunMember is its answer about a list member.
type mailgunMember struct {
	Member  any    `json:"member"`
	Message string `json:"message,omitempty"`
}

// mailgunAddress is its answer about one suppressed address.
type mailgunAddress struct {
	Address string `json:"address"`
	Message string `json:"message"`
}

func (s *Server) mailgunRoutes() {
	p := s.paths(&recipient{name: Mailgun, headers: []string{"Authorization"}, authorize: s.mailgunKey})
	p.add("POST", "/v3/{domain}/unsubscribes", form{takes: takesForm | takesJSON, fields: []string{"address", "tag", "created_at"}}, s.inDomain(s.suppress))
	p.add("GET", "/v3/{domain}/unsubscribes/{address}", form{}, s.inDomain(s.showSuppression))
	p.add("DELETE", "/v3/{domain}/unsubscribes/{address}", form{}, s.inDomain(s.release))
	p.add("POST", "/v3/lists/{list}/members", form{takes: takesForm, fields: []string{"address", "name", "vars", "subscribed", "upsert"}}, s.inList(s.addMember))
	p.add("GET", "/v3/lists/{list}/members/{address}", form{}, s.inList(s.showMember))
	p.add("DELETE", "/v3/lists/{list}/members/{address}", form{}, s.inList(s.removeMember))
	p.add("POST", "/v3/{domain}/messages", form{takes: takesForm,
		fields: []string{"from", "to", "cc", "bcc", "subject", "text", "html", "o:tag", "o:testmode", "o:tracking",
			"o:tracking-clicks", "o:tracking-opens", "o:require-tls", "o:skip-verification", "h:", "v:"},
		repeated: []string{"to", "cc", "bcc", "o:tag"},
	}, s.inDomain(s.sendMail))
}

// mailgunKey wants user api and the key.
func (s *Server) mailgunKey(c *call) (answer, bool) {
	user, key, ok := c.BasicAuth()
	if !ok || user != "api" || !same(key, s.options.MailgunKey) {
		return answer{status: http.StatusUnauthorized, body: "Forbidden"}, false
	}
	return answer{}, true
}

func (s *Server) inDomain(h handler) handler {
	return func(c *call) answer {
		if _, ok := s.suppressions[c.PathValue("domain")]; !ok {
			return answer{status: http.StatusNotFound, body: reason{"Domain not found: " + c.PathValue("domain")}}
		}
		return h(c)
	}
}

func (s *Server) inList(h handler) handler {
	return func(c *call) answer {
		if _, ok := s.lists[c.PathValue("list")]; !ok {
			return answer{status: http.StatusNotFound, body: reason{"Mailing list " + c.PathValue("list") + " not found"}}
		}
		return h(c)
	}
}

// suppressionInput is an element of the JSON form.
type suppressionInput struct {
	Address   string   `json:"address"`
	Tags      []string `json:"tags"`
	CreatedAt string   `json:"created_at"`
}

// mostSuppressions is how many addresses one JSON call may hold.
const mostSuppressions = 1000

func (s *Server) suppress(c *call) answer {
	if c.json == nil {
		in := suppressionInput{Address: c.one("address"), CreatedAt: c.one("created_at")}
		if c.fields.Has("tag") {
			in.Tags = []string{c.one("tag")}
		}
		if err := s.checkSuppression(in); err != nil {
			return badRequest("%s", err)
		}
		s.putSuppression(c, in)
		return answer{status: http.StatusOK, body: mailgunAddress{in.Address, "Address has been added to the unsubscribes table"}}
	}
	var all []suppressionInput
	d := json.NewDecoder(bytes.NewReader(c.json))
	d.DisallowUnknownFields()
	if err := d.Decode(&all); err != nil || d.More() {
		return badRequest("the body is not a list of unsubscribes")
	}
	if len(all) == 0 || len(all) > mostSuppressions {
		return badRequest("between 1 and %d addresses are taken", mostSuppressions)
	}
	for _, in := range all {
		if err := s.checkSuppression(in); err != nil {
			return badRequest("%s", err)
		}
	}
	for _, in := range all {
		s.putSuppression(c, in)
	}
	return answer{status: http.StatusOK, body: reason{fmt.Sprintf("%d addresses have been added to the unsubscribes table", len(all))}}
}

func (s *Server) checkSuppression(in suppressionInput) error {
	if err := checkAddress(in.Address); err != nil {
		return err
	}
	if slices.Contains(in.Tags, "") {
		return fmt.Errorf("a tag is empty")
	}
	if in.CreatedAt != "" {
		if _, err := mailgunTime(in.CreatedAt); err != nil {
			return fmt.Errorf("created_at is not a date of RFC 2822")
		}
	}
	return nil
}

// putSuppression adds the tags to those that the address has. No tag is all tags.
func (s *Server) putSuppression(c *call, in suppressionInput) {
	domain, created := c.PathValue("domain"), c.now
	if t, err := mailgunTime(in.CreatedAt); err == nil {
		created = t
	}
	if len(in.Tags) == 0 {
		in.Tags = []string{"*"}
	}
	x, there := s.suppressions[domain][fold(in.Address)]
	if !there {
		x = Suppression{Domain: domain, Address: in.Address, CreatedAt: created.UTC()}
	}
	tags := slices.Concat(x.Tags, in.Tags)
	slices.Sort(tags)
	x.Tags = slices.Compact(tags)
	s.suppressions[domain][fold(in.Address)] = x
}

// suppressionOutput is how Mailgun shows a suppression.
type suppressionOutput struct {
	Address   string   `json:"address"`
	Tags      []string `json:"tags"`
	CreatedAt string   `json:"created_at"`
}

func (s *Server) showSuppression(c *call) answer {
	x, ok := s.suppressions[c.PathValue("domain")][fold(c.PathValue("address"))]
	if !ok {
		return answer{status: http.StatusNotFound, body: reason{"Address not found in unsubscribers table"}}
	}
	return answer{status: http.StatusOK, body: suppressionOutput{x.Address, x.Tags, x.CreatedAt.Format(time.RFC1123)}}
}

func (s *Server) release(c *call) answer {
	domain, address := c.PathValue("domain"), c.PathValue("address")
	if _, ok := s.suppressions[domain][fold(address)]; !ok {
		return answer{status: http.StatusNotFound, body: reason{"Address not found in unsubscribers table"}}
	}
	delete(s.suppressions[domain], fold(address))
	return answer{status: http.StatusOK, body: mailgunAddress{address, "Unsubscribe event has been removed"}}
}

func (s *Server) addMember(c *call) answer {
	m := Member{List: c.PathValue("list"), Address: c.one("address"), Name: c.one("name"), Subscribed: true, Vars: noVars}
	if err := checkAddress(m.Address); err != nil {
		return badRequest("%s", err)
	}
	subscribed, err := yesNo(c, "subscribed", true)
	if err != nil {
		return badRequest("%s", err)
	}
	m.Subscribed = subscribed
	upsert, err := yesNo(c, "upsert", false)
	if err != nil {
		return badRequest("%s", err)
	}
	if v := c.one("vars"); v != "" {
		if !json.Valid([]byte(v)) {
			return badRequest("vars is not JSON")
		}
		m.Vars = json.RawMessage(v)
	}
	if _, there := s.lists[m.List][fold(m.Address)]; there && !upsert {
		return badRequest("Address already exists '%s'", m.Address)
	}
	s.lists[m.List][fold(m.Address)] = m
	return answer{status: http.StatusOK, body: mailgunMember{m.shown(), "Mailing list member has been created"}}
}

func (s *Server) showMember(c *call) answer {
	m, ok := s.lists[c.PathValue("list")][fold(c.PathValue("address"))]
	if !ok {
		return noMember(c)
	}
	return answer{status: http.StatusOK, body: mailgunMember{Member: m.shown()}}
}

func (s *Server) removeMember(c *call) answer {
	list, address := c.PathValue("list"), c.PathValue("address")
	if _, ok := s.lists[list][fold(address)]; !ok {
		return noMember(c)
	}
	delete(s.lists[list], fold(address))
	return answer{status: http.StatusOK, body: mailgunMember{struct {
		Address string `json:"address"`
	}{address}, "Mailing list member has been deleted"}}
}

// shown is a member as Mailgun shows it, without its list.
func (m Member) shown() Member {
	m.List = ""
	return m
}

func noMember(c *call) answer {
	return answer{status: http.StatusNotFound, body: reason{"Member " + c.PathValue("address") + " of mailing list " + c.PathValue("list") + " not found"}}
}

// mailgunQueued is its answer to a message.
type mailgunQueued struct {
	ID      string `json:"id"`
	Message string `json:"message"`
}

func (s *Server) sendMail(c *call) answer {
	m := Message{Request: c.id, At: c.now, Recipient: Mailgun, Domain: c.PathValue("domain"), From: c.one("from"),
		Subject: c.one("subject"), Text: c.one("text"), HTML: c.one("html"), Tags: c.fields["o:tag"], Headers: map[string][]string{}}
	for _, name := range []string{"from", "to", "subject"} {
		if c.one(name) == "" {
			return badRequest("'%s' parameter is missing", name)
		}
	}
	if m.Text == "" && m.HTML == "" {
		return badRequest("need at least one of 'text' or 'html' parameters specified")
	}
	if _, err := mail.ParseAddress(m.From); err != nil {
		return badRequest("from parameter is not a valid address")
	}
	for _, name := range []string{"to", "cc", "bcc"} {
		for _, value := range c.fields[name] {
			list, err := mail.ParseAddressList(value)
			if err != nil {
				return badRequest("%s parameter is not a valid address", name)
			}
			for _, a := range list {
				m.To = append(m.To, a.Address)
			}
		}
	}
	for _, name := range []string{"o:testmode", "o:tracking", "o:tracking-clicks", "o:tracking-opens", "o:require-tls", "o:skip-verification"} {
		if _, err := yesNo(c, name, false); err != nil {
			return badRequest("%s", err)
		}
	}
	m.Test, _ = yesNo(c, "o:testmode", false)
	for name, v := range c.fields {
		if header, ok := strings.CutPrefix(name, "h:"); ok {
			m.Headers[header] = slices.Clone(v)
		}
	}
	for _, address := range m.To {
		if s.withheld(m.Domain, address, m.Tags) {
			m.Suppressed = append(m.Suppressed, address)
		}
	}
	s.keep(m)
	return answer{status: http.StatusOK, body: mailgunQueued{fmt.Sprintf("<%d.standin@%s>", c.id, m.Domain), "Queued. Thank you."}}
}

// withheld tells whether Mailgun drops a message to an address. It accepts the
// message all the same.
func (s *Server) withheld(domain, address string, tags []string) bool {
	return slices.ContainsFunc(s.suppressions[domain][fold(address)].Tags, func(tag string) bool {
		return tag == "*" || slices.Contains(tags, tag)
	})
}

// yesNo reads a field that is yes, no, true or false.
func yesNo(c *call, name string, otherwise bool) (bool, error) {
	if !c.fields.Has(name) {
		return otherwise, nil
	}
	switch c.one(name) {
	case "yes", "true":
		return true, nil
	case "no", "false":
		return false, nil
	}
	return false, fmt.Errorf("%s is neither yes nor no", name)
}

// checkAddress takes a bare e-mail address.
func checkAddress(address string) error {
	a, err := mail.ParseAddress(address)
	if err != nil || a.Address != address {
		return fmt.Errorf("address is missing or not valid")
	}
	return nil
}

// mailgunTime reads the dates that Mailgun takes.
func mailgunTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC1123, s); err == nil {
		return t, nil
	}
	return time.Parse(time.RFC1123Z, s)
}
