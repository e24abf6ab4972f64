// Package fault names what can go wrong in words that a client may see, and
// keeps the cause for the log.
package fault

import (
	"errors"
	"net/http"
	"strings"

	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Refused returns a 400 whose text a person may read.
func Refused(text string) error {
	return router.NewBadRequestError(text, nil)
}

// Invalid returns a 400 that names the field at fault, as PocketBase's own validators do.
func Invalid(field, code, text string) error {
	return validation.Errors{field: validation.NewError(code, text)}
}

// NotFound returns PocketBase's 404, the same for what is missing and for what is not yours to see.
func NotFound() error {
	return router.NewNotFoundError("", nil)
}

// Unauthorized returns PocketBase's 401.
func Unauthorized() error {
	return router.NewUnauthorizedError("", nil)
}

// Answer returns err as the client shall see it: nil, answers made on purpose
// and validation errors pass; a full disk, a lock or a failing device becomes
// 503, so that the client tries again; all else is a bland 500 with err as its cause.
func Answer(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*router.ApiError](err); ok {
		return err
	}
	if _, ok := errors.AsType[validation.Errors](err); ok {
		return err
	}
	if Passing(err) {
		return router.NewApiError(http.StatusServiceUnavailable, "The service cannot store this right now. Please try again.", err)
	}
	return router.NewInternalServerError("", err)
}

// passing lists SQLite's and the system's own words for conditions that end by themselves.
var passing = []string{"database or disk is full", "no space left on device", "database is locked", "disk I/O error", "SQLITE_BUSY", "SQLITE_FULL"}

// Passing reports whether err comes from a full disk, a lock or a failing
// device: nothing the client did, and worth another try.
func Passing(err error) bool {
	text := err.Error()
	for _, p := range passing {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}
