package effect

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/graph"
	"github.com/doubletap/doubletap/internal/inbox"
	"github.com/doubletap/doubletap/internal/notification"
)

// FollowStored tells the followee of a new follower, or of somebody who asks to follow.
func FollowStored(tx core.App, follow *core.Record) error {
	return notification.FollowCreated(tx, follow)
}

// FollowAccepted tells the follower that the followee has accepted.
func FollowAccepted(tx core.App, follow *core.Record) error {
	return notification.RequestAccepted(tx, follow)
}

// FollowRemoved takes back what both were told, and the followee's posts leave the follower's screens.
func FollowRemoved(tx core.App, follow *core.Record) error {
	follower := follow.GetString("follower")
	if follow.GetString("state") == graph.Accepted { // a request showed nothing, so that nothing leaves
		inbox.FeedAuthorLeft(tx, follower, follow.GetString("followee"))
	}
	inbox.RecheckPerson(tx, follower)
	return notification.FollowDeleted(tx, follow)
}
