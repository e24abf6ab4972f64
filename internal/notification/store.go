package notification

import (
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/account"
	"doubletap/internal/clock"
	"doubletap/internal/db"
	"doubletap/internal/inbox"
)

const (
	window = 12 * time.Hour // a group takes new actors this long after its first event
	quiet  = 24 * time.Hour // an event that was taken back and repeated is silent this long after its alert
	shown  = 8              // actors that a notification names
)

// event is a row of notification_events: what one actor did, whether it is shown or not.
type event struct {
	ID           string `db:"id"`
	Notification string `db:"notification"`
	Active       bool   `db:"active"`
	Created      string `db:"created"`
	AlertedAt    string `db:"alertedAt"`
}

// tell records n and shows it as its recipient's mutes and preferences say.
func tell(tx core.App, n *Notice) error {
	if n.Recipient == "" || n.Recipient == n.Actor {
		return nil
	}
	var e event
	known, err := db.One(tx, &e, `SELECT id, notification, active, created, alertedAt FROM notification_events
		WHERE recipient = {:r} AND type = {:t} AND subject = {:s} AND actor = {:a}`, n.params())
	if err != nil {
		return fmt.Errorf("tell %s of %s: find event: %w", n.Recipient, n.Type, err)
	}
	if known && e.Active && !n.news() {
		return nil // said already
	}
	now := clock.Now(tx)
	if known && !n.news() && clock.Text(now.Add(-quiet)) < max(e.AlertedAt, e.Created) {
		return repeat(tx, n, e)
	}
	if err := decide(tx, n); err != nil {
		return fmt.Errorf("tell %s of %s: %w", n.Recipient, n.Type, err)
	}
	if !n.List && known && e.Active {
		return nil // what was shown before the mute stays as it was
	}
	return publish(tx, n, e, now)
}

// repeat brings an event back that was taken back a short while ago: silently, in its old
// place. An event that was never shown stays so.
func repeat(tx core.App, n *Notice, e event) error {
	group := ""
	if e.AlertedAt != "" {
		var err error
		if group, err = place(tx, n, e.Created, e.Notification, true); err != nil {
			return err
		}
	}
	_, err := db.Exec(tx, `UPDATE notification_events SET active = 1, notification = {:g} WHERE id = {:id}`,
		db.Params{"g": group, "id": e.ID})
	if err != nil || group == "" {
		return err
	}
	return regroup(tx, n.Recipient, group)
}

// publish stores a fresh event and shows it in its group.
func publish(tx core.App, n *Notice, e event, now time.Time) error {
	at, group, alerted := clock.Text(now), "", ""
	if n.List {
		var err error
		if group, err = place(tx, n, at, "", false); err != nil {
			return err
		}
		alerted = at
	}
	p := n.params()
	p["g"], p["now"], p["alerted"] = group, at, alerted
	_, err := db.Exec(tx, `INSERT INTO notification_events (id, notification, recipient, actor, type, subject, active, alertedAt, created, updated)
		VALUES (`+db.NewID+`, {:g}, {:r}, {:a}, {:t}, {:s}, 1, {:alerted}, {:now}, {:now})
		ON CONFLICT (recipient, type, subject, actor) DO UPDATE
		SET notification = {:g}, active = 1, alertedAt = {:alerted}, created = {:now}, updated = {:now}`, p)
	if err != nil {
		return fmt.Errorf("record %s for %s: %w", n.Type, n.Recipient, err)
	}
	if e.Notification != "" && e.Notification != group && e.Active {
		if err := regroup(tx, n.Recipient, e.Notification); err != nil { // the actor moved on to the new group
			return err
		}
	}
	if group == "" {
		return nil
	}
	_, err = db.Exec(tx, `UPDATE notifications SET latestAt = {:now}, read = 0, post = {:post}, comment = {:comment} WHERE id = {:g}`,
		db.Params{"now": at, "post": n.Post, "comment": n.Comment, "g": group})
	if err != nil {
		return fmt.Errorf("update notification %s: %w", group, err)
	}
	if err := regroup(tx, n.Recipient, group); err != nil {
		return err
	}
	return told(tx, n, group)
}

// place returns the group that an event of time at belongs to: the one it was in, else
// the one that is open, else a new one, which is read already when read says so.
func place(tx core.App, n *Notice, at, former string, read bool) (string, error) {
	var id string
	if former != "" {
		if found, err := db.Value(tx, &id, `SELECT id FROM notifications WHERE id = {:id}`, db.Params{"id": former}); err != nil || found {
			return id, err
		}
	}
	prefix := n.Type + ":" + n.Subject + ":"
	since := clock.Now(tx).Add(-window)
	found, err := db.Value(tx, &id, `SELECT id FROM notifications WHERE recipient = {:r} AND groupKey > {:from} AND groupKey < {:to}
		ORDER BY groupKey DESC LIMIT 1`,
		db.Params{"r": n.Recipient, "from": prefix + clock.Text(since), "to": prefix + "~"})
	if err != nil || found {
		return id, err
	}
	id = core.GenerateDefaultRandomId()
	_, err = db.Exec(tx, `INSERT INTO notifications (id, recipient, type, actors, actorsCount, post, comment, read, latestAt, seq, groupKey, created, updated)
		VALUES ({:id}, {:r}, {:type}, '[]', 0, {:post}, {:comment}, {:read}, {:at}, {:seq}, {:key}, {:now}, {:now})`,
		db.Params{"id": id, "r": n.Recipient, "type": n.Type, "post": n.Post, "comment": n.Comment, "read": read, "at": at,
			"seq": -1, // until regroup gives the real one, next in this transaction
			"key": prefix + at, "now": clock.Stamp(tx)})
	if err != nil {
		return "", fmt.Errorf("create notification of %s for %s: %w", n.Type, n.Recipient, err)
	}
	return id, nil
}

// regroup names the newest actors of a notification, gives it its next seq, and removes it
// when nobody is left. How many they are is a trigger's to count.
func regroup(tx core.App, recipient, id string) error {
	var actors []string
	err := db.Column(tx, &actors, `SELECT actor FROM notification_events
		WHERE notification = {:id} AND active = 1 ORDER BY created DESC, rowid DESC LIMIT {:n}`, db.Params{"id": id, "n": shown})
	if err != nil {
		return fmt.Errorf("name actors of notification %s: %w", id, err)
	}
	if len(actors) == 0 {
		return remove(tx, recipient, id)
	}
	seq, err := NextSeq(tx, recipient)
	if err != nil {
		return err
	}
	_, err = db.Exec(tx, `UPDATE notifications SET actors = {:actors}, seq = {:seq}, updated = {:now} WHERE id = {:id}`,
		db.Params{"actors": db.List(actors), "seq": seq, "now": clock.Stamp(tx), "id": id})
	if err != nil {
		return fmt.Errorf("update notification %s: %w", id, err)
	}
	inbox.Changed(tx, recipient)
	return nil
}

// remove takes a notification out of the tray and leaves its retraction.
func remove(tx core.App, recipient, id string) error {
	if err := Detach(tx, id); err != nil {
		return err
	}
	gone, err := db.Exec(tx, `DELETE FROM notifications WHERE id = {:id}`, db.Params{"id": id})
	if err != nil || gone == 0 {
		return err
	}
	return Leave(tx, recipient, id)
}

// Leave records that a notification left the tray, for devices that were away.
func Leave(tx core.App, recipient, id string) error {
	seq, err := NextSeq(tx, recipient)
	if err != nil {
		return err
	}
	_, err = db.Exec(tx, `INSERT INTO retractions (id, recipient, notification, seq, created, updated)
		VALUES (`+db.NewID+`, {:r}, {:id}, {:seq}, {:now}, {:now})`,
		db.Params{"r": recipient, "id": id, "seq": seq, "now": clock.Stamp(tx)})
	if err != nil {
		return fmt.Errorf("retract notification %s: %w", id, err)
	}
	inbox.Changed(tx, recipient)
	return nil
}

// NextSeq gives the recipient's next seq; the transaction orders all who ask.
func NextSeq(tx core.App, recipient string) (int64, error) {
	var seq int64
	for range 2 {
		found, err := db.Value(tx, &seq, `UPDATE settings SET seq = seq + 1 WHERE user = {:u} RETURNING seq`, db.Params{"u": recipient})
		if err != nil {
			return 0, fmt.Errorf("next seq of %s: %w", recipient, err)
		}
		if found {
			return seq, nil
		}
		if err := account.MakeSettings(tx, recipient); err != nil { // written past our hooks, by SQL or an import
			return 0, err
		}
	}
	return 0, fmt.Errorf("next seq of %s: no such user", recipient)
}

func (n *Notice) params() db.Params {
	return db.Params{"r": n.Recipient, "t": n.Type, "s": n.Subject, "a": n.Actor}
}
