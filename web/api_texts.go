package web

import (
	"net/http"
	"strings"

	"elekt.no/innsyn/privacy"
)

// textAnswer is what must be shown where a choice is made, and its hash.
type textAnswer struct {
	Hash string `json:"hash"`
	privacy.ShownText
}

// apiText is GET /api/v1/texts/{purpose}: what to show, in a language.
func (s *Server) apiText(w http.ResponseWriter, r *http.Request) error {
	v, err := params(r, true, "language")
	if err != nil {
		return err
	}
	p, err := s.purpose(r.PathValue("purpose"))
	if err != nil {
		return err
	}
	lang := v[0]
	if lang == "" {
		lang = privacy.Languages[0]
	}
	t, ok := s.shown[lang][p.ID]
	if !ok {
		return wrong("language", "It can be "+strings.Join(privacy.Languages, ", ")+".")
	}
	return s.replyTagged(w, r, `"`+t.hash+`"`, textAnswer{t.hash, t.text})
}
