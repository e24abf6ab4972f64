package inbox

import "github.com/doubletap/doubletap/internal/limit"

// watchedPost is a post that at least one device listens to.
type watchedPost struct {
	author         string // known once somebody saw the post, else empty
	countsJustSent bool   // its counts were sent less than countsInterval ago
	countsChanged  bool   // its counts have changed since
}

// addDevice adds a device, or returns false when the inbox is closed.
func (in *Inbox) addDevice(d *device) bool {
	in.mu.Lock()
	if in.closed {
		in.mu.Unlock()
		return false
	}
	in.devices[d] = nil
	outstayed := in.addStranger(d)
	if in.stopHeartbeats == nil {
		in.stopHeartbeats = make(chan struct{})
		stop := in.stopHeartbeats
		in.goroutines.Go(func() { in.runHeartbeats(stop) })
	}
	in.mu.Unlock()
	for _, other := range outstayed {
		in.removeDevice(other)
	}
	return true
}

// removeDevice forgets a device and disconnects it. A second call does nothing.
func (in *Inbox) removeDevice(d *device) {
	in.mu.Lock()
	in.unsubscribe(in.devices[d])
	in.forgetStranger(d)
	delete(in.devices, d)
	delete(in.deviceByID, d.Id())
	in.mu.Unlock()
	d.disconnect()
}

// subscribe replaces the device's subscription and returns the former one, nil if there was none. It does nothing when
// the device is gone. It refuses a subscription whose holder has too many streams.
func (in *Inbox) subscribe(d *device, s *subscription) (before *subscription, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	before, here := in.devices[d]
	if !here {
		return nil, nil
	}
	if !in.hasRoom(s, before) {
		return nil, limit.State{Rule: s.rule, Wait: refusalWait}.Error()
	}
	in.replaceSubscription(d, s)
	return before, nil
}

// replaceSubscription replaces the subscription of a device that is here. It needs mu.
func (in *Inbox) replaceSubscription(d *device, s *subscription) {
	before := in.devices[d]
	in.forgetStranger(d)
	in.devices[d] = s
	in.indexSubscription(s, before)
	in.unsubscribe(before) // last, so that a post that stays watched keeps its countsInterval
}

// restoreSubscription puts a former subscription back. A device that had none is a stranger again: else it were counted
// nowhere.
func (in *Inbox) restoreSubscription(d *device, before *subscription) {
	in.mu.Lock()
	var outstayed []*device
	if _, here := in.devices[d]; here {
		in.replaceSubscription(d, before)
		if before == nil {
			outstayed = in.addStranger(d)
		}
	}
	in.mu.Unlock()
	for _, other := range outstayed {
		in.removeDevice(other)
	}
}

// indexSubscription adds a subscription to the index. What was in sight for the same viewer before stays so. It needs
// mu.
func (in *Inbox) indexSubscription(s, before *subscription) {
	if s == nil {
		return
	}
	in.countStream(s, 1)
	if s.person != "" {
		if in.people[s.person] == nil {
			in.people[s.person] = subscriptionSet{}
		}
		in.people[s.person][s] = struct{}{}
	}
	if s.superuser {
		in.superusers[s] = struct{}{}
	}
	for _, t := range s.topics {
		if t.isPersonal() {
			continue
		}
		if in.rowSubscribers[t.rowKey()] == nil {
			in.rowSubscribers[t.rowKey()] = subscriptionSet{}
		}
		in.rowSubscribers[t.rowKey()][s] = struct{}{}
	}
	for post := range s.inSight {
		if in.watchedPosts[post] == nil {
			in.watchedPosts[post] = &watchedPost{}
		}
		if before != nil && before.viewer == s.viewer {
			s.inSight[post] = s.inSight[post] || before.inSight[post]
		}
	}
}

// unsubscribe takes a subscription out of the index. It needs mu.
func (in *Inbox) unsubscribe(s *subscription) {
	if s == nil {
		return
	}
	in.countStream(s, -1)
	delete(in.superusers, s)
	delete(in.people[s.person], s)
	if len(in.people[s.person]) == 0 {
		delete(in.people, s.person)
	}
	for _, t := range s.topics {
		delete(in.rowSubscribers[t.rowKey()], s)
		if len(in.rowSubscribers[t.rowKey()]) == 0 {
			delete(in.rowSubscribers, t.rowKey())
		}
	}
	for post := range s.inSight {
		if in.rowSubscribers[rowKey{posts, post}] == nil {
			delete(in.watchedPosts, post)
		}
	}
}

func (s *subscription) listensTo(collection string) bool {
	for _, t := range s.topics {
		if t.collection == collection {
			return true
		}
	}
	return false
}
