package web

import (
	"net/http"

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
)

// compress sends pages by gzip, at the level that costs nothing measurable. A
// few random bytes of padding hide the exact length of what is compressed
// together with a form's token (BREACH).
func compress(next http.Handler) (http.Handler, error) {
	wrap, err := gzhttp.NewWrapper(gzhttp.CompressionLevel(gzip.BestSpeed), gzhttp.MinSize(512),
		gzhttp.ContentTypes([]string{"text/html", "text/plain", "application/json", "application/problem+json"}),
		gzhttp.RandomJitter(32, 0, false))
	if err != nil {
		return nil, err
	}
	return wrap(next), nil
}
