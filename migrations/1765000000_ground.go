package migrations

import (
	"errors"
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	// What of an app clashes with the steps, internal/adoption has refused before this one, all of it at once.
	m.Register(func(app core.App) error {
		var former int
		err := app.DB().NewQuery(`SELECT count(*) FROM _migrations WHERE file = '1763700000_ground.go'`).Row(&former)
		if err != nil {
			return fmt.Errorf("read the steps that were applied: %w", err)
		}
		if former > 0 {
			return errors.New("this data folder was made by a build from before Doubletap 0.1.0, and nothing was changed: releases cannot upgrade such a folder")
		}
		settings := app.Settings()
		settings.Batch.Enabled = true
		settings.Batch.MaxRequests = 50
		settings.Batch.Timeout = 10
		// the app name of a fresh PocketBase, which pages, mails and pushes would show
		if settings.Meta.AppName == "Acme" {
			settings.Meta.AppName = "Doubletap"
		}
		return app.Save(settings)
	}, refuseDown)
}
