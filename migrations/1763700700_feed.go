package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		gone := flag("gone") // hidden by its viewer; kept so that it does not come back
		gone.Hidden = true
		return create(app, "feed", rules{
			see:    own("viewer") + ` && gone = false && seesPost(` + me + `, post) = true`,
			remove: own("viewer"),
		}, []string{
			unique("feed", "edge", "`viewer`, `post`"),
			// a page is read from the index alone, as a viewer's rows lie far apart in the table
			index("feed", "page", "`viewer`, `at` DESC, `post` DESC, `gone`, `author`, `id`, `created`, `updated`"),
			index("feed", "between", "`viewer`, `author`"),
			index("feed", "post", "`post`"),
			index("feed", "author", "`author`"),
		},
			relation(app, "viewer", "users", true, cascades), relation(app, "post", "posts", true, cascades),
			relation(app, "author", "users", true, cascades), date("at"), gone)
	}, nil)
}
