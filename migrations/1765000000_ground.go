package migrations

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// createdTables are the tables that the steps create, collections and others. An app that adopts Doubletap may have one of
// the same name.
var createdTables = []string{
	"settings", "handles", "follows", "blocks", "mutes", "posts", "hashtags", "post_tags", "likes", "saves", "comments",
	"comment_likes", "notifications", "retractions", "notification_events", "devices", "hidden_posts", "feed", "reports",
	"audit", "jobs", "stories", "story_views", "secrets", "webhooks", "webhook_deliveries", "mailings", "gone_ids",
	"search_posts", "search_users", "search_hashtags",
}

func init() {
	// Whatever keeps the steps from being applied is refused here, all of it at once, before anything changes.
	m.Register(func(app core.App) error {
		var former int
		err := app.DB().NewQuery(`SELECT count(*) FROM _migrations WHERE file = '1763700000_ground.go'`).Row(&former)
		if err != nil {
			return fmt.Errorf("read the steps that were applied: %w", err)
		}
		if former > 0 {
			return errors.New("this data folder was made by a build from before Doubletap 0.1.0, and nothing was changed: releases cannot upgrade such a folder")
		}
		var taken []string
		for _, name := range createdTables {
			if app.HasTable(name) {
				taken = append(taken, name)
			}
		}
		if len(taken) > 0 {
			return fmt.Errorf("doubletap needs tables of its own, but these names are taken: %s; rename them and start again", strings.Join(taken, ", "))
		}
		users, err := app.FindCollectionByNameOrId("users")
		if err != nil || !users.IsAuth() {
			return fmt.Errorf("doubletap needs the auth collection users: %w", err)
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
	}, nil)
}
