package inbox

import (
	"fmt"
	"maps"
	"math"

	"github.com/pocketbase/pocketbase/tools/routine"
)

// serve does an errand. When it fails, the devices that would have heard are disconnected: a device that
// connects again asks for what it missed, one that waits would miss it for good.
func (in *Inbox) serve(e errand, n news) {
	err := routine.SafeWrap(func() error {
		switch {
		case e.person != "":
			return in.servePerson(e.person, n)
		case e.row != nil:
			return in.serveWritten(e.row)
		case e.post != "":
			return in.servePost(e.post, n)
		default:
			return in.serveAuthor(e.author)
		}
	})()
	if e.person == "" {
		in.relieve()
	}
	if err == nil {
		return
	}
	in.app.Logger().Error("could not deliver", "account", e.person, "post", e.post, "author", e.author, "row", e.row.String(), "err", err)
	switch {
	case e.person != "":
		in.Drop(e.person)
	case e.row != nil:
		in.dropListeners(e.row)
	case e.post != "":
		in.dropWatchers(func(post string, _ *watched) bool { return post == e.post }, n.feeds)
	default:
		in.dropWatchers(func(_ string, w *watched) bool { return w.author == e.author }, true)
	}
}

// dropWatchers disconnects those who watch such a post and would miss that it changed or left their sight, and those who listen to
// their feed, in which it may be: who connects again fetches what is there.
func (in *Inbox) dropWatchers(concerned func(post string, w *watched) bool, feeds bool) {
	in.mu.Lock()
	var theirs []*device
	for d, s := range in.devices {
		if s == nil {
			continue
		}
		misses := feeds && s.listens(feed)
		for post := range s.seen {
			misses = misses || in.posts[post] != nil && concerned(post, in.posts[post])
		}
		if misses {
			theirs = append(theirs, d)
		}
	}
	in.mu.Unlock()
	for _, d := range theirs {
		in.leave(d)
	}
}

func (in *Inbox) servePerson(person string, n news) error {
	if n.tray {
		if err := in.serveTray(person, n); err != nil {
			return fmt.Errorf("deliver notifications to %s: %w", person, err)
		}
	}
	for _, collection := range n.updated {
		if err := in.serveRow(person, collection); err != nil {
			return fmt.Errorf("deliver %s to %s: %w", collection, person, err)
		}
	}
	if len(n.feed) > mostRows {
		in.Drop(person)
		return nil
	}
	if err := in.serveFeed(person, n.feed); err != nil {
		return fmt.Errorf("deliver feed to %s: %w", person, err)
	}
	return nil
}

// serveTray sends each device what has come since it was last served. All up to the seq
// that is read with it is committed, and what moves meanwhile has a later one: so nothing
// is skipped, and no seq is sent before a smaller one.
func (in *Inbox) serveTray(person string, n news) error {
	at, from := in.cursors(person, n)
	for len(at) > 0 {
		changes, last, top, err := in.changes(person, from)
		if err != nil {
			return err
		}
		for s, cursor := range at {
			at[s] = min(cursor, top)
		}
		all := in.personal(person, notifications) // after top: what is committed later goes to who sits there then
		maps.DeleteFunc(at, func(s *seat, _ int64) bool { return !all.has(s) })
		for _, a := range all {
			in.sendChanges(a, changes, at, Delivery{Person: person, Committed: n.committed})
		}
		for s, cursor := range at {
			for _, c := range changes {
				if c.row != nil && c.seq > cursor {
					s.tray.took(rowOf(c.row))
				}
			}
			s.tray.advance(person, last)
		}
		if from = last; last >= top {
			return nil
		}
	}
	return nil
}

// cursors returns where each device is, and the least of it. A superuser's that had not heard of this person yet
// begins before the news, or where no news is for it, behind all.
func (in *Inbox) cursors(person string, n news) (at map[*seat]int64, from int64) {
	at, from = map[*seat]int64{}, math.MaxInt64
	for _, a := range in.personal(person, notifications) {
		for _, s := range a.seats {
			cursor, known := s.tray.at(person)
			switch {
			case known:
			case n.overheard:
				cursor = n.from
			default:
				cursor = math.MaxInt64
			}
			at[s], from = cursor, min(from, cursor)
		}
	}
	return at, from
}
