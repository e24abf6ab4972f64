package notification

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/sweep"
)

// notLikeCondition begins a condition on the subject of events that are no likes. Likes are found by their recipient,
// the subject's owner, and are not in the index by subject.
const notLikeCondition = `type != 'like' AND `

// retractFromAll takes back what actor did to subject from everybody who was told.
func retractFromAll(tx core.App, kind, subject, actor string) error {
	return deactivate(tx, notLikeCondition+`type = {:t} AND subject = {:s} AND actor = {:a}`, db.Params{"t": kind, "s": subject, "a": actor})
}

// retractFrom takes back what actor did to subject from one recipient.
func retractFrom(tx core.App, recipient, kind, subject, actor string) error {
	return deactivate(tx, `recipient = {:r} AND type = {:t} AND subject = {:s} AND actor = {:a}`,
		db.Params{"r": recipient, "t": kind, "s": subject, "a": actor})
}

// deactivate takes the active events that meet a condition back, and refreshes their groups.
func deactivate(tx core.App, condition string, params db.Params) error {
	return ungroupEvents(tx, `UPDATE notification_events SET active = 0 WHERE active = 1 AND `+condition, params)
}

// ungroupEvents runs a statement that takes events out of their groups, and refreshes those.
func ungroupEvents(tx core.App, statement string, params db.Params) error {
	var groups []groupRow
	if err := db.QueryAll(tx, &groups, statement+` RETURNING recipient, notification AS id`, params); err != nil {
		return fmt.Errorf("take events back: %w", err)
	}
	return refreshGroups(tx, groups)
}

// refreshGroups refreshes each of the notifications once.
func refreshGroups(tx core.App, groups []groupRow) error {
	done := map[string]bool{"": true}
	for _, g := range groups {
		if done[g.ID] {
			continue
		}
		done[g.ID] = true
		if err := refreshGroup(tx, g.Recipient, g.ID); err != nil {
			return err
		}
	}
	return nil
}

// CommentDeleted takes back what people were told because of a deleted comment: that it was a comment, a reply or a
// mention, unless its author has another one on the same subject, and the likes it had. still lists whom the author's
// other texts on the post mention. Call it when queries no longer find the comment among its author's.
func CommentDeleted(tx core.App, comment *core.Record, still []string) error {
	author, post, parent := comment.GetString("author"), comment.GetString("post"), comment.GetString("parent")
	p := db.Params{"author": author, "post": post, "parent": parent, "id": comment.Id, "still": db.JSONList(still)}
	for _, condition := range []string{
		notLikeCondition + `type = 'comment' AND subject = {:post} AND actor = {:author}
			AND NOT EXISTS (SELECT 1 FROM comments WHERE post = {:post} AND author = {:author} AND id != {:id})`,
		notLikeCondition + `type = 'reply' AND {:parent} != '' AND subject = {:parent} AND actor = {:author}
			AND NOT EXISTS (SELECT 1 FROM comments WHERE parent = {:parent} AND author = {:author} AND id != {:id})`,
		notLikeCondition + `type = 'mention' AND subject = {:post} AND actor = {:author} AND recipient NOT IN (SELECT value FROM json_each({:still}))`,
	} {
		if err := deactivate(tx, condition, p); err != nil {
			return fmt.Errorf("comment %s gone: %w", comment.Id, err)
		}
	}
	if err := dropMatching(tx, `type = 'comment_like' AND comment = {:id}`, p); err != nil { // CommentParts delete their events
		return fmt.Errorf("comment %s gone: %w", comment.Id, err)
	}
	return nil
}

// CommentParts have no tray show a comment, the subject's id, that was deleted, and forget the likes that it had.
var CommentParts = []sweep.Part{{From: `notifications WHERE comment = {:id}`, Do: repointComments, Weight: groupWeight}, sweep.DeletePart("notification_events", notLikeCondition+`type = 'comment_like' AND subject = {:id}`)}

// dropMatching takes the few notifications that meet a condition out of their trays.
func dropMatching(tx core.App, condition string, params db.Params) error {
	var groups []groupRow
	if err := db.QueryAll(tx, &groups, `SELECT id, recipient FROM notifications WHERE `+condition, params); err != nil {
		return err
	}
	for _, g := range groups {
		if err := dropNotification(tx, g.Recipient, g.ID); err != nil {
			return err
		}
	}
	return nil
}

// groupRow is a row of notifications.
type groupRow struct {
	ID        string `db:"id"`
	Recipient string `db:"recipient"`
}

// repointComments makes the groups that show a deleted comment, the subject's id, show the newest one that an actor of theirs left on
// the post.
func repointComments(tx core.App, on sweep.Subject, ids []string) error {
	var groups []struct {
		groupRow
		Newest string `db:"newest"`
	}
	err := db.QueryAll(tx, &groups, `SELECT n.id, n.recipient, coalesce((SELECT c.id FROM comments c WHERE c.post = n.post AND NOT c.deleted AND c.id != {:id}
			AND c.author IN (SELECT actor FROM notification_events WHERE notification = n.id AND active = 1)
			ORDER BY c.created DESC LIMIT 1), '') newest
		FROM notifications n WHERE n.id IN (SELECT value FROM json_each({:ids}))`, db.Params{"id": on["id"], "ids": db.JSONList(ids)})
	if err != nil {
		return err
	}
	for _, g := range groups {
		if _, err := db.Exec(tx, `UPDATE notifications SET comment = {:c} WHERE id = {:id}`, db.Params{"c": g.Newest, "id": g.ID}); err != nil {
			return err
		}
		if err := refreshGroup(tx, g.Recipient, g.ID); err != nil {
			return err
		}
	}
	return nil
}

// PostParts remove every notification of a deleted post, the subject's id, of the subject's author, and delete its
// events. The notifications go first, so that no tray shows half of one.
var PostParts = []sweep.Part{
	{From: `notifications WHERE post = {:id}`, Do: dropBatch, Weight: groupWeight},
	{From: `notifications WHERE comment IN (SELECT id FROM comments WHERE post = {:id})`, Do: dropBatch, Weight: groupWeight},
	sweep.DeletePart("notification_events", `recipient = {:author} AND type = 'like' AND subject = {:id}`),
	sweep.DeletePart("notification_events", notLikeCondition+`subject = {:id}`),
	sweep.DeletePart("notification_events", notLikeCondition+`subject IN (SELECT id FROM comments WHERE post = {:id})`),
}

// groupWeight is the cost of a notification that changes, with its seq and its retraction, compared with a deleted
// row.
const groupWeight = 10

// dropBatch takes notifications of what is gone out of their trays; one that tells of several posts tells of another one.
func dropBatch(tx core.App, on sweep.Subject, ids []string) error {
	var groups []struct {
		groupRow
		Type string `db:"type"`
	}
	if err := db.QueryAll(tx, &groups, `SELECT id, recipient, type FROM notifications WHERE id IN (SELECT value FROM json_each({:ids}))`, db.Params{"ids": db.JSONList(ids)}); err != nil {
		return err
	}
	for _, g := range groups {
		if g.Type == TypePost {
			if shown, err := showEarlierPost(tx, on["id"], on["author"], g.groupRow); err != nil {
				return err
			} else if shown {
				continue
			}
		}
		if err := dropNotification(tx, g.Recipient, g.ID); err != nil {
			return err
		}
	}
	return nil
}

// RetractBetweenWork retracts what each of two people, a and b of the subject, was told of the other up to the moment at. What was taken back
// and done again since is updated after it.
var RetractBetweenWork = sweep.Work{Kind: "notification.part", Parts: []sweep.Part{{
	From:   `notification_events WHERE active = 1 AND updated <= {:at} AND ((recipient = {:a} AND actor = {:b}) OR (recipient = {:b} AND actor = {:a}))`,
	Weight: groupWeight,
	Do: func(tx core.App, _ sweep.Subject, ids []string) error {
		return deactivate(tx, sweep.AmongIDs, db.Params{"ids": db.JSONList(ids)})
	},
}}}

// RetractBetween takes back what each of two people was told of the other.
func RetractBetween(tx core.App, a, b string) error {
	return RetractBetweenWork.Begin(tx, sweep.Subject{"a": a, "b": b, "at": clock.Timestamp(tx)})
}

// ForgetActorPart is the part that takes the events of an actor, the subject's user, out of other people's trays.
var ForgetActorPart = sweep.Part{From: `notification_events WHERE actor = {:user}`, Weight: groupWeight, Do: func(tx core.App, _ sweep.Subject, ids []string) error {
	p := db.Params{"ids": db.JSONList(ids)}
	var groups []groupRow
	if err := db.QueryAll(tx, &groups, `SELECT DISTINCT recipient, notification AS id FROM notification_events WHERE notification != '' AND `+sweep.AmongIDs, p); err != nil {
		return fmt.Errorf("find the notifications of events: %w", err)
	}
	if _, err := sweep.DeleteRows(tx, "notification_events", sweep.AmongIDs, p); err != nil {
		return err
	}
	return refreshGroups(tx, groups)
}}

// DetachWork detaches the events of a notification that left the tray, the subject's id, from it. They remember the
// subject's former notification, if it is not empty.
var DetachWork = sweep.Work{Kind: collection.Describe("notifications").GoneJob, Parts: []sweep.Part{
	sweep.UpdatePart("notification_events", `notification = '', former = CASE {:former} WHEN '' THEN former ELSE {:former} END`,
		`notification = {:id} AND NOT EXISTS (SELECT 1 FROM notifications WHERE id = {:id})`),
}}

// DetachEvents detaches the events of a notification that its recipient deleted.
func DetachEvents(tx core.App, id string) error {
	return DetachWork.Begin(tx, sweep.Subject{"id": id, "former": ""})
}

// ExpireOld takes notifications that are too old out of their trays. Their events stay for a while.
func ExpireOld(tx core.App, ids []string) error {
	var groups []groupRow
	if err := db.QueryAll(tx, &groups, `SELECT id, recipient FROM notifications WHERE id IN (SELECT value FROM json_each({:ids}))`, db.Params{"ids": db.JSONList(ids)}); err != nil {
		return fmt.Errorf("find old notifications: %w", err)
	}
	for _, g := range groups {
		if err := retractNotification(tx, g.Recipient, g.ID); err != nil {
			return err
		}
	}
	return nil
}

// MarkReadWork marks the notifications of a user, the subject's, that are earlier than below. An index holds those that are not read, so all of
// them are found, whatever was read before.
var MarkReadWork = sweep.Work{Kind: "notification.read", Parts: []sweep.Part{
	sweep.UpdatePart("notifications", `read = 1, updated = {:now}`, `recipient = {:user} AND read = 0 AND latestAt < {:below}`),
}}

// MarkRead marks the recipient's notifications up to latestAt before as read, and in settings that they are. Other devices learn it
// from settings.readAt.
func MarkRead(tx core.App, recipient, before string) error {
	if err := MarkReadWork.Begin(tx, sweep.Subject{"user": recipient, "below": before + "~"}); err != nil { // ~ sorts behind it
		return fmt.Errorf("mark notifications of %s read: %w", recipient, err)
	}
	_, err := db.Exec(tx, `UPDATE settings SET readAt = {:at}, updated = {:now} WHERE user = {:u} AND readAt < {:at}`,
		db.Params{"at": before, "u": recipient, "now": clock.Timestamp(tx)})
	if err != nil {
		return fmt.Errorf("note what %s has read: %w", recipient, err)
	}
	return nil
}
