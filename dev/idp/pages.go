package idp

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"time"
)

//go:embed pages
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{"day": day}).ParseFS(files, "pages/*.html"))

// formPostPage carries an answer to the client in a form (response mode form_post).
type formPostPage struct {
	To     string
	Values url.Values
}

// page renders a template whole before it writes. A form on it may lead to this
// server, and to the clients given: a browser holds form-action also against the
// redirect that follows a post.
func (s *Server) page(w http.ResponseWriter, status int, name string, data any, clients ...*url.URL) {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name+".html", data); err != nil {
		s.log.Error("page", "name", name, "error", err)
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	}
	targets := "'self'"
	for _, c := range clients {
		targets += " " + c.Scheme + "://" + c.Host
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; form-action "+targets+"; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

func serveAsset(name, contentType string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := files.ReadFile("pages/" + name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-cache")
		w.Write(body)
	}
}

var months = [...]string{"januar", "februar", "mars", "april", "mai", "juni", "juli", "august", "september", "oktober", "november", "desember"}

// day writes a birth date in Norwegian; an unknown one is a dash.
func day(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.Format("2. ") + months[t.Month()-1] + t.Format(" 2006")
}
