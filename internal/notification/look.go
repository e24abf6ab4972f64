package notification

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
	"doubletap/internal/db"
	"doubletap/internal/deliver"
)

// event is a row of notification_events: what one actor did, whether it is shown or not.
type event struct {
	id, notification   string
	former             string // the notification it was in when that left the tray, or empty
	active             bool
	created, alertedAt string
}

func (e *event) known() bool { return e.id != "" }

// before is what there was before a notice: all that decides how it is told.
type before struct {
	wishes  deliver.Wishes
	muted   bool   // the recipient has muted the actor or the post, or there is a block between the two
	follows bool   // the recipient follows the actor
	reach   bool   // something may have to leave for the recipient's devices or mailbox
	event   event  // the actor's former one
	group   string // the notification that takes more actors, or empty
	actors  []string
	alerts  int // that the recipient had of the actor within an hour, about other things
}

// openGroup finds the group that still takes new actors.
const openGroup = `SELECT id FROM notifications WHERE recipient = {:r} AND groupKey > {:from} AND groupKey < {:to} ORDER BY groupKey DESC LIMIT 1`

// spent counts an actor's alerts to a recipient since {:hour}, up to the most that there are.
const spent = `SELECT count(*) FROM (SELECT 1 FROM notification_events x WHERE x.actor = {:a} AND x.recipient = {:r} AND x.alertedAt > {:hour}
	AND NOT x.silent AND NOT (x.type = {:t} AND x.subject = {:s}) LIMIT {:most})`

// look reads it in one statement, as likes come by the thousand. It finds nothing when there is no such recipient.
func look(tx core.App, n *Notice, now time.Time) (*before, bool, error) {
	p := n.params()
	p["post"], p["now"], p["from"], p["to"] = n.Post, clock.Text(now), n.group()+clock.Text(now.Add(-window)), n.group()+"~"
	p["hour"], p["most"] = clock.Text(now.Add(-time.Hour)), alertsPerHour
	var b before
	var actors string
	columns := []any{&b.muted, &b.follows, &b.reach,
		&b.event.id, &b.event.notification, &b.event.active, &b.event.created, &b.event.alertedAt, &b.event.former, &b.group, &actors, &b.alerts}
	found, err := db.Row(tx, `SELECT
			EXISTS (SELECT 1 FROM mutes m WHERE m.muter = u.id AND ((m.muted = {:a} AND m.post = '') OR (m.muted = '' AND m.post = {:post} AND m.post != ''))
				AND NOT m.keepNotifications AND (m.until = '' OR m.until > {:now}))
			OR EXISTS (SELECT 1 FROM blocks b WHERE b.blocker = u.id AND b.blocked = {:a})
			OR EXISTS (SELECT 1 FROM blocks b WHERE b.blocker = {:a} AND b.blocked = u.id),
			EXISTS (SELECT 1 FROM follows f WHERE f.follower = u.id AND f.followee = {:a} AND f.state = 'accepted'), `+deliver.Reachable+`,
			coalesce(e.id, ''), coalesce(e.notification, ''), coalesce(e.active, 0), coalesce(e.created, ''), coalesce(e.alertedAt, ''), coalesce(e.former, ''),
			coalesce(g.id, ''), coalesce(g.actors, '[]'), (`+spent+`), `+deliver.WishColumns+`
		FROM users u LEFT JOIN settings s ON s.user = u.id
		LEFT JOIN notification_events e ON e.recipient = u.id AND e.type = {:t} AND e.subject = {:s} AND e.actor = {:a}
		LEFT JOIN notifications g ON g.id = (`+openGroup+`)
		WHERE u.id = {:r}`, p,
		append(columns, b.wishes.Columns()...)...)
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
