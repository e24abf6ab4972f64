// Package erase removes a person and what they left behind, a little at a time, so that nobody waits
// for it.
package erase

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/inbox"
	"doubletap/internal/notification"
	"doubletap/internal/sweep"
)

// Account is what an account that is closed, the subject's user, leaves behind, edges first. Nothing but the account itself is
// left after it, and not even that has to be there.
var Account = sweep.Work{Kind: "account.erase", Parts: []sweep.Part{
	{From: `likes WHERE user = {:user}`, Do: likes},
	sweep.Delete("follows", `follower = {:user}`), sweep.Delete("follows", `followee = {:user}`),
	sweep.Delete("mutes", `muter = {:user}`), sweep.Delete("mutes", `muted = {:user}`),
	sweep.Delete("comment_likes", `user = {:user}`), sweep.Delete("saves", `user = {:user}`), sweep.Delete("devices", `user = {:user}`),
	sweep.Delete("story_views", `viewer = {:user}`),
	sweep.Delete("feed", `viewer = {:user}`), sweep.Delete("feed", `author = {:user}`),
	sweep.Delete("notifications", `recipient = {:user}`), sweep.Delete("notification_events", `recipient = {:user}`),
	sweep.Delete("retractions", `recipient = {:user}`),
	notification.Forget,
	records("comments"), records("posts"), records("stories"),
	sweep.Delete("blocks", `blocker = {:user}`), sweep.Delete("blocks", `blocked = {:user}`), // when there is nothing left to hide
	sweep.Update("reports", `reporter = ''`, `reporter = {:user}`), sweep.Update("reports", `user = ''`, `user = {:user}`),
	orders,
	sweep.Delete("settings", `user = {:user}`),
}}

// likes tells the devices that watch a post what it lost.
func likes(tx core.App, _ sweep.Subject, ids []string) error {
	var liked []string
	if err := db.Column(tx, &liked, `DELETE FROM likes WHERE id IN (SELECT value FROM json_each({:ids})) RETURNING post`, db.Params{"ids": db.List(ids)}); err != nil {
		return fmt.Errorf("likes: %w", err)
	}
	for _, post := range liked {
		inbox.Touched(tx, post)
	}
	return nil
}

// orders stay without the person, where there is a shop.
var orders = func() sweep.Part {
	part := sweep.Update("orders", `user = ''`, `user = {:user}`)
	part.Optional = true
	return part
}()

func records(collection string) sweep.Part {
	return sweep.Records(collection, `author = {:user}`, sweep.DeleteRecord)
}
