package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	// hashtags.name is the folded form of what people write, so that #Fußball and #FUSSBALL are one; displayName is
	// the form that is shown. A job gives the older rows their folded names and merges those that become the same; a
	// row without displayName still waits for it.
	m.Register(func(app core.App) error {
		hashtags, err := app.FindCollectionByNameOrId("hashtags")
		if err != nil {
			return err
		}
		hashtags.Fields.Add(textField("displayName", 100))
		hashtags.Indexes = append(hashtags.Indexes, "CREATE INDEX `idx_hashtags_unfolded` ON `hashtags` (`id`) WHERE `displayName` = ''")
		return app.Save(hashtags)
	}, nil)
}
