package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		err := create(app, "likes", rules{
			see:    either("user", `seesPost(`+me+`, post) = true && blocked(`+me+`, user) = false`),
			create: mine("user") + ` && seesPost(` + me + `, post) = true`,
			remove: own("user"),
		}, []string{
			unique("likes", "edge", "`post`, `user`"),
			index("likes", "user", "`user`, `created`"),
			index("likes", "post", "`post`, `created`"),
		},
			relation(app, "post", "posts", true, cascades), relation(app, "user", "users", true, cascades))
		if err != nil {
			return err
		}
		return create(app, "saves", rules{
			see:    own("user"),
			create: mine("user") + ` && seesPost(` + me + `, post) = true`,
			update: own("user") + fixed("user", "post"),
			remove: own("user"),
		}, []string{
			unique("saves", "edge", "`user`, `post`"),
			index("saves", "post", "`post`"),
		},
			relation(app, "post", "posts", true, cascades), relation(app, "user", "users", true, cascades), text("board", 60))
	}, nil)
}
