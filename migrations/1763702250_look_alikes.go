package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	// The service's own names are compared with each new handle by what they look like: they are found without looking through
	// the names of all erased accounts.
	m.Register(func(app core.App) error {
		handles, err := app.FindCollectionByNameOrId("handles")
		if err != nil {
			return err
		}
		handles.AddIndex("idx_handles_reserved", false, "`name`", "`reason` = 'reserved'")
		return app.Save(handles)
	}, nil)
}
