package standin

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
)

// Google Ads through the Data Manager API v1: people are put on and taken off
// audiences by hashes; how it went is asked for by the request's id. Nobody can
// read who is on.
//
// Left out of what the document has: encryption, PAIR and other ids that belong to
// other products than Google Ads.
//
// Where the document leaves something open: an id that isn't there answers 404
// here; an account or audience of somebody else 403.

func (s *Server) dataManagerRoutes() {
	p := s.paths(s.googleAPI(GoogleAds, dataManagerPrefix, scopeDataManager))
	p.add("POST", "/v1/audienceMembers:ingest", form{takes: takesJSON, later: true, partly: true}, s.ingest)
	p.add("POST", "/v1/audienceMembers:remove", form{takes: takesJSON, later: true, partly: true}, s.remove)
	p.add("GET", "/v1/requestStatus:retrieve", form{query: []string{"requestId"}}, s.requestStatus)
}

type productAccount struct {
	AccountType string `json:"accountType"`
	AccountID   string `json:"accountId"`
}

type destination struct {
	Reference            string          `json:"reference,omitempty"`
	LoginAccount         *productAccount `json:"loginAccount,omitempty"`
	LinkedAccount        *productAccount `json:"linkedAccount,omitempty"`
	OperatingAccount     *productAccount `json:"operatingAccount,omitempty"`
	ProductDestinationID string          `json:"productDestinationId,omitempty"`
}

type addressInfo struct {
	GivenName  string `json:"givenName"`
	FamilyName string `json:"familyName"`
	RegionCode string `json:"regionCode"`
	PostalCode string `json:"postalCode"`
}

type userIdentifier struct {
	EmailAddress *string      `json:"emailAddress"`
	PhoneNumber  *string      `json:"phoneNumber"`
	Address      *addressInfo `json:"address"`
}

type userData struct {
	UserIdentifiers []userIdentifier `json:"userIdentifiers"`
}

type mobileData struct {
	MobileIDs []string `json:"mobileIds"`
}

type adConsent struct {
	AdUserData        string `json:"adUserData"`
	AdPersonalization string `json:"adPersonalization"`
}

type audienceMember struct {
	UserData   *userData   `json:"userData"`
	MobileData *mobileData `json:"mobileData"`
	Consent    *adConsent  `json:"consent"`
}

// removal is the request of remove; ingestion has more.
type removal struct {
	Destinations    []destination    `json:"destinations"`
	AudienceMembers []audienceMember `json:"audienceMembers"`
	ValidateOnly    bool             `json:"validateOnly"`
	Encoding        string           `json:"encoding"`
}

type termsOfService struct {
	CustomerMatch string `json:"customerMatchTermsOfServiceStatus"`
}

type ingestion struct {
	removal
	Consent        *adConsent      `json:"consent"`
	TermsOfService *termsOfService `json:"termsOfService"`
}

// requestTaken is the answer to both.
type requestTaken struct {
	RequestID string `json:"requestId"`
}

// Limits of the API.
const (
	mostDestinations = 10
	mostMembers      = 10000
	mostIdentifiers  = 10
)

func (s *Server) ingest(c *call) answer {
	var in ingestion
	if err := c.decode(&in); err != nil {
		return c.refuse(http.StatusBadRequest, "%s", err)
	}
	if in.Consent != nil && !in.Consent.valid() {
		return c.refuse(http.StatusBadRequest, "consent is neither CONSENT_GRANTED nor CONSENT_DENIED")
	}
	if in.TermsOfService == nil || in.TermsOfService.CustomerMatch != "ACCEPTED" {
		return c.refuse(http.StatusBadRequest, "termsOfService: the Customer Match terms must be ACCEPTED")
	}
	return s.changeAudience(c, in.removal, MemberOn)
}

func (s *Server) remove(c *call) answer {
	var in removal
	if err := c.decode(&in); err != nil {
		return c.refuse(http.StatusBadRequest, "%s", err)
	}
	return s.changeAudience(c, in, Removed)
}

func (c *adConsent) valid() bool {
	ok := []string{"", "CONSENT_STATUS_UNSPECIFIED", "CONSENT_GRANTED", "CONSENT_DENIED"}
	return slices.Contains(ok, c.AdUserData) && slices.Contains(ok, c.AdPersonalization)
}

func (s *Server) changeAudience(c *call, in removal, state string) answer {
	if a, ok := s.checkDestinations(c, in.Destinations); !ok {
		return a
	}
	if len(in.AudienceMembers) == 0 || len(in.AudienceMembers) > mostMembers {
		return c.refuse(http.StatusBadRequest, "between 1 and %d audienceMembers are taken", mostMembers)
	}
	var keys [][]string // of each member
	for i, m := range in.AudienceMembers {
		k, err := m.keys(in.Encoding)
		if err != nil {
			return c.refuse(http.StatusBadRequest, "audienceMembers[%d]: %s", i, err)
		}
		keys = append(keys, k)
	}
	if in.ValidateOnly {
		return answer{status: http.StatusOK, body: requestTaken{newUUID()}}
	}
	what := fmt.Sprintf("%d %s %d audiences", len(keys), map[string]string{MemberOn: "on", Removed: "off"}[state], len(in.Destinations))
	o := s.accept(c, what, func(partly bool) {
		if partly {
			keys = keys[:len(keys)-1]
		}
		for _, d := range in.Destinations {
			for _, key := range slices.Concat(keys...) {
				s.put(c, "audiences/"+d.ProductDestinationID+"/"+key, state)
			}
		}
	})
	o.detail = audienceChange{in.Destinations, in.AudienceMembers, state == Removed}
	return answer{status: http.StatusOK, body: requestTaken{o.ID}}
}

var digits = regexp.MustCompile(`^[0-9]+$`)

func (s *Server) checkDestinations(c *call, all []destination) (answer, bool) {
	if len(all) == 0 || len(all) > mostDestinations {
		return c.refuse(http.StatusBadRequest, "between 1 and %d destinations are taken", mostDestinations), false
	}
	for i, d := range all {
		for _, account := range []*productAccount{d.LoginAccount, d.LinkedAccount, d.OperatingAccount} {
			if account != nil && (account.AccountType != "GOOGLE_ADS" || !digits.MatchString(account.AccountID)) {
				return c.refuse(http.StatusBadRequest, "destinations[%d]: an account is not of type GOOGLE_ADS with digits", i), false
			}
		}
		switch {
		case d.OperatingAccount == nil || !digits.MatchString(d.ProductDestinationID):
			return c.refuse(http.StatusBadRequest, "destinations[%d]: operatingAccount or productDestinationId is missing", i), false
		case d.OperatingAccount.AccountID != s.options.Google.AdsAccount || !slices.Contains(s.options.Google.UserLists, d.ProductDestinationID):
			return c.refuse(http.StatusForbidden, "destinations[%d]: The caller does not have permission", i), false
		}
	}
	return answer{}, true
}

// keys are how a member is known, as emailAddress:hash.
func (m audienceMember) keys(encoding string) ([]string, error) {
	if (m.UserData == nil) == (m.MobileData == nil) {
		return nil, fmt.Errorf("userData or mobileData, not both")
	}
	if m.Consent != nil && !m.Consent.valid() {
		return nil, fmt.Errorf("consent is neither CONSENT_GRANTED nor CONSENT_DENIED")
	}
	if m.MobileData != nil {
		ids := m.MobileData.MobileIDs
		if len(ids) == 0 || len(ids) > mostIdentifiers || slices.Contains(ids, "") {
			return nil, fmt.Errorf("between 1 and %d mobileIds are taken", mostIdentifiers)
		}
		var out []string
		for _, id := range ids {
			out = append(out, "mobileId:"+id)
		}
		return out, nil
	}
	if len(m.UserData.UserIdentifiers) == 0 || len(m.UserData.UserIdentifiers) > mostIdentifiers {
		return nil, fmt.Errorf("between 1 and %d userIdentifiers are taken", mostIdentifiers)
	}
	var out []string
	for _, u := range m.UserData.UserIdentifiers {
		key, err := u.key(encoding)
		if err != nil {
			return nil, err
		}
		out = append(out, key)
	}
	return out, nil
}

func (u userIdentifier) key(encoding string) (string, error) {
	count := 0
	var key, hash string
	for name, value := range map[string]*string{"emailAddress": u.EmailAddress, "phoneNumber": u.PhoneNumber} {
		if value != nil {
			count++
			key, hash = name+":"+*value, *value
		}
	}
	if u.Address != nil {
		count++
		key, hash = "address:"+u.Address.FamilyName, u.Address.FamilyName
		if !hashed(u.Address.GivenName, encoding) || u.Address.RegionCode == "" || u.Address.PostalCode == "" {
			return "", fmt.Errorf("address is not whole and hashed")
		}
	}
	if count != 1 {
		return "", fmt.Errorf("exactly one identifier in a userIdentifier")
	}
	if !hashed(hash, encoding) {
		return "", fmt.Errorf("an identifier is not a SHA-256 hash in the encoding %q", encoding)
	}
	return key, nil
}

func hashed(s, encoding string) bool {
	switch encoding {
	case "HEX":
		return sha256Hex.MatchString(s)
	case "BASE64":
		b, err := base64.StdEncoding.DecodeString(s)
		return err == nil && len(b) == 32
	}
	return false
}

// audienceChange is what a request wanted.
type audienceChange struct {
	destinations []destination
	members      []audienceMember
	removal      bool
}

// Numbers are written as strings, as protobuf's JSON does with 64 bits.
type dataStatus struct {
	RecordCount         string `json:"recordCount"`
	UserIdentifierCount string `json:"userIdentifierCount,omitempty"`
	MobileIDCount       string `json:"mobileIdCount,omitempty"`
}

type removalStatus struct {
	UserData   *dataStatus `json:"userDataRemovalStatus,omitempty"`
	MobileData *dataStatus `json:"mobileDataRemovalStatus,omitempty"`
}

type ingestionStatus struct {
	UserData   *dataStatus `json:"userDataIngestionStatus,omitempty"`
	MobileData *dataStatus `json:"mobileDataIngestionStatus,omitempty"`
}

type errorCount struct {
	RecordCount string `json:"recordCount"`
	Reason      string `json:"reason"`
}

type errorInfo struct {
	ErrorCounts []errorCount `json:"errorCounts"`
}

type destinationStatus struct {
	Destination     destination      `json:"destination"`
	RequestStatus   string           `json:"requestStatus"`
	ErrorInfo       *errorInfo       `json:"errorInfo,omitempty"`
	IngestionStatus *ingestionStatus `json:"audienceMembersIngestionStatus,omitempty"`
	RemovalStatus   *removalStatus   `json:"audienceMembersRemovalStatus,omitempty"`
}

type requestStatuses struct {
	PerDestination []destinationStatus `json:"requestStatusPerDestination"`
}

func (s *Server) requestStatus(c *call) answer {
	if c.one("requestId") == "" {
		return c.refuse(http.StatusBadRequest, "requestId is missing")
	}
	o, ok := s.operation(GoogleAds, c.one("requestId"))
	if !ok {
		return c.refuse(http.StatusNotFound, "Requested entity was not found.")
	}
	var out requestStatuses
	for _, d := range o.detail.destinations {
		out.PerDestination = append(out.PerDestination, o.detail.status(d, o.State))
	}
	return answer{status: http.StatusOK, body: out}
}

func (a audienceChange) status(d destination, state string) destinationStatus {
	out := destinationStatus{Destination: d, RequestStatus: map[string]string{
		OperationRunning: "PROCESSING", OperationDone: "SUCCESS", OperationPartly: "PARTIAL_SUCCESS", OperationFailed: "FAILED",
	}[state]}
	failed := map[string]int{OperationPartly: 1, OperationFailed: len(a.members)}[state]
	if failed > 0 {
		out.ErrorInfo = &errorInfo{[]errorCount{{strconv.Itoa(failed), "PROCESSING_ERROR_REASON_INTERNAL_ERROR"}}}
	}
	var user, mobile *dataStatus
	identifiers := 0
	for _, m := range a.members {
		if m.UserData != nil {
			identifiers += len(m.UserData.UserIdentifiers)
		} else {
			identifiers += len(m.MobileData.MobileIDs)
		}
	}
	count := dataStatus{RecordCount: strconv.Itoa(len(a.members))}
	if a.members[0].UserData != nil {
		count.UserIdentifierCount = strconv.Itoa(identifiers)
		user = &count
	} else {
		count.MobileIDCount = strconv.Itoa(identifiers)
		mobile = &count
	}
	if a.removal {
		out.RemovalStatus = &removalStatus{user, mobile}
	} else {
		out.IngestionStatus = &ingestionStatus{user, mobile}
	}
	return out
}
