package web

import (
	"net/http"

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
)

// minCompress is the least that is compressed, in bytes. What is shorter, as the
// answer to a toggle is, reaches the browser in one flight of packets anyway.
const minCompress = 8 << 10

// compress sends pages by gzip, at the level that costs nothing measurable. A
// few random bytes of padding hide the exact length of what is compressed
// together with a form's token (BREACH).
func compress(next http.Handler) (http.Handler, error) {
	wrap, err := gzhttp.NewWrapper(gzhttp.CompressionLevel(gzip.BestSpeed), gzhttp.MinSize(minCompress),
		gzhttp.ContentTypes([]string{"text/html", "text/plain", "application/json", "application/problem+json"}),
		gzhttp.RandomJitter(32, 0, false))
	if err != nil {
		return nil, err
	}
	return wrap(next), nil
}
