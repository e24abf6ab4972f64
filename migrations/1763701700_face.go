package migrations

import (
	"slices"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		// an avatar is rendered in the same sizes as every photo; the field lists those that may be requested
		users, err := app.FindCollectionByNameOrId("users")
		if err != nil {
			return err
		}
		if avatar, ok := users.Fields.GetByName("avatar").(*core.FileField); ok {
			// these are added to the sizes that this app had already
			for _, size := range []string{"1920x1920f", "1080x1080f", "640x640f", "320x320f", "320x320", "100x100"} {
				if !slices.Contains(avatar.Thumbs, size) {
					avatar.Thumbs = append(avatar.Thumbs, size)
				}
			}
			if err := app.Save(users); err != nil {
				return err
			}
		}
		// the app name of a fresh PocketBase is Acme, and pages, mails and pushes show it
		settings := app.Settings()
		if settings.Meta.AppName != "Acme" {
			return nil
		}
		settings.Meta.AppName = "Doubletap"
		return app.Save(settings)
	}, nil)
}
