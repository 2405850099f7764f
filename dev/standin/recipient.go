package standin

import (
	"net/http"
	"strings"
)

// Names of the recipients: their ids in the catalogue, and those of the servers
// that give tokens for them.
const (
	Mailgun         = "mailgun"
	Sveve           = "sveve"
	EliqAuth        = "eliq-auth"
	Eliq            = "eliq"
	EnodeAuth       = "enode-auth"
	Enode           = "enode"
	Meta            = "meta"
	GoogleOAuth     = "google-oauth"
	GoogleLogin     = "google-login"
	GoogleAnalytics = "google-analytics"
	GoogleAds       = "google-ads"
	FCM             = "fcm"
	Firebase        = "firebase"
	Xandr           = "xandr"
	Aiia            = "aiia"
	Elhub           = "elhub"
	AppleLogin      = "apple-login"
)

// Names lists the recipients.
func Names() []string {
	return []string{Mailgun, Sveve, EliqAuth, Eliq, EnodeAuth, Enode, Meta, GoogleOAuth, GoogleLogin, GoogleAnalytics,
		GoogleAds, FCM, Firebase, Xandr, Aiia, Elhub, AppleLogin}
}

// URLs are the addresses that connectors are configured with in the development
// world, in place of the real hosts: what a recipient's document calls host or
// base. Paths follow as in the document.
type URLs struct {
	Mailgun         string // + /v3/{domain}/...
	Sveve           string // + /SMS/SendMessage
	EliqAuth        string // + /oauth/token
	EliqData        string // + /users/{id}, /locations/{id}, /meters/{id}, /jobs/...
	EliqInsights    string // + /users, /users/{userId}/consents
	EnodeAuth       string // + /oauth2/token
	Enode           string // + /users/{userId}, /users/{userId}/authorization
	Meta            string // + /v25.0/{audience}/users
	GoogleOAuth     string // + /token, /revoke
	GoogleAnalytics string // + /v1alpha/properties/{id}:submitUserDeletion
	DataManager     string // + /v1/audienceMembers:ingest, :remove, /v1/requestStatus:retrieve
	FCM             string // + /v1/projects/{p}/registrations/{r}/topicSubscriptions[/{topic}]
	Firebase        string // + /v1/project/{p}/instanceId/{fid}
	Xandr           string // + /auth, /privacy/consumer-request
	Aiia            string // + /v2/consents, /v1/logout
	Elhub           string // + /messages, /messages/{reference}
	Apple           string // + /auth/revoke
}

// Prefixes of the recipients on the one listener. Mailgun and Sveve have none.
const (
	eliqAuthPrefix    = "/eliq-auth"
	eliqPrefix        = "/eliq"
	enodeAuthPrefix   = "/enode-auth"
	enodePrefix       = "/enode"
	metaPrefix        = "/meta"
	googlePrefix      = "/google-oauth"
	analyticsPrefix   = "/google-analytics"
	dataManagerPrefix = "/datamanager"
	fcmPrefix         = "/fcm"
	firebasePrefix    = "/firebase"
	xandrPrefix       = "/xandr"
	aiiaPrefix        = "/aiia"
	elhubPrefix       = "/elhub"
	applePrefix       = "/apple"
)

// URLsAt gives the addresses of stand-ins that listen at base, as
// http://127.0.0.2:8082.
func URLsAt(base string) URLs {
	base = strings.TrimSuffix(base, "/")
	return URLs{
		Mailgun: base, Sveve: base,
		EliqAuth: base + eliqAuthPrefix, EliqData: base + eliqPrefix + eliqDataPath, EliqInsights: base + eliqPrefix + eliqInsightsPath,
		EnodeAuth: base + enodeAuthPrefix, Enode: base + enodePrefix, Meta: base + metaPrefix,
		GoogleOAuth: base + googlePrefix, GoogleAnalytics: base + analyticsPrefix, DataManager: base + dataManagerPrefix,
		FCM: base + fcmPrefix, Firebase: base + firebasePrefix, Xandr: base + xandrPrefix,
		Aiia: base + aiiaPrefix, Elhub: base + elhubPrefix, Apple: base + applePrefix,
	}
}

// recipient is what the paths of one recipient have in common.
type recipient struct {
	name      string
	prefix    string
	headers   []string                         // that it documents, beside those of every HTTP client
	authorize func(*call) (answer, bool)       // nobody is asked for credentials if nil
	refuse    func(status int, why string) any // body of a refusal; a reason if nil
	malformed int                              // status for what the document doesn't have; 400 if 0
}

// refusal is an answer that says no in the recipient's own form.
func (r *recipient) refusal(status int, why string) answer {
	if status == 0 {
		status = http.StatusBadRequest
	}
	if r.refuse == nil {
		return answer{status: status, body: reason{why}}
	}
	return answer{status: status, body: r.refuse(status, why)}
}

// paths adds a recipient's paths; everything else below its prefix is refused.
type paths struct {
	s *Server
	r *recipient
}

func (s *Server) paths(r *recipient) paths {
	if r.prefix != "" {
		s.mux.HandleFunc(r.prefix, s.nowhere(r))
		s.mux.HandleFunc(r.prefix+"/", s.nowhere(r))
	}
	return paths{s, r}
}

// add takes the method and the path below the prefix.
func (p paths) add(method, path string, f form, h handler) {
	f.recipient = p.r
	p.s.mux.Handle(method+" "+p.r.prefix+path, p.s.serve(f, h))
}
