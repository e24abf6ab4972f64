package notification

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/graph"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/sweep"
	"github.com/doubletap/doubletap/internal/visibility"
)

// Ringing tells of a new post, the subject's, those who asked for it by follows.notify. A post that is gone is told to
// nobody, and whoever may not see it is not told. Whoever is shown this post or a newer one of the author is passed
// over, so that a job that begins anew after a restart tells nobody twice. Several authors' works are done at once: one
// may have tens of thousands to tell.
var Ringing = sweep.Work{Kind: "notification.ring", Concurrency: 4, Parts: []sweep.Part{{
	From: `follows f WHERE f.followee = (SELECT author FROM posts WHERE id = {:post}) AND f.state = '` + graph.Accepted + `' AND f.notify AND f.id > {:after}
		AND NOT EXISTS (SELECT 1 FROM notification_events e JOIN notifications n ON n.id = e.notification JOIN posts o ON o.id = n.post
			WHERE e.recipient = f.follower AND e.type = '` + TypePost + `' AND e.subject = f.followee AND e.actor = f.followee AND e.active
			AND o.created >= (SELECT created FROM posts WHERE id = {:post}))`,
	Key:    "f.id",
	Order:  `ORDER BY f.id`,
	Weight: 20,
	Do:     ring,
}}}

// PostCreated enqueues a job that notifies of a new post, if anybody asked for its author's posts.
func PostCreated(tx core.App, post *core.Record) error {
	author := post.GetString("author")
	var one int
	asked, err := db.QueryValue(tx, &one, `SELECT 1 FROM follows WHERE followee = {:author} AND state = '`+graph.Accepted+`' AND notify LIMIT 1`, db.Params{"author": author})
	if err != nil {
		return fmt.Errorf("look who asked for posts of %s: %w", author, err)
	}
	if !asked {
		return nil
	}
	return job.Enqueue(tx, Ringing.Kind, sweep.Subject{"post": post.Id}, job.Dedupe(post.Id))
}

// ring tells the people of these follows.
func ring(tx core.App, on sweep.Subject, follows []string) error {
	for _, id := range follows {
		var follower, author string
		_, err := db.QueryRow(tx, `SELECT follower, followee FROM follows WHERE id = {:id}`, db.Params{"id": id}, &follower, &author)
		if err != nil {
			return fmt.Errorf("find who asked by follow %s: %w", id, err)
		}
		sees, err := visibility.MaySeePost(tx, follower, on["post"])
		if err != nil {
			return fmt.Errorf("ask whether %s sees post %s: %w", follower, on["post"], err)
		}
		if sees {
			if err := notifyRecipient(tx, &Event{Recipient: follower, Actor: author, Type: TypePost, Subject: author, Post: on["post"]}); err != nil {
				return err
			}
		}
		on["after"] = id
	}
	return nil
}

// showEarlierPost changes a group that shows a deleted post so that it shows its author's newest other post since the
// group began. It returns false if there is none. The post may be up to an hour older than the group: the job that
// began the group may have been late.
func showEarlierPost(tx core.App, post, author string, g groupRow) (bool, error) {
	var former string
	found, err := db.QueryValue(tx, &former, `SELECT o.id FROM notifications n JOIN posts o ON o.author = {:author} AND o.id != {:post}
			AND o.created > strftime('%Y-%m-%d %H:%M:%fZ', n.created, '-1 hour') AND `+visibility.ForOthersSQL("o")+`
		WHERE n.id = {:id} ORDER BY o.created DESC LIMIT 1`, db.Params{"post": post, "author": author, "id": g.ID})
	if err != nil || !found {
		return false, err
	}
	if _, err := db.Exec(tx, `UPDATE notifications SET post = {:former} WHERE id = {:id}`, db.Params{"former": former, "id": g.ID}); err != nil {
		return false, fmt.Errorf("show post %s instead of %s: %w", former, post, err)
	}
	return true, refreshGroup(tx, g.Recipient, g.ID)
}
