package hooks

import (
	"errors"
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/core/validators"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
)

// inRawTx returns a handler that stores what fn writes together with the event's own write, or neither. e.App is the
// transaction until fn returns, so e.Next() joins it.
//
// Creates and updates bind it to the Execute event. By then PocketBase has validated the record and, where the
// handler is bound by afterFiles, stored its files, so neither happens under the write lock. The rule that let the
// record's request in is checked again in the transaction.
func inRawTx(fn func(tx core.App, e *core.RecordEvent) error) func(*core.RecordEvent) error {
	return func(e *core.RecordEvent) error {
		app := e.App
		defer func() { e.App = app }()
		return app.RunInTransaction(func(tx core.App) error {
			e.App = tx
			if err := recheckAdmission(tx, e.Record); err != nil {
				return err
			}
			return fn(tx, e)
		})
	}
}

// inTx is inRawTx with its errors made answers, as nearly every handler needs it. If something that a new record
// points at is gone meanwhile, the record is refused as its rule would have refused it. A record that is to be
// changed or deleted is read again: if another request deleted it between this one's read and its transaction, the
// answer is 404 and nothing follows from it.
func inTx(fn func(tx core.App, e *core.RecordEvent) error) func(*core.RecordEvent) error {
	run := inRawTx(func(tx core.App, e *core.RecordEvent) error {
		if !e.Record.IsNew() {
			if _, err := db.RequireRecord(tx, e.Record.Collection().Name, e.Record.Id); err != nil {
				return err
			}
		}
		return fn(tx, e)
	})
	return answerErrors(func(e *core.RecordEvent) error {
		created := e.Record.IsNew()
		err := run(e)
		switch {
		case errors.Is(err, fault.ErrGone) && created:
			return fault.BadRequest("Failed to create record.")
		case errors.Is(err, fault.ErrGone):
			return fault.NotFound()
		}
		// as PocketBase's own handler would say it, which may be around us: see afterFiles
		c := e.Record.Collection()
		return validators.NormalizeUniqueIndexError(err, c.Name, c.Fields.FieldNames())
	})
}

// requireRelations stores a record only if all that it points at is still there; otherwise the error is
// fault.ErrGone.
func requireRelations(tx core.App, e *core.RecordEvent) error {
	for _, field := range e.Record.Collection().Fields {
		relation, ok := field.(*core.RelationField)
		if !ok {
			continue
		}
		for _, id := range e.Record.GetStringSlice(relation.Name) {
			if _, err := db.RequireRecord(tx, relation.CollectionId, id); err != nil {
				return err
			}
		}
	}
	return e.Next()
}

// runHook triggers the owner's hook of the name around what the product does. A handler that does not call Next, or drops the
// error that Next returns, and returns nil has it not done: the client must not be told that it was.
func runHook[E hook.Resolver](name string, h *hook.Hook[E], event E, then func() error) error {
	done := false
	var failure error
	err := h.Trigger(event, func(E) error {
		done = true
		failure = then()
		return failure
	})
	switch {
	case err != nil:
		return err
	case !done:
		return fmt.Errorf("a handler of %s returned nil and did not call Next", name)
	}
	return failure
}

// afterFiles returns a handler that runs behind PocketBase's own handler of the event, which stores the files of a
// record: that must not happen under the write lock.
func afterFiles(fn func(*core.RecordEvent) error) *hook.Handler[*core.RecordEvent] {
	return &hook.Handler[*core.RecordEvent]{Func: fn, Priority: 100}
}
