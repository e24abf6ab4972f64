package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	// Each new handle is compared by its look with the service's own names. The index finds those names without a
	// scan of the names of all erased accounts.
	m.Register(func(app core.App) error {
		handles, err := app.FindCollectionByNameOrId("handles")
		if err != nil {
			return err
		}
		handles.AddIndex("idx_handles_reserved", false, "`name`", "`reason` = 'reserved'")
		return app.Save(handles)
	}, nil)
}
