package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		err := create(app, "follows", rules{
			see: `(` + own("follower") + `) || ` + either("followee", `state = "accepted" && (sees(`+me+`, followee, "public") = true || sees(`+
				me+`, follower, "public") = true) && blocked(`+me+`, follower) = false && blocked(`+me+`, followee) = false`),
			create: mine("follower") + ` && followee != ` + me + ` && followee.state = "active" && blocked(` + me + `, followee) = false`,
			update: auth + ` && ((followee = ` + me + ` && @request.body.state = "accepted"` + fixed("notify") + `) || (follower = ` + me +
				` && @request.body.notify:isset = true` + fixed("state") + `))` + fixed("follower", "followee"),
			remove: auth + ` && (follower = ` + me + ` || followee = ` + me + `)`,
		}, []string{
			unique("follows", "edge", "`follower`, `followee`"),
			index("follows", "followee", "`followee`, `state`, `created`"),
		},
			relation(app, "follower", "users", true, cascades), relation(app, "followee", "users", true, cascades),
			choice("state", false, "pending", "accepted"), flag("notify"))
		if err != nil {
			return err
		}
		return create(app, "blocks", rules{
			see:    own("blocker"),
			create: mine("blocker") + ` && blocked != ` + me,
			remove: own("blocker"),
		}, []string{
			unique("blocks", "edge", "`blocker`, `blocked`"),
			index("blocks", "blocked", "`blocked`, `blocker`"),
		},
			relation(app, "blocker", "users", true, cascades), relation(app, "blocked", "users", true, cascades))
	}, nil)
}
