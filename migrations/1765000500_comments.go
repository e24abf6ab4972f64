package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// shownCommentRule returns the part of a rule by which a moderator has not hidden the comment whose fields prefix leads
// to, or the caller wrote it.
func shownCommentRule(prefix string) string {
	return `(` + prefix + `hidden = false || (` + ownerRule(prefix+"author") + `))`
}

func init() {
	m.Register(func(app core.App) error {
		comments := core.NewBaseCollection("comments")
		if err := app.Save(comments); err != nil { // saved first, so that parent can point at it
			return err
		}
		collectionRules{
			see: `seesPost(` + callerID + `, post) = true && ` + shownCommentRule("") + ` && (author = "" || blocked(` + callerID + `, author) = false)`,
			create: ownerCreateRule("author") + ` && post.commentsOff = false && seesPost(` + callerID + `, post) = true` +
				` && (parent = "" || (parent.post = post && parent.deleted = false && parent.hidden = false && blocked(` + callerID + `, parent.author) = false))`,
			update: ownerRule("author") + fixedFieldsRule("post", "parent", "author"),
			remove: signedInRule + ` && (author = ` + callerID + ` || post.author = ` + callerID + `)`,
		}.applyTo(comments)
		err := saveCollection(app, comments, []string{
			indexDDL("comments", "thread", "`post`, `parent`, `created`"),
			indexDDL("comments", "author", "`author`"),
			indexDDL("comments", "parent", "`parent`"),
		}, []core.Field{
			relationField(app, "post", "posts", true, cascadeDelete),
			relationField(app, "author", "users", false, !cascadeDelete), // empty in a tombstone
			relationField(app, "parent", "comments", false, !cascadeDelete),
			textField("text", 2200), boolField("deleted"), numberField("likesCount"), numberField("repliesCount"), boolField("hidden"),
		})
		if err != nil {
			return err
		}
		visible := `seesPost(` + callerID + `, comment.post) = true && comment.deleted = false && ` + shownCommentRule("comment.") +
			` && blocked(` + callerID + `, comment.author) = false`
		return createCollection(app, "comment_likes", collectionRules{
			see:    visible,
			create: ownerCreateRule("user") + ` && ` + visible,
			remove: ownerRule("user"),
		}, []string{
			uniqueIndexDDL("comment_likes", "edge", "`comment`, `user`"),
			indexDDL("comment_likes", "user", "`user`"),
		},
			relationField(app, "comment", "comments", true, cascadeDelete), relationField(app, "user", "users", true, cascadeDelete))
	}, refuseDown)
}
