package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/effect"
)

// bindEffects binds what follows from rows around which no owner's hook runs.
func (s *Social) bindEffects() {
	for name, caused := range effect.OfRows {
		if caused.Stored != nil {
			s.app.OnRecordCreateExecute(name).BindFunc(inTx(andThen(caused.Stored)))
		}
		if caused.Changed != nil {
			s.app.OnRecordUpdateExecute(name).BindFunc(inTx(andThen(caused.Changed)))
		}
		if caused.Removed != nil {
			s.app.OnRecordDelete(name).BindFunc(inTx(andThen(caused.Removed)))
		}
	}
}

// andThen returns a handler that lets the row be stored, changed or removed, and then does what follows from it.
func andThen(follows func(tx core.App, row *core.Record) error) func(tx core.App, e *core.RecordEvent) error {
	return func(tx core.App, e *core.RecordEvent) error {
		if err := e.Next(); err != nil {
			return err
		}
		return follows(tx, e.Record)
	}
}
