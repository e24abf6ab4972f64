package hooks

import "github.com/doubletap/doubletap/internal/fault"

// answerErrors is for handlers that may still refuse. Errors that a client may see pass; our own failures become a
// 500 or 503 and are not called the client's mistake.
func answerErrors[E any](fn func(E) error) func(E) error {
	return func(e E) error { return fault.ForClient(fn(e)) }
}
