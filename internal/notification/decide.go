package notification

import (
	"encoding/json"
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
	"doubletap/internal/db"
)

// preference is what settings.notify holds for a type; what is left out is on.
type preference struct {
	List *bool  `json:"list"`
	Push *bool  `json:"push"`
	Mail string `json:"mail"`
	From string `json:"from"`
}

// decide sets how n is told: a block or a mute first, then the recipient's
// preferences, then the app owner's hook. A rule has refused who is blocked, but a block may have come since.
func decide(tx core.App, n *Notice) error {
	var r struct {
		Notify  string `db:"notify"`
		State   string `db:"state"`
		Muted   bool   `db:"muted"`
		Follows bool   `db:"follows"`
	}
	found, err := db.One(tx, &r, `SELECT u.state, coalesce(s.notify, '') notify,
			EXISTS (SELECT 1 FROM mutes m WHERE m.muter = u.id AND ((m.muted = {:actor} AND m.post = '') OR (m.muted = '' AND m.post = {:post} AND m.post != ''))
				AND NOT m.keepNotifications AND (m.until = '' OR m.until > {:now}))
			OR EXISTS (SELECT 1 FROM blocks b WHERE b.blocker = u.id AND b.blocked = {:actor})
			OR EXISTS (SELECT 1 FROM blocks b WHERE b.blocker = {:actor} AND b.blocked = u.id) muted,
			EXISTS (SELECT 1 FROM follows f WHERE f.follower = u.id AND f.followee = {:actor} AND f.state = 'accepted') follows
		FROM users u LEFT JOIN settings s ON s.user = u.id WHERE u.id = {:r}`,
		db.Params{"r": n.Recipient, "actor": n.Actor, "post": n.Post, "now": clock.Stamp(tx)})
	if err != nil {
		return fmt.Errorf("read preferences: %w", err)
	}
	if !found || r.State == "deleting" || r.Muted {
		return nil
	}
	n.List, n.Push, n.Mail = true, true, true
	var prefs map[string]preference
	if json.Unmarshal([]byte(r.Notify), &prefs) == nil { // whatever else a client stored there is no preference
		p := prefs[n.Type]
		wanted := p.From != "follows" || r.Follows
		n.List = wanted && (p.List == nil || *p.List)
		n.Push = wanted && (p.Push == nil || *p.Push)
		n.Mail = wanted && p.Mail != "off"
	}
	return ask(tx, n)
}
