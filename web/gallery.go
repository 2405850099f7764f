package web

import (
	"net/http"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/views"
	"elekt.no/innsyn/views/gallery"
)

// gallery shows every page and component with invented data. Development only.
func (s *Server) gallery(mux *http.ServeMux) {
	pages := map[string]gallery.Page{}
	for _, p := range gallery.Pages() {
		pages[p.Name] = p
	}
	mux.Handle("GET /gallery/{page}", s.guard(Route{Path: "/gallery/{page}", Audience: Public, Handler: func(w http.ResponseWriter, r *http.Request) error {
		p, ok := pages[r.PathValue("page")]
		if !ok {
			return &privacy.Error{Kind: privacy.NotFound, Key: "error.not-found", Reason: "no-page"}
		}
		return s.render(w, r, http.StatusOK, p.Render(views.With(r.Context(), s.setting)))
	}}))
}
