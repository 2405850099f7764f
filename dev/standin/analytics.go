package standin

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Google Analytics: Admin API v1alpha, submitUserDeletion. It is accepted, and
// nobody is told when it is done.
//
// Where the document leaves something open: a property of somebody else answers
// 403 here.

func (s *Server) analyticsRoutes() {
	p := s.paths(s.googleAPI(GoogleAnalytics, analyticsPrefix, scopeAnalytics))
	p.add("POST", "/v1alpha/properties/{call}", form{takes: takesJSON, later: true}, s.submitUserDeletion)
}

// userDeletion names a user in exactly one way.
type userDeletion struct {
	UserID           string `json:"userId"`
	ClientID         string `json:"clientId"`
	AppInstanceID    string `json:"appInstanceId"`
	UserProvidedData string `json:"userProvidedData"`
}

// deletionRequested is when the request was taken.
type deletionRequested struct {
	DeletionRequestTime string `json:"deletionRequestTime"` // RFC 3339
}

func (s *Server) submitUserDeletion(c *call) answer {
	property, _, ok := verb(c.PathValue("call"), "submitUserDeletion")
	if !ok {
		return c.refuse(http.StatusNotFound, "Method not found.")
	}
	var in userDeletion
	if err := c.decode(&in); err != nil {
		return c.refuse(http.StatusBadRequest, "%s", err)
	}
	var id string
	for name, value := range map[string]string{"userId": in.UserID, "clientId": in.ClientID, "appInstanceId": in.AppInstanceID, "userProvidedData": in.UserProvidedData} {
		switch {
		case value == "":
		case id != "":
			return c.refuse(http.StatusBadRequest, "only one of the ways to name a user")
		default:
			id = name + "/" + value
		}
	}
	switch {
	case id == "":
		return c.refuse(http.StatusBadRequest, "no user is named")
	case in.UserProvidedData != "" && !normalised(in.UserProvidedData):
		return c.refuse(http.StatusBadRequest, "userProvidedData is not normalised")
	case property != s.options.Google.Property || property == "":
		return c.refuse(http.StatusForbidden, "User does not have sufficient permissions for this property.")
	}
	s.acceptSilently(c, "deletion of "+id, func() { s.put(c, "properties/"+property+"/"+id, Deleted) })
	return answer{status: http.StatusOK, body: deletionRequested{c.now.UTC().Format(time.RFC3339Nano)}}
}

var withPlus = regexp.MustCompile(`^\+[0-9]{7,15}$`)

// normalised tells whether an e-mail address or a phone number is written as
// documented: lower case, no spaces, no dots before the @ at Gmail; + and digits.
func normalised(s string) bool {
	if withPlus.MatchString(s) {
		return true
	}
	if checkAddress(s) != nil || s != strings.ToLower(s) {
		return false
	}
	name, host, _ := strings.Cut(s, "@")
	return host != "gmail.com" && host != "googlemail.com" || !strings.Contains(name, ".")
}
