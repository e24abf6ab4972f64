package web

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/fault"
)

// AnswerTransient is the middleware that answers 503 with a Retry-After to errors that the record hooks could not
// see, such as a lock met while reading or a read that took too long.
func AnswerTransient(e *core.RequestEvent) error {
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
