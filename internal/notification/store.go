package notification

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/deliver"
	"github.com/doubletap/doubletap/internal/inbox"
	"github.com/doubletap/doubletap/internal/sweep"
	"github.com/doubletap/doubletap/internal/visibility"
)

const (
	groupWindow        = 12 * time.Hour // a group takes new actors for this long after its first event
	silentRepeatWindow = 24 * time.Hour // an event that was taken back and repeated is silent for this long after its alert
	maxNamedActors     = 8              // actors that a notification names at most
)

// notifyRecipient records an event and shows it as its recipient's mutes and preferences say. It does nothing when the
// recipient is the actor or does not exist, or was told already.
func notifyRecipient(tx core.App, e *Event) error {
	if e.Recipient == "" || e.Recipient == e.Actor {
		return nil
	}
	now := clock.Now(tx)
	was, found, err := findPriorState(tx, e, now)
	if err != nil {
		return fmt.Errorf("tell %s of %s: %w", e.Recipient, e.Type, err)
	}
	if !found || was.event.active && !e.isNewEachTime() {
		return nil // no such recipient, or told already
	}
	if was.event.isStored() && !e.isNewEachTime() && clock.FormatTime(now.Add(-silentRepeatWindow)) < max(was.event.alertedAt, was.event.created) {
		return restoreEvent(tx, e, was.event)
	}
	if err := decidePlan(tx, e, was, now); err != nil {
		return fmt.Errorf("tell %s of %s: %w", e.Recipient, e.Type, err)
	}
	if !e.List && was.event.active {
		return nil // what was shown before the mute stays as it was
	}
	return publishEvent(tx, e, was, clock.FormatTime(now))
}

// storedEvent is a row of notification_events: what one actor did, whether it is shown or not.
type storedEvent struct {
	id, notification   string
	former             string // the notification that it was in when that left the tray, or empty
	active             bool
	created, alertedAt string
}

func (e *storedEvent) isStored() bool { return e.id != "" }

// priorState is what was stored before an event: all that decides how its recipient is told.
type priorState struct {
	preferences  deliver.StoredPreferences
	muted        bool        // the recipient has muted the actor or the post, or one of the two blocks the other
	follows      bool        // the recipient follows the actor
	reachable    bool        // there may be something to send to the recipient's devices or mailbox
	event        storedEvent // the actor's former event of this type on this subject, if isStored
	group        string      // the notification that still takes actors, or empty
	actors       []string
	recentAlerts int // alerts that the recipient had of the actor within an hour, about other things
}

// openGroupQuery finds the group that still takes new actors.
const openGroupQuery = `SELECT id FROM notifications WHERE recipient = {:r} AND groupKey > {:from} AND groupKey < {:to} ORDER BY groupKey DESC LIMIT 1`

// alertCountQuery counts an actor's alerts to a recipient since {:hour}, up to {:most}.
const alertCountQuery = `SELECT count(*) FROM (SELECT 1 FROM notification_events x WHERE x.actor = {:a} AND x.recipient = {:r} AND x.alertedAt > {:hour}
	AND NOT x.silent AND NOT (x.type = {:t} AND x.subject = {:s}) LIMIT {:most})`

// unwantedCondition is true when the recipient u is not to be told of the actor {:a}, or of the post {:post}.
var unwantedCondition = visibility.SilencesUserSQL("u.id", "{:a}") + " OR " + visibility.SilencesPostSQL("u.id", "{:post}") + " OR " + visibility.EitherBlocksSQL("u.id", "{:a}")

// findPriorState reads the prior state in one statement, as likes come by the thousand. It returns false when there is
// no such recipient.
func findPriorState(tx core.App, e *Event, now time.Time) (*priorState, bool, error) {
	p := e.sqlParams()
	p["post"], p["now"], p["from"], p["to"] = e.Post, clock.FormatTime(now), e.groupPrefix()+clock.FormatTime(now.Add(-groupWindow)), e.groupPrefix()+"~"
	p["hour"], p["most"] = clock.FormatTime(now.Add(-time.Hour)), maxAlertsPerHour
	var b priorState
	var actors string
	columns := []any{&b.muted, &b.follows, &b.reachable,
		&b.event.id, &b.event.notification, &b.event.active, &b.event.created, &b.event.alertedAt, &b.event.former, &b.group, &actors, &b.recentAlerts}
	found, err := db.QueryRow(tx, `SELECT `+unwantedCondition+`, `+visibility.FollowsSQL("u.id", "{:a}")+`, `+deliver.ReachableCondition+`,
			coalesce(e.id, ''), coalesce(e.notification, ''), coalesce(e.active, 0), coalesce(e.created, ''), coalesce(e.alertedAt, ''), coalesce(e.former, ''),
			coalesce(g.id, ''), coalesce(g.actors, '[]'), (`+alertCountQuery+`), `+deliver.PreferenceColumns+`
		FROM users u LEFT JOIN settings s ON s.user = u.id
		LEFT JOIN notification_events e ON e.recipient = u.id AND e.type = {:t} AND e.subject = {:s} AND e.actor = {:a}
		LEFT JOIN notifications g ON g.id = (`+openGroupQuery+`)
		WHERE u.id = {:r}`, p,
		append(columns, b.preferences.ScanTargets()...)...)
	if err != nil {
		return nil, false, err
	}
	if found {
		if err := json.Unmarshal([]byte(actors), &b.actors); err != nil {
			return nil, false, fmt.Errorf("actors of notification %s: %w", b.group, err)
		}
	}
	return &b, found, nil
}

// restoreEvent brings back an event that was taken back a short while ago: silently, in its old place. An event that
// was never shown stays hidden.
func restoreEvent(tx core.App, e *Event, stored storedEvent) error {
	group := ""
	if stored.alertedAt != "" {
		var err error
		if group, err = findGroup(tx, e, stored); err != nil {
			return err
		}
	}
	_, err := db.Exec(tx, `UPDATE notification_events SET active = 1, notification = {:g}, updated = {:now} WHERE id = {:id}`,
		db.Params{"g": group, "id": stored.id, "now": clock.Timestamp(tx)})
	if err != nil || group == "" {
		return err
	}
	return refreshGroup(tx, e.Recipient, group)
}

// publishEvent stores a new event and shows it in the open group, else in a new one. It inserts OR FAIL, as
// like.InsertRow does.
func publishEvent(tx core.App, e *Event, was *priorState, at string) error {
	group, alerted := "", ""
	if e.List {
		seq, err := NextSeq(tx, e.Recipient)
		if err != nil {
			return err
		}
		if group, alerted = was.group, at; group == "" {
			group, err = openNotification(tx, e, was.event.former, at, seq)
		} else {
			err = moveToFront(tx, e, group, newestActors(e.Actor, was.actors), at, seq)
		}
		if err != nil {
			return err
		}
		if !e.Live {
			if _, err := db.Exec(tx, `UPDATE notifications SET silent = {:seq} WHERE id = {:id}`, db.Params{"seq": seq, "id": group}); err != nil {
				return fmt.Errorf("keep notification %s silent: %w", group, err)
			}
		}
	}
	if was.event.isStored() { // a new row sorts after all that are there
		if _, err := sweep.DeleteRows(tx, "notification_events", `id = {:id}`, db.Params{"id": was.event.id}); err != nil {
			return fmt.Errorf("forget the former %s for %s: %w", e.Type, e.Recipient, err)
		}
	}
	p := e.sqlParams()
	p["id"], p["g"], p["now"], p["alerted"], p["silent"] = db.OrderedID(tx), group, at, alerted, e.overBudget
	_, err := db.Exec(tx, `INSERT OR FAIL INTO notification_events (id, notification, recipient, actor, type, subject, active, alertedAt, silent, created, updated)
		VALUES ({:id}, {:g}, {:r}, {:a}, {:t}, {:s}, 1, {:alerted}, {:silent}, {:now}, {:now})`, p)
	if err != nil {
		return fmt.Errorf("record %s for %s: %w", e.Type, e.Recipient, err)
	}
	if former := was.event.notification; was.event.active && former != "" && former != group {
		if err := refreshGroup(tx, e.Recipient, former); err != nil { // the actor moves to the new group
			return err
		}
	}
	if group == "" {
		return nil
	}
	inbox.NotificationsChanged(tx, e.Recipient)
	return tellListener(tx, e, group)
}

// openNotification creates a notification for its first event. If a former notification left the tray, it takes over
// that one's id and ends its retraction, since a device that was away gets the notification after the retraction. A
// trigger counts its actors.
func openNotification(tx core.App, e *Event, former, at string, seq int64) (id string, err error) {
	id = db.OrderedID(tx)
	if former != "" {
		if id, err = endRetraction(tx, e, former, id); err != nil {
			return "", err
		}
	}
	_, err = db.Exec(tx, `INSERT OR FAIL INTO notifications (id, recipient, type, actors, actorsCount, post, comment, read, latestAt, seq, groupKey, created, updated)
		VALUES ({:id}, {:r}, {:type}, {:actors}, 0, {:post}, {:comment}, 0, {:at}, {:seq}, {:key}, {:now}, {:now})`,
		db.Params{"id": id, "r": e.Recipient, "type": e.Type, "actors": db.JSONList([]string{e.Actor}), "post": e.Post, "comment": e.Comment,
			"at": at, "seq": seq, "key": e.groupPrefix() + at, "now": at})
	if err != nil {
		return "", fmt.Errorf("create notification of %s for %s: %w", e.Type, e.Recipient, err)
	}
	return id, nil
}

// endRetraction ends the retraction of a former notification and returns its id. It returns fresh instead where
// another actor has brought the former one back, or where a job has yet to detach events from it: those would be in it
// again, uncounted.
func endRetraction(tx core.App, e *Event, former, fresh string) (string, error) {
	var one int
	there, err := db.QueryValue(tx, &one, `SELECT 1 FROM notifications WHERE id = {:id} UNION ALL SELECT 1 FROM notification_events WHERE notification = {:id} LIMIT 1`,
		db.Params{"id": former})
	if err != nil || there {
		return fresh, err
	}
	_, err = sweep.DeleteRows(tx, "retractions", `recipient = {:r} AND notification = {:id}`, db.Params{"r": e.Recipient, "id": former})
	if err != nil {
		return "", fmt.Errorf("end the retraction of notification %s: %w", former, err)
	}
	return former, nil
}

// moveToFront brings a notification to the front of the tray for one more event.
func moveToFront(tx core.App, e *Event, id string, actors []string, at string, seq int64) error {
	statement := `UPDATE notifications SET actors = {:actors}, latestAt = {:at}, read = 0, seq = {:seq}, updated = {:at} WHERE id = {:id}`
	switch { // the newest comment or post is shown
	case e.Comment != "":
		statement = `UPDATE notifications SET actors = {:actors}, latestAt = {:at}, read = 0, seq = {:seq}, updated = {:at}, comment = {:comment} WHERE id = {:id}`
	case e.Type == TypePost:
		statement = `UPDATE notifications SET actors = {:actors}, latestAt = {:at}, read = 0, seq = {:seq}, updated = {:at}, post = {:post} WHERE id = {:id}`
	}
	_, err := db.Exec(tx, statement, db.Params{"actors": db.JSONList(actors), "at": at, "seq": seq, "comment": e.Comment, "post": e.Post, "id": id})
	if err != nil {
		return fmt.Errorf("update notification %s: %w", id, err)
	}
	return nil
}

// newestActors returns actor and the others that a notification names, at most maxNamedActors.
func newestActors(actor string, others []string) []string {
	named := []string{actor}
	for _, other := range others {
		if other != actor && len(named) < maxNamedActors {
			named = append(named, other)
		}
	}
	return named
}

// findGroup returns the group that a repeated event belongs to: the one it was in, else the open one, else a new one
// that is already marked as read.
func findGroup(tx core.App, e *Event, stored storedEvent) (string, error) {
	var id string
	for _, was := range []string{stored.notification, stored.former} {
		if was == "" {
			continue
		}
		if found, err := db.QueryValue(tx, &id, `SELECT id FROM notifications WHERE id = {:id}`, db.Params{"id": was}); err != nil || found {
			return id, err
		}
	}
	found, err := db.QueryValue(tx, &id, openGroupQuery, db.Params{"r": e.Recipient, "from": e.groupPrefix() + clock.FormatTime(clock.Now(tx).Add(-groupWindow)), "to": e.groupPrefix() + "~"})
	if err != nil || found {
		return id, err
	}
	if id, err = openNotification(tx, e, stored.former, stored.created, -1); err != nil { // refreshGroup gives the real seq, later in this transaction
		return "", err
	}
	_, err = db.Exec(tx, `UPDATE notifications SET read = 1, actors = '[]' WHERE id = {:id}`, db.Params{"id": id})
	return id, err
}

// groupPrefix returns how the keys of the groups that may show the event begin; the time of the first event follows.
func (e *Event) groupPrefix() string { return e.Type + ":" + e.Subject + ":" }

func (e *Event) sqlParams() db.Params {
	return db.Params{"r": e.Recipient, "t": e.Type, "s": e.Subject, "a": e.Actor}
}
