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
	alertsPerHour = 5
	pause         = 5 * time.Minute
)

// decide sets how n is told: as the recipient wants, and then as the app owner's hook says. Whoever is muted, or
// blocked since, is not asked about. A rule has refused who was blocked before.
func decide(tx core.App, n *Notice, was *before, now time.Time) error {
	if was.wishes.State == "deleting" || was.muted {
		return nil
	}
	p := was.wishes.Person()
	p.Follows = was.follows
	n.Plan, n.Reachable = deliver.Decide(n.Type, p, now), was.reach
	n.List, n.Live, n.Push, n.Mail = n.Plan.List, n.Plan.Live, !n.Plan.Push.IsZero(), !n.Plan.Mail.IsZero()
	if n.Type == Post && was.group != "" { // one alert is enough for what somebody shares in half a day
		n.Push, n.Mail = false, false
	}
	switch {
	case n.Actor != "" && was.alerts >= alertsPerHour:
		n.overBudget = true
		n.dropAlerts()
	case was.event.known() && !was.event.active && was.event.alertedAt > clock.Text(now.Add(-pause)):
		n.dropAlerts() // taken back and said again
	}
	return ask(tx, n)
}

// dropAlerts has n wait until its recipient looks; a digest tells of it.
func (n *Notice) dropAlerts() {
	n.Push = false
	if n.Plan.Kind == deliver.Now {
		n.Mail = false
	}
}
