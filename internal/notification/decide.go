package notification

import (
	"encoding/json"

	"github.com/pocketbase/pocketbase/core"
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
func decide(tx core.App, n *Notice, was *before) error {
	if was.state == "deleting" || was.muted {
		return nil
	}
	n.List, n.Push, n.Mail, n.Reachable = true, true, true, was.reach
	var prefs map[string]preference
	if len(was.notify) > len("{}") && json.Unmarshal([]byte(was.notify), &prefs) == nil { // whatever else a client stored there is no preference
		p := prefs[n.Type]
		wanted := p.From != "follows" || was.follows
		n.List = wanted && (p.List == nil || *p.List)
		n.Push = wanted && (p.Push == nil || *p.Push)
		n.Mail = wanted && p.Mail != "off"
	}
	return ask(tx, n)
}
