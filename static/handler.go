package static

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

// squeezed makes and keeps the compressed forms of a file.
type squeezed struct {
	body []byte
	once sync.Once
	br   []byte
	gz   []byte
}

func (s *squeezed) forms() (br, gz []byte) {
	s.once.Do(func() {
		var b, g bytes.Buffer
		// Writing to a bytes.Buffer can't fail.
		bw := brotli.NewWriterLevel(&b, brotli.BestCompression)
		_, _ = bw.Write(s.body)
		_ = bw.Close()
		gw, _ := gzip.NewWriterLevel(&g, gzip.BestCompression)
		_, _ = gw.Write(s.body)
		_ = gw.Close()
		s.br, s.gz = b.Bytes(), g.Bytes()
	})
	return s.br, s.gz
}

// Warm makes every compressed form now, so that no request waits for it.
func Warm() {
	for _, a := range byName {
		if a.squeezed != nil {
			a.squeezed.forms()
		}
	}
}

// Handler serves the files under Prefix: for ever cacheable, in the smallest
// form that the browser takes. Names that aren't current answer 404.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := byHashed[strings.TrimPrefix(r.URL.Path, Prefix)]
		if a == nil {
			w.Header().Set("Cache-Control", "no-store")
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", a.mediaType)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		body := a.body
		if a.squeezed != nil {
			h.Set("Vary", "Accept-Encoding")
			br, gz := a.squeezed.forms()
			switch accepts := r.Header.Get("Accept-Encoding"); {
			case takes(accepts, "br"):
				h.Set("Content-Encoding", "br")
				body = br
			case takes(accepts, "gzip"):
				h.Set("Content-Encoding", "gzip")
				body = gz
			}
		}
		h.Set("Content-Length", strconv.Itoa(len(body)))
		if r.Method == http.MethodHead {
			return
		}
		_, _ = w.Write(body) // the browser went away: nothing to do about it
	})
}

// takes tells whether an Accept-Encoding header names a coding without q=0.
func takes(header, coding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			q := strings.ReplaceAll(params, " ", "")
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}
