package web

import (
	"net/http"
	"net/url"
	"time"

	"elekt.no/innsyn/privacy"
)

// Audience is whom a route is for.
type Audience string

// The audiences. A route without one stops the start.
const (
	Public Audience = "public" // anybody, logged in or not
	Person Audience = "person" // a data subject with a session
	Client Audience = "client" // a system of the company, with a token for the API
)

// Fresh is how recent a login must be for what can't be undone or hands
// something out. (checklist 38)
const Fresh = 5 * time.Minute

// Limit is how often one caller may use a route, over all nodes together. The
// caller is the person, or the network address where nobody is logged in. The
// zero value is no limit.
type Limit struct {
	Times int
	Per   time.Duration
}

// Route is a line of the route table. What isn't in the table doesn't exist;
// what a line asks for is enforced before its handler runs. (checklist 46)
type Route struct {
	Method   string
	Path     string // a pattern of net/http.ServeMux
	Audience Audience
	Need     privacy.Assurance // the least assurance, for Person
	Fresh    time.Duration     // the oldest login that will do; zero: as old as its session
	Limit    Limit
	Scope    string // that the token must carry, for Client
	Body     int64  // the most that a body may hold, in bytes, for Client; maxBody if zero
	Handler  func(http.ResponseWriter, *http.Request) error
}

// Routes is the one route table.
func (s *Server) Routes() []Route {
	const low = privacy.AssuranceLow
	logins := Limit{30, time.Minute}
	codes := Limit{10, 10 * time.Minute}
	writes := Limit{3000, time.Minute}
	return []Route{
		{Method: "GET", Path: "/{$}", Audience: Public, Handler: s.front},
		{Method: "GET", Path: "/privacy-notice", Audience: Public, Handler: s.privacyNotice},
		{Method: "GET", Path: "/recipients", Audience: Public, Handler: s.recipients},
		{Method: "GET", Path: "/contact", Audience: Public, Handler: s.contact},
		{Method: "GET", Path: "/cookies", Audience: Public, Handler: s.cookies},

		{Method: "GET", Path: "/login/{provider}", Audience: Public, Limit: logins, Handler: s.beginLogin},
		{Method: "GET", Path: "/login/{provider}/callback", Audience: Public, Limit: logins, Handler: s.finishLogin},
		{Method: "GET", Path: "/age", Audience: Public, Handler: s.age},
		{Method: "POST", Path: "/age", Audience: Public, Limit: codes, Handler: s.declareAge},

		{Method: "POST", Path: "/logout", Audience: Person, Need: low, Handler: s.logout},
		{Method: "GET", Path: "/step-up", Audience: Person, Need: low, Handler: s.stepUp},
		{Method: "GET", Path: "/resume/{form}", Audience: Person, Need: low, Handler: s.resume},
		{Method: "GET", Path: "/overview", Audience: Person, Need: low, Handler: s.overview},
		{Method: "GET", Path: "/consents", Audience: Person, Need: low, Handler: s.consents},
		{Method: "GET", Path: "/consents/{purpose}", Audience: Person, Need: low, Handler: s.consent},
		{Method: "POST", Path: "/consents/{purpose}", Audience: Person, Need: low, Handler: s.choose},
		{Method: "POST", Path: "/consents/marketing/off", Audience: Person, Need: low, Handler: s.marketingOff},
		{Method: "POST", Path: "/consents/areas/{area}/off", Audience: Person, Need: low, Handler: s.areaOff},
		{Method: "GET", Path: "/logins", Audience: Person, Need: low, Handler: s.logins},
		{Method: "POST", Path: "/logins/sessions/{id}/end", Audience: Person, Need: low, Fresh: Fresh, Handler: s.endSession},
		{Method: "POST", Path: "/logins/{id}/end", Audience: Person, Need: low, Fresh: Fresh, Handler: s.endLogin},
		{Method: "GET", Path: "/customer", Audience: Person, Need: low, Handler: s.customer},
		{Method: "POST", Path: "/customer", Audience: Person, Need: low, Fresh: Fresh, Limit: codes, Handler: s.findCustomer},
		{Method: "POST", Path: "/customer/help", Audience: Person, Need: low, Limit: codes, Handler: s.askForMatch},

		{Method: "GET", Path: "/api/openapi.json", Audience: Public, Handler: s.openAPI},
		{Method: "GET", Path: "/api/v1/may-i", Audience: Client, Scope: ScopeMayI, Handler: s.mayI},
		{Method: "POST", Path: "/api/v1/may-i", Audience: Client, Scope: ScopeMayI, Body: maxPairBody, Handler: s.mayIMany},
		{Method: "GET", Path: "/api/v1/people/{system}/{id}/choices", Audience: Client, Scope: ScopeChoicesRead, Handler: s.apiChoices},
		{Method: "POST", Path: "/api/v1/people/{system}/{id}/choices", Audience: Client, Scope: ScopeChoicesWrite, Limit: writes, Handler: s.recordChoice},
		{Method: "GET", Path: "/api/v1/texts/{purpose}", Audience: Client, Scope: ScopeTextsRead, Handler: s.apiText},
		{Method: "GET", Path: "/api/v1/device/consents", Audience: Client, Scope: ScopeDeviceRead, Handler: s.deviceConsents},
		{Method: "POST", Path: "/api/v1/device/acknowledgements", Audience: Client, Scope: ScopeDeviceWrite, Limit: writes, Handler: s.acknowledgeDevice},
	}
}

// query is a path of ours with parameters.
func query(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}
