package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	"modernc.org/sqlite"

	"github.com/doubletap/doubletap/internal/fault"
)

// Found tells a row that is not there from one that could not be read: found is false for sql.ErrNoRows alone, and every other
// error is returned. Take nothing else for "gone", or what a failing disk hides is never done.
func Found(err error) (found bool, _ error) {
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Optional is Found for the searches of PocketBase that return a row, as in Optional(app.FindFirstRecordByData(…)).
func Optional[T any](row T, err error) (_ T, found bool, _ error) {
	found, err = Found(err)
	return row, found, err
}

// FindRecord returns a record by its id, and nil if there is none.
func FindRecord(app core.App, collection, id string) (*core.Record, error) {
	record, found, err := Optional(app.FindRecordById(collection, id))
	if err != nil {
		return nil, fmt.Errorf("find %s %q: %w", collection, id, err)
	}
	if !found {
		return nil, nil
	}
	return record, nil
}

// RequireRecord returns a record by its id, mostly one that another one points at. It was there when PocketBase validated
// the relation; if it is gone by now the error is fault.ErrGone.
func RequireRecord(app core.App, collection, id string) (*core.Record, error) {
	record, err := FindRecord(app, collection, id)
	if err == nil && record == nil {
		err = fmt.Errorf("%s %q: %w", collection, id, fault.ErrGone)
	}
	return record, err
}

// HasTable reports whether there is a table or view of the name. PocketBase's own says no when it cannot look.
func HasTable(app core.App, name string) (bool, error) {
	var one int
	found, err := QueryValue(app, &one, `SELECT 1 FROM sqlite_schema WHERE type IN ('table', 'view') AND name = {:name} COLLATE NOCASE`, Params{"name": name})
	if err != nil {
		return false, fmt.Errorf("look for table %s: %w", name, err)
	}
	return found, nil
}

// Failed reports whether err comes from the database: it could not be asked, or not to the end. It is for calls that may fail for
// reasons of their own too, such as a token that is no token.
func Failed(err error) bool {
	_, ofSQLite := errors.AsType[*sqlite.Error](err)
	return ofSQLite || fault.IsTransient(err) || fault.IsInterrupted(err) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, sql.ErrTxDone) || errors.Is(err, context.Canceled)
}
