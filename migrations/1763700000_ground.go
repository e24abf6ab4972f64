package migrations

import (
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		// An app that adopts Doubletap may have a collection of the same name: refuse it before anything changes.
		var taken []string
		for _, name := range []string{
			"settings", "handles", "follows", "blocks", "mutes", "posts", "hashtags", "post_tags", "likes", "saves",
			"comments", "comment_likes", "notifications", "retractions", "notification_events", "devices", "feed",
			"reports", "audit", "jobs", "stories", "story_views",
		} {
			if app.HasTable(name) {
				taken = append(taken, name)
			}
		}
		if len(taken) > 0 {
			return fmt.Errorf("doubletap needs collections of its own, but these names are taken: %s; rename them and start again", strings.Join(taken, ", "))
		}
		users, err := app.FindCollectionByNameOrId("users")
		if err != nil || !users.IsAuth() {
			return fmt.Errorf("doubletap needs the auth collection users: %w", err)
		}

		settings := app.Settings()
		settings.Batch.Enabled = true
		settings.Batch.MaxRequests = 50
		settings.Batch.Timeout = 10
		return app.Save(settings)
	}, nil)
}
