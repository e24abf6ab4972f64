package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		gone := boolField("gone") // hidden by its viewer; the row stays so that the post does not come back
		gone.Hidden = true
		return createCollection(app, "feed", collectionRules{
			see:    ownerRule("viewer") + ` && gone = false && seesPost(` + callerID + `, post) = true`,
			remove: ownerRule("viewer"),
		}, []string{
			uniqueIndexDDL("feed", "edge", "`viewer`, `post`"),
			// a page is read from the index alone, since a viewer's rows lie far apart in the table
			indexDDL("feed", "page", "`viewer`, `at` DESC, `post` DESC, `gone`, `author`, `id`, `created`, `updated`"),
			indexDDL("feed", "between", "`viewer`, `author`"),
			indexDDL("feed", "post", "`post`"),
			indexDDL("feed", "author", "`author`"),
		},
			relationField(app, "viewer", "users", true, cascadeDelete), relationField(app, "post", "posts", true, cascadeDelete),
			relationField(app, "author", "users", true, cascadeDelete), dateField("at"), gone)
	}, nil)
}
