package inbox

import (
	"fmt"
	"maps"
	"math"

	"github.com/pocketbase/pocketbase/tools/routine"
)

// handleUpdate does an errand. When it fails, the devices that would have heard are disconnected: a device that
// connects again asks for what it missed, one that waits would miss it for good.
func (in *Inbox) handleUpdate(e workKey, n update) {
	err := routine.SafeWrap(func() error {
		switch {
		case e.person != "":
			return in.deliverToPerson(e.person, n)
		case e.row != nil:
			return in.deliverWritten(e.row)
		case e.post != "":
			return in.deliverPost(e.post, n)
		default:
			return in.recheckWatchedPosts(e.author)
		}
	})()
	if e.person == "" {
		in.relieveBacklog()
	}
	if err == nil {
		return
	}
	in.app.Logger().Error("could not deliver", "account", e.person, "post", e.post, "author", e.author, "row", e.row.String(), "err", err)
	switch {
	case e.person != "":
		in.DisconnectPerson(e.person)
	case e.row != nil:
		in.disconnectListeners(e.row)
	case e.post != "":
		in.dropWatchers(func(post string, _ *watchedPost) bool { return post == e.post }, n.inFeedsToo)
	default:
		in.dropWatchers(func(_ string, w *watchedPost) bool { return w.author == e.author }, true)
	}
}

// dropWatchers disconnects those who watch such a post and would miss that it changed or left their sight, and those who listen to
// their feed, in which it may be: who connects again fetches what is there.
func (in *Inbox) dropWatchers(concerned func(post string, w *watchedPost) bool, feeds bool) {
	in.mu.Lock()
	var theirs []*device
	for d, s := range in.devices {
		if s == nil {
			continue
		}
		misses := feeds && s.listensTo(feed)
		for post := range s.inSight {
			misses = misses || in.watchedPosts[post] != nil && concerned(post, in.watchedPosts[post])
		}
		if misses {
			theirs = append(theirs, d)
		}
	}
	in.mu.Unlock()
	for _, d := range theirs {
		in.removeDevice(d)
	}
}

func (in *Inbox) deliverToPerson(person string, n update) error {
	if n.tray {
		if err := in.deliverTray(person, n); err != nil {
			return fmt.Errorf("deliver notifications to %s: %w", person, err)
		}
	}
	for _, collection := range n.collections {
		if err := in.deliverRow(person, collection); err != nil {
			return fmt.Errorf("deliver %s to %s: %w", collection, person, err)
		}
	}
	if len(n.feed) > maxFeedChanges {
		in.DisconnectPerson(person)
		return nil
	}
	if err := in.deliverFeed(person, n.feed); err != nil {
		return fmt.Errorf("deliver feed to %s: %w", person, err)
	}
	return nil
}

// deliverTray sends each device what has come since it was last served. All up to the seq
// that is read with it is committed, and what moves meanwhile has a later one: so nothing
// is skipped, and no seq is sent before a smaller one.
func (in *Inbox) deliverTray(person string, n update) error {
	at, from := in.trayCursors(person, n)
	for len(at) > 0 {
		changes, last, top, err := in.readChanges(person, from)
		if err != nil {
			return err
		}
		for s, cursor := range at {
			at[s] = min(cursor, top)
		}
		all := in.viewGroupsOf(person, notifications) // after top: what is committed later goes to who sits there then
		maps.DeleteFunc(at, func(s *subscription, _ int64) bool { return !all.hasSubscription(s) })
		for _, a := range all {
			in.sendChanges(a, changes, at, DeviceDelivery{Person: person, CommittedAt: n.committedAt})
		}
		for s, cursor := range at {
			for _, c := range changes {
				if c.row != nil && c.seq > cursor {
					s.tray.noteSentRow(trayRowOf(c.row))
				}
			}
			s.tray.advanceCursor(person, last)
		}
		if from = last; last >= top {
			return nil
		}
	}
	return nil
}

// trayCursors returns where each device is, and the least of it. A superuser's that had not heard of this person yet
// begins before the news, or where no news is for it, behind all.
func (in *Inbox) trayCursors(person string, n update) (at map[*subscription]int64, from int64) {
	at, from = map[*subscription]int64{}, math.MaxInt64
	for _, a := range in.viewGroupsOf(person, notifications) {
		for _, s := range a.subscribers {
			cursor, known := s.tray.cursorOf(person)
			switch {
			case known:
			case n.toSuperusers:
				cursor = n.superusersFrom
			default:
				cursor = math.MaxInt64
			}
			at[s], from = cursor, min(from, cursor)
		}
	}
	return at, from
}
