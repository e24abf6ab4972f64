// Package erase removes a person and what they left behind in small steps, so that nobody waits for it.
package erase

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/inbox"
	"github.com/doubletap/doubletap/internal/notification"
	"github.com/doubletap/doubletap/internal/sweep"
)

// AccountWork removes what a closed account leaves behind, edges first; the subject's user is the account. After it
// only the account's own row is left. The row may be deleted already while it runs.
var AccountWork = sweep.Work{Kind: "account.erase", Parts: []sweep.Part{
	{From: `likes WHERE user = {:user}`, Do: eraseLikes},
	sweep.DeletePart("follows", `follower = {:user}`), sweep.DeletePart("follows", `followee = {:user}`),
	sweep.DeletePart("mutes", `muter = {:user}`), sweep.DeletePart("mutes", `muted = {:user}`),
	sweep.DeletePart("comment_likes", `user = {:user}`), sweep.DeletePart("saves", `user = {:user}`), sweep.DeletePart("devices", `user = {:user}`),
	sweep.DeletePart("story_views", `viewer = {:user}`),
	sweep.DeletePart("hidden_posts", `viewer = {:user}`),
	sweep.DeletePart("notifications", `recipient = {:user}`), sweep.DeletePart("notification_events", `recipient = {:user}`),
	sweep.DeletePart("retractions", `recipient = {:user}`),
	notification.ForgetActorPart,
	recordsPart("comments"), recordsPart("posts"), recordsPart("stories"),
	// when they have nothing left to hide
	sweep.DeletePart("blocks", `blocker = {:user}`).WhenOthersAreDone(), sweep.DeletePart("blocks", `blocked = {:user}`).WhenOthersAreDone(),
	sweep.UpdatePart("reports", `reporter = ''`, `reporter = {:user}`), sweep.UpdatePart("reports", `user = ''`, `user = {:user}`),
	detachOrders,
	sweep.DeletePart("settings", `user = {:user}`),
}}

// eraseLikes tells the devices that watch a post what it lost.
func eraseLikes(tx core.App, _ sweep.Subject, ids []string) error {
	if err := sweep.CascadeFromRows(tx, "likes", ids); err != nil {
		return err
	}
	var liked []string
	if err := db.QueryColumn(tx, &liked, `DELETE FROM likes WHERE id IN (SELECT value FROM json_each({:ids})) RETURNING post`, db.Params{"ids": db.JSONList(ids)}); err != nil {
		return fmt.Errorf("likes: %w", err)
	}
	for _, post := range liked {
		inbox.PostCountsChanged(tx, post)
	}
	return nil
}

// detachOrders stay without the person, where there is a shop.
var detachOrders = func() sweep.Part {
	part := sweep.UpdatePart("orders", `user = ''`, `user = {:user}`)
	part.Optional = true
	return part
}()

func recordsPart(collection string) sweep.Part {
	return sweep.Records(collection, `author = {:user}`, sweep.DeleteRecord)
}
