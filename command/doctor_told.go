package command

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
	"doubletap/internal/db"
	"doubletap/internal/notification"
)

// undone are the active events of what is no more. While an account is being erased its rows go chunk
// by chunk, so that its events are not looked at.
const undone = `notification_events t WHERE t.active = 1
	AND NOT EXISTS (SELECT 1 FROM users WHERE id IN (t.actor, t.recipient) AND state = 'deleting') AND CASE t.type
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

func lookNotifications(app core.App, f *found) error {
	n, first, err := some(app, undone)
	if err != nil {
		return err
	}
	f.fail(n, "%d events of what is no more, as %s", n, first)
	n, first, err = some(app, miscounts)
	f.fail(n, "%d notifications with other actors than their events, as %s", n, first)
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
	if err := notification.Detach(tx, id); err != nil {
		return err
	}
	if _, err := db.Exec(tx, `DELETE FROM notifications WHERE id = {:id}`, db.Params{"id": id}); err != nil {
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

// strays are feed rows that their viewer does not get: of somebody they do not follow, or of
// another author than the post's. While an account is being erased, its rows are not looked at.
const strays = `feed t WHERE NOT EXISTS (SELECT 1 FROM users WHERE id IN (t.viewer, t.author) AND state = 'deleting')
	AND ((t.viewer != t.author AND NOT EXISTS (SELECT 1 FROM follows WHERE follower = t.viewer AND followee = t.author AND state = 'accepted'))
		OR NOT EXISTS (SELECT 1 FROM posts WHERE id = t.post AND author = t.author))`

// idle are rows of posts that became private. Reading leaves them out, and they come back by themselves
// when the post does; a row that its viewer hid must stay to keep it from coming back.
const idle = `feed t JOIN posts p ON p.id = t.post WHERE p.visibility = 'private' AND t.viewer != p.author AND NOT t.gone`

func lookFeed(app core.App, f *found) error {
	n, first, err := some(app, strays)
	if err != nil {
		return err
	}
	f.fail(n, "%d rows of an author whom the viewer does not follow, or who is not the post's, as %s", n, first)
	n, first, err = some(app, idle)
	f.warn(n, "%d rows of posts that are private by now, never shown, as %s", n, first)
	return err
}

// repairFeed gives rows the author of their post, and deletes those that are still nobody's to read.
func repairFeed(tx core.App) (total int64, err error) {
	for _, statement := range []string{
		`UPDATE feed AS t SET author = p.author FROM posts p WHERE p.id = t.post AND p.author != t.author`,
		`DELETE FROM feed WHERE id IN (SELECT t.id FROM ` + strays + `)`,
		`DELETE FROM feed WHERE id IN (SELECT t.id FROM ` + idle + `)`,
	} {
		n, err := db.Exec(tx, statement, nil)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}
