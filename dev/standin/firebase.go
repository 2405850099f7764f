package standin

import (
	"net/http"
	"regexp"
)

// Firebase Installations: deletion of one, as the Admin SDKs do it. Accepted at
// once, done within 180 days; nobody is told.
//
// Where the document leaves something open: the path stands in an SDK, the host
// and the meaning of 409 (deleted already) in its list of errors. What scope is
// needed isn't said: cloud-platform or firebase here. The answer is {}.

func (s *Server) firebaseRoutes() {
	p := s.paths(s.googleAPI(Firebase, firebasePrefix, scopeCloud, scopeFirebase))
	p.add("DELETE", "/v1/project/{project}/instanceId/{fid}", form{later: true}, s.inProject(s.deleteInstallation))
}

// installationID is 22 characters; the ids of old SDKs had 11.
var installationID = regexp.MustCompile(`^[A-Za-z0-9_-]{11}(?:[A-Za-z0-9_-]{11})?$`)

func (s *Server) deleteInstallation(c *call) answer {
	fid := c.PathValue("fid")
	switch {
	case !installationID.MatchString(fid):
		return c.refuse(http.StatusBadRequest, "Malformed instance ID argument.")
	case s.state(Firebase, "instanceId/"+fid) == Deleted:
		return c.refuse(http.StatusConflict, "Already deleted.")
	}
	s.acceptSilently(c, "deletion of "+fid, func() { s.put(c, "instanceId/"+fid, Deleted) })
	return answer{status: http.StatusOK, body: struct{}{}}
}
