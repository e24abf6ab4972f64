package notification

import (
	"time"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/deliver"
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
		n.Live, n.Push, n.Mail = false, false, false
	}
	return ask(tx, n)
}
