package standin

import (
	"net/http"
	"regexp"
	"time"
)

// Firebase Cloud Messaging: topicSubscriptions v1. A registration is an FCM token
// or a Firebase installation id; both are taken as they are.
//
// Of a subscription that no request has touched nothing is known, so that both a
// first POST and a first DELETE succeed. After that 409 and 404 are answered as
// documented. Reading (get, list, patch) is left out.
//
// Where the document leaves something open: the reference says that DELETE has an
// empty body, the guide sends {}; both are taken. The older batchRemove of the
// Instance ID API is general knowledge and left out.

func (s *Server) fcmRoutes() {
	p := s.paths(s.googleAPI(FCM, fcmPrefix, scopeMessaging, scopeCloud))
	p.add("POST", "/v1/projects/{project}/registrations/{registration}/topicSubscriptions", form{takes: takesJSON, query: []string{"topic_name"}}, s.inProject(s.subscribeTopic))
	p.add("DELETE", "/v1/projects/{project}/registrations/{registration}/topicSubscriptions/{topic}", form{takes: takesJSON | takesEmpty, query: []string{"allowMissing"}}, s.inProject(s.unsubscribeTopic))
}

// inProject refuses the projects of others.
func (s *Server) inProject(h handler) handler {
	return func(c *call) answer {
		if project := c.PathValue("project"); project == "" || project != s.options.Google.Project {
			return c.refuse(http.StatusForbidden, "The caller does not have permission")
		}
		return h(c)
	}
}

var topicName = regexp.MustCompile(`^[a-zA-Z0-9_.~%-]{1,900}$`)

// topicSubscription is the resource.
type topicSubscription struct {
	Name       string `json:"name"`
	TopicName  string `json:"topic_name"`
	CreateTime string `json:"create_time"`
}

func (s *Server) subscribeTopic(c *call) answer {
	topic := c.one("topic_name")
	if err := c.decode(&struct{}{}); err != nil || !topicName.MatchString(topic) {
		return c.refuse(http.StatusBadRequest, "topic_name is missing or the body is not {}")
	}
	id := "registrations/" + c.PathValue("registration") + "/topicSubscriptions/" + topic
	if s.state(FCM, id) == Subscribed {
		return c.refuse(http.StatusConflict, "The subscription already exists.")
	}
	s.put(c, id, Subscribed)
	return answer{status: http.StatusOK, body: topicSubscription{"projects/" + c.PathValue("project") + "/" + id, topic, c.now.UTC().Format(time.RFC3339Nano)}}
}

func (s *Server) unsubscribeTopic(c *call) answer {
	missing := c.one("allowMissing")
	if c.json != nil && c.decode(&struct{}{}) != nil || c.fields.Has("allowMissing") && missing != "true" && missing != "false" {
		return c.refuse(http.StatusBadRequest, "the body is not {} or allowMissing not true or false")
	}
	id := "registrations/" + c.PathValue("registration") + "/topicSubscriptions/" + c.PathValue("topic")
	if s.state(FCM, id) == Unsubscribed && missing != "true" {
		return c.refuse(http.StatusNotFound, "Requested entity was not found.")
	}
	s.put(c, id, Unsubscribed)
	return answer{status: http.StatusOK, body: struct{}{}}
}
