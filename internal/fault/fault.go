// Package fault names what can go wrong in words that a client may see, and keeps the cause for the log.
package fault

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strings"

	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/tools/router"
)

// BadRequest returns a 400 whose text a person may read.
func BadRequest(text string) error {
	return router.NewBadRequestError(text, nil)
}

// InvalidField returns a 400 that names the invalid field, as PocketBase's own validators do.
func InvalidField(field, code, text string) error {
	return validation.Errors{field: validation.NewError(code, text)}
}

// NotFound returns PocketBase's 404: the same for what does not exist and for what the client may not see.
func NotFound() error {
	return router.NewNotFoundError("", nil)
}

// Unauthorized returns PocketBase's 401.
func Unauthorized() error {
	return router.NewUnauthorizedError("", nil)
}

// ErrGone says that a record, or what it points at, was deleted while it was being worked on.
var ErrGone = errors.New("gone meanwhile")

// ErrBusy says that more writes wait than can be stored in a short time.
var ErrBusy = errors.New("too many writes are waiting")

// ErrTransactionEnded says that a transaction was ended because it kept all other writes waiting.
var ErrTransactionEnded = errors.New("the transaction held the database too long")

// ErrDamaged says that a part of the database cannot be read.
var ErrDamaged = errors.New("the database is damaged")

// ErrUnread says that something could not be looked at, and is not known to be there or not.
var ErrUnread = errors.New("it could not be looked at")

// ForClient returns err as the client shall see it: nil, answers made on purpose
// and validation errors pass; a full disk, a lock or a failing device becomes
// 503, so that the client tries again; all else is a bland 500 with err as its cause.
func ForClient(err error) error {
	if err == nil {
		return nil
	}
	if IsTransient(err) {
		return router.NewApiError(http.StatusServiceUnavailable, "The service cannot do this right now. Please try again.", err)
	}
	if _, ok := errors.AsType[*router.ApiError](err); ok {
		return err
	}
	if _, ok := errors.AsType[validation.Errors](err); ok {
		return err
	}
	if strings.Contains(err.Error(), requiredReferenceText) {
		return router.NewBadRequestError("Failed to delete record. Make sure that the record is not part of a required relation reference.", err)
	}
	return router.NewInternalServerError("", err)
}

// requiredReferenceText is in PocketBase's error when a record cannot be deleted because another one requires it.
const requiredReferenceText = "part of a required reference"

// CauseText returns what went wrong in words for the operator, where err's own text is for the client.
func CauseText(err error) string {
	text := err.Error()
	if answer, ok := errors.AsType[*router.ApiError](err); ok {
		if cause, ok := answer.RawData().(error); ok {
			text = strings.Replace(text, answer.Error(), CauseText(cause), 1)
		}
	}
	return text
}

// transientTexts are SQLite's and the system's texts of errors that end by themselves, or when somebody has seen to
// the disk.
var transientTexts = []string{"database or disk is full", "no space left on device", "database is locked", "disk I/O error", "SQLITE_BUSY", "SQLITE_FULL",
	"database disk image is malformed", "file is not a database",
	"attempt to write a readonly database", "unable to open database file", "out of memory (7)", "locking protocol (15)",
	"failed to upload all files", // PocketBase's text when the storage took no file
	"disk quota exceeded", "read-only file system", "input/output error", "too many open files"}

// TookTooLong returns the 503 for a query that was ended because it took too long.
func TookTooLong(cause error) error {
	return router.NewApiError(http.StatusServiceUnavailable, "The answer takes too long to find. Please ask for less, or try again later.", cause)
}

// IsInterrupted reports whether err comes from a statement that was ended because its time was over. It looks into the
// cause of API errors.
func IsInterrupted(err error) bool { return wasEndedBy(err, context.DeadlineExceeded) }

// IsCanceled reports whether err comes from work that was ended because nobody waits for it any more. It looks into the
// cause of API errors.
func IsCanceled(err error) bool { return wasEndedBy(err, context.Canceled) }

// wasEndedBy reports whether err comes from what ended with a context's error. A statement of SQLite does not say which.
func wasEndedBy(err, end error) bool {
	if answer, ok := errors.AsType[*router.ApiError](err); ok {
		cause, _ := answer.RawData().(error)
		return cause != nil && wasEndedBy(cause, end)
	}
	return errors.Is(err, end) || err != nil && strings.Contains(err.Error(), "interrupted (9)")
}

// IsTransient reports whether err comes from a full disk, a lock or a failing device: nothing that the client did, and
// worth another try. It looks into the cause of API errors and into what a failed rollback adds.
func IsTransient(err error) bool {
	switch e := err.(type) { //nolint:errorlint // each layer is looked into below
	case nil:
		return false
	case *router.ApiError:
		cause, _ := e.RawData().(error)
		return e.Status == http.StatusServiceUnavailable || IsTransient(cause)
	case dbx.Errors:
		return slices.ContainsFunc(e, IsTransient)
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(e.Unwrap(), IsTransient)
	}
	if inner := errors.Unwrap(err); inner != nil && IsTransient(inner) {
		return true
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok && (path.Op == "mkdir" || path.Op == "write") {
		return true // no client chooses where we store things
	}
	return errors.Is(err, ErrBusy) || errors.Is(err, ErrDamaged) || errors.Is(err, ErrUnread) || errors.Is(err, ErrTransactionEnded) || slices.ContainsFunc(transientTexts, func(words string) bool { return strings.Contains(err.Error(), words) })
}
