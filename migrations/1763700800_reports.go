package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		err := create(app, "reports", rules{
			see: auth + ` && (reporter = ` + me + ` || @request.auth.role = "moderator")`,
			create: mine("reporter") + ` && (user != "" || post != "" || comment != "")` +
				` && (user = "" || (user.state = "active" && blockedBy(` + me + `, user) = false))` +
				` && (post = "" || seesPost(` + me + `, post) = true)` +
				` && (comment = "" || seesPost(` + me + `, comment.post) = true)`,
		}, []string{
			index("reports", "queue", "`state`, `created`"),
			index("reports", "reporter", "`reporter`"),
			index("reports", "user", "`user`"),
			index("reports", "post", "`post`"),
			index("reports", "comment", "`comment`"),
		},
			// a report outlives its reporter and what it reports
			relation(app, "reporter", "users", false, !cascades), relation(app, "user", "users", false, !cascades),
			relation(app, "post", "posts", false, !cascades), relation(app, "comment", "comments", false, !cascades),
			text("reason", 60), text("note", 2000),
			choice("state", false, "open", "upheld", "dismissed"), hiddenText("resolution", 2000))
		if err != nil {
			return err
		}
		return createInternal(app, "audit",
			[]string{index("audit", "target", "`target`, `created`")},
			text("actor", 60), text("action", 60), text("target", 60),
			object("before", 100_000), object("after", 100_000), text("requestId", 100))
	}, nil)
}
