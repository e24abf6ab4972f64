package hooks

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"doubletap/internal/fault"
)

// inTransaction stores what fn writes together with the event's own write, or neither. e.App is the
// transaction until fn returns, so e.Next() joins it.
//
// Creates and updates bind it to the Execute event: PocketBase has validated
// the record and stored its files by then, so neither happens under the write lock.
func inTransaction(fn func(tx core.App, e *core.RecordEvent) error) func(*core.RecordEvent) error {
	return func(e *core.RecordEvent) error {
		app := e.App
		defer func() { e.App = app }()
		return app.RunInTransaction(func(tx core.App) error {
			e.App = tx
			return fn(tx, e)
		})
	}
}

// together is inTransaction with its errors made answers, as nearly every moment wants it.
func together(fn func(tx core.App, e *core.RecordEvent) error) func(*core.RecordEvent) error {
	return answer(inTransaction(fn))
}

// find reads a record that the one being stored points at. It was there when PocketBase
// validated the relation; one that is gone by now is 404.
func find(tx core.App, collection, id string) (*core.Record, error) {
	record, err := tx.FindRecordById(collection, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fault.NotFound()
	}
	if err != nil {
		return nil, fmt.Errorf("find %s %q: %w", collection, id, err)
	}
	return record, nil
}

// stillThere answers 404 when another request deleted the record between this one's
// look and its transaction.
func stillThere(tx core.App, record *core.Record) error {
	_, err := find(tx, record.Collection().Name, record.Id)
	return err
}

// run triggers an owner's hook around what the product does.
func run[E hook.Resolver](h *hook.Hook[E], event E, then func() error) error {
	return h.Trigger(event, func(E) error { return then() })
}
