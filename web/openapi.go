package web

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"

	"go.yaml.in/yaml/v3"
)

// openAPIYAML describes the API (OpenAPI 3.1). It is written by hand; tests hold it
// against the route table and against every answer that they get.
//
//go:embed openapi.yaml
var openAPIYAML []byte

// document is the description as JSON.
func document() ([]byte, error) {
	var d map[string]any
	if err := yaml.Unmarshal(openAPIYAML, &d); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	b, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	return b, nil
}

// openAPI is GET /api/openapi.json.
func (s *Server) openAPI(w http.ResponseWriter, r *http.Request) error {
	w.Header()["Content-Type"] = jsonType
	if r.Method != http.MethodHead {
		_, _ = w.Write(s.document)
	}
	return nil
}
