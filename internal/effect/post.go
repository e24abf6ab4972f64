package effect

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/inbox"
	"github.com/doubletap/doubletap/internal/notification"
	"github.com/doubletap/doubletap/internal/post"
)

// PostStored is what a new post causes: its hashtags, its row in open feeds, and the notifications of those whom it
// mentions and of those who want to be told of the author's posts. What it costs does not depend on how many follow the
// author.
func PostStored(tx core.App, stored *core.Record) error {
	if err := post.SetHashtags(tx, stored); err != nil {
		return err
	}
	author := stored.GetString("author")
	inbox.PostAdded(tx, stored.Id, author)
	if err := notification.PostCreated(tx, stored); err != nil {
		return err
	}
	return MentionsStored(tx, stored.Id, author, "", stored.GetString("caption"))
}

// PostChanged is what another caption or another audience causes.
func PostChanged(tx core.App, before, after *core.Record) error {
	author := after.GetString("author")
	if post.IsNarrowed(before, after) && post.IsForOthers(before) {
		inbox.RecheckPosts(tx, after.Id)
	}
	if post.IsWidened(before, after) {
		inbox.PostAdded(tx, after.Id, author)
		if err := notification.PostCreated(tx, after); err != nil {
			return err
		}
	}
	if before.GetString("caption") == after.GetString("caption") && post.Audience(before) == post.Audience(after) {
		return nil
	}
	if err := post.SetHashtags(tx, after); err != nil {
		return err
	}
	if err := MentionsRemoved(tx, after.Id, author, before.GetString("caption")); err != nil {
		return err
	}
	return MentionsStored(tx, after.Id, author, "", after.GetString("caption"))
}

// PostRemoved takes the post's hashtags, which are counted elsewhere, and its row in open feeds. All else that points at
// the post goes in steps. Call it while the post can still be read.
func PostRemoved(tx core.App, removed *core.Record) error {
	if err := post.RemoveHashtags(tx, removed.Id); err != nil {
		return err
	}
	if author := removed.GetString("author"); post.IsForOthers(removed) {
		inbox.PostRemoved(tx, removed.Id, author)
	} else { // nobody else is told that there was one
		inbox.FeedPostHidden(tx, author, removed.Id)
	}
	return nil
}
