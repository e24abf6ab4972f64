package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/fault"
)

// answerErrors is for moments that may still refuse: it lets what a client may see pass and
// makes our own breakage a 500 or 503 instead of the client's mistake.
func answerErrors[E any](fn func(E) error) func(E) error {
	return func(e E) error { return fault.ForClient(fn(e)) }
}

// answerTransient is the middleware that makes an error the client's answer: what the record hooks could not see, such
// as a lock met while reading, and when to come back.
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
