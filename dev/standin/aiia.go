package standin

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"
)

// Aiia (Mastercard Open Finance): the licensed product Enterprise has consents and
// logout. The product Data has no call that ends anything, so with it the stand-in
// refuses every path: there it is a person's work.
//
// Enterprise wants X-Client-Id and X-Client-Secret with every call, as the
// collection's own script adds them.
//
// Where the document leaves something open: after its end a consent answers 404
// here. A login token is known until then; which people have one isn't ours to
// know. The bearer of logout is the session's access token, which only the app
// gets: any that isn't empty is taken.

// AiiaProduct is what the company has of Aiia.
type AiiaProduct string

// The products.
const (
	AiiaEnterprise AiiaProduct = "enterprise"
	AiiaData       AiiaProduct = "data"
)

// AiiaAccount is the company's account at Aiia.
type AiiaAccount struct {
	Product                AiiaProduct // AiiaEnterprise if empty
	ClientID, ClientSecret string
}

func (s *Server) aiiaRoutes() {
	p := s.paths(&recipient{name: Aiia, prefix: aiiaPrefix, headers: []string{"X-Client-Id", "X-Client-Secret", "X-Login-Token"},
		authorize: s.aiiaClient, refuse: aiiaRefusal})
	if s.options.Aiia.Product == AiiaData {
		return
	}
	p.add("GET", "/v2/consents", form{}, s.aiiaConsent(s.aiiaShow))
	p.add("DELETE", "/v2/consents", form{}, s.aiiaConsent(s.aiiaEnd))
	session := paths{s, &recipient{name: Aiia, prefix: aiiaPrefix, headers: []string{"X-Client-Id", "X-Client-Secret", "Authorization"},
		authorize: s.aiiaSession, refuse: aiiaRefusal}}
	session.add("POST", "/v1/logout", form{takes: takesJSON, secret: true}, s.aiiaLogout)
}

func (s *Server) aiiaClient(c *call) (answer, bool) {
	if !same(c.Header.Get("X-Client-Id"), s.options.Aiia.ClientID) || !same(c.Header.Get("X-Client-Secret"), s.options.Aiia.ClientSecret) {
		return c.refuse(http.StatusUnauthorized, "unknown client or secret"), false
	}
	return answer{}, true
}

func (s *Server) aiiaSession(c *call) (answer, bool) {
	if a, ok := s.aiiaClient(c); !ok {
		return a, false
	}
	if h := c.Header.Get("Authorization"); len(h) <= len("Bearer ") || h[:len("Bearer ")] != "Bearer " {
		return c.refuse(http.StatusUnauthorized, "no access token"), false
	}
	return answer{}, true
}

// aiiaError is how Aiia says no.
type aiiaError struct {
	Error aiiaFault `json:"error"`
}

type aiiaFault struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func aiiaRefusal(status int, why string) any {
	return aiiaError{aiiaFault{http.StatusText(status), why}}
}

// fingerprint stands for a token that isn't kept.
func fingerprint(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:6])
}

// aiiaConsent finds the consent of a login token.
func (s *Server) aiiaConsent(h func(c *call, id string) answer) handler {
	return func(c *call) answer {
		token := c.Header.Get("X-Login-Token")
		if token == "" {
			return c.refuse(http.StatusBadRequest, "header X-Login-Token is missing")
		}
		id := "consents/" + fingerprint(token)
		if s.state(Aiia, id) == Revoked {
			return c.refuse(http.StatusNotFound, "no consent")
		}
		return h(c, id)
	}
}

type aiiaConsentShown struct {
	ConsentID          string `json:"consentId"`
	Status             string `json:"status"`
	ExpirationDateTime string `json:"expirationDateTime"`
	ProviderID         string `json:"providerId"`
}

func (s *Server) aiiaShow(c *call, id string) answer {
	return answer{status: http.StatusOK, body: aiiaConsentShown{id[len("consents/"):], "Active", c.now.AddDate(0, 0, 180).UTC().Format(time.RFC3339), "DemoBank"}}
}

func (s *Server) aiiaEnd(c *call, id string) answer {
	s.put(c, id, Revoked)
	return answer{status: http.StatusNoContent}
}

type aiiaLogout struct {
	UserHash   string `json:"userHash"`
	LoginToken string `json:"loginToken"`
}

func (s *Server) aiiaLogout(c *call) answer {
	var in aiiaLogout
	if err := c.decode(&in); err != nil {
		return c.refuse(http.StatusBadRequest, "%s", err)
	}
	if in.UserHash == "" || in.LoginToken == "" {
		return c.refuse(http.StatusBadRequest, "userHash and loginToken are needed")
	}
	s.put(c, "logins/"+fingerprint(in.LoginToken), Revoked)
	return answer{status: http.StatusOK, body: struct{}{}}
}

// AiiaID is how an entry of a login token begins to be known: consents/ or logins/
// and this.
func AiiaID(loginToken string) string { return fingerprint(loginToken) }
