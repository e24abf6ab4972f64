package notification

import (
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
	"doubletap/internal/db"
	"doubletap/internal/inbox"
)

const (
	groupWindow        = 12 * time.Hour // a group takes new actors this long after its first event
	silentRepeatWindow = 24 * time.Hour // an event that was taken back and repeated is silent this long after its alert
	maxNamedActors     = 8              // actors that a notification names
)

// notifyRecipient records n and shows it as its recipient's mutes and preferences say.
func notifyRecipient(tx core.App, n *Event) error {
	if n.Recipient == "" || n.Recipient == n.Actor {
		return nil
	}
	now := clock.Now(tx)
	was, found, err := findPriorState(tx, n, now)
	if err != nil {
		return fmt.Errorf("tell %s of %s: %w", n.Recipient, n.Type, err)
	}
	if !found || was.event.active && !n.isNewEachTime() {
		return nil // nobody to tell, or said already
	}
	if was.event.isStored() && !n.isNewEachTime() && clock.FormatTime(now.Add(-silentRepeatWindow)) < max(was.event.alertedAt, was.event.created) {
		return restoreEvent(tx, n, was.event)
	}
	if err := decidePlan(tx, n, was, now); err != nil {
		return fmt.Errorf("tell %s of %s: %w", n.Recipient, n.Type, err)
	}
	if !n.List && was.event.active {
		return nil // what was shown before the mute stays as it was
	}
	return publishEvent(tx, n, was, clock.FormatTime(now))
}

// restoreEvent brings an event back that was taken back a short while ago: silently, in its old
// place. An event that was never shown stays so.
func restoreEvent(tx core.App, n *Event, e storedEvent) error {
	group := ""
	if e.alertedAt != "" {
		var err error
		if group, err = findGroup(tx, n, e); err != nil {
			return err
		}
	}
	_, err := db.Exec(tx, `UPDATE notification_events SET active = 1, notification = {:g}, updated = {:now} WHERE id = {:id}`,
		db.Params{"g": group, "id": e.id, "now": clock.Timestamp(tx)})
	if err != nil || group == "" {
		return err
	}
	return refreshGroup(tx, n.Recipient, group)
}

// publishEvent stores a fresh event and shows it in the group that is open, else in a new one. What it inserts, it inserts OR FAIL,
// as like.Store does.
func publishEvent(tx core.App, n *Event, was *priorState, at string) error {
	group, alerted := "", ""
	if n.List {
		seq, err := NextSeq(tx, n.Recipient)
		if err != nil {
			return err
		}
		if group, alerted = was.group, at; group == "" {
			group, err = openNotification(tx, n, was.event.former, at, seq)
		} else {
			err = moveToFront(tx, n, group, newestActors(n.Actor, was.actors), at, seq)
		}
		if err != nil {
			return err
		}
		if !n.Live {
			if _, err := db.Exec(tx, `UPDATE notifications SET silent = {:seq} WHERE id = {:id}`, db.Params{"seq": seq, "id": group}); err != nil {
				return fmt.Errorf("keep notification %s silent: %w", group, err)
			}
		}
	}
	if was.event.isStored() { // made anew, it comes after all that are there
		if _, err := db.Exec(tx, `DELETE FROM notification_events WHERE id = {:id}`, db.Params{"id": was.event.id}); err != nil {
			return fmt.Errorf("forget the former %s for %s: %w", n.Type, n.Recipient, err)
		}
	}
	p := n.sqlParams()
	p["id"], p["g"], p["now"], p["alerted"], p["silent"] = db.OrderedID(tx), group, at, alerted, n.overBudget
	_, err := db.Exec(tx, `INSERT OR FAIL INTO notification_events (id, notification, recipient, actor, type, subject, active, alertedAt, silent, created, updated)
		VALUES ({:id}, {:g}, {:r}, {:a}, {:t}, {:s}, 1, {:alerted}, {:silent}, {:now}, {:now})`, p)
	if err != nil {
		return fmt.Errorf("record %s for %s: %w", n.Type, n.Recipient, err)
	}
	if former := was.event.notification; was.event.active && former != "" && former != group {
		if err := refreshGroup(tx, n.Recipient, former); err != nil { // the actor moved on to the new group
			return err
		}
	}
	if group == "" {
		return nil
	}
	inbox.NotificationsChanged(tx, n.Recipient)
	return tellListener(tx, n, group)
}

// openNotification makes a notification for its first event, under the id of the former one that left the tray, if there was one: the
// retraction ends, as a device that was away finds the notification behind it. How many its actors are is a trigger's to count.
func openNotification(tx core.App, n *Event, former, at string, seq int64) (id string, err error) {
	id = db.OrderedID(tx)
	if former != "" {
		if id, err = endRetraction(tx, n, former, id); err != nil {
			return "", err
		}
	}
	_, err = db.Exec(tx, `INSERT OR FAIL INTO notifications (id, recipient, type, actors, actorsCount, post, comment, read, latestAt, seq, groupKey, created, updated)
		VALUES ({:id}, {:r}, {:type}, {:actors}, 0, {:post}, {:comment}, 0, {:at}, {:seq}, {:key}, {:now}, {:now})`,
		db.Params{"id": id, "r": n.Recipient, "type": n.Type, "actors": db.JSONList([]string{n.Actor}), "post": n.Post, "comment": n.Comment,
			"at": at, "seq": seq, "key": n.groupPrefix() + at, "now": at})
	if err != nil {
		return "", fmt.Errorf("create notification of %s for %s: %w", n.Type, n.Recipient, err)
	}
	return id, nil
}

// endRetraction ends the retraction of a former notification and returns its id; where another actor has brought it back, or a job has yet to
// detach events from it, the fresh one: they would be in it again, uncounted.
func endRetraction(tx core.App, n *Event, former, fresh string) (string, error) {
	var one int
	there, err := db.QueryValue(tx, &one, `SELECT 1 FROM notifications WHERE id = {:id} UNION ALL SELECT 1 FROM notification_events WHERE notification = {:id} LIMIT 1`,
		db.Params{"id": former})
	if err != nil || there {
		return fresh, err
	}
	_, err = db.Exec(tx, `DELETE FROM retractions WHERE recipient = {:r} AND notification = {:id}`, db.Params{"r": n.Recipient, "id": former})
	if err != nil {
		return "", fmt.Errorf("end the retraction of notification %s: %w", former, err)
	}
	return former, nil
}

// moveToFront brings a notification to the front of the tray for one more event.
func moveToFront(tx core.App, n *Event, id string, actors []string, at string, seq int64) error {
	statement := `UPDATE notifications SET actors = {:actors}, latestAt = {:at}, read = 0, seq = {:seq}, updated = {:at} WHERE id = {:id}`
	switch { // the newest is shown
	case n.Comment != "":
		statement = `UPDATE notifications SET actors = {:actors}, latestAt = {:at}, read = 0, seq = {:seq}, updated = {:at}, comment = {:comment} WHERE id = {:id}`
	case n.Type == TypePost:
		statement = `UPDATE notifications SET actors = {:actors}, latestAt = {:at}, read = 0, seq = {:seq}, updated = {:at}, post = {:post} WHERE id = {:id}`
	}
	_, err := db.Exec(tx, statement, db.Params{"actors": db.JSONList(actors), "at": at, "seq": seq, "comment": n.Comment, "post": n.Post, "id": id})
	if err != nil {
		return fmt.Errorf("update notification %s: %w", id, err)
	}
	return nil
}

// newestActors puts actor before the others that a notification names.
func newestActors(actor string, others []string) []string {
	named := []string{actor}
	for _, other := range others {
		if other != actor && len(named) < maxNamedActors {
			named = append(named, other)
		}
	}
	return named
}

// findGroup returns the group that a repeated event belongs to: the one it was in, else the one that is open, else a new one,
// which is read already.
func findGroup(tx core.App, n *Event, e storedEvent) (string, error) {
	var id string
	for _, was := range []string{e.notification, e.former} {
		if was == "" {
			continue
		}
		if found, err := db.QueryValue(tx, &id, `SELECT id FROM notifications WHERE id = {:id}`, db.Params{"id": was}); err != nil || found {
			return id, err
		}
	}
	found, err := db.QueryValue(tx, &id, openGroupQuery, db.Params{"r": n.Recipient, "from": n.groupPrefix() + clock.FormatTime(clock.Now(tx).Add(-groupWindow)), "to": n.groupPrefix() + "~"})
	if err != nil || found {
		return id, err
	}
	if id, err = openNotification(tx, n, e.former, e.created, -1); err != nil { // regroup gives the real seq, next in this transaction
		return "", err
	}
	_, err = db.Exec(tx, `UPDATE notifications SET read = 1, actors = '[]' WHERE id = {:id}`, db.Params{"id": id})
	return id, err
}

// groupPrefix is how the keys of the groups that n may be shown in begin; the time of the first event follows.
func (n *Event) groupPrefix() string { return n.Type + ":" + n.Subject + ":" }

func (n *Event) sqlParams() db.Params {
	return db.Params{"r": n.Recipient, "t": n.Type, "s": n.Subject, "a": n.Actor}
}
