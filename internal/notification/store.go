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
	window = 12 * time.Hour // a group takes new actors this long after its first event
	quiet  = 24 * time.Hour // an event that was taken back and repeated is silent this long after its alert
	shown  = 8              // actors that a notification names
)

// tell records n and shows it as its recipient's mutes and preferences say.
func tell(tx core.App, n *Notice) error {
	if n.Recipient == "" || n.Recipient == n.Actor {
		return nil
	}
	now := clock.Now(tx)
	was, found, err := look(tx, n, now)
	if err != nil {
		return fmt.Errorf("tell %s of %s: %w", n.Recipient, n.Type, err)
	}
	if !found || was.event.active && !n.news() {
		return nil // nobody to tell, or said already
	}
	if was.event.known() && !n.news() && clock.Text(now.Add(-quiet)) < max(was.event.alertedAt, was.event.created) {
		return repeat(tx, n, was.event)
	}
	if err := decide(tx, n, was, now); err != nil {
		return fmt.Errorf("tell %s of %s: %w", n.Recipient, n.Type, err)
	}
	if !n.List && was.event.active {
		return nil // what was shown before the mute stays as it was
	}
	return publish(tx, n, was, clock.Text(now))
}

// repeat brings an event back that was taken back a short while ago: silently, in its old
// place. An event that was never shown stays so.
func repeat(tx core.App, n *Notice, e event) error {
	group := ""
	if e.alertedAt != "" {
		var err error
		if group, err = place(tx, n, e); err != nil {
			return err
		}
	}
	_, err := db.Exec(tx, `UPDATE notification_events SET active = 1, notification = {:g}, updated = {:now} WHERE id = {:id}`,
		db.Params{"g": group, "id": e.id, "now": clock.Stamp(tx)})
	if err != nil || group == "" {
		return err
	}
	return regroup(tx, n.Recipient, group)
}

// publish stores a fresh event and shows it in the group that is open, else in a new one. What it inserts, it inserts OR FAIL,
// as like.Store does.
func publish(tx core.App, n *Notice, was *before, at string) error {
	group, alerted := "", ""
	if n.List {
		seq, err := NextSeq(tx, n.Recipient)
		if err != nil {
			return err
		}
		if group, alerted = was.group, at; group == "" {
			group, err = open(tx, n, was.event.former, at, seq)
		} else {
			err = move(tx, n, group, newest(n.Actor, was.actors), at, seq)
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
	if was.event.known() { // made anew, it comes after all that are there
		if _, err := db.Exec(tx, `DELETE FROM notification_events WHERE id = {:id}`, db.Params{"id": was.event.id}); err != nil {
			return fmt.Errorf("forget the former %s for %s: %w", n.Type, n.Recipient, err)
		}
	}
	p := n.params()
	p["id"], p["g"], p["now"], p["alerted"], p["silent"] = db.OrderedID(tx), group, at, alerted, n.overBudget
	_, err := db.Exec(tx, `INSERT OR FAIL INTO notification_events (id, notification, recipient, actor, type, subject, active, alertedAt, silent, created, updated)
		VALUES ({:id}, {:g}, {:r}, {:a}, {:t}, {:s}, 1, {:alerted}, {:silent}, {:now}, {:now})`, p)
	if err != nil {
		return fmt.Errorf("record %s for %s: %w", n.Type, n.Recipient, err)
	}
	if former := was.event.notification; was.event.active && former != "" && former != group {
		if err := regroup(tx, n.Recipient, former); err != nil { // the actor moved on to the new group
			return err
		}
	}
	if group == "" {
		return nil
	}
	inbox.Changed(tx, n.Recipient)
	return told(tx, n, group)
}

// open makes a notification for its first event, under the id of the former one that left the tray, if there was one: the
// retraction ends, as a device that was away finds the notification behind it. How many its actors are is a trigger's to count.
func open(tx core.App, n *Notice, former, at string, seq int64) (id string, err error) {
	id = db.OrderedID(tx)
	if former != "" {
		if id, err = revive(tx, n, former, id); err != nil {
			return "", err
		}
	}
	_, err = db.Exec(tx, `INSERT OR FAIL INTO notifications (id, recipient, type, actors, actorsCount, post, comment, read, latestAt, seq, groupKey, created, updated)
		VALUES ({:id}, {:r}, {:type}, {:actors}, 0, {:post}, {:comment}, 0, {:at}, {:seq}, {:key}, {:now}, {:now})`,
		db.Params{"id": id, "r": n.Recipient, "type": n.Type, "actors": db.List([]string{n.Actor}), "post": n.Post, "comment": n.Comment,
			"at": at, "seq": seq, "key": n.group() + at, "now": at})
	if err != nil {
		return "", fmt.Errorf("create notification of %s for %s: %w", n.Type, n.Recipient, err)
	}
	return id, nil
}

// revive ends the retraction of a former notification and returns its id; where another actor has brought it back, or a job has yet to
// detach events from it, the fresh one: they would be in it again, uncounted.
func revive(tx core.App, n *Notice, former, fresh string) (string, error) {
	var one int
	there, err := db.Value(tx, &one, `SELECT 1 FROM notifications WHERE id = {:id} UNION ALL SELECT 1 FROM notification_events WHERE notification = {:id} LIMIT 1`,
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

// move brings a notification to the front of the tray for one more event.
func move(tx core.App, n *Notice, id string, actors []string, at string, seq int64) error {
	statement := `UPDATE notifications SET actors = {:actors}, latestAt = {:at}, read = 0, seq = {:seq}, updated = {:at} WHERE id = {:id}`
	switch { // the newest is shown
	case n.Comment != "":
		statement = `UPDATE notifications SET actors = {:actors}, latestAt = {:at}, read = 0, seq = {:seq}, updated = {:at}, comment = {:comment} WHERE id = {:id}`
	case n.Type == Post:
		statement = `UPDATE notifications SET actors = {:actors}, latestAt = {:at}, read = 0, seq = {:seq}, updated = {:at}, post = {:post} WHERE id = {:id}`
	}
	_, err := db.Exec(tx, statement, db.Params{"actors": db.List(actors), "at": at, "seq": seq, "comment": n.Comment, "post": n.Post, "id": id})
	if err != nil {
		return fmt.Errorf("update notification %s: %w", id, err)
	}
	return nil
}

// newest puts actor before the others that a notification names.
func newest(actor string, others []string) []string {
	named := []string{actor}
	for _, other := range others {
		if other != actor && len(named) < shown {
			named = append(named, other)
		}
	}
	return named
}

// place returns the group that a repeated event belongs to: the one it was in, else the one that is open, else a new one,
// which is read already.
func place(tx core.App, n *Notice, e event) (string, error) {
	var id string
	for _, was := range []string{e.notification, e.former} {
		if was == "" {
			continue
		}
		if found, err := db.Value(tx, &id, `SELECT id FROM notifications WHERE id = {:id}`, db.Params{"id": was}); err != nil || found {
			return id, err
		}
	}
	found, err := db.Value(tx, &id, openGroup, db.Params{"r": n.Recipient, "from": n.group() + clock.Text(clock.Now(tx).Add(-window)), "to": n.group() + "~"})
	if err != nil || found {
		return id, err
	}
	if id, err = open(tx, n, e.former, e.created, -1); err != nil { // regroup gives the real seq, next in this transaction
		return "", err
	}
	_, err = db.Exec(tx, `UPDATE notifications SET read = 1, actors = '[]' WHERE id = {:id}`, db.Params{"id": id})
	return id, err
}

// group is how the keys of the groups that n may be shown in begin; the time of the first event follows.
func (n *Notice) group() string { return n.Type + ":" + n.Subject + ":" }

func (n *Notice) params() db.Params {
	return db.Params{"r": n.Recipient, "t": n.Type, "s": n.Subject, "a": n.Actor}
}
