package reconcile

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/notification"
)

// missingEventInvariants are about actions of the last days for which the person concerned has no event. Every action
// leaves an event, also if a mute, a block or an owner's hook keeps it out of the tray. Actions of or for an account
// that is being erased do not count, as its events may be deleted before its rows or after them.
func missingEventInvariants() []*Invariant {
	missingEvent := func(table, actor, recipient, event, where string, mend func(tx core.App, id string) error) *Invariant {
		return &Invariant{
			Check: "missing", Name: "told", On: table, Holds: "Whom it concerns was told of what somebody did in the last 7 days.", Cost: Hourly, Table: table,
			Broken: `t.created > {:recent}` + where + ` AND ` + recipient + ` NOT IN ('', ` + actor + `)` +
				` AND NOT EXISTS (SELECT 1 FROM notification_events e WHERE e.recipient = ` + recipient + ` AND e.actor = ` + actor + ` AND ` + event + `)
				AND EXISTS (SELECT 1 FROM users u WHERE u.id = ` + actor + ` AND u.state != 'deleting') AND EXISTS (SELECT 1 FROM users u WHERE u.id = ` + recipient + ` AND u.state != 'deleting')`,
			Mend: mendEach(mend),
		}
	}
	const postsAuthor, commentsAuthor = `coalesce((SELECT o.author FROM posts o WHERE o.id = t.post), '')`, `coalesce((SELECT o.author FROM comments o JOIN posts p ON p.id = o.post WHERE o.id = t.comment), '')`
	return []*Invariant{
		// a deleted post or comment has no author to notify, while its rows are deleted in steps
		missingEvent("likes", "t.user", postsAuthor, `e.type = 'like' AND e.subject = t.post`, "", func(tx core.App, id string) error {
			like, post, err := findRowAndSubject(tx, "likes", id, "posts", "post")
			if err != nil {
				return err
			}
			return notification.PostLiked(tx, like.GetString("user"), post.Id, post.GetString("author"))
		}),
		missingEvent("comment_likes", "t.user", commentsAuthor, `e.type = 'comment_like' AND e.subject = t.comment`, "", func(tx core.App, id string) error {
			like, comment, err := findRowAndSubject(tx, "comment_likes", id, "comments", "comment")
			if err != nil {
				return err
			}
			return notification.CommentLiked(tx, like, comment)
		}),
		missingEvent("comments", "t.author", postsAuthor, `e.type = 'comment' AND e.subject = t.post`, ` AND t.parent = '' AND NOT t.deleted`, func(tx core.App, id string) error {
			comment, post, err := findRowAndSubject(tx, "comments", id, "posts", "post")
			if err != nil {
				return err
			}
			return notification.CommentCreated(tx, comment, post, nil)
		}),
		missingEvent("follows", "t.follower", "t.followee", `e.type IN ('follow', 'follow_request') AND e.subject = t.followee`, "", func(tx core.App, id string) error {
			follow, err := db.RequireRecord(tx, "follows", id)
			if err != nil {
				return err
			}
			return notification.FollowCreated(tx, follow)
		}),
	}
}

// findRowAndSubject returns a row and the record that it is about.
func findRowAndSubject(tx core.App, table, id, about, field string) (row, subject *core.Record, err error) {
	if row, err = db.RequireRecord(tx, table, id); err != nil {
		return nil, nil, err
	}
	subject, err = db.RequireRecord(tx, about, row.GetString(field))
	return row, subject, err
}
