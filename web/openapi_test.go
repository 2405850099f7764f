package web_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/web"
)

// described is the document as it is served.
func (p *portal) described(t testing.TB) schemas {
	t.Helper()
	r, err := http.Get(p.URL + "/api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	s := schemas{}
	if err := json.NewDecoder(r.Body).Decode(&s.document); err != nil || r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d, %s, %v", r.StatusCode, r.Header.Get("Content-Type"), err)
	}
	return s
}

// operation is what the document says of a method of a path, nil if nothing.
func (s schemas) operation(method, path string) map[string]any {
	item, _ := s.document["paths"].(map[string]any)[path].(map[string]any)
	o, _ := item[strings.ToLower(method)].(map[string]any)
	return o
}

// answers are the schema by status and type of what an operation answers.
func (s schemas) answer(t testing.TB, operation map[string]any, status int) (map[string]any, bool) {
	t.Helper()
	v, ok := operation["responses"].(map[string]any)[strconv.Itoa(status)]
	if !ok {
		return nil, false
	}
	m, err := s.resolve(v)
	if err != nil {
		t.Fatal(err)
	}
	return m, true
}

// Every route of the API is in the document with its scope, its parameters and the
// answers that any route can give; the document has no others.
func TestDocumentAndRoutes(t *testing.T) {
	p := open(t)
	s := p.described(t)
	known := map[string]bool{}
	for _, rt := range p.web.Routes() {
		if !strings.HasPrefix(rt.Path, "/api/") {
			if rt.Audience == web.Client {
				t.Errorf("%s is for clients and not below /api/", rt.Path)
			}
			continue
		}
		known[rt.Method+" "+rt.Path] = true
		o := s.operation(rt.Method, rt.Path)
		if o == nil {
			t.Errorf("%s %s isn't in the document", rt.Method, rt.Path)
			continue
		}
		security, err := json.Marshal(o["security"])
		if err != nil {
			t.Fatal(err)
		}
		want := `[{"company":["` + rt.Scope + `"]}]`
		if rt.Audience == web.Public {
			want = `[]`
		}
		if string(security) != want {
			t.Errorf("%s %s: security %s, want %s", rt.Method, rt.Path, security, want)
		}
		if rt.Audience == web.Client {
			for _, status := range []int{400, 401, 403, 429, 503} {
				if _, ok := s.answer(t, o, status); !ok {
					t.Errorf("%s %s: %d isn't in the document", rt.Method, rt.Path, status)
				}
			}
		}
		if strings.HasSuffix(rt.Scope, ":write") && rt.Limit.Times == 0 {
			t.Errorf("%s %s writes and has no limit", rt.Method, rt.Path)
		}
		item := s.document["paths"].(map[string]any)[rt.Path].(map[string]any)
		inPath := map[string]bool{}
		for _, list := range []any{item["parameters"], o["parameters"]} {
			params, _ := list.([]any)
			for _, v := range params {
				param, err := s.resolve(v)
				if err != nil {
					t.Fatal(err)
				}
				if param["in"] == "path" {
					inPath["{"+param["name"].(string)+"}"] = true
				}
				for _, e := range examples(param) {
					if err := s.check(param["schema"], e, param["name"].(string)); err != nil {
						t.Errorf("%s %s: %v", rt.Method, rt.Path, err)
					}
				}
			}
		}
		for _, part := range strings.Split(rt.Path, "/") {
			if strings.HasPrefix(part, "{") && !inPath[part] {
				t.Errorf("%s %s: %s isn't described", rt.Method, rt.Path, part)
			}
			delete(inPath, part)
		}
		if len(inPath) > 0 {
			t.Errorf("%s %s: %v aren't in the path", rt.Method, rt.Path, inPath)
		}
	}
	for path, item := range s.document["paths"].(map[string]any) {
		for method := range item.(map[string]any) {
			if method != "parameters" && !known[strings.ToUpper(method)+" "+path] {
				t.Errorf("%s %s is in the document and not in the table", method, path)
			}
		}
	}
}

// Every example is as its schema says, and everything that has a schema has one.
func TestExamplesOfTheDocument(t *testing.T) {
	p := open(t)
	s := p.described(t)
	n := 0
	media := func(where string, v any) {
		content, _ := v.(map[string]any)["content"].(map[string]any)
		for kind, m := range content {
			all := examples(m.(map[string]any))
			if len(all) == 0 && !strings.Contains(where, "openapi.json") {
				t.Errorf("%s, %s: no example", where, kind)
			}
			for _, e := range all {
				n++
				if err := s.check(m.(map[string]any)["schema"], e, where); err != nil {
					t.Error(err)
				}
			}
		}
	}
	for path, item := range s.document["paths"].(map[string]any) {
		for method, v := range item.(map[string]any) {
			if method == "parameters" {
				continue
			}
			o := v.(map[string]any)
			if body, ok := o["requestBody"]; ok {
				media(method+" "+path, body)
			}
			for status, v := range o["responses"].(map[string]any) {
				m, err := s.resolve(v)
				if err != nil {
					t.Fatal(err)
				}
				media(method+" "+path+" "+status, m)
			}
		}
	}
	if n < 30 {
		t.Errorf("only %d examples", n)
	}
}

// What can be answered is what the document lists.
func TestDocumentListsEveryValue(t *testing.T) {
	p := open(t)
	s := p.described(t)
	list := func(name string) []string {
		m, err := s.resolve(map[string]any{"$ref": "#/components/schemas/" + name})
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, v := range m["enum"].([]any) {
			out = append(out, v.(string))
		}
		return out
	}
	for _, state := range []privacy.State{privacy.StateOn, privacy.StateOff, privacy.StatePaused, privacy.StateContested, privacy.StateNeeded,
		privacy.StateRenew, privacy.StateNotApplicable, privacy.StateDormant} {
		if !slices.Contains(list("State"), string(state)) {
			t.Errorf("the state %s isn't in the document", state)
		}
	}
	if !slices.Equal(list("Reason"), web.Reasons) {
		t.Errorf("reasons %v, want %v", list("Reason"), web.Reasons)
	}
	if !slices.Equal(list("Language"), privacy.Languages) {
		t.Errorf("languages %v", list("Language"))
	}
	scheme := s.document["components"].(map[string]any)["securitySchemes"].(map[string]any)["company"].(map[string]any)
	for _, scope := range web.Scopes {
		if !strings.Contains(scheme["description"].(string), "`"+scope+"`") {
			t.Errorf("the scope %s isn't in the document", scope)
		}
	}
}
