package migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/types"
)

func init() {
	m.Register(func(app core.App) error {
		// a comment that a moderator hid is seen by its author alone
		seen := `(%[1]shidden = false || (` + auth + ` && %[1]sauthor = ` + me + `))`
		comments, err := app.FindCollectionByNameOrId("comments")
		if err != nil {
			return err
		}
		comments.Fields.Add(flag("hidden"))
		rules{
			see: `seesPost(` + me + `, post) = true && ` + fmt.Sprintf(seen, "") + ` && (author = "" || blocked(` + me + `, author) = false)`,
			create: mine("author") + ` && post.commentsOff = false && seesPost(` + me + `, post) = true` +
				` && (parent = "" || (parent.post = post && parent.deleted = false && parent.hidden = false && blocked(` + me + `, parent.author) = false))`,
			update: own("author") + fixed("post", "parent", "author"),
			remove: auth + ` && (author = ` + me + ` || post.author = ` + me + `)`,
		}.apply(comments)
		if err := app.Save(comments); err != nil {
			return err
		}
		likes, err := app.FindCollectionByNameOrId("comment_likes")
		if err != nil {
			return err
		}
		visible := `seesPost(` + me + `, comment.post) = true && comment.deleted = false && ` + fmt.Sprintf(seen, "comment.") +
			` && blocked(` + me + `, comment.author) = false`
		rules{see: visible, create: mine("user") + ` && ` + visible, remove: own("user")}.apply(likes)
		if err := app.Save(likes); err != nil {
			return err
		}

		reports, err := app.FindCollectionByNameOrId("reports")
		if err != nil {
			return err
		}
		reports.CreateRule = types.Pointer(mine("reporter") + ` && (user != "" || post != "" || comment != "")` +
			` && (user = "" || (user.state = "active" && blockedBy(` + me + `, user) = false))` +
			` && (post = "" || seesPost(` + me + `, post) = true)` +
			` && (comment = "" || (seesPost(` + me + `, comment.post) = true && ` + fmt.Sprintf(seen, "comment.") + `))`)
		reports.Indexes = append(reports.Indexes, index("reports", "subject", "`state`, `comment`, `post`, `user`, `created`"))
		if err := app.Save(reports); err != nil {
			return err
		}

		// what a notification of type system is about
		notifications, err := app.FindCollectionByNameOrId("notifications")
		if err != nil {
			return err
		}
		notifications.Fields.Add(text("message", 60))
		if err := app.Save(notifications); err != nil {
			return err
		}
		audit, err := app.FindCollectionByNameOrId("audit")
		if err != nil {
			return err
		}
		audit.Indexes = append(audit.Indexes, index("audit", "newest", "`created`"))
		return app.Save(audit)
	}, nil)
}
