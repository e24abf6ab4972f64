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
			// what is between two people is read for everybody on a page: from the index alone, near to each other
			index("follows", "out", "`follower`, `followee`, `state`"),
			index("follows", "in", "`followee`, `follower`, `state`"),
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
