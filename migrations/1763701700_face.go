package migrations

import (
	"slices"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		// of an avatar there are the sizes of every photo; which may be asked for is the field's to say
		users, err := app.FindCollectionByNameOrId("users")
		if err != nil {
			return err
		}
		if avatar, ok := users.Fields.GetByName("avatar").(*core.FileField); ok {
			for _, size := range []string{"1920x1920f", "1080x1080f", "640x640f", "320x320f", "320x320", "100x100"} { // beside those that were asked for here already
				if !slices.Contains(avatar.Thumbs, size) {
					avatar.Thumbs = append(avatar.Thumbs, size)
				}
			}
			if err := app.Save(users); err != nil {
				return err
			}
		}
		// a fresh PocketBase is called Acme, and pages, mails and pushes say so
		settings := app.Settings()
		if settings.Meta.AppName != "Acme" {
			return nil
		}
		settings.Meta.AppName = "Doubletap"
		return app.Save(settings)
	}, nil)
}
