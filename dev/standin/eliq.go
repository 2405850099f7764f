package standin

import (
	"bytes"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Eliq: Data Management API 1.5.2 and Insights API 3.4.1, each behind a token of
// its own (Auth API 2.0.0). Known are the calls for reading, erasing and stopping.
//
// Where the documents leave something open:
//   - An id that isn't there: the OpenAPI lists USER_NOT_FOUND and its like among
//     the answers with 400, and has no 404 on these paths. Missing says which.
//   - A deletion answers 200 with "NoContentResult" there, which is 204.
//   - Insights knows users by Eliq's own number only; GET /users?extref= gives it.
//   - Which consents a tenant has isn't said. Consents says it.
//   - A limit (429) isn't declared; as a fault it comes all the same.
const (
	eliqDataPath     = "/integration/api/v1"
	eliqInsightsPath = "/v3"
)

// EliqAccount is the company's account at Eliq.
type EliqAccount struct {
	ClientID, ClientSecret string
	Missing                int      // status for an id that isn't there: 400 (if 0) or 404
	Consents               []string // names; terms_and_conditions and privacy_policy if empty
}

// Audiences of the tokens.
const (
	eliqData     = "data-management-api"
	eliqInsights = "insights-api"
)

// eliqState is what Eliq has beside the entries.
type eliqState struct {
	numbers   map[string]int      // Eliq's own numbers of users, by our id
	locations map[string][]string // by user
	meters    map[string][]string // by location
	jobs      map[string]*eliqJob // by id
	order     []string            // ids of jobs, oldest first
}

func newEliqState() eliqState {
	return eliqState{numbers: map[string]int{}, locations: map[string][]string{}, meters: map[string][]string{}, jobs: map[string]*eliqJob{}}
}

// AddHome gives a user at Eliq a location with meters, as it was before the
// portal came. Ids are ours.
func (s *Server) AddHome(user, location string, meters ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.eliq.locations[user] = append(s.eliq.locations[user], location)
	s.eliq.meters[location] = append(s.eliq.meters[location], meters...)
}

func (s *Server) eliqRoutes() {
	auth := s.paths(&recipient{name: EliqAuth, prefix: eliqAuthPrefix, refuse: oauthRefusal})
	auth.add("POST", "/oauth/token", form{takes: takesForm | takesJSON, secret: true,
		fields: []string{"grant_type", "client_id", "client_secret", "aud", "scope", "sub", "sub_type"}}, s.eliqToken)

	headers := []string{"Authorization", "X-Request-Id"}
	data := s.paths(&recipient{name: Eliq, prefix: eliqPrefix, headers: headers, authorize: s.eliqBearer(eliqData), refuse: eliqRefusal})
	for _, kind := range []string{"users", "locations", "meters"} {
		data.add("GET", eliqDataPath+"/"+kind+"/{id}", form{}, s.eliqShow(kind))
		data.add("DELETE", eliqDataPath+"/"+kind+"/{id}", form{}, s.eliqDelete(kind))
	}
	data.add("GET", eliqDataPath+"/users/{id}/locations", form{}, s.eliqLocations)
	data.add("GET", eliqDataPath+"/locations/{id}/meters", form{}, s.eliqMeters)
	data.add("DELETE", eliqDataPath+"/locations/{id}/homeprofile", form{}, s.eliqDeleteProfile)
	data.add("POST", eliqDataPath+"/jobs/{entity}/{operation}", form{takes: takesFile, later: true, partly: true}, s.eliqCreateJob)
	data.add("GET", eliqDataPath+"/jobs", form{query: []string{"after_id", "reference", "state", "limit"}}, s.eliqListJobs)
	data.add("GET", eliqDataPath+"/jobs/{id}", form{}, s.eliqInJob(s.eliqShowJob))
	data.add("GET", eliqDataPath+"/jobs/{id}/cancel", form{}, s.eliqInJob(s.eliqCancelJob))
	data.add("GET", eliqDataPath+"/jobs/{id}/failures", form{query: []string{"after_row_number", "limit"}}, s.eliqInJob(s.eliqJobFailures))
	data.add("GET", eliqDataPath+"/jobs/{id}/result", form{}, s.eliqInJob(s.eliqJobResult))

	insights := paths{s, &recipient{name: Eliq, prefix: eliqPrefix, headers: headers, authorize: s.eliqBearer(eliqInsights), refuse: eliqInsightsRefusal}}
	insights.add("GET", eliqInsightsPath+"/users", form{query: []string{"extref"}}, s.eliqFindUser)
	insights.add("GET", eliqInsightsPath+"/users/{id}/consents", form{}, s.eliqShowConsents)
	insights.add("PUT", eliqInsightsPath+"/users/{id}/consents", form{takes: takesJSON}, s.eliqPutConsents)
}

// eliqTokenRequest is the token request as JSON.
type eliqTokenRequest struct {
	GrantType    string `json:"grant_type"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Aud          string `json:"aud"`
	Scope        string `json:"scope"`
	Sub          string `json:"sub"`
	SubType      string `json:"sub_type"`
}

func (s *Server) eliqToken(c *call) answer {
	in := eliqTokenRequest{c.one("grant_type"), c.one("client_id"), c.one("client_secret"), c.one("aud"), c.one("scope"), c.one("sub"), c.one("sub_type")}
	if c.json != nil {
		if err := c.decode(&in); err != nil {
			return c.refuse(http.StatusBadRequest, "%s", err)
		}
	}
	scopes := strings.Fields(in.Scope)
	known := map[string][]string{eliqData: {"data.read", "data.write"}, eliqInsights: {"insights.read", "insights.write"}}[in.Aud]
	switch {
	case in.GrantType != "client_credentials":
		return c.refuse(http.StatusBadRequest, "grant_type must be client_credentials")
	case !same(in.ClientID, s.options.Eliq.ClientID) || !same(in.ClientSecret, s.options.Eliq.ClientSecret):
		return c.refuse(http.StatusUnauthorized, "unknown client or secret")
	case known == nil:
		return c.refuse(http.StatusBadRequest, "aud must be %s or %s", eliqData, eliqInsights)
	case slices.ContainsFunc(scopes, func(scope string) bool { return !slices.Contains(known, scope) }):
		return c.refuse(http.StatusBadRequest, "unknown scope %q", in.Scope)
	case (in.Sub == "") != (in.SubType == "") || in.SubType != "" && in.SubType != "user":
		return c.refuse(http.StatusBadRequest, "sub and sub_type=user belong together")
	}
	if len(scopes) == 0 {
		scopes = known
	}
	return answer{status: http.StatusOK, body: s.issue(c, token{api: in.Aud, scopes: scopes}, time.Hour)}
}

// oauthRefusal is RFC 6749 5.2.
func oauthRefusal(status int, why string) any {
	code := "invalid_request"
	if status == http.StatusUnauthorized {
		code = "invalid_client"
	}
	return oauthError{code, why}
}

// eliqBearer wants a token for the API, and one that may write unless the method
// only reads.
func (s *Server) eliqBearer(api string) func(*call) (answer, bool) {
	return func(c *call) (answer, bool) {
		t, ok := s.bearer(c, api)
		need := strings.TrimSuffix(strings.TrimSuffix(api, "-management-api"), "-api") + ".write"
		if c.Method == http.MethodGet {
			need = strings.TrimSuffix(need, "write") + "read"
		}
		if !ok || !t.allowed(need) {
			return c.refuse(http.StatusUnauthorized, "no access token of %s with %s", api, need), false
		}
		return answer{}, true
	}
}

// eliqError is how Data Management says no, and eliqInsightsError how Insights does.
type eliqError struct {
	Code        string `json:"code"`
	Description string `json:"description"`
	RequestID   string `json:"request_id"`
}

type eliqInsightsError struct {
	Type          string `json:"type"`
	Category      string `json:"category"`
	Code          string `json:"code"`
	Description   string `json:"description"`
	Message       string `json:"message"`
	TransactionID string `json:"transaction_id"`
}

func eliqRefusal(status int, why string) any {
	code := strings.ToUpper(strings.ReplaceAll(http.StatusText(status), " ", "_"))
	if status >= http.StatusInternalServerError {
		code = "INTERNAL_ERROR"
	}
	return eliqError{code, why, newUUID()}
}

func eliqInsightsRefusal(status int, why string) any {
	kind := "client_error"
	if status >= http.StatusInternalServerError {
		kind = "internal_error"
	}
	code := strings.ToUpper(strings.ReplaceAll(http.StatusText(status), " ", "_"))
	return eliqInsightsError{kind, strings.ToLower(code), code, why, "Something went wrong.", newUUID()}
}

func eliqNo(status int, code, format string, args ...any) answer {
	return answer{status: status, body: eliqError{code, fmt.Sprintf(format, args...), newUUID()}}
}

// eliqMissing is the answer about what isn't there; kind is in the plural.
func (s *Server) eliqMissing(kind string) answer {
	status := s.options.Eliq.Missing
	if status == 0 {
		status = http.StatusBadRequest
	}
	one := strings.TrimSuffix(kind, "s")
	return eliqNo(status, strings.ToUpper(one)+"_NOT_FOUND", "%s with given id could not be found", one)
}

// eliqThing is a user, a location or a meter as Data Management shows it: ids
// only, since the stand-in has nothing else.
type eliqThing struct {
	ID         string `json:"id"`
	EliqID     int    `json:"eliq_id,omitempty"`
	UserID     string `json:"user_id,omitempty"`
	LocationID string `json:"location_id,omitempty"`
}

func (s *Server) eliqShow(kind string) handler {
	return func(c *call) answer {
		id := c.PathValue("id")
		if s.state(Eliq, kind+"/"+id) == Deleted {
			return s.eliqMissing(kind)
		}
		thing := eliqThing{ID: id}
		if kind == "users" {
			thing.EliqID = s.eliqNumber(id)
		}
		return answer{status: http.StatusOK, body: thing}
	}
}

func (s *Server) eliqDelete(kind string) handler {
	return func(c *call) answer {
		if !s.eliqErase(c, kind, c.PathValue("id")) {
			return s.eliqMissing(kind)
		}
		return answer{status: http.StatusNoContent}
	}
}

// eliqErase tells whether there was anything. A cascade isn't documented, so there
// is none.
func (s *Server) eliqErase(c *call, kind, id string) bool {
	if s.state(Eliq, kind+"/"+id) == Deleted {
		return false
	}
	s.put(c, kind+"/"+id, Deleted)
	return true
}

func (s *Server) eliqLocations(c *call) answer {
	user := c.PathValue("id")
	if s.state(Eliq, "users/"+user) == Deleted {
		return s.eliqMissing("users")
	}
	out := []eliqThing{}
	for _, id := range s.eliq.locations[user] {
		if s.state(Eliq, "locations/"+id) != Deleted {
			out = append(out, eliqThing{ID: id, UserID: user})
		}
	}
	return answer{status: http.StatusOK, body: out}
}

func (s *Server) eliqMeters(c *call) answer {
	location := c.PathValue("id")
	if s.state(Eliq, "locations/"+location) == Deleted {
		return s.eliqMissing("locations")
	}
	out := []eliqThing{}
	for _, id := range s.eliq.meters[location] {
		if s.state(Eliq, "meters/"+id) != Deleted {
			out = append(out, eliqThing{ID: id, LocationID: location})
		}
	}
	return answer{status: http.StatusOK, body: out}
}

func (s *Server) eliqDeleteProfile(c *call) answer {
	if s.state(Eliq, "locations/"+c.PathValue("id")) == Deleted {
		return s.eliqMissing("locations")
	}
	s.put(c, "locations/"+c.PathValue("id")+"/homeprofile", Deleted)
	return answer{status: http.StatusNoContent}
}

// eliqNumber is Eliq's own number of a user.
func (s *Server) eliqNumber(user string) int {
	n, ok := s.eliq.numbers[user]
	if !ok {
		n = 1000001 + len(s.eliq.numbers)
		s.eliq.numbers[user] = n
	}
	return n
}

// eliqUser finds a user by Eliq's number.
func (s *Server) eliqUser(c *call) (string, answer, bool) {
	n, err := strconv.Atoi(c.PathValue("id"))
	if err != nil {
		return "", c.refuse(http.StatusBadRequest, "userId is Eliq's own number"), false
	}
	for user, number := range s.eliq.numbers {
		if number == n && s.state(Eliq, "users/"+user) != Deleted {
			return user, answer{}, true
		}
	}
	return "", eliqNoUser(), false
}

func eliqNoUser() answer {
	return answer{status: http.StatusNotFound, body: eliqInsightsError{"client_error", "invalid_parameter", "USER_NOT_FOUND",
		"Could not find user", "Something went wrong.", newUUID()}}
}

// eliqInsightsUser is a user as Insights shows it.
type eliqInsightsUser struct {
	ID           int    `json:"id"`
	ExtRef       string `json:"ext_ref"`
	LanguageCode string `json:"language_code"`
}

func (s *Server) eliqFindUser(c *call) answer {
	user := c.one("extref")
	switch {
	case user == "":
		return c.refuse(http.StatusBadRequest, "extref is missing")
	case s.state(Eliq, "users/"+user) == Deleted:
		return eliqNoUser()
	}
	return answer{status: http.StatusOK, body: eliqInsightsUser{s.eliqNumber(user), user, eliqLanguage}}
}

const eliqLanguage = "nb-NO"

// eliqConsent is a consent as Insights shows it.
type eliqConsent struct {
	VersionID    string `json:"version_id"`
	Name         string `json:"name"`
	GivenConsent bool   `json:"given_consent"`
	IsUpdated    bool   `json:"is_updated"`
	IsMandatory  bool   `json:"is_mandatory"`
	LanguageCode string `json:"language_code"`
}

func (s *Server) eliqConsentNames() []string {
	if len(s.options.Eliq.Consents) == 0 {
		return []string{"terms_and_conditions", "privacy_policy"}
	}
	return s.options.Eliq.Consents
}

// eliqVersion is the version of a consent's text: a made-up one that stays.
func (s *Server) eliqVersion(name string) string {
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", slices.Index(s.eliqConsentNames(), name)+1)
}

func (s *Server) eliqShowConsents(c *call) answer {
	user, no, ok := s.eliqUser(c)
	if !ok {
		return no
	}
	var out []eliqConsent
	for _, name := range s.eliqConsentNames() {
		given := s.state(Eliq, "users/"+user+"/consents/"+name) != Refused
		out = append(out, eliqConsent{VersionID: s.eliqVersion(name), Name: name, GivenConsent: given, LanguageCode: eliqLanguage})
	}
	return answer{status: http.StatusOK, body: out}
}

// eliqConsentInput is an element of the list that Insights takes; all is needed.
type eliqConsentInput struct {
	VersionID    *string `json:"version_id"`
	Name         *string `json:"name"`
	GivenConsent *bool   `json:"given_consent"`
	LanguageCode *string `json:"language_code"`
}

func (s *Server) eliqPutConsents(c *call) answer {
	user, no, ok := s.eliqUser(c)
	if !ok {
		return no
	}
	var in []eliqConsentInput
	if err := c.decode(&in); err != nil {
		return c.refuse(http.StatusBadRequest, "%s", err)
	}
	if len(in) == 0 {
		return c.refuse(http.StatusBadRequest, "no consents")
	}
	for _, x := range in {
		switch {
		case x.VersionID == nil || x.Name == nil || x.GivenConsent == nil || x.LanguageCode == nil || *x.LanguageCode == "":
			return c.refuse(http.StatusBadRequest, "version_id, name, given_consent and language_code are needed")
		case !slices.Contains(s.eliqConsentNames(), *x.Name):
			return c.refuse(http.StatusBadRequest, "no consent %q", *x.Name)
		case *x.VersionID != s.eliqVersion(*x.Name):
			return c.refuse(http.StatusBadRequest, "version_id is not the consent's")
		}
	}
	for _, x := range in {
		state := Refused
		if *x.GivenConsent {
			state = Given
		}
		s.put(c, "users/"+user+"/consents/"+*x.Name, state)
	}
	return answer{status: http.StatusOK}
}

// eliqJob is a file of rows that is worked off later.
type eliqJob struct {
	operation *Operation
	call      *call // that brought it
	kind      string
	entry     eliqJobEntry
	rows      []eliqRow
	failed    map[int]bool // by row number, from 1
}

type eliqRow struct {
	ID string `json:"id"`
}

// eliqJobEntry is how Eliq shows a job.
type eliqJobEntry struct {
	ID             string    `json:"id"`
	Reference      string    `json:"reference"`
	CreatedAt      time.Time `json:"created_at_timestamp"`
	StateUpdatedAt time.Time `json:"state_updated_at_timestamp"`
	Entity         string    `json:"entity"`
	Operation      string    `json:"operation"`
	State          string    `json:"state"`
	Rows           int       `json:"number_of_rows"`
	SuccessfulRows int       `json:"number_of_successful_rows"`
	FailedRows     int       `json:"number_of_failed_rows"`
	FileFormat     string    `json:"file_format"`
	Type           string    `json:"type"`
}

// eliqCreateJob takes deletions and exports. The name of the file is the job's
// reference.
func (s *Server) eliqCreateJob(c *call) answer {
	entity, operation := c.PathValue("entity"), c.PathValue("operation")
	switch {
	case !slices.Contains([]string{"user", "location", "meter"}, entity):
		return eliqNo(http.StatusBadRequest, "JOB_ENTITY_INVALID", "The provided entity is invalid")
	case operation != "delete" && operation != "export":
		return eliqNo(http.StatusBadRequest, "JOB_OPERATION_INVALID", "The provided operation for entity is invalid")
	case c.file == nil || c.file.field != "content":
		return eliqNo(http.StatusBadRequest, "JOB_FILE_MISSING", "No file provided. The name must be 'content'")
	case path.Ext(c.file.name) == "":
		return eliqNo(http.StatusBadRequest, "JOB_FILE_FORMAT_MISSING", "No format provided for the file (file extension)")
	case path.Ext(c.file.name) != ".ndjson":
		return eliqNo(http.StatusBadRequest, "JOB_FILE_FORMAT_INVALID", "The file format provided is invalid")
	}
	reference := strings.TrimSuffix(c.file.name, ".ndjson")
	if reference == "" {
		return eliqNo(http.StatusBadRequest, "JOB_FILE_NAME_MISSING", "No filename provided (a.k.a. 'reference')")
	}
	for _, j := range s.eliq.jobs {
		if j.entry.Reference == reference {
			return eliqNo(http.StatusBadRequest, "JOB_REFERENCE_ALREADY_EXISTS", "A job is already associated with the provided file name (a.k.a. 'reference').")
		}
	}
	j := &eliqJob{call: c, kind: entity + "s", failed: map[int]bool{}}
	for line := range bytes.Lines(c.file.content) {
		var row eliqRow
		if err := decode(bytes.TrimSpace(line), &row); err != nil || row.ID == "" {
			return eliqNo(http.StatusBadRequest, "INPUT_MISSING", "row %d is not {\"id\": ...}", len(j.rows)+1)
		}
		j.rows = append(j.rows, row)
	}
	if len(j.rows) == 0 {
		return eliqNo(http.StatusBadRequest, "JOB_FILE_MISSING", "The file is empty")
	}
	j.operation = s.accept(c, fmt.Sprintf("%s %d %s", operation, len(j.rows), j.kind), func(partly bool) { s.eliqWork(j, partly) })
	kind := map[string]string{"delete": "import", "export": "export"}[operation]
	j.entry = eliqJobEntry{ID: j.operation.ID, Reference: reference, CreatedAt: c.now, StateUpdatedAt: c.now, Entity: entity,
		Operation: operation, State: "received", Rows: len(j.rows), FileFormat: "ndjson", Type: kind}
	s.eliq.jobs[j.entry.ID] = j
	s.eliq.order = append(s.eliq.order, j.entry.ID)
	return answer{status: http.StatusOK, body: j.entry}
}

// eliqWork does the rows of a job; what isn't there, and with partly the last one,
// fails.
func (s *Server) eliqWork(j *eliqJob, partly bool) {
	for i, row := range j.rows {
		gone := s.state(Eliq, j.kind+"/"+row.ID) == Deleted
		if gone || partly && i == len(j.rows)-1 {
			j.failed[i+1] = true
		} else if j.entry.Operation == "delete" {
			s.put(j.call, j.kind+"/"+row.ID, Deleted)
		}
	}
}

// eliqInJob finds the job and brings it further.
func (s *Server) eliqInJob(h func(*call, *eliqJob) answer) handler {
	return func(c *call) answer {
		j, ok := s.eliq.jobs[c.PathValue("id")]
		if !ok {
			return eliqNo(http.StatusNotFound, "JOB_NOT_FOUND", "Job with specified id could not be found")
		}
		return h(c, j)
	}
}

// ended tells whether a job's state is its last.
func (j *eliqJob) ended() bool {
	return slices.Contains([]string{"failed", "completed", "canceled"}, j.entry.State)
}

func (s *Server) eliqShowJob(c *call, j *eliqJob) answer {
	s.eliqProceed(c, j)
	return answer{status: http.StatusOK, body: j.entry}
}

func (s *Server) eliqProceed(c *call, j *eliqJob) {
	if j.ended() {
		return
	}
	o, _ := s.operation(Eliq, j.entry.ID)
	j.entry.StateUpdatedAt = c.now
	switch o.State {
	case OperationRunning:
		j.entry.State = "processing"
	case OperationFailed:
		j.entry.State = "failed"
	default:
		j.entry.State = "completed"
		j.entry.FailedRows = len(j.failed)
		j.entry.SuccessfulRows = len(j.rows) - len(j.failed)
	}
}

func (s *Server) eliqListJobs(c *call) answer {
	limit := 100
	if c.fields.Has("limit") {
		n, err := strconv.Atoi(c.one("limit"))
		if err != nil || n < 1 || n > 500 {
			return c.refuse(http.StatusBadRequest, "limit is not between 1 and 500")
		}
		limit = n
	}
	out := []eliqJobEntry{}
	after := c.one("after_id")
	for _, id := range s.eliq.order {
		if after != "" {
			if id == after {
				after = ""
			}
			continue
		}
		j := s.eliq.jobs[id]
		if reference := c.one("reference"); reference != "" && reference != j.entry.Reference {
			continue
		}
		s.eliqProceed(c, j)
		if state := c.one("state"); (state == "" || state == j.entry.State) && len(out) < limit {
			out = append(out, j.entry)
		}
	}
	return answer{status: http.StatusOK, body: out}
}

// eliqCancelJob is a GET, as documented.
func (s *Server) eliqCancelJob(c *call, j *eliqJob) answer {
	switch j.entry.State {
	case "completed":
		return eliqNo(http.StatusBadRequest, "JOB_IS_COMPLETED", "Job is already completed")
	case "canceled":
		return eliqNo(http.StatusBadRequest, "JOB_IS_CANCELLED", "Job is already canceled")
	case "failed":
		return eliqNo(http.StatusBadRequest, "JOB_STATE_CANNOT_BE_CHANGED", "Job state cannot be changed")
	}
	j.entry.State, j.entry.StateUpdatedAt = "canceled", c.now
	j.operation.State = OperationFailed
	return answer{status: http.StatusAccepted, body: j.entry.ID}
}

// eliqFailure is a row that failed.
type eliqFailure struct {
	Row         int    `json:"row_number"`
	Code        string `json:"error_code"`
	Description string `json:"error_description"`
}

func (s *Server) eliqJobFailures(c *call, j *eliqJob) answer {
	after, limit := 0, 100
	for name, to := range map[string]*int{"after_row_number": &after, "limit": &limit} {
		if !c.fields.Has(name) {
			continue
		}
		n, err := strconv.Atoi(c.one(name))
		if err != nil || n < 0 {
			return c.refuse(http.StatusBadRequest, "%s is not a number", name)
		}
		*to = n
	}
	out := []eliqFailure{}
	for i, row := range j.rows {
		if !j.failed[i+1] || i+1 <= after || len(out) >= limit {
			continue
		}
		f := eliqFailure{i + 1, "INTERNAL_ERROR", "Internal server error"}
		if e := s.entries[entryKey{Eliq, j.kind + "/" + row.ID}]; e.State == Deleted {
			f.Code, f.Description = strings.ToUpper(j.entry.Entity)+"_NOT_FOUND", j.entry.Entity+" with given id could not be found"
		}
		out = append(out, f)
	}
	return answer{status: http.StatusOK, body: out}
}

// eliqResult is a line of what an export gives.
type eliqResult struct {
	IsSuccessful bool       `json:"is_successful"`
	Result       *eliqThing `json:"result,omitempty"`
	Input        eliqRow    `json:"input"`
}

func (s *Server) eliqJobResult(_ *call, j *eliqJob) answer {
	switch {
	case j.entry.Type != "export":
		return eliqNo(http.StatusInternalServerError, "JOB_TYPE_DOES_NOT_SUPPORT_RESULT", "The type of the job does not support retrieval of results.")
	case j.entry.State != "completed":
		return eliqNo(http.StatusInternalServerError, "JOB_NOT_YET_FINISHED", "The job has not yet finished.")
	}
	var b strings.Builder
	for i, row := range j.rows {
		line := eliqResult{IsSuccessful: !j.failed[i+1], Input: row}
		if line.IsSuccessful {
			line.Result = &eliqThing{ID: row.ID}
		}
		b.Write(answer{body: line}.encode())
		b.WriteByte('\n')
	}
	return answer{status: http.StatusOK, body: b.String(), kind: "application/x-ndjson"}
}
