package standin

import (
	"net/http"
	"regexp"
	"time"
)

// Xandr (Microsoft Monetize): the privacy service, for members only, behind a
// token of the authentication service, which stands in the header as it is.
//
// Where the document leaves something open: its example sends JSON with curl's
// own content type; here it is application/json. What a right request answers
// beside 200 isn't said. What wrong input is gets 422, and so does everything that
// the document doesn't have.

// XandrAccount is the company's user at Xandr, if it is a member.
type XandrAccount struct {
	User, Password string
}

func (s *Server) xandrRoutes() {
	p := s.paths(&recipient{name: Xandr, prefix: xandrPrefix, refuse: xandrRefusal, malformed: http.StatusUnprocessableEntity})
	p.add("POST", "/auth", form{takes: takesJSON, secret: true}, s.xandrAuth)
	behind := paths{s, &recipient{name: Xandr, prefix: xandrPrefix, headers: []string{"Authorization"}, authorize: s.xandrToken,
		refuse: xandrRefusal, malformed: http.StatusUnprocessableEntity}}
	behind.add("POST", "/privacy/consumer-request", form{takes: takesJSON, later: true}, s.consumerRequest)
}

// xandrAnswer is the envelope of everything.
type xandrAnswer struct {
	Response xandrResponse `json:"response"`
}

type xandrResponse struct {
	Status  string `json:"status,omitempty"`
	Token   string `json:"token,omitempty"`
	ErrorID string `json:"error_id,omitempty"`
	Error   string `json:"error,omitempty"`
}

func xandrRefusal(status int, why string) any {
	id := map[int]string{http.StatusUnauthorized: "NOAUTH", http.StatusInternalServerError: "SYSTEM"}[status]
	if id == "" {
		id = "SYNTAX"
	}
	return xandrAnswer{xandrResponse{ErrorID: id, Error: why}}
}

type xandrLogin struct {
	Auth struct {
		Username string `json:"username"`
		Password string `json:"password"`
	} `json:"auth"`
}

func (s *Server) xandrAuth(c *call) answer {
	var in xandrLogin
	if err := c.decode(&in); err != nil {
		return c.refuse(http.StatusUnprocessableEntity, "%s", err)
	}
	if !same(in.Auth.Username, s.options.Xandr.User) || !same(in.Auth.Password, s.options.Xandr.Password) {
		return c.refuse(http.StatusUnauthorized, "No match found for user/pass")
	}
	t := s.issue(c, token{api: Xandr}, 2*time.Hour)
	return answer{status: http.StatusOK, body: xandrAnswer{xandrResponse{Status: "OK", Token: t.AccessToken}}}
}

func (s *Server) xandrToken(c *call) (answer, bool) {
	t, ok := s.tokens[c.Header.Get("Authorization")]
	if !ok || t.api != Xandr || !c.now.Before(t.expires) {
		return c.refuse(http.StatusUnauthorized, "Authentication failed - not logged in"), false
	}
	return answer{}, true
}

type consumerRequest struct {
	Identifier     string `json:"identifier"`
	IdentifierType string `json:"identifier_type"`
	RequestType    string `json:"request_type"`
}

var anyUUID = regexp.MustCompile(`^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func (s *Server) consumerRequest(c *call) answer {
	var in consumerRequest
	if err := c.decode(&in); err != nil {
		return c.refuse(http.StatusUnprocessableEntity, "%s", err)
	}
	id := map[string]*regexp.Regexp{"maid": anyUUID, "uuid2": digits}[in.IdentifierType]
	state := map[string]string{"delete": Deleted, "access": Asked}[in.RequestType]
	if id == nil || state == "" || !id.MatchString(in.Identifier) {
		return c.refuse(http.StatusUnprocessableEntity, "identifier, identifier_type or request_type is not valid")
	}
	s.acceptSilently(c, in.RequestType+" of "+in.Identifier, func() { s.put(c, in.IdentifierType+"/"+in.Identifier, state) })
	return answer{status: http.StatusOK, body: xandrAnswer{xandrResponse{Status: "OK"}}}
}
