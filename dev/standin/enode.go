package standin

import (
	"net/http"
	"time"
)

// Enode: users and their access, behind a token of client credentials.
//
// Where the document leaves something open:
//   - DELETE /users/{userId}/vendors/{vendor} stands in client code only; Vendors
//     says whether it is there.
//   - Taking back an authorization that is taken back already answers 204 again:
//     the user is still there.
//   - The form of an error, and numbers for 429, aren't published.

// EnodeAccount is the company's account at Enode.
type EnodeAccount struct {
	ClientID, ClientSecret string
	Vendors                bool // DELETE of one vendor exists
}

func (s *Server) enodeRoutes() {
	auth := s.paths(&recipient{name: EnodeAuth, prefix: enodeAuthPrefix, headers: []string{"Authorization"}, authorize: s.enodeClient, refuse: oauthRefusal})
	auth.add("POST", "/oauth2/token", form{takes: takesForm, secret: true, fields: []string{"grant_type"}}, s.enodeToken)

	p := s.paths(&recipient{name: Enode, prefix: enodePrefix, headers: []string{"Authorization"}, authorize: s.enodeBearer, refuse: enodeRefusal})
	p.add("GET", "/users/{id}", form{}, s.enodeUser(s.enodeShow))
	p.add("DELETE", "/users/{id}", form{}, s.enodeUser(s.enodeDelete))
	p.add("DELETE", "/users/{id}/authorization", form{}, s.enodeUser(s.enodeDeauthorize))
	if s.options.Enode.Vendors {
		p.add("DELETE", "/users/{id}/vendors/{vendor}", form{}, s.enodeUser(s.enodeDisconnect))
	}
}

func (s *Server) enodeClient(c *call) (answer, bool) {
	id, secret, ok := c.BasicAuth()
	if !ok || !same(id, s.options.Enode.ClientID) || !same(secret, s.options.Enode.ClientSecret) {
		return c.refuse(http.StatusUnauthorized, "unknown client or secret"), false
	}
	return answer{}, true
}

func (s *Server) enodeToken(c *call) answer {
	if c.one("grant_type") != "client_credentials" {
		return c.refuse(http.StatusBadRequest, "grant_type must be client_credentials")
	}
	t := s.issue(c, token{api: Enode}, 3599*time.Second)
	t.TokenType, t.Scope = "bearer", new(string)
	return answer{status: http.StatusOK, body: t}
}

func (s *Server) enodeBearer(c *call) (answer, bool) {
	if _, ok := s.bearer(c, Enode); !ok {
		return c.refuse(http.StatusUnauthorized, "no valid access token"), false
	}
	return answer{}, true
}

// enodeError is a problem in the manner of RFC 9457.
type enodeError struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
}

func enodeRefusal(status int, why string) any {
	return enodeError{"about:blank", http.StatusText(status), why}
}

func (s *Server) enodeUser(h handler) handler {
	return func(c *call) answer {
		if s.state(Enode, "users/"+c.PathValue("id")) == Deleted {
			return c.refuse(http.StatusNotFound, "User not found")
		}
		return h(c)
	}
}

// enodeShown is a user as Enode shows it. The stand-in knows of no vehicles.
type enodeShown struct {
	ID            string   `json:"id"`
	Vehicles      []string `json:"vehicles"`
	Chargers      []string `json:"chargers"`
	LinkedVendors []string `json:"linkedVendors"`
}

func (s *Server) enodeShow(c *call) answer {
	return answer{status: http.StatusOK, body: enodeShown{c.PathValue("id"), []string{}, []string{}, []string{}}}
}

func (s *Server) enodeDelete(c *call) answer {
	s.put(c, "users/"+c.PathValue("id"), Deleted)
	return answer{status: http.StatusNoContent}
}

// enodeDeauthorize keeps the user's other data, as documented.
func (s *Server) enodeDeauthorize(c *call) answer {
	s.put(c, "users/"+c.PathValue("id"), Deauthorized)
	return answer{status: http.StatusNoContent}
}

func (s *Server) enodeDisconnect(c *call) answer {
	s.put(c, "users/"+c.PathValue("id")+"/vendors/"+c.PathValue("vendor"), Removed)
	return answer{status: http.StatusNoContent}
}
