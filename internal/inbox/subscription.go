package inbox

import (
	"slices"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/limit"
)

// subscription is what a device listens to, and as whom, from one subscribe call to the next.
type subscription struct {
	device    *device
	viewer    string // who was signed in at the subscribe call, see viewerKey
	person    string // a user's id; empty for guests, superusers and other auth collections
	session   string // in which the person asked; empty for a token without one
	superuser bool
	holder    streamHolder // whose stream it is counted as
	rule      limit.Rule   // that bounds the holder's streams
	topics    []topic
	inSight   map[string]bool // by watched post: whether it was in sight at the last check
	tray      *tray           // nil without a topic of notifications
}

type subscriptionSet map[*subscription]struct{}

// viewGroup is the subscriptions that get the same bytes: of one viewer, who asked in the same words.
type viewGroup struct {
	topic
	auth        *core.Record // nil for guests
	subscribers []*subscription
}

type viewGroups map[[2]string]*viewGroup

// addSubscription adds a subscription to the groups of those of its topics that match.
func (g viewGroups) addSubscription(s *subscription, auth *core.Record, match func(topic) bool) {
	for _, t := range s.topics {
		if !match(t) {
			continue
		}
		key := [2]string{viewerKey(auth), t.name}
		if g[key] == nil {
			g[key] = &viewGroup{topic: t, auth: auth}
		}
		g[key].subscribers = append(g[key].subscribers, s)
	}
}

func (g viewGroups) hasSubscription(s *subscription) bool {
	for _, group := range g {
		if slices.Contains(group.subscribers, s) {
			return true
		}
	}
	return false
}

// viewerKey returns a name for an auth record that is unique among all auth collections, and "" for a guest.
func viewerKey(auth *core.Record) string {
	if auth == nil {
		return ""
	}
	return auth.Collection().Id + "/" + auth.Id
}

// signedInAs returns the account that is signed in on the device now, or nil. PocketBase keeps it fresh, and clears it
// when the person's tokens die.
func (d *device) signedInAs() *core.Record {
	auth, _ := d.Get(apis.RealtimeClientAuthKey).(*core.Record)
	return auth
}

// viewGroupsOf returns who is sent a person's rows of a collection: the person's devices, while they are signed in as
// that person, and superusers.
func (in *Inbox) viewGroupsOf(person, collection string) viewGroups {
	in.mu.Lock()
	defer in.mu.Unlock()
	found := viewGroups{}
	for _, group := range []subscriptionSet{in.people[person], in.superusers} {
		for s := range group {
			if auth := s.device.signedInAs(); viewerKey(auth) == s.viewer {
				found.addSubscription(s, auth, func(t topic) bool { return t.collection == collection })
			}
		}
	}
	return found
}
