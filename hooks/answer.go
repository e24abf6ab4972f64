package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/fault"
)

// answerErrors is for handlers that may still refuse. Errors that a client may see pass; our own failures become a
// 500 or 503 and are not called the client's mistake.
func answerErrors[E any](fn func(E) error) func(E) error {
	return func(e E) error { return fault.ForClient(fn(e)) }
}

// answerTransient is the middleware that answers 503 with a Retry-After to errors that the record hooks could not
// see, such as a lock met while reading or a read that took too long.
func answerTransient(e *core.RequestEvent) error {
	err := e.Next()
	switch {
	case err == nil:
		return nil
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
