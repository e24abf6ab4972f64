package web

import (
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"
	"github.com/pocketbase/pocketbase/core"
)

// compressedTypes are the kinds of answers that become smaller. Photos are compressed already, and a stream's messages must not
// wait for others.
var compressedTypes = []string{
	"application/json", "application/problem+json", "application/feed+json", "application/rss+xml", "application/typescript",
	"application/xml", "text/html", "text/plain",
}

// NewCompression returns the middleware that compresses what is read, of 1 KiB or more, for those who accept zstd or gzip.
// Decision 0014 has the figures. An answer that is compressed already is left as it is.
//
// Secrets beside words of others cannot be guessed from the size of an answer (BREACH): only the Authorization header signs
// in, which no foreign page can make a browser send.
func NewCompression() (func(*core.RequestEvent) error, error) {
	wrap, err := gzhttp.NewWrapper(gzhttp.CompressionLevel(1), gzhttp.ContentTypes(compressedTypes), gzhttp.SetContentType(false))
	if err != nil {
		return nil, err
	}
	return func(e *core.RequestEvent) (err error) {
		if !mayBeCompressed(e.Request) {
			return e.Next()
		}
		response := e.Response
		wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			e.Response = w
			defer func() { e.Response = response }() // an error's answer, and a panic's, is written later
			err = e.Next()
		})).ServeHTTP(response, e.Request)
		return err
	}, nil
}

// mayBeCompressed reports whether a request may be answered with a page of rows. One row is not worth the work.
func mayBeCompressed(r *http.Request) bool {
	switch path := r.URL.Path; {
	case path == "/api/batch":
		return true
	case !isReadMethod(r.Method), path == "/api/realtime", strings.HasPrefix(path, "/api/files/"):
		return false
	}
	return true
}
