package web_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// schemas checks values against the JSON Schemas of an OpenAPI document: as much of
// the language as the document uses. A keyword that it doesn't know is an error, so
// that nothing is taken for checked that isn't.
type schemas struct{ document map[string]any }

// resolve follows references within the document.
func (s schemas) resolve(v any) (map[string]any, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%v is no object of the document", v)
	}
	ref, ok := m["$ref"].(string)
	if !ok {
		return m, nil
	}
	path, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil, fmt.Errorf("%s leads out of the document", ref)
	}
	var at any = s.document
	for _, name := range strings.Split(path, "/") {
		in, ok := at.(map[string]any)
		if !ok || in[name] == nil {
			return nil, fmt.Errorf("%s leads nowhere", ref)
		}
		at = in[name]
	}
	return s.resolve(at)
}

// check tells whether a value, as encoding/json reads it, is as a schema says.
func (s schemas) check(schema, v any, at string) error {
	m, err := s.resolve(schema)
	if err != nil {
		return err
	}
	if want, ok := m["type"].(string); ok && !isType(v, want) {
		return fmt.Errorf("%s: %T is no %s", at, v, want)
	}
	for keyword, want := range m {
		if err := s.keyword(m, keyword, want, v, at); err != nil {
			return err
		}
	}
	return nil
}

func isType(v any, want string) bool {
	switch v := v.(type) {
	case bool:
		return want == "boolean"
	case string:
		return want == "string"
	case float64:
		return want == "number" || want == "integer" && v == math.Trunc(v)
	case []any:
		return want == "array"
	case map[string]any:
		return want == "object"
	}
	return want == "null"
}

func (s schemas) keyword(m map[string]any, keyword string, want, v any, at string) error {
	text, isText := v.(string)
	number, isNumber := v.(float64)
	list, isList := v.([]any)
	object, isObject := v.(map[string]any)
	limit, _ := want.(float64)
	bad := func(ok bool) error {
		if ok {
			return nil
		}
		return fmt.Errorf("%s: %v isn't as %s %v says", at, v, keyword, want)
	}
	switch keyword {
	case "type", "description", "example", "examples", "default":
		return nil
	case "enum":
		return bad(slices.Contains(want.([]any), v))
	case "const":
		return bad(want == v)
	case "pattern":
		r, err := regexp.Compile(want.(string))
		if err != nil {
			return err
		}
		return bad(!isText || r.MatchString(text))
	case "format":
		if want != "date-time" {
			return fmt.Errorf("%s: format %v isn't known here", at, want)
		}
		_, err := time.Parse(time.RFC3339, text)
		return bad(!isText || err == nil)
	case "minLength":
		return bad(!isText || utf8.RuneCountInString(text) >= int(limit))
	case "minimum":
		return bad(!isNumber || number >= limit)
	case "minItems":
		return bad(!isList || len(list) >= int(limit))
	case "maxItems":
		return bad(!isList || len(list) <= int(limit))
	case "items":
		for i, item := range list {
			if err := s.check(want, item, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
		return nil
	case "required":
		for _, name := range want.([]any) {
			if _, ok := object[name.(string)]; isObject && !ok {
				return fmt.Errorf("%s: %v is missing", at, name)
			}
		}
		return nil
	case "properties":
		for name, schema := range want.(map[string]any) {
			if value, ok := object[name]; ok {
				if err := s.check(schema, value, at+"."+name); err != nil {
					return err
				}
			}
		}
		return nil
	case "additionalProperties":
		known, _ := m["properties"].(map[string]any)
		for name := range object {
			if _, ok := known[name]; !ok && want == false {
				return fmt.Errorf("%s: %s isn't in the document", at, name)
			}
		}
		return nil
	}
	return fmt.Errorf("%s: the keyword %s isn't known here", at, keyword)
}

// examples are the values that stand beside a schema.
func examples(media map[string]any) []any {
	var out []any
	if v, ok := media["example"]; ok {
		out = append(out, v)
	}
	if all, ok := media["examples"].(map[string]any); ok {
		for _, name := range slices.Sorted(maps.Keys(all)) {
			out = append(out, all[name].(map[string]any)["value"])
		}
	}
	return out
}

// The checker itself: each keyword refuses what it is for.
func TestSchemas(t *testing.T) {
	s := schemas{document: map[string]any{}}
	for name, c := range map[string]struct{ schema, good, bad string }{
		"type":       {`{"type": "string"}`, `"a"`, `1`},
		"integer":    {`{"type": "integer"}`, `2`, `2.5`},
		"null":       {`{"type": "null"}`, `null`, `false`},
		"enum":       {`{"enum": ["a", "b"]}`, `"b"`, `"c"`},
		"const":      {`{"const": "a"}`, `"a"`, `"b"`},
		"pattern":    {`{"pattern": "^a+$"}`, `"aa"`, `"ab"`},
		"format":     {`{"format": "date-time"}`, `"2026-11-24T13:32:00Z"`, `"24.11.2026"`},
		"minLength":  {`{"minLength": 1}`, `"a"`, `""`},
		"minimum":    {`{"minimum": 0}`, `0`, `-1`},
		"minItems":   {`{"minItems": 1}`, `[1]`, `[]`},
		"maxItems":   {`{"maxItems": 1}`, `[1]`, `[1, 2]`},
		"items":      {`{"items": {"type": "string"}}`, `["a"]`, `[1]`},
		"required":   {`{"required": ["a"]}`, `{"a": 1}`, `{"b": 1}`},
		"properties": {`{"properties": {"a": {"type": "string"}}}`, `{"a": "b"}`, `{"a": 1}`},
		"additional": {`{"properties": {"a": {}}, "additionalProperties": false}`, `{"a": 1}`, `{"a": 1, "b": 2}`},
	} {
		var schema, good, bad any
		for text, to := range map[string]*any{c.schema: &schema, c.good: &good, c.bad: &bad} {
			if err := json.Unmarshal([]byte(text), to); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.check(schema, good, "$"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.check(schema, bad, "$"); err == nil {
			t.Errorf("%s: %s passed", name, c.bad)
		}
	}
	for _, schema := range []map[string]any{{"$ref": "#/components/schemas/None"}, {"$ref": "https://example.com/x"}, {"oneOf": []any{}}} {
		if err := s.check(schema, "x", "$"); err == nil {
			t.Errorf("%v passed", schema)
		}
	}
}
