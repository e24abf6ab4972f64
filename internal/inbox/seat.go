package inbox

import (
	"slices"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// seat is what a device listens to, and as whom, from one subscribe call to the next.
type seat struct {
	device *device
	viewer string // who is signed in, see viewer
	person string // a user's id; empty for guests, superusers and other auth collections
	super  bool
	topics []topic
	seen   map[string]bool // by watched post: whether it was in sight when last looked at
	tray   *tray           // with a topic of notifications
}

type seats map[*seat]struct{}

// audience is the seats that get the same bytes: of one viewer, who asked in the same words.
type audience struct {
	topic
	auth  *core.Record // nil for guests
	seats []*seat
}

type audiences map[[2]string]*audience

// add lets a seat in with those of its topics that match.
func (a audiences) add(s *seat, auth *core.Record, match func(topic) bool) {
	for _, t := range s.topics {
		if !match(t) {
			continue
		}
		key := [2]string{viewer(auth), t.name}
		if a[key] == nil {
			a[key] = &audience{topic: t, auth: auth}
		}
		a[key].seats = append(a[key].seats, s)
	}
}

func (a audiences) has(s *seat) bool {
	for _, one := range a {
		if slices.Contains(one.seats, s) {
			return true
		}
	}
	return false
}

// viewer names an auth record among those of all auth collections; a guest's name is empty.
func viewer(auth *core.Record) string {
	if auth == nil {
		return ""
	}
	return auth.Collection().Id + "/" + auth.Id
}

// auth returns as whom the device is signed in now: PocketBase keeps it fresh, and
// clears it when the person's tokens die.
func (d *device) auth() *core.Record {
	auth, _ := d.Get(apis.RealtimeClientAuthKey).(*core.Record)
	return auth
}

// personal returns who hears of a person's rows in a collection: the person's devices,
// while they are signed in as that person, and superusers.
func (in *Inbox) personal(person, collection string) audiences {
	in.mu.Lock()
	defer in.mu.Unlock()
	found := audiences{}
	for _, group := range []seats{in.people[person], in.supers} {
		for s := range group {
			if auth := s.device.auth(); viewer(auth) == s.viewer {
				found.add(s, auth, func(t topic) bool { return t.collection == collection })
			}
		}
	}
	return found
}
