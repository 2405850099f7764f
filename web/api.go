package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"elekt.no/innsyn/auth"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// The scopes that a token for the API may carry.
const (
	ScopeMayI         = "may-i:read"
	ScopeChoicesRead  = "choices:read"
	ScopeChoicesWrite = "choices:write"
	ScopeTextsRead    = "texts:read"
	ScopeDeviceRead   = "device:read"
	ScopeDeviceWrite  = "device:write"
)

// Scopes lists them.
var Scopes = []string{ScopeMayI, ScopeChoicesRead, ScopeChoicesWrite, ScopeTextsRead, ScopeDeviceRead, ScopeDeviceWrite}

// busyLimit is how many requests of one client a node works on at once. What is
// cheap to answer is limited by this alone: counting each of those in the database
// would cost more than the answer. Writes are counted there (Route.Limit).
const busyLimit = 64

// busy counts what each client has under way on this node.
type busy struct {
	mu sync.Mutex
	n  map[string]int
}

func (b *busy) enter(client string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.n == nil {
		b.n = map[string]int{}
	}
	if b.n[client] >= busyLimit {
		return false
	}
	b.n[client]++
	return true
}

func (b *busy) leave(client string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.n[client]--; b.n[client] <= 0 {
		delete(b.n, client)
	}
}

// client is which system calls; never nil behind a route for Client.
func client(ctx context.Context) *auth.Client {
	c, _ := ctx.Value(keyClient).(*auth.Client)
	return c
}

// guardClient enforces what a route of the API asks for: a token, its scope, the
// limits, and a body that is JSON. Neither cookie nor session nor language is
// looked at, so nothing that a browser sends by itself gets in here.
func (s *Server) guardClient(rt Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		rec, _ := ctx.Value(keyRequest).(*record)
		if rec != nil {
			rec.route = rt.Path
		}
		who, err := s.auth.Client(r)
		if err != nil {
			s.challenge(w, err, "")
			s.fail(w, r, err)
			return
		}
		if rec != nil {
			rec.client = who.ID
		}
		if !s.busy.enter(who.ID) {
			s.fail(w, r, &privacy.Error{Kind: privacy.RateLimited, Reason: "busy"})
			return
		}
		defer s.busy.leave(who.ID)
		r = r.WithContext(context.WithValue(ctx, keyClient, who))
		if err = s.admitClient(rt, w, r, who); err == nil {
			err = rt.Handler(w, r)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	})
}

func (s *Server) admitClient(rt Route, w http.ResponseWriter, r *http.Request, who *auth.Client) error {
	if !who.May(rt.Scope) {
		err := refuse(privacy.Forbidden, "scope", "", "The token lacks the scope "+rt.Scope+".")
		s.challenge(w, err, rt.Scope)
		return err
	}
	if rt.Limit.Times > 0 {
		if err := s.auth.Allow(r.Context(), rt.Method+" "+rt.Path, who.ID, rt.Limit.Times, rt.Limit.Per); err != nil {
			return err
		}
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	limit := rt.Body
	if limit == 0 {
		limit = maxBody
	}
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return refuse(privacy.Invalid, "content-type", "", "Send the body as application/json.")
	}
	return nil
}

// challenge says how to get in. RFC 6750 section 3
func (s *Server) challenge(w http.ResponseWriter, err error, scope string) {
	c := `Bearer realm="innsyn"`
	var known *privacy.Error
	switch {
	case !errors.As(err, &known):
		return
	case known.Kind == privacy.Forbidden:
		c += fmt.Sprintf(`, error="insufficient_scope", scope=%q`, scope)
	case known.Kind != privacy.Unauthenticated:
		return
	case known.Reason != "token-missing":
		c += `, error="invalid_token"`
	}
	w.Header().Set("WWW-Authenticate", c)
}

// hint is what a developer is told about an error of the API: the parameter or the
// field of the body that it is about, and a sentence. Never a value that was sent.
type hint struct{ field, detail string }

func (h *hint) Error() string { return strings.TrimSpace(h.field + " " + h.detail) }

// refuse is an error of the API.
func refuse(kind privacy.ErrorKind, reason, field, detail string) error {
	return &privacy.Error{Kind: kind, Reason: reason, Err: &hint{field, detail}}
}

// wrong refuses a value.
func wrong(field, detail string) error { return refuse(privacy.Invalid, "bad-value", field, detail) }

// params reads the query of a request: each of the names once, and nothing else.
// The last name may be missing if optional.
func params(r *http.Request, optional bool, names ...string) ([]string, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse(privacy.Invalid, "bad-query", "", "The query can't be read.")
	}
	out := make([]string, len(names))
	for i, name := range names {
		switch v := q[name]; {
		case len(v) == 1 && v[0] != "":
			out[i] = v[0]
		case len(v) == 0 && optional && i == len(names)-1:
		case len(v) > 1:
			return nil, wrong(name, "Give it once.")
		default:
			return nil, wrong(name, "It is missing.")
		}
		delete(q, name)
	}
	for name := range q {
		if len(name) <= 40 && word.MatchString(name) {
			return nil, refuse(privacy.Invalid, "unknown-field", name, "There is no such parameter.")
		}
		return nil, refuse(privacy.Invalid, "unknown-field", "", "There is a parameter that isn't known.")
	}
	return out, nil
}

var word = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*$`)

// read reads a JSON body: one value, no unknown names.
func read(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = more
			if err == nil {
				err = errors.New("more than one value")
			}
		}
	}
	var big *http.MaxBytesError
	var typ *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &big):
		return refuse(privacy.TooLarge, "body-too-large", "", fmt.Sprintf("At most %d bytes.", big.Limit))
	case errors.As(err, &typ):
		return wrong(typ.Field, "It is of another type.")
	}
	if name, ok := strings.CutPrefix(err.Error(), `json: unknown field "`); ok {
		if name = strings.TrimSuffix(name, `"`); len(name) > 40 || !word.MatchString(name) {
			name = ""
		}
		return refuse(privacy.Invalid, "unknown-field", name, "There is no such field.")
	}
	return refuse(privacy.Invalid, "not-json", "", "The body isn't one JSON value as the document says.")
}

// reply writes an answer of the API.
func (s *Server) reply(w http.ResponseWriter, r *http.Request, status int, v any) error {
	b := s.buffers.Get().(*bytes.Buffer)
	b.Reset()
	defer s.buffers.Put(b)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b.Bytes()) // what goes wrong here is the connection's
	}
	return nil
}

var jsonType = []string{"application/json"}

// replyTagged is reply with an ETag, or 304 if the caller has that already. What
// is kept must be asked about before each use.
func (s *Server) replyTagged(w http.ResponseWriter, r *http.Request, tag string, v any) error {
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "private, no-cache")
	if tagMatches(r.Header.Values("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return s.reply(w, r, http.StatusOK, v)
}

// tagMatches tells whether an If-None-Match names a tag. RFC 9110 section 13.1.2
func tagMatches(headers []string, tag string) bool {
	for _, h := range headers {
		for t := range strings.SplitSeq(h, ",") {
			if t = strings.TrimPrefix(strings.TrimSpace(t), "W/"); t == "*" || t == tag {
				return true
			}
		}
	}
	return false
}

// subject is somebody as a system of the company knows them.
type subject struct{ system, id string }

var externalID = regexp.MustCompile(`^[!-~]{1,128}$`)

// subject checks the names of a system and of somebody in it. A system that isn't
// configured is refused: in a misspelt one nobody would ever have objected.
func (s *Server) subject(system, id string) (subject, error) {
	switch {
	case !s.systems[system]:
		return subject{}, refuse(privacy.NotFound, "unknown-system", "system", "There is no such system. "+store.CustomerSystem+" is the customer register.")
	case !externalID.MatchString(id):
		return subject{}, wrong("id", "1 to 128 characters of ASCII without spaces.")
	}
	return subject{system, id}, nil
}

// purpose finds a purpose for the API.
func (s *Server) purpose(id string) (*privacy.Purpose, error) {
	p, err := s.catalogue.Purpose(id)
	if err != nil {
		return nil, refuse(privacy.NotFound, "unknown-purpose", "purpose", "The catalogue has no such purpose.")
	}
	return p, nil
}
