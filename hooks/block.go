package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/effect"
)

func (s *Social) bindBlocks() {
	s.app.OnRecordCreateExecute("blocks").BindFunc(inTx(s.blockStored))
}

func (s *Social) blockStored(tx core.App, e *core.RecordEvent) error {
	blocker, err := db.RequireRecord(tx, "users", e.Record.GetString("blocker"))
	if err != nil {
		return err
	}
	blocked, err := db.RequireRecord(tx, "users", e.Record.GetString("blocked"))
	if err != nil {
		return err
	}
	return runHook("OnBlock", &s.events.block, &BlockEvent{App: tx, Block: e.Record, Blocker: blocker, Blocked: blocked}, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		return effect.BlockStored(tx, blocker.Id, blocked.Id)
	})
}
