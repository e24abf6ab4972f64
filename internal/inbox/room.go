package inbox

import (
	"container/list"
	"net/netip"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/limit"
)

// A stream opens without a token, and tells by its first subscribe call whose it is. So its connection is refused to
// nobody: many people who are signed in may share an address. It is counted when it subscribes, as its account's or, for a
// guest, as the address's.

// streamHolder is whose stream one is: an account's, or a guest's at an address. It is zero where there is no limit.
type streamHolder struct {
	viewer  string // see viewerKey
	address netip.Prefix
}

// refusalWait is after how long a client that has too many streams may ask again; one may have ended by then.
const refusalWait = 30 * time.Second

// strangerGrace is how long a stream that has not subscribed is left alone where its address has many.
const strangerGrace = 10 * time.Second

// holderOf returns whose stream a device's is, and how many streams they may have; zero for any number.
func (in *Inbox) holderOf(d *device, auth *core.Record) (streamHolder, limit.Rule) {
	limits := limit.ForApp(in.app)
	switch {
	case auth == nil && limits.Most(limit.StreamsByAddress) > 0:
		return streamHolder{address: d.address}, limit.StreamsByAddress
	case auth != nil && !auth.IsSuperuser() && limits.Most(limit.Streams) > 0:
		return streamHolder{viewer: viewerKey(auth)}, limit.Streams
	}
	return streamHolder{}, limit.Streams
}

// hasRoom reports whether the holder of a subscription may have one more stream than those of the other devices. It needs
// mu.
func (in *Inbox) hasRoom(s, before *subscription) bool {
	most := limit.ForApp(in.app).Most(s.rule)
	open := in.streamCounts[s.holder]
	if before != nil && before.holder == s.holder {
		open--
	}
	return s.holder == streamHolder{} || open < most
}

// countStream adds n to the streams of a subscription's holder. It needs mu.
func (in *Inbox) countStream(s *subscription, n int) {
	if s.holder == (streamHolder{}) {
		return
	}
	if in.streamCounts[s.holder] += n; in.streamCounts[s.holder] == 0 {
		delete(in.streamCounts, s.holder)
	}
}

// stranger is a device that has not subscribed yet.
type stranger struct {
	device *device
	since  time.Time
}

// addStranger notes a device that has not subscribed yet. It returns those of the same address that are to be
// disconnected, as they are many and never subscribed. It needs mu.
func (in *Inbox) addStranger(d *device) (outstayed []*device) {
	most := limit.ForApp(in.app).Most(limit.StreamsByAddress)
	if most == 0 {
		return nil
	}
	here := in.strangers[d.address]
	if here == nil {
		here = list.New()
		in.strangers[d.address] = here
	}
	now := clock.Now(in.app)
	if here.Len() >= most {
		for first := here.Front(); first != nil && now.Sub(first.Value.(stranger).since) > strangerGrace; first = here.Front() {
			other := here.Remove(first).(stranger).device
			other.stranger = nil
			outstayed = append(outstayed, other)
		}
	}
	d.stranger = here.PushBack(stranger{d, now}) // the oldest are first, so that nobody walks over the young ones
	return outstayed
}

// forgetStranger forgets that a device has not subscribed yet. It needs mu.
func (in *Inbox) forgetStranger(d *device) {
	here := in.strangers[d.address]
	if here == nil {
		return
	}
	if d.stranger != nil {
		here.Remove(d.stranger)
		d.stranger = nil
	}
	if here.Len() == 0 {
		delete(in.strangers, d.address)
	}
}
