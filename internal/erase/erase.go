// Package erase removes a person and what they left behind, a little at a time, so that nobody waits
// for it.
package erase

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/inbox"
	"doubletap/internal/notification"
	"doubletap/internal/sweep"
)

// Account is what an account that is closed, the subject's user, leaves behind, edges first. Nothing but the account itself is
// left after it, and not even that has to be there.
var Account = sweep.Work{Kind: "account.erase", Parts: []sweep.Part{
	{Do: likes},
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
	{Do: orders},
	sweep.Delete("settings", `user = {:user}`),
}}

// likes tells the devices that watch a post what it lost.
func likes(tx core.App, on sweep.Subject, most int) (int, error) {
	var liked []string
	err := db.Column(tx, &liked, `DELETE FROM likes WHERE id IN (SELECT id FROM likes WHERE user = {:user} LIMIT {:n}) RETURNING post`, on.Params(most))
	if err != nil {
		return 0, fmt.Errorf("likes: %w", err)
	}
	for _, post := range liked {
		inbox.Touched(tx, post)
	}
	return len(liked), nil
}

// orders stay without the person, where there is a shop.
func orders(tx core.App, on sweep.Subject, most int) (int, error) {
	if !tx.HasTable("orders") {
		return 0, nil
	}
	return sweep.Update("orders", `user = ''`, `user = {:user}`).Do(tx, on, most)
}

// recordWeight is for records that go one by one with their hooks.
const recordWeight = 40

func records(collection string) sweep.Part {
	return sweep.Part{Weight: recordWeight, Do: func(tx core.App, on sweep.Subject, most int) (int, error) {
		found := []*core.Record{}
		err := tx.RecordQuery(collection).AndWhere(dbx.HashExp{"author": on["user"]}).Limit(int64(most)).All(&found)
		if err != nil {
			return 0, fmt.Errorf("find %s: %w", collection, err)
		}
		for _, record := range found {
			if err := tx.Delete(record); err != nil {
				return 0, fmt.Errorf("delete %s %s: %w", collection, record.Id, err)
			}
		}
		return len(found), nil
	}}
}
