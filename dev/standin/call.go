package standin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// answer is what a recipient answers.
type answer struct {
	status     int
	body       any           // JSON; a string is sent as plain text
	retryAfter time.Duration // whole seconds
}

// reason is an answer that says why.
type reason struct {
	Message string `json:"message"`
}

func badRequest(format string, args ...any) answer {
	return answer{status: http.StatusBadRequest, body: reason{fmt.Sprintf(format, args...)}}
}

// call is one request on its way through a stand-in.
type call struct {
	*http.Request
	fields url.Values // of form or query, each once
	json   []byte     // the body, if it was JSON
	now    time.Time
	id     int
}

// one is the value of a field.
func (c *call) one(name string) string { return c.fields.Get(name) }

// handler answers a call that is well formed. It is called with s.mu held.
type handler func(*call) answer

// form says what a path takes.
type form struct {
	recipient string
	fields    []string // allowed names; one that ends in : is a prefix
	repeated  []string // those that may come more than once
	json      bool     // a JSON body instead of a form
	query     bool     // fields may stand in the query
	authorize func(*call) (answer, bool)
}

// serve makes a recipient's path: it checks, fails on demand, answers, records.
func (s *Server) serve(f form, h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &call{Request: r, now: s.options.Now()}
		bad := c.read(f)
		s.mu.Lock()
		s.count++
		c.id = s.count
		record := Request{ID: c.id, At: c.now, Recipient: f.recipient, Method: r.Method, Path: r.URL.Path,
			Fields: without(c.fields, "user", "passwd"), JSON: string(c.json)}
		fault, failing := s.fault(record)
		var a answer
		switch denied, ok := f.allow(c); {
		case failing && fault.Kind != FaultLost:
			a = fault.answer()
		case !ok:
			a = denied
		case bad != nil:
			a = badRequest("%s", bad)
		default:
			a = h(c)
		}
		if failing {
			record.Fault = fault.Kind
		}
		silent := failing && (fault.Kind == FaultTimeout || fault.Kind == FaultLost)
		body := a.encode()
		if !silent {
			record.Status, record.Answer = a.status, string(body)
		}
		s.record(record)
		s.mu.Unlock()
		s.options.Log.Info("stand-in", "recipient", f.recipient, "method", r.Method, "request", c.id, "status", record.Status, "fault", record.Fault)
		if silent {
			if fault.Kind == FaultTimeout {
				<-r.Context().Done()
			}
			panic(http.ErrAbortHandler) // net/http's way to end without an answer
		}
		a.write(w, body)
	}
}

func (f form) allow(c *call) (answer, bool) {
	if f.authorize == nil {
		return answer{}, true
	}
	return f.authorize(c)
}

// read takes the fields in and names the first thing that the document doesn't
// have. The fields that could be read are there all the same: Sveve's credentials
// are among them.
func (c *call) read(f form) error {
	c.fields = url.Values{}
	query, err := url.ParseQuery(c.URL.RawQuery)
	if f.query {
		c.fields = query
	}
	bodyErr := c.readBody(f)
	accept := c.Header.Get("Accept")
	switch {
	case err != nil:
		return errors.New("the query can't be read")
	case len(query) > 0 && !f.query:
		return errors.New("this path takes no query")
	case accept != "" && !strings.Contains(accept, "*/*") && !strings.Contains(accept, "application/json"):
		return errors.New("header Accept doesn't take application/json")
	case bodyErr != nil:
		return bodyErr
	}
	for name, values := range c.fields {
		allowed := slices.ContainsFunc(f.fields, func(n string) bool {
			if strings.HasSuffix(n, ":") {
				return strings.HasPrefix(name, n) && name != n
			}
			return name == n
		})
		if !allowed {
			return fmt.Errorf("unknown field %q", name)
		}
		if len(values) > 1 && !slices.Contains(f.repeated, name) {
			return fmt.Errorf("field %q comes more than once", name)
		}
	}
	return nil
}

func (c *call) readBody(f form) error {
	if c.Method != http.MethodPost {
		if b, err := io.ReadAll(c.Body); err != nil || len(b) > 0 {
			return errors.New("this method takes no body")
		}
		return nil
	}
	kind, parameters, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if err != nil {
		return errors.New("header Content-Type is missing or can't be read")
	}
	if charset := parameters["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return fmt.Errorf("charset %q is not utf-8", charset)
	}
	switch {
	case kind == "application/json" && f.json:
		if c.json, err = io.ReadAll(c.Body); err != nil {
			return errors.New("the body can't be read")
		}
		return nil
	case kind == "application/x-www-form-urlencoded":
		if err := c.ParseForm(); err != nil {
			return errors.New("the form can't be read")
		}
		c.add(c.PostForm)
		return nil
	case kind == "multipart/form-data":
		if err := c.ParseMultipartForm(bodyLimit); err != nil {
			return errors.New("the form can't be read")
		}
		if len(c.MultipartForm.File) > 0 {
			return errors.New("files are not taken")
		}
		c.add(c.MultipartForm.Value)
		return nil
	}
	return fmt.Errorf("content type %q is not taken here", kind)
}

func (c *call) add(values url.Values) {
	for name, v := range values {
		c.fields[name] = append(c.fields[name], v...)
	}
}

// unknown answers for a path or method that no document has.
func (s *Server) unknown(w http.ResponseWriter, r *http.Request) {
	a := answer{status: http.StatusNotFound, body: "404 page not found"}
	s.mu.Lock()
	s.count++
	s.record(Request{ID: s.count, At: s.options.Now(), Method: r.Method, Path: r.URL.Path, Status: a.status})
	s.mu.Unlock()
	a.write(w, a.encode())
}

func (a answer) encode() []byte {
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
	kind := "application/json"
	if _, text := a.body.(string); text {
		kind = "text/plain; charset=utf-8"
	}
	w.Header().Set("Content-Type", kind)
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
