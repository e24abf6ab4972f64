package notification

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/deliver"
	"github.com/doubletap/doubletap/internal/visibility"
)

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
