package notification

import (
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/deliver"
)

// How often one actor may alert one recipient by push and mail: about so many things in an hour, and not again at once
// about one that was taken back. Other events are in the tray only; devices that show the tray are sent them as usual.
const (
	maxAlertsPerHour = 5
	realertInterval  = 5 * time.Minute
)

// decidePlan decides how the recipient is told of the event: as they want, and then as the app owner's hook says. The
// hook is not called for a recipient who is being deleted, for an actor or a post that the recipient has muted, nor
// across a block that is newer than the event's cause; a rule has already refused what came across an older block.
func decidePlan(tx core.App, e *Event, was *priorState, now time.Time) error {
	if was.preferences.State == "deleting" || was.muted {
		return nil
	}
	p := was.preferences.Recipient()
	p.Follows = was.follows
	e.Plan, e.Reachable = deliver.DecidePlan(e.Type, p, now), was.reachable
	e.List, e.Live, e.Push, e.Mail = e.Plan.List, e.Plan.Live, !e.Plan.PushAt.IsZero(), !e.Plan.MailAt.IsZero()
	if e.Type == TypePost && was.group != "" { // one alert is enough for what somebody posts in half a day
		e.Push, e.Mail = false, false
	}
	switch {
	case e.Actor != "" && was.recentAlerts >= maxAlertsPerHour:
		e.overBudget = true
		e.dropAlerts()
	case was.event.isStored() && !was.event.active && was.event.alertedAt > clock.FormatTime(now.Add(-realertInterval)):
		e.dropAlerts() // taken back and done again
	}
	return askListener(tx, e)
}

// dropAlerts sends nothing for the event until its recipient looks; a digest still names it.
func (e *Event) dropAlerts() {
	e.Push = false
	if e.Plan.MailMode == deliver.MailNow {
		e.Mail = false
	}
}
