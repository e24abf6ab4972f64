package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		comments := core.NewBaseCollection("comments")
		if err := app.Save(comments); err != nil { // first, so that parent has something to point at
			return err
		}
		rules{
			see: `seesPost(` + me + `, post) = true && (author = "" || blocked(` + me + `, author) = false)`,
			create: mine("author") + ` && post.commentsOff = false && seesPost(` + me + `, post) = true && (parent = "" || (parent.post = post && parent.deleted = false && blocked(` +
				me + `, parent.author) = false))`,
			update: own("author") + fixed("post", "parent", "author"),
			remove: auth + ` && (author = ` + me + ` || post.author = ` + me + `)`,
		}.apply(comments)
		err := save(app, comments, []string{
			index("comments", "thread", "`post`, `parent`, `created`"),
			index("comments", "author", "`author`"),
			index("comments", "parent", "`parent`"),
		}, []core.Field{
			relation(app, "post", "posts", true, cascades),
			relation(app, "author", "users", false, !cascades), // empty in a tombstone
			relation(app, "parent", "comments", false, !cascades),
			text("text", 2200), flag("deleted"), number("likesCount"), number("repliesCount"),
		})
		if err != nil {
			return err
		}
		visible := `seesPost(` + me + `, comment.post) = true && comment.deleted = false && blocked(` + me + `, comment.author) = false`
		return create(app, "comment_likes", rules{
			see:    visible,
			create: mine("user") + ` && ` + visible,
			remove: own("user"),
		}, []string{
			unique("comment_likes", "edge", "`comment`, `user`"),
			index("comment_likes", "user", "`user`"),
		},
			relation(app, "comment", "comments", true, cascades), relation(app, "user", "users", true, cascades))
	}, nil)
}
