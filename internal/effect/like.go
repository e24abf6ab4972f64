package effect

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/comment"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/inbox"
	"github.com/doubletap/doubletap/internal/notification"
)

// PostLiked is what a like causes: who watches the post sees its count, which a trigger has moved, and the post's
// author is told.
func PostLiked(tx core.App, user, post, author string) error {
	inbox.PostCountsChanged(tx, post)
	return notification.PostLiked(tx, user, post, author)
}

// PostUnliked takes back what PostLiked has caused.
func PostUnliked(tx core.App, user, post, author string) error {
	inbox.PostCountsChanged(tx, post)
	return notification.PostUnliked(tx, user, post, author)
}

// commentLiked tells the comment's author. It refuses a like of a comment that was deleted meanwhile.
func commentLiked(tx core.App, like *core.Record) error {
	liked, err := db.RequireRecord(tx, "comments", like.GetString("comment"))
	if err != nil {
		return err
	}
	if comment.IsTombstone(liked) {
		return fault.ErrGone
	}
	return notification.CommentLiked(tx, like, liked)
}

func notifyCommentUnliked(tx core.App, like *core.Record) error {
	return notification.CommentUnliked(tx, like)
}
