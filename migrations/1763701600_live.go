package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		notifications, err := app.FindCollectionByNameOrId("notifications")
		if err != nil {
			return err
		}
		// the seq of a change that is in the tray but of which no device is notified
		notifications.Fields.Add(&core.NumberField{Name: "silent", OnlyInt: true, Hidden: true})
		return app.Save(notifications)
	}, nil)
}
