package inbox

import (
	"slices"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// subscription is what a device listens to, and as whom, from one subscribe call to the next.
type subscription struct {
	device    *device
	viewer    string // who is signed in, see viewer
	person    string // a user's id; empty for guests, superusers and other auth collections
	superuser bool
	topics    []topic
	inSight   map[string]bool // by watched post: whether it was in sight when last looked at
	tray      *tray           // with a topic of notifications
}

type subscriptionSet map[*subscription]struct{}

// viewGroup is the seats that get the same bytes: of one viewer, who asked in the same words.
type viewGroup struct {
	topic
	auth        *core.Record // nil for guests
	subscribers []*subscription
}

type viewGroups map[[2]string]*viewGroup

// addSubscription lets a seat in with those of its topics that match.
func (a viewGroups) addSubscription(s *subscription, auth *core.Record, match func(topic) bool) {
	for _, t := range s.topics {
		if !match(t) {
			continue
		}
		key := [2]string{viewerKey(auth), t.name}
		if a[key] == nil {
			a[key] = &viewGroup{topic: t, auth: auth}
		}
		a[key].subscribers = append(a[key].subscribers, s)
	}
}

func (a viewGroups) hasSubscription(s *subscription) bool {
	for _, one := range a {
		if slices.Contains(one.subscribers, s) {
			return true
		}
	}
	return false
}

// viewerKey names an auth record among those of all auth collections; a guest's name is empty.
func viewerKey(auth *core.Record) string {
	if auth == nil {
		return ""
	}
	return auth.Collection().Id + "/" + auth.Id
}

// signedInAs returns as whom the device is signed in now: PocketBase keeps it fresh, and
// clears it when the person's tokens die.
func (d *device) signedInAs() *core.Record {
	auth, _ := d.Get(apis.RealtimeClientAuthKey).(*core.Record)
	return auth
}

// viewGroupsOf returns who hears of a person's rows in a collection: the person's devices,
// while they are signed in as that person, and superusers.
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
