package migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/types"
)

func init() {
	m.Register(func(app core.App) error {
		// only its author sees a comment that a moderator has hidden
		seen := `(%[1]shidden = false || (` + signedInRule + ` && %[1]sauthor = ` + callerID + `))`
		comments, err := app.FindCollectionByNameOrId("comments")
		if err != nil {
			return err
		}
		comments.Fields.Add(boolField("hidden"))
		collectionRules{
			see: `seesPost(` + callerID + `, post) = true && ` + fmt.Sprintf(seen, "") + ` && (author = "" || blocked(` + callerID + `, author) = false)`,
			create: ownerCreateRule("author") + ` && post.commentsOff = false && seesPost(` + callerID + `, post) = true` +
				` && (parent = "" || (parent.post = post && parent.deleted = false && parent.hidden = false && blocked(` + callerID + `, parent.author) = false))`,
			update: ownerRule("author") + fixedFieldsRule("post", "parent", "author"),
			remove: signedInRule + ` && (author = ` + callerID + ` || post.author = ` + callerID + `)`,
		}.applyTo(comments)
		if err := app.Save(comments); err != nil {
			return err
		}
		likes, err := app.FindCollectionByNameOrId("comment_likes")
		if err != nil {
			return err
		}
		visible := `seesPost(` + callerID + `, comment.post) = true && comment.deleted = false && ` + fmt.Sprintf(seen, "comment.") +
			` && blocked(` + callerID + `, comment.author) = false`
		collectionRules{see: visible, create: ownerCreateRule("user") + ` && ` + visible, remove: ownerRule("user")}.applyTo(likes)
		if err := app.Save(likes); err != nil {
			return err
		}

		reports, err := app.FindCollectionByNameOrId("reports")
		if err != nil {
			return err
		}
		reports.CreateRule = types.Pointer(ownerCreateRule("reporter") + ` && (user != "" || post != "" || comment != "")` +
			` && (user = "" || (user.state = "active" && blockedBy(` + callerID + `, user) = false))` +
			` && (post = "" || seesPost(` + callerID + `, post) = true)` +
			` && (comment = "" || (seesPost(` + callerID + `, comment.post) = true && ` + fmt.Sprintf(seen, "comment.") + `))`)
		reports.Indexes = append(reports.Indexes, indexDDL("reports", "subject", "`state`, `comment`, `post`, `user`, `created`"))
		if err := app.Save(reports); err != nil {
			return err
		}

		// the subject of a notification of type system
		notifications, err := app.FindCollectionByNameOrId("notifications")
		if err != nil {
			return err
		}
		notifications.Fields.Add(textField("message", 60))
		if err := app.Save(notifications); err != nil {
			return err
		}
		audit, err := app.FindCollectionByNameOrId("audit")
		if err != nil {
			return err
		}
		audit.Indexes = append(audit.Indexes, indexDDL("audit", "newest", "`created`"))
		return app.Save(audit)
	}, nil)
}
