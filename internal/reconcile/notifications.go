package reconcile

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/notification"
	"github.com/doubletap/doubletap/internal/sweep"
	"github.com/doubletap/doubletap/internal/visibility"
)

// undoneCondition is the SQL condition of active events whose action has been undone. It leaves out the events of
// accounts that are being erased, whose rows are deleted in steps.
var undoneCondition = `t.active AND CASE t.type
		WHEN 'like' THEN NOT EXISTS (SELECT 1 FROM likes WHERE post = t.subject AND user = t.actor)
		WHEN 'comment_like' THEN NOT EXISTS (SELECT 1 FROM comment_likes WHERE comment = t.subject AND user = t.actor)
		WHEN 'comment' THEN NOT EXISTS (SELECT 1 FROM comments WHERE post = t.subject AND author = t.actor)
		WHEN 'reply' THEN NOT EXISTS (SELECT 1 FROM comments WHERE parent = t.subject AND author = t.actor)
		WHEN 'mention' THEN NOT EXISTS (SELECT 1 FROM posts WHERE id = t.subject AND author = t.actor) AND NOT EXISTS (SELECT 1 FROM comments WHERE post = t.subject AND author = t.actor)
		WHEN 'follow' THEN NOT EXISTS (SELECT 1 FROM follows WHERE follower = t.actor AND followee = t.recipient)
		WHEN 'follow_request' THEN NOT EXISTS (SELECT 1 FROM follows WHERE follower = t.actor AND followee = t.recipient AND state = 'pending')
		WHEN 'follow_accepted' THEN NOT ` + visibility.FollowsSQL("t.recipient", "t.actor") + `
		ELSE 0 END AND NOT EXISTS (SELECT 1 FROM users WHERE id IN (t.actor, t.recipient) AND state = 'deleting')
		AND NOT EXISTS (SELECT 1 FROM ` + sweep.PendingIDs + ` p WHERE p.id IN (t.actor, t.recipient, t.subject))`

// The newest actors of a notification, as JSON with at most 8 names, and the number of all.
const (
	actorsSQL     = `coalesce((SELECT json_group_array(CAST(actor AS TEXT)) FROM (SELECT actor FROM notification_events WHERE notification = t.id AND active = 1 ORDER BY created DESC, rowid DESC LIMIT 8)), '[]')`
	actorCountSQL = `(SELECT count(*) FROM notification_events WHERE notification = t.id AND active = 1)`
)

func notificationInvariants() []*Invariant {
	return []*Invariant{
		{
			Check: "notifications", Name: "self-event", Holds: "Nobody is told of what they did themselves.", Cost: Hourly, Table: "notification_events", Proved: true,
			Broken: `t.actor = t.recipient AND t.active`, Mend: mendByStatements(`UPDATE notification_events SET active = 0 WHERE id IN @ids`),
		},
		{
			Check: "notifications", Name: "undone", Holds: "What was undone is in nobody's tray.", Cost: Hourly, Table: "notification_events", Proved: true, Broken: undoneCondition,
			Mend: mendByStatements(`UPDATE notification_events SET active = 0 WHERE id IN @ids`),
		},
		{
			Check: "notifications", Name: "event-tray", Holds: "An event is in a notification of the one whom it concerns.", Cost: Hourly, Table: "notifications",
			Broken: `EXISTS (SELECT 1 FROM notification_events e WHERE e.notification = t.id AND e.recipient != t.recipient)`, Proved: true,
			Mend: mendByStatements(`UPDATE notification_events AS e SET notification = '' FROM notifications n WHERE n.id = e.notification AND n.id IN @ids AND e.recipient != n.recipient`),
		},
		{
			Check: "notifications", Name: "group-key", Holds: "The key of a notification begins with its type.", Cost: Hourly, Table: "notifications",
			Broken: `substr(t.groupKey, 1, length(t.type) + 1) != t.type || ':'`,
			Mend:   mendByStatements(`UPDATE notifications AS t SET groupKey = type || ':' || coalesce((SELECT subject FROM notification_events WHERE notification = t.id LIMIT 1), '') || ':' || created WHERE id IN @ids`),
		},
		{
			Check: "notifications", Name: "latest", Holds: "A notification says when it last changed for its reader.", Cost: Hourly, Table: "notifications",
			Broken: `julianday(t.latestAt) IS NULL`, Mend: mendByStatements(`UPDATE notifications SET latestAt = coalesce((SELECT max(created) FROM notification_events WHERE notification = notifications.id AND active), created) WHERE id IN @ids`),
		},
		{
			Check: "notifications", Name: "order", Holds: "A change of a tray has a place of its own in their order.", Cost: Hourly, Table: "notifications", Proved: true,
			Broken: `t.seq <= 0 OR EXISTS (SELECT 1 FROM retractions r WHERE r.recipient = t.recipient AND r.seq = t.seq)`, Mend: mendEach(renumberNotification),
		},
		{
			Check: "notifications", Name: "retracted", Holds: "What has left the tray is not in it.", Cost: Hourly, Table: "retractions",
			Broken: `t.notification != '' AND EXISTS (SELECT 1 FROM notifications n WHERE n.id = t.notification AND n.recipient = t.recipient)`, Mend: mendByDelete("retractions", "id"),
		},
		{
			Check: "notifications", Name: "actors", Holds: "A notification names and counts the actors of its events.", Cost: Hourly, Table: "notifications",
			Broken: `t.type NOT IN ('order', 'system') AND (t.actorsCount != ` + actorCountSQL + ` OR t.actors != ` + actorsSQL + `)`, Proved: true, Mend: mendEach(recountActors),
		},
	}
}

// renumberNotification gives a notification the next seq of its recipient's tray.
func renumberNotification(tx core.App, id string) error {
	var recipient string
	found, err := db.QueryValue(tx, &recipient, `SELECT recipient FROM notifications WHERE id = {:id}`, db.Params{"id": id})
	if err != nil || !found {
		return err
	}
	seq, err := notification.NextSeq(tx, recipient)
	if err != nil {
		return err
	}
	_, err = db.Exec(tx, `UPDATE notifications SET seq = {:seq}, updated = {:now} WHERE id = {:id}`, db.Params{"seq": seq, "now": clock.Timestamp(tx), "id": id})
	return err
}

// recountActors gives a notification the actors of its events, as a change that its recipient's devices are sent. If no
// actors are left, the notification leaves the tray.
func recountActors(tx core.App, id string) error {
	var recipient string
	var left int
	found, err := db.QueryRow(tx, `SELECT t.recipient, `+actorCountSQL+` FROM notifications t WHERE t.id = {:id}`, db.Params{"id": id}, &recipient, &left)
	if err != nil || !found {
		return err
	}
	if left == 0 {
		return withdrawNotification(tx, recipient, id)
	}
	if err := renumberNotification(tx, id); err != nil {
		return err
	}
	if _, err = db.Exec(tx, `UPDATE notifications AS t SET actors = `+actorsSQL+`, actorsCount = `+actorCountSQL+` WHERE id = {:id}`, db.Params{"id": id}); err != nil {
		return fmt.Errorf("count the actors of notification %s: %w", id, err)
	}
	return nil
}

// withdrawNotification deletes a notification that has no actors left, and records that for its recipient's devices.
func withdrawNotification(tx core.App, recipient, id string) error {
	if _, err := sweep.DeleteRows(tx, "notifications", `id = {:id}`, db.Params{"id": id}); err != nil {
		return err
	}
	if err := notification.DetachEvents(tx, id); err != nil {
		return err
	}
	return notification.RecordRetraction(tx, recipient, id)
}
