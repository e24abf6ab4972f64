package reconcile

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
	"doubletap/internal/db"
	"doubletap/internal/notification"
	"doubletap/internal/sweep"
)

// undone are the active events of what is no more. While an account is being erased its rows go chunk
// by chunk, so that its events are not looked at.
const undone = `notification_events t WHERE t.active = 1
	AND NOT EXISTS (SELECT 1 FROM users WHERE id IN (t.actor, t.recipient) AND state = 'deleting')
	AND NOT EXISTS (SELECT 1 FROM ` + sweep.Pending + ` p WHERE p.id IN (t.actor, t.recipient, t.subject)) AND CASE t.type
		WHEN 'like' THEN NOT EXISTS (SELECT 1 FROM likes WHERE post = t.subject AND user = t.actor)
		WHEN 'comment_like' THEN NOT EXISTS (SELECT 1 FROM comment_likes WHERE comment = t.subject AND user = t.actor)
		WHEN 'comment' THEN NOT EXISTS (SELECT 1 FROM comments WHERE post = t.subject AND author = t.actor)
		WHEN 'reply' THEN NOT EXISTS (SELECT 1 FROM comments WHERE parent = t.subject AND author = t.actor)
		WHEN 'follow' THEN NOT EXISTS (SELECT 1 FROM follows WHERE follower = t.actor AND followee = t.recipient)
		WHEN 'follow_request' THEN NOT EXISTS (SELECT 1 FROM follows WHERE follower = t.actor AND followee = t.recipient AND state = 'pending')
		WHEN 'follow_accepted' THEN NOT EXISTS (SELECT 1 FROM follows WHERE follower = t.recipient AND followee = t.actor AND state = 'accepted')
		ELSE 0 END`

// Of the actors of a notification, the newest are named; what has no actors is not counted.
const (
	actors    = `coalesce((SELECT json_group_array(actor) FROM (SELECT actor FROM notification_events WHERE notification = t.id AND active = 1 ORDER BY created DESC, rowid DESC LIMIT 8)), '[]')`
	actorsN   = `(SELECT count(*) FROM notification_events WHERE notification = t.id AND active = 1)`
	miscounts = `notifications t WHERE t.type NOT IN ('order', 'system') AND (t.actorsCount != ` + actorsN + ` OR t.actors != ` + actors + `)`
)

func lookNotifications(app core.App, f *Found) error {
	n, first, err := f.Some(app, undone)
	if err != nil {
		return err
	}
	f.Fail(n, "%d events of what is no more, as %s", n, first)
	n, first, err = f.Some(app, miscounts)
	f.Fail(n, "%d notifications with other actors than their events, as %s", n, first)
	return err
}

func repairNotifications(tx core.App) (int64, error) {
	undid, err := db.Exec(tx, `UPDATE notification_events SET active = 0 WHERE id IN (SELECT t.id FROM `+undone+`)`, nil)
	if err != nil {
		return 0, err
	}
	var wrong []struct {
		ID        string `db:"id"`
		Recipient string `db:"recipient"`
		Left      int    `db:"left"`
	}
	if err := db.All(tx, &wrong, `SELECT t.id, t.recipient, `+actorsN+` AS "left" FROM `+miscounts, nil); err != nil {
		return 0, err
	}
	for _, n := range wrong {
		if n.Left == 0 {
			err = withdraw(tx, n.Recipient, n.ID)
		} else {
			err = recount(tx, n.Recipient, n.ID)
		}
		if err != nil {
			return 0, fmt.Errorf("notification %s: %w", n.ID, err)
		}
	}
	return undid + int64(len(wrong)), nil
}

// withdraw deletes a notification that nobody is left in, and says so to its recipient's devices.
func withdraw(tx core.App, recipient, id string) error {
	if _, err := db.Exec(tx, `DELETE FROM notifications WHERE id = {:id}`, db.Params{"id": id}); err != nil {
		return err
	}
	if err := notification.Detach(tx, id); err != nil {
		return err
	}
	return notification.Leave(tx, recipient, id)
}

// recount gives a notification the actors of its events, as a change that its recipient's devices catch up with.
func recount(tx core.App, recipient, id string) error {
	seq, err := notification.NextSeq(tx, recipient)
	if err != nil {
		return err
	}
	_, err = db.Exec(tx, `UPDATE notifications AS t SET actors = `+actors+`, actorsCount = `+actorsN+`, seq = {:seq}, updated = {:now} WHERE id = {:id}`,
		db.Params{"seq": seq, "now": clock.Stamp(tx), "id": id})
	return err
}
