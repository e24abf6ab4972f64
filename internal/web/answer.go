package web

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"

	"github.com/doubletap/doubletap/internal/fault"
)

// statusClientLeft is nginx's status for a request whose client did not wait for the answer. It is for the log alone,
// where it is no fault of the service.
const statusClientLeft = 499

// AnswerTransient is the middleware that answers 503 with a Retry-After to errors that the record hooks could not
// see, such as a lock met while reading or a read that took too long.
func AnswerTransient(e *core.RequestEvent) error { return transientFor(e, e.Next()) }

// transientFor returns err as the client shall see it if it ends by itself, and says in the header when to come back.
// Any other error is returned as it is.
func transientFor(e *core.RequestEvent, err error) error {
	switch {
	case err == nil || e.Written():
		return err
	case e.Request.Context().Err() != nil && fault.IsCanceled(err):
		return router.NewApiError(statusClientLeft, "The client left before the answer.", err)
	case fault.IsInterrupted(err):
		err = fault.TookTooLong(err)
	case fault.IsTransient(err):
		err = fault.ForClient(err)
	default:
		return err
	}
	e.Response.Header().Set("Retry-After", "2")
	return err
}

// exposedHeaders are those of our answers that a page of another origin may read.
const exposedHeaders = "Retry-After, RateLimit, RateLimit-Policy, Idempotent-Replayed"

// ExposeHeaders is the middleware that lets pages of other origins read exposedHeaders. It runs before PocketBase's CORS
// middleware, so that an owner's, if it says what it exposes, has the last word.
func ExposeHeaders(e *core.RequestEvent) error {
	if e.Request.Header.Get("Origin") != "" && e.Request.Method != http.MethodOptions {
		e.Response.Header().Set("Access-Control-Expose-Headers", exposedHeaders)
	}
	return e.Next()
}
