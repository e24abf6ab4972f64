package notification

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
	"doubletap/internal/db"
)

// unlike begins a condition on the subject of events that are no likes: these are found by their recipient, the
// subject's owner, and spared the index by subject.
const unlike = `type != 'like' AND `

// retract takes back what actor did to subject, from everybody who was told.
func retract(tx core.App, kind, subject, actor string) error {
	return deactivate(tx, unlike+`type = {:t} AND subject = {:s} AND actor = {:a}`, db.Params{"t": kind, "s": subject, "a": actor})
}

// retractFrom takes it back from one recipient.
func retractFrom(tx core.App, recipient, kind, subject, actor string) error {
	return deactivate(tx, `recipient = {:r} AND type = {:t} AND subject = {:s} AND actor = {:a}`,
		db.Params{"r": recipient, "t": kind, "s": subject, "a": actor})
}

// deactivate ends the active events that meet a condition and counts their groups anew.
func deactivate(tx core.App, condition string, params db.Params) error {
	return ungroup(tx, `UPDATE notification_events SET active = 0 WHERE active = 1 AND `+condition, params)
}

// ungroup runs a statement that takes events out of their groups, and counts those anew.
func ungroup(tx core.App, statement string, params db.Params) error {
	var groups []struct {
		Recipient    string `db:"recipient"`
		Notification string `db:"notification"`
	}
	if err := db.All(tx, &groups, statement+` RETURNING recipient, notification`, params); err != nil {
		return fmt.Errorf("take events back: %w", err)
	}
	done := map[string]bool{"": true}
	for _, g := range groups {
		if done[g.Notification] {
			continue
		}
		done[g.Notification] = true
		if err := regroup(tx, g.Recipient, g.Notification); err != nil {
			return err
		}
	}
	return nil
}

// CommentGone takes back what a deleted comment told: it as a comment, a reply or a
// mention unless its author said another on the same subject, and the likes it had.
// still lists whom the author's remaining words on the post mention. Call it
// when the comment can no longer be found among its author's.
func CommentGone(tx core.App, comment *core.Record, still []string) error {
	author, post, parent := comment.GetString("author"), comment.GetString("post"), comment.GetString("parent")
	p := db.Params{"author": author, "post": post, "parent": parent, "id": comment.Id, "still": db.List(still)}
	for _, condition := range []string{
		unlike + `type = 'comment' AND subject = {:post} AND actor = {:author}
			AND NOT EXISTS (SELECT 1 FROM comments WHERE post = {:post} AND author = {:author} AND id != {:id})`,
		unlike + `type = 'reply' AND {:parent} != '' AND subject = {:parent} AND actor = {:author}
			AND NOT EXISTS (SELECT 1 FROM comments WHERE parent = {:parent} AND author = {:author} AND id != {:id})`,
		unlike + `type = 'mention' AND subject = {:post} AND actor = {:author} AND recipient NOT IN (SELECT value FROM json_each({:still}))`,
	} {
		if err := deactivate(tx, condition, p); err != nil {
			return fmt.Errorf("comment %s gone: %w", comment.Id, err)
		}
	}
	if err := ungroup(tx, `DELETE FROM notification_events WHERE `+unlike+`type = 'comment_like' AND subject = {:id}`, p); err != nil {
		return fmt.Errorf("comment %s gone: %w", comment.Id, err)
	}
	return repoint(tx, comment.Id)
}

// repoint makes the groups that show a deleted comment show the newest one that an actor of
// theirs left on the post, since a comment takes what points at it along.
func repoint(tx core.App, comment string) error {
	var groups []struct {
		ID        string `db:"id"`
		Recipient string `db:"recipient"`
		Newest    string `db:"newest"`
	}
	err := db.All(tx, &groups, `SELECT n.id, n.recipient, coalesce((SELECT c.id FROM comments c WHERE c.post = n.post AND NOT c.deleted AND c.id != {:c}
			AND c.author IN (SELECT actor FROM notification_events WHERE notification = n.id AND active = 1)
			ORDER BY c.created DESC LIMIT 1), '') newest
		FROM notifications n WHERE n.comment = {:c}`, db.Params{"c": comment})
	if err != nil {
		return err
	}
	for _, g := range groups {
		if _, err := db.Exec(tx, `UPDATE notifications SET comment = {:c} WHERE id = {:id}`, db.Params{"c": g.Newest, "id": g.ID}); err != nil {
			return err
		}
		if err := regroup(tx, g.Recipient, g.ID); err != nil {
			return err
		}
	}
	return nil
}

// PostGone removes every notification of a post that is about to go, and forgets its events.
func PostGone(tx core.App, post string) error {
	var groups []struct {
		ID        string `db:"id"`
		Recipient string `db:"recipient"`
	}
	p := db.Params{"post": post}
	if err := showFormer(tx, post); err != nil {
		return err
	}
	if err := db.All(tx, &groups, `SELECT id, recipient FROM notifications WHERE post = {:post}`, p); err != nil {
		return err
	}
	for _, g := range groups {
		if err := remove(tx, g.Recipient, g.ID); err != nil {
			return err
		}
	}
	for _, condition := range []string{
		`recipient = (SELECT author FROM posts WHERE id = {:post}) AND type = 'like' AND subject = {:post}`,
		unlike + `subject = {:post}`,
		unlike + `subject IN (SELECT id FROM comments WHERE post = {:post})`,
	} {
		if _, err := db.Exec(tx, `DELETE FROM notification_events WHERE `+condition, p); err != nil {
			return fmt.Errorf("forget events of post %s: %w", post, err)
		}
	}
	return nil
}

// Part retracts what each of two people was told of the other.
func Part(tx core.App, a, b string) error {
	return deactivate(tx, `((recipient = {:a} AND actor = {:b}) OR (recipient = {:b} AND actor = {:a}))`, db.Params{"a": a, "b": b})
}

// Forget takes up to most events of an actor out of other people's trays and returns
// how many there were.
func Forget(tx core.App, actor string, most int) (int64, error) {
	p := db.Params{"a": actor, "n": most}
	const some = `(SELECT id FROM notification_events WHERE actor = {:a} LIMIT {:n})`
	var n int64
	if _, err := db.Value(tx, &n, `SELECT count(*) FROM `+some, p); err != nil || n == 0 {
		return 0, err
	}
	return n, ungroup(tx, `DELETE FROM notification_events WHERE id IN `+some, p)
}

// Detach takes the events of a notification out of it before its recipient deletes it.
func Detach(tx core.App, id string) error {
	_, err := db.Exec(tx, `UPDATE notification_events SET notification = '' WHERE notification = {:id}`, db.Params{"id": id})
	return err
}

// PurgeJob is the kind of the job that forgets old retractions.
const PurgeJob = "notification.purge"

// Purge deletes retractions older than 7 days, which is how long a device may be away and still catch up.
func Purge(app core.App) error {
	_, err := db.Exec(app, `DELETE FROM retractions WHERE created < {:since}`,
		db.Params{"since": clock.Text(clock.Now(app).AddDate(0, 0, -7))})
	if err != nil {
		return fmt.Errorf("purge retractions: %w", err)
	}
	return nil
}

// MarkRead marks the recipient's notifications up to latestAt before as read, in one statement. Other
// devices learn it from settings.readAt.
func MarkRead(tx core.App, recipient, before string) error {
	_, err := db.Exec(tx, `UPDATE notifications SET read = 1, updated = {:now} WHERE recipient = {:r} AND read = 0 AND latestAt <= {:before}`,
		db.Params{"r": recipient, "before": before, "now": clock.Stamp(tx)})
	if err != nil {
		return fmt.Errorf("mark notifications of %s read: %w", recipient, err)
	}
	return nil
}
