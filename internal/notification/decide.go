package notification

import (
	"time"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
	"doubletap/internal/deliver"
)

// What one actor alerts one recipient of by push and mail: so many things in an hour, and one that was taken back not again
// at once. The rest is in the tray, and a device that shows the tray hears of it as of everything else.
const (
	maxAlertsPerHour = 5
	realertInterval  = 5 * time.Minute
)

// decidePlan sets how n is told: as the recipient wants, and then as the app owner's hook says. Whoever is muted, or
// blocked since, is not asked about. A rule has refused who was blocked before.
func decidePlan(tx core.App, n *Event, was *priorState, now time.Time) error {
	if was.preferences.State == "deleting" || was.muted {
		return nil
	}
	p := was.preferences.Recipient()
	p.Follows = was.follows
	n.Plan, n.Reachable = deliver.DecidePlan(n.Type, p, now), was.reachable
	n.List, n.Live, n.Push, n.Mail = n.Plan.List, n.Plan.Live, !n.Plan.PushAt.IsZero(), !n.Plan.MailAt.IsZero()
	if n.Type == TypePost && was.group != "" { // one alert is enough for what somebody shares in half a day
		n.Push, n.Mail = false, false
	}
	switch {
	case n.Actor != "" && was.recentAlerts >= maxAlertsPerHour:
		n.overBudget = true
		n.dropAlerts()
	case was.event.isStored() && !was.event.active && was.event.alertedAt > clock.FormatTime(now.Add(-realertInterval)):
		n.dropAlerts() // taken back and said again
	}
	return askListener(tx, n)
}

// dropAlerts has n wait until its recipient looks; a digest tells of it.
func (n *Event) dropAlerts() {
	n.Push = false
	if n.Plan.MailMode == deliver.MailNow {
		n.Mail = false
	}
}
