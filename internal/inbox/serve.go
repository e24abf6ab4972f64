package inbox

import (
	"fmt"
	"maps"
	"math"

	"github.com/pocketbase/pocketbase/tools/routine"
)

// handleUpdate does the work for a key. When it fails, the devices that would have been sent something are disconnected: a
// device that connects again asks for what it missed, while one that waits would miss it for good.
func (in *Inbox) handleUpdate(key workKey, u update) {
	err := routine.SafeWrap(func() error {
		switch {
		case key.person != "":
			return in.deliverToPerson(key.person, u)
		case key.row != nil:
			return in.deliverWritten(key.row)
		case key.post != "":
			return in.deliverPost(key.post, u)
		default:
			return in.recheckWatchedPosts(key.author)
		}
	})()
	if key.person == "" {
		in.relieveBacklog()
	}
	if err == nil {
		return
	}
	in.app.Logger().Error("could not deliver", "account", key.person, "post", key.post, "author", key.author, "row", key.row.String(), "err", err)
	switch {
	case key.person != "":
		in.DisconnectPerson(key.person)
	case key.row != nil:
		in.disconnectListeners(key.row)
	case key.post != "":
		in.disconnectWatchers(func(post string, _ *watchedPost) bool { return post == key.post }, len(u.inFeeds) > 0)
	default:
		in.disconnectWatchers(func(_ string, w *watchedPost) bool { return w.author == key.author }, true)
	}
}

// disconnectWatchers disconnects the devices that watch such a post, and, with feeds, those that listen to a feed, in which it
// may be.
func (in *Inbox) disconnectWatchers(concerned func(post string, w *watchedPost) bool, feeds bool) {
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

func (in *Inbox) deliverToPerson(person string, u update) error {
	if u.tray {
		if err := in.deliverTray(person, u); err != nil {
			return fmt.Errorf("deliver notifications to %s: %w", person, err)
		}
	}
	for _, collection := range u.collections {
		if err := in.deliverRow(person, collection); err != nil {
			return fmt.Errorf("deliver %s to %s: %w", collection, person, err)
		}
	}
	u.boundFeed()
	for _, author := range u.feedAuthors {
		if u.feedOverflows {
			break
		}
		gone, err := in.newestPostsOf(author)
		if err != nil {
			return err
		}
		u.feed = append(u.feed, gone...)
		u.boundFeed()
	}
	if u.feedOverflows {
		in.disconnectFeedListeners(person)
		return nil
	}
	if err := in.deliverFeed(person, u.feed); err != nil {
		return fmt.Errorf("deliver feed to %s: %w", person, err)
	}
	return nil
}

// deliverTray sends each device what has changed since its cursor. All changes up to the seq that is read in the same
// statement are committed, and what changes meanwhile gets a later seq: so nothing is skipped, and no seq is sent
// before a smaller one.
func (in *Inbox) deliverTray(person string, u update) error {
	at, from := in.trayCursors(person, u)
	for len(at) > 0 {
		changes, last, top, err := in.readChanges(person, from)
		if err != nil {
			return err
		}
		for s, cursor := range at {
			at[s] = min(cursor, top)
		}
		all := in.viewGroupsOf(person, notifications) // read after top: what is committed later is sent to the subscriptions of that time
		maps.DeleteFunc(at, func(s *subscription, _ int64) bool { return !all.hasSubscription(s) })
		for _, g := range all {
			in.sendChanges(g, changes, at, DeviceDelivery{Person: person, CommittedAt: u.committedAt})
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

// trayCursors returns the cursor of each device, and the least of them. For a superuser's device that was sent nothing
// of this person yet, the cursor is the seq before the update; without toSuperusers, it is behind all changes.
func (in *Inbox) trayCursors(person string, u update) (at map[*subscription]int64, from int64) {
	at, from = map[*subscription]int64{}, math.MaxInt64
	for _, g := range in.viewGroupsOf(person, notifications) {
		for _, s := range g.subscribers {
			cursor, known := s.tray.cursorOf(person)
			switch {
			case known:
			case u.toSuperusers:
				cursor = u.superusersFrom
			default:
				cursor = math.MaxInt64
			}
			at[s], from = cursor, min(from, cursor)
		}
	}
	return at, from
}
