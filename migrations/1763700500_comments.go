package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		comments := core.NewBaseCollection("comments")
		if err := app.Save(comments); err != nil { // saved first, so that parent can point at it
			return err
		}
		collectionRules{
			see: `seesPost(` + callerID + `, post) = true && (author = "" || blocked(` + callerID + `, author) = false)`,
			create: ownerCreateRule("author") + ` && post.commentsOff = false && seesPost(` + callerID + `, post) = true && (parent = "" || (parent.post = post && parent.deleted = false && blocked(` +
				callerID + `, parent.author) = false))`,
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
			textField("text", 2200), boolField("deleted"), numberField("likesCount"), numberField("repliesCount"),
		})
		if err != nil {
			return err
		}
		visible := `seesPost(` + callerID + `, comment.post) = true && comment.deleted = false && blocked(` + callerID + `, comment.author) = false`
		return createCollection(app, "comment_likes", collectionRules{
			see:    visible,
			create: ownerCreateRule("user") + ` && ` + visible,
			remove: ownerRule("user"),
		}, []string{
			uniqueIndexDDL("comment_likes", "edge", "`comment`, `user`"),
			indexDDL("comment_likes", "user", "`user`"),
		},
			relationField(app, "comment", "comments", true, cascadeDelete), relationField(app, "user", "users", true, cascadeDelete))
	}, nil)
}
