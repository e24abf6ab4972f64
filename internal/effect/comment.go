package effect

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/inbox"
	"github.com/doubletap/doubletap/internal/mention"
	"github.com/doubletap/doubletap/internal/notification"
)

// CommentStored is what a comment on post causes: who watches the post sees its count, and told are the post's author,
// the author of the comment that it answers, unless answered is nil, and those whom it mentions.
func CommentStored(tx core.App, comment, post, answered *core.Record) error {
	inbox.PostCountsChanged(tx, post.Id)
	if err := notification.CommentCreated(tx, comment, post, answered); err != nil {
		return err
	}
	notified := []string{post.GetString("author")}
	if answered != nil {
		notified = append(notified, answered.GetString("author"))
	}
	return MentionsStored(tx, post.Id, comment.GetString("author"), comment.Id, comment.GetString("text"), notified...)
}

// CommentChanged is what other words of a comment cause, whose former words are given: those whom it mentions now are
// told instead of those whom it mentioned.
func CommentChanged(tx core.App, comment, post *core.Record, former string) error {
	author := comment.GetString("author")
	if err := MentionsRemoved(tx, post.Id, author, former); err != nil {
		return err
	}
	return MentionsStored(tx, post.Id, author, comment.Id, comment.GetString("text"), post.GetString("author"))
}

// CommentRemoved takes back what a comment has caused. Call it while the comment can still be read.
func CommentRemoved(tx core.App, comment *core.Record) error {
	still, err := mention.UsersNamedOn(tx, comment.GetString("post"), comment.GetString("author"), comment.Id)
	if err != nil {
		return err
	}
	inbox.PostCountsChanged(tx, comment.GetString("post"))
	return notification.CommentDeleted(tx, comment, still)
}
