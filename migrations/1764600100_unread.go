package migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	// A tray is marked as read by what is not read in it, and not by what was marked before.
	m.Register(func(app core.App) error {
		notifications, err := app.FindCollectionByNameOrId("notifications")
		if err != nil {
			return err
		}
		notifications.AddIndex("idx_notifications_unread", false, "`recipient`, `latestAt`", "`read` = 0")
		if err := app.Save(notifications); err != nil {
			return fmt.Errorf("index what is not read: %w", err)
		}
		return nil
	}, nil)
}
