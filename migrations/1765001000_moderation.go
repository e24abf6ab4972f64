package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		err := createCollection(app, "reports", collectionRules{
			see: signedInRule + ` && (reporter = ` + callerID + ` || @request.auth.role = "moderator")`,
			create: ownerCreateRule("reporter") + ` && (user != "" || post != "" || comment != "")` +
				` && (user = "" || (` + visibleUserRule("user") + `)) && (post = "" || seesPost(` + callerID + `, post) = true)` +
				` && (comment = "" || (seesPost(` + callerID + `, comment.post) = true && ` + shownCommentRule("comment.") +
				` && (comment.author = "" || blocked(` + callerID + `, comment.author) = false)))`,
		}, []string{
			indexDDL("reports", "queue", "`state`, `created`"),
			indexDDL("reports", "subject", "`state`, `comment`, `post`, `user`, `created`"),
			indexDDL("reports", "reporter", "`reporter`"),
			indexDDL("reports", "user", "`user`"),
			indexDDL("reports", "post", "`post`"),
			indexDDL("reports", "comment", "`comment`"),
		},
			// a report stays when its reporter or what it reports is deleted
			relationField(app, "reporter", "users", false, !cascadeDelete), relationField(app, "user", "users", false, !cascadeDelete),
			relationField(app, "post", "posts", false, !cascadeDelete), relationField(app, "comment", "comments", false, !cascadeDelete),
			textField("reason", 60), textField("note", 2000),
			selectField("state", false, "open", "upheld", "dismissed"), hiddenTextField("resolution", 2000))
		if err != nil {
			return err
		}
		return createInternalCollection(app, "audit",
			[]string{indexDDL("audit", "target", "`target`, `created`"), indexDDL("audit", "newest", "`created`")},
			textField("actor", 60), textField("action", 60), textField("target", 60),
			jsonField("before", 100_000), jsonField("after", 100_000), textField("requestId", 100))
	}, refuseDown)
}
