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
			e.Response = &heldWriter{ResponseWriter: w}
			defer func() { e.Response = response }() // an error's answer, and a panic's, is written later
			err = e.Next()
		})).ServeHTTP(response, e.Request)
		return err
	}, nil
}

// heldWriter knows that it was written to while gzhttp still holds back what may turn out short. PocketBase asks before it
// writes an answer of its own.
type heldWriter struct {
	http.ResponseWriter
	written bool
}

func (w *heldWriter) Write(some []byte) (int, error) {
	w.written = true
	return w.ResponseWriter.Write(some)
}

func (w *heldWriter) WriteHeader(status int) {
	w.written = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *heldWriter) Written() bool { return w.written }

func (w *heldWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// mayBeCompressed reports whether a request may be answered with a page of rows. An answer to a write is one row, which is not
// worth the work, and an owner's stream of events must open before its first one.
func mayBeCompressed(r *http.Request) bool {
	switch path := r.URL.Path; {
	case path == "/api/batch":
		return true
	case !isReadMethod(r.Method), path == "/api/realtime", strings.HasPrefix(path, "/api/files/"),
		strings.Contains(r.Header.Get("Accept"), "text/event-stream"):
		return false
	}
	return true
}
