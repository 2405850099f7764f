package standin

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
)

// Meta: Marketing API v25.0, members of customer file custom audiences. POST puts
// people on, DELETE takes them off; nobody can read who is on.
//
// Stricter than Meta: a key in clear, which Meta would count as an invalid entry,
// is refused. So is a session: one call is one session here.
//
// Where the document leaves something open:
//   - Parameters may stand in a form or in the query of either method, as
//     everywhere in the Graph API; the query is for DELETE alone here.
//   - An invalid access token (code 190) answers 401 here; 400 has been seen too.
//   - DELETE /act_{id}/usersofanyaudience is general knowledge; AnyAudience says
//     whether it is there.

// MetaAccount is the company's account at Meta.
type MetaAccount struct {
	AccessToken string
	Audiences   []string // their ids
	Flagged     []string // those of them with operation_status 471, which can't be changed
	AdAccount   string   // id, without act_
	AnyAudience bool     // DELETE from all audiences exists
}

func (s *Server) metaRoutes() {
	p := s.paths(&recipient{name: Meta, prefix: metaPrefix, authorize: s.metaToken, refuse: metaRefusal})
	fields := []string{"payload", "access_token"}
	p.add("POST", "/v25.0/{audience}/users", form{takes: takesForm, fields: fields, later: true}, s.metaUsers)
	p.add("DELETE", "/v25.0/{audience}/users", form{takes: takesForm | takesEmpty, fields: fields, query: fields, later: true}, s.metaUsers)
	if s.options.Meta.AnyAudience {
		p.add("DELETE", "/v25.0/{account}/usersofanyaudience", form{takes: takesForm | takesEmpty, fields: fields, query: fields, later: true}, s.metaAny)
	}
}

func (s *Server) metaToken(c *call) (answer, bool) {
	if !same(c.one("access_token"), s.options.Meta.AccessToken) {
		return c.refuse(http.StatusUnauthorized, "Invalid OAuth access token"), false
	}
	return answer{}, true
}

// metaError is how the Graph API says no.
type metaError struct {
	Error metaFault `json:"error"`
}

type metaFault struct {
	Message   string `json:"message"`
	Type      string `json:"type"`
	Code      int    `json:"code"`
	Subcode   int    `json:"error_subcode,omitempty"`
	UserTitle string `json:"error_user_title,omitempty"`
}

func metaRefusal(status int, why string) any {
	code := 100 // invalid parameter
	switch status {
	case http.StatusUnauthorized:
		code = 190
	case http.StatusTooManyRequests:
		code = 4 // too many calls
	case http.StatusInternalServerError:
		code = 1 // unknown error
	}
	return metaError{metaFault{Message: why, Type: "OAuthException", Code: code}}
}

// metaPayload is what both methods take.
type metaPayload struct {
	Schema []string   `json:"schema"`
	Data   [][]string `json:"data"`
}

// metaAnswer is the count of what came in. Samples of invalid entries are of no use
// here, where an invalid entry is refused.
type metaAnswer struct {
	AudienceID     string   `json:"audience_id"`
	SessionID      string   `json:"session_id"`
	NumReceived    int      `json:"num_received"`
	NumInvalid     int      `json:"num_invalid_entries"`
	InvalidSamples struct{} `json:"invalid_entry_samples"`
}

// mostRows is how many people one call may name.
const mostRows = 10000

var (
	sha256Hex  = regexp.MustCompile(`^[0-9a-f]{64}$`)
	lowerUUID  = regexp.MustCompile(`^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	anyText    = regexp.MustCompile(`.`)
	metaSchema = map[string]*regexp.Regexp{"EMAIL": sha256Hex, "PHONE": sha256Hex, "MADID": lowerUUID, "EXTERN_ID": anyText}
)

func readMetaPayload(text string) (metaPayload, error) {
	var in metaPayload
	if err := decode([]byte(text), &in); err != nil {
		return in, err
	}
	if len(in.Schema) == 0 || len(in.Data) == 0 {
		return in, fmt.Errorf("schema or data is missing")
	}
	if len(in.Data) > mostRows {
		return in, fmt.Errorf("at most %d people at a time", mostRows)
	}
	for i, key := range in.Schema {
		if metaSchema[key] == nil || slices.Contains(in.Schema[:i], key) {
			return in, fmt.Errorf("schema: %q is unknown here, or comes twice", key)
		}
	}
	for i, row := range in.Data {
		if len(row) != len(in.Schema) {
			return in, fmt.Errorf("data[%d] doesn't fit the schema", i)
		}
		some := false
		for j, value := range row {
			if value == "" {
				continue // this person has none
			}
			some = true
			if !metaSchema[in.Schema[j]].MatchString(value) {
				return in, fmt.Errorf("data[%d]: %s is not normalised and hashed", i, in.Schema[j])
			}
		}
		if !some {
			return in, fmt.Errorf("data[%d] names nobody", i)
		}
	}
	return in, nil
}

// eachKey calls do for each key of each person, as EMAIL:hash.
func (p metaPayload) eachKey(do func(key string)) {
	for _, row := range p.Data {
		for i, value := range row {
			if value != "" {
				do(p.Schema[i] + ":" + value)
			}
		}
	}
}

func (s *Server) metaUsers(c *call) answer {
	audience := c.PathValue("audience")
	switch {
	case !slices.Contains(s.options.Meta.Audiences, audience):
		a := c.refuse(http.StatusBadRequest, "Unsupported request: the object does not exist or can't be seen")
		return a
	case slices.Contains(s.options.Meta.Flagged, audience):
		return answer{status: http.StatusBadRequest, body: metaError{metaFault{Message: "Invalid parameter", Type: "OAuthException",
			Code: 100, Subcode: 1713230, UserTitle: "Audience Upload Blocked"}}}
	}
	in, err := readMetaPayload(c.one("payload"))
	if err != nil {
		return c.refuse(http.StatusBadRequest, "Invalid parameter: payload: %s", err)
	}
	state, what := MemberOn, "on"
	if c.Method == http.MethodDelete {
		state, what = Removed, "off"
	}
	s.acceptSilently(c, fmt.Sprintf("%d %s audience %s", len(in.Data), what, audience), func() {
		in.eachKey(func(key string) { s.put(c, "audiences/"+audience+"/"+key, state) })
	})
	return answer{status: http.StatusOK, body: metaAnswer{AudienceID: audience, SessionID: fmt.Sprint(c.id), NumReceived: len(in.Data)}}
}

func (s *Server) metaAny(c *call) answer {
	if account := s.options.Meta.AdAccount; account == "" || c.PathValue("account") != "act_"+account {
		return c.refuse(http.StatusBadRequest, "Unsupported request: the object does not exist or can't be seen")
	}
	in, err := readMetaPayload(c.one("payload"))
	if err != nil {
		return c.refuse(http.StatusBadRequest, "Invalid parameter: payload: %s", err)
	}
	s.acceptSilently(c, fmt.Sprintf("%d off every audience", len(in.Data)), func() {
		for _, audience := range s.options.Meta.Audiences {
			in.eachKey(func(key string) { s.put(c, "audiences/"+audience+"/"+key, Removed) })
		}
	})
	return answer{status: http.StatusOK, body: metaAnswer{SessionID: fmt.Sprint(c.id), NumReceived: len(in.Data)}}
}
