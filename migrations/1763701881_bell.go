package migrations

import (
	"slices"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		// follows.notify asks for a notification of each new post of the followee
		for _, name := range []string{"notifications", "notification_events"} {
			c, err := app.FindCollectionByNameOrId(name)
			if err != nil {
				return err
			}
			kinds, ok := c.Fields.GetByName("type").(*core.SelectField)
			if !ok || slices.Contains(kinds.Values, "post") {
				continue
			}
			kinds.Values = append(kinds.Values, "post")
			if err := app.Save(c); err != nil {
				return err
			}
		}
		follows, err := app.FindCollectionByNameOrId("follows")
		if err != nil {
			return err
		}
		follows.Indexes = append(follows.Indexes, "CREATE INDEX `idx_follows_bell` ON `follows` (`followee`, `id`) WHERE `state` = 'accepted' AND `notify`")
		return app.Save(follows)
	}, nil)
}
