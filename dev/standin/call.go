package standin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	strict "github.com/go-json-experiment/json"
)

// answer is what a recipient answers.
type answer struct {
	status     int
	body       any           // JSON; a string is sent as plain text, nil as nothing
	kind       string        // content type, if it isn't what follows from body
	retryAfter time.Duration // whole seconds
}

// reason is an answer that says why.
type reason struct {
	Message string `json:"message"`
}

func badRequest(format string, args ...any) answer {
	return answer{status: http.StatusBadRequest, body: reason{fmt.Sprintf(format, args...)}}
}

// file is an uploaded file.
type file struct {
	field, name string
	content     []byte
}

// call is one request on its way through a stand-in.
type call struct {
	*http.Request
	form    form
	fields  url.Values // of form and query, each once
	json    []byte     // the body, if it was JSON
	file    *file
	now     time.Time
	id      int
	outcome FaultKind // what comes of it later: FaultLater, FaultPartly or nothing
}

// one is the value of a field.
func (c *call) one(name string) string { return c.fields.Get(name) }

// refuse is the recipient's way to say no.
func (c *call) refuse(status int, format string, args ...any) answer {
	return c.form.refusal(status, fmt.Sprintf(format, args...))
}

// decode reads a JSON body. Names are as they are written, each comes once, none
// is unknown, and nothing comes after.
func (c *call) decode(v any) error { return decode(c.json, v) }

func decode(text []byte, v any) error {
	if err := strict.Unmarshal(text, v, strict.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf("the JSON is not as documented: %w", err)
	}
	return nil
}

// handler answers a call that is well formed. It is called with s.mu held.
type handler func(*call) answer

// takes says what the body of a request may be; the zero value is none.
type takes int

const (
	takesForm  takes = 1 << iota // urlencoded or multipart
	takesJSON                    // application/json
	takesFile                    // multipart with one file
	takesEmpty                   // or nothing
)

// form says what a path takes.
type form struct {
	*recipient
	takes    takes
	fields   []string // allowed names in a form; one that ends in : is a prefix
	query    []string // allowed names in the query
	repeated []string // those that may come more than once
	later    bool     // it is accepted now and done later
	partly   bool     // later it may be done for some
	secret   bool     // neither body nor answer is kept
}

// serve makes a recipient's path: it checks, fails on demand, answers, records.
func (s *Server) serve(f form, h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &call{Request: r, form: f, now: s.options.Now()}
		bad := c.read(f)
		s.mu.Lock()
		s.count++
		c.id = s.count
		record := Request{ID: c.id, At: c.now, Recipient: f.name, Method: r.Method, Path: r.URL.Path, Fields: without(c.fields, secretFields...)}
		if !f.secret {
			record.JSON = string(c.json)
			if c.file != nil {
				record.File = string(c.file.content)
			}
		}
		fault, failing := s.fault(record, f)
		var a answer
		switch denied, ok := f.allow(c); {
		case failing && fault.before():
			a = fault.answer(f)
		case !ok:
			a = denied
		case bad != nil:
			a = f.refusal(f.malformed, bad.Error())
		default:
			if fault.later() {
				c.outcome = fault.Kind
			}
			a = h(c)
		}
		if failing {
			record.Fault = fault.Kind
		}
		silent := failing && (fault.Kind == FaultTimeout || fault.Kind == FaultLost)
		body := a.encode()
		if !silent {
			record.Status = a.status
			if !f.secret || a.status >= http.StatusBadRequest {
				record.Answer = string(body)
			}
		}
		s.record(record)
		s.mu.Unlock()
		s.options.Log.Info("stand-in", "recipient", f.name, "method", r.Method, "request", c.id, "status", record.Status, "fault", record.Fault)
		if silent {
			if fault.Kind == FaultTimeout {
				<-r.Context().Done()
			}
			panic(http.ErrAbortHandler) // net/http's way to end without an answer
		}
		a.write(w, body)
	}
}

// secretFields are never kept.
var secretFields = []string{"user", "passwd", "client_secret", "assertion", "access_token", "token", "refresh_token"}

func (f form) allow(c *call) (answer, bool) {
	if f.authorize == nil {
		return answer{}, true
	}
	return f.authorize(c)
}

// read takes the request in and names the first thing that the document doesn't
// have. The fields that could be read are there all the same: Sveve's credentials
// are among them.
func (c *call) read(f form) error {
	c.fields = url.Values{}
	query, queryErr := url.ParseQuery(c.URL.RawQuery)
	body, bodyErr := c.readBody(f)
	for _, values := range []url.Values{query, body} {
		for name, v := range values {
			c.fields[name] = append(c.fields[name], v...)
		}
	}
	accept := c.Header.Get("Accept")
	switch {
	case queryErr != nil:
		return errors.New("the query can't be read")
	case len(query) > 0 && len(f.query) == 0:
		return errors.New("this path takes no query")
	case accept != "" && !strings.Contains(accept, "*/*") && !strings.Contains(accept, "application/json"):
		return errors.New("header Accept doesn't take application/json")
	}
	for _, err := range []error{c.checkHeaders(f), bodyErr, known(query, f.query), known(body, f.fields)} {
		if err != nil {
			return err
		}
	}
	for name, values := range c.fields {
		if len(values) > 1 && !slices.Contains(f.repeated, name) {
			return fmt.Errorf("field %q comes more than once", name)
		}
	}
	return nil
}

// known finds a field that isn't allowed.
func known(values url.Values, allowed []string) error {
	for name := range values {
		ok := slices.ContainsFunc(allowed, func(n string) bool {
			if strings.HasSuffix(n, ":") {
				return strings.HasPrefix(name, n) && name != n
			}
			return name == n
		})
		if !ok {
			return fmt.Errorf("unknown field %q", name)
		}
	}
	return nil
}

// anyClient are the headers that every HTTP client sends.
var anyClient = []string{"Accept", "Accept-Encoding", "Connection", "Content-Length", "Content-Type", "User-Agent"}

func (c *call) checkHeaders(f form) error {
	for name, values := range c.Header {
		if !slices.Contains(anyClient, name) && !slices.Contains(f.headers, name) {
			return fmt.Errorf("unknown header %q", name)
		}
		if len(values) > 1 {
			return fmt.Errorf("header %q comes more than once", name)
		}
	}
	return nil
}

func (c *call) readBody(f form) (url.Values, error) {
	body, err := io.ReadAll(c.Body)
	if err != nil {
		return nil, errors.New("the body can't be read")
	}
	sent := c.Header.Get("Content-Type")
	switch {
	case f.takes == 0 && len(body) > 0:
		return nil, errors.New("this method takes no body")
	case f.takes == 0 && sent != "":
		return nil, errors.New("header Content-Type without a body")
	case f.takes == 0, f.takes&takesEmpty != 0 && len(body) == 0:
		return nil, nil
	}
	kind, parameters, err := mime.ParseMediaType(sent)
	if err != nil {
		return nil, errors.New("header Content-Type is missing or can't be read")
	}
	if charset := parameters["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return nil, fmt.Errorf("charset %q is not utf-8", charset)
	}
	switch {
	case kind == "application/json" && f.takes&takesJSON != 0:
		c.json = body
		return nil, nil
	case kind == "application/x-www-form-urlencoded" && f.takes&takesForm != 0:
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, errors.New("the form can't be read")
		}
		return values, nil
	case kind == "multipart/form-data" && f.takes&(takesForm|takesFile) != 0:
		return c.readMultipart(f, body, parameters["boundary"])
	}
	return nil, fmt.Errorf("content type %q is not taken here", kind)
}

func (c *call) readMultipart(f form, body []byte, boundary string) (url.Values, error) {
	parts, err := multipart.NewReader(bytes.NewReader(body), boundary).ReadForm(bodyLimit)
	if err != nil {
		return nil, errors.New("the form can't be read")
	}
	for field, files := range parts.File {
		if f.takes&takesFile == 0 {
			return nil, errors.New("files are not taken")
		}
		if len(files) > 1 || c.file != nil {
			return nil, errors.New("one file is taken")
		}
		opened, err := files[0].Open()
		if err != nil {
			return nil, errors.New("the file can't be read")
		}
		content, err := io.ReadAll(opened)
		if err := errors.Join(err, opened.Close()); err != nil {
			return nil, errors.New("the file can't be read")
		}
		c.file = &file{field: field, name: files[0].Filename, content: content}
	}
	return parts.Value, nil
}

// nowhere answers for a path or method that no document has.
func (s *Server) nowhere(r *recipient) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		a := r.refusal(http.StatusNotFound, "404 page not found")
		s.mu.Lock()
		s.count++
		s.record(Request{ID: s.count, At: s.options.Now(), Recipient: r.name, Method: req.Method, Path: req.URL.Path, Status: a.status})
		s.mu.Unlock()
		a.write(w, a.encode())
	}
}

func (a answer) encode() []byte {
	if a.body == nil {
		return nil
	}
	if text, ok := a.body.(string); ok {
		return []byte(text)
	}
	b, err := json.Marshal(a.body)
	if err != nil {
		return []byte(`{"message":"Internal Server Error"}`)
	}
	return b
}

func (a answer) write(w http.ResponseWriter, body []byte) {
	kind := a.kind
	if _, text := a.body.(string); kind == "" && text {
		kind = "text/plain; charset=utf-8"
	} else if kind == "" && a.body != nil {
		kind = "application/json"
	}
	if kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	if a.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(a.retryAfter.Seconds())))
	}
	w.WriteHeader(a.status)
	w.Write(body)
}

// without copies values but for some names.
func without(v url.Values, names ...string) url.Values {
	out := url.Values{}
	for name, values := range v {
		if !slices.Contains(names, name) {
			out[name] = slices.Clone(values)
		}
	}
	return out
}
