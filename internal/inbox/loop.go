package inbox

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

// loop knows what PocketBase's own broadcast would find: to which collections the devices in
// PocketBase's broker listen there.
type loop struct {
	broker *subscriptions.Broker

	mu    sync.Mutex     // guards all below, and every device's heeds
	size  int            // devices in the broker
	count map[string]int // of devices, by collection as they name it
}

// heeds is a device's part in the loop.
type heeds struct {
	inside      bool                // the broker
	collections map[string]struct{} // as the device names them
}

func newLoop(b *subscriptions.Broker) *loop {
	return &loop{broker: b, count: map[string]int{}}
}

// Watched reports whether somebody who is connected listens through PocketBase's own broadcast to the
// collection or a row of it. It takes the same time whoever is connected. Clients in PocketBase's
// broker that did not come in here are unknown, so with them it is always true.
//
// Somebody may begin to listen right after the answer: who skips the broadcast of a change
// because nobody does must ask again when the change is committed.
func (in *Inbox) Watched(collection string) bool {
	watched, any := in.loop.counts(collection)
	if watched || !any {
		return watched
	}
	c, err := in.app.FindCachedCollectionByNameOrId(collection)
	if err != nil {
		return false
	}
	byName, _ := in.loop.counts(c.Name)
	byID, _ := in.loop.counts(c.Id)
	return byName || byID
}

// counts reports whether somebody listens to what is called by this name, or may do so unknown to us, and
// whether somebody listens to anything.
func (l *loop) counts(name string) (watched, any bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count[name] > 0 || l.broker.TotalClients() > l.size, len(l.count) > 0
}

// enter notes that the device is in the broker.
func (l *loop) enter(d *device) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !d.heeds.inside && !d.Client.IsDiscarded() {
		d.heeds.inside = true
		l.size++
	}
}

// leave forgets a device that is discarded, before it leaves the broker.
func (l *loop) leave(d *device) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d.heeds.inside {
		d.heeds.inside = false
		l.size--
	}
	l.silence(d)
}

// add notes that the device is about to listen to more.
func (l *loop) add(d *device, subs ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note(d, slices.Values(subs))
}

// replace notes to what the device listens after it has given up something.
func (l *loop) replace(d *device, subs map[string]subscriptions.SubscriptionOptions) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silence(d)
	l.note(d, maps.Keys(subs))
}

// note needs mu.
func (l *loop) note(d *device, subs iter.Seq[string]) {
	if d.Client.IsDiscarded() {
		return
	}
	for sub := range subs {
		name := collectionOf(sub)
		if _, known := d.heeds.collections[name]; known || name == "" {
			continue
		}
		if d.heeds.collections == nil {
			d.heeds.collections = map[string]struct{}{}
		}
		d.heeds.collections[name] = struct{}{}
		l.count[name]++
	}
}

// silence needs mu.
func (l *loop) silence(d *device) {
	for name := range d.heeds.collections {
		if l.count[name]--; l.count[name] == 0 {
			delete(l.count, name)
		}
	}
	d.heeds.collections = nil
}

// collectionOf returns the collection, by name or id, that a subscription is about: it is the
// bare name, or followed by a row.
func collectionOf(sub string) string {
	path, _, _ := strings.Cut(sub, "?")
	name, row, found := strings.Cut(path, "/")
	if found && row == "" {
		return ""
	}
	return name
}
