package effect

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/graph"
	"github.com/doubletap/doubletap/internal/inbox"
	"github.com/doubletap/doubletap/internal/notification"
	"github.com/doubletap/doubletap/internal/visibility"
)

// BlockStored separates two people, both ways: their follows, each other's posts on their screens and their
// notifications of each other go. Likes and comments stay and are counted; the rules hide them. When a block is taken
// back, the rules show them again, and nothing else follows.
func BlockStored(tx core.App, blocker, blocked string) error {
	if err := graph.DeleteFollowsBetween(tx, blocker, blocked); err != nil {
		return err
	}
	inbox.RecheckPerson(tx, blocker)
	inbox.RecheckPerson(tx, blocked)
	return notification.RetractBetween(tx, blocker, blocked)
}

// muteStored takes what is muted off the muter's open feed. Who is muted is not told.
func muteStored(tx core.App, mute *core.Record) error {
	muter, muted := mute.GetString("muter"), mute.GetString("muted")
	if post := mute.GetString("post"); post != "" {
		inbox.FeedPostHidden(tx, muter, post)
		return nil
	}
	follows, err := visibility.IsFollower(tx, muter, muted)
	if err == nil && follows { // else the feed had nothing of them, and its deletes would tell which posts there are
		inbox.FeedAuthorLeft(tx, muter, muted)
	}
	return err
}
