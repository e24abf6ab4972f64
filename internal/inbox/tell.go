package inbox

import (
	"slices"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
)

// mostRows is how many changes of a feed may wait for a person; with more, fetching the feed anew is cheaper.
const mostRows = 1000

// FeedRow is a row of the feed and whose feed it is.
type FeedRow struct {
	ID     string `db:"id"`
	Viewer string `db:"viewer"`
}

// news is what there is to do for an errand; two of them add up to one.
type news struct {
	tray      bool      // of a person: notifications or retractions changed
	committed time.Time // when, if that is to be reported
	overheard bool      // superusers listen as well
	from      int64     // who have not heard of this person yet need nothing up to here
	updated   []string  // collections of which the person's row changed
	feed      []feedChange
	touched   bool     // of a post: its counts moved
	recheck   bool     // it may have gone out of sight
	feeds     bool     // also of feeds
	of        []string // of these people alone
}

type feedChange struct {
	id    string
	added bool // else it may be gone
}

func (n *news) add(more news) {
	if more.overheard {
		if !n.overheard || more.from < n.from {
			n.from = more.from
		}
		n.overheard = true
	}
	n.tray = n.tray || more.tray
	if n.committed.IsZero() {
		n.committed = more.committed
	}
	n.updated = union(n.updated, more.updated)
	n.feed = append(n.feed, more.feed...)
	n.feed = n.feed[:min(len(n.feed), mostRows+1)] // one too many is enough to know
	n.touched = n.touched || more.touched
	n.recheck = n.recheck || more.recheck
	n.feeds = n.feeds || more.feeds
	n.of = union(n.of, more.of)
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

// Changed says that the person's notifications or retractions changed. Call it inside the
// transaction of the change: once committed, the person's devices are sent what they lack,
// in the order of seq; several changes of one row may come as one.
func Changed(tx core.App, person string) {
	in := existing(tx)
	if in == nil {
		return
	}
	n := news{tray: true}
	n.from, n.overheard = in.overheard(person)
	db.AfterCommit(tx, func() {
		if in.Delivered != nil {
			n.committed = time.Now()
		}
		in.tell(person, n)
	})
}

// overheard returns, if a superuser listens to notifications, the person's last seq. Read
// beside the transaction under way, it is the one that precedes its changes. It is 0 where it cannot be read: the superuser is
// rather sent too much.
func (in *Inbox) overheard(person string) (seq int64, listens bool) {
	in.mu.Lock()
	for s := range in.supers {
		listens = listens || s.tray != nil
	}
	in.mu.Unlock()
	if !listens {
		return 0, false
	}
	err := in.app.ConcurrentDB().Select("seq").From("settings").Where(dbx.HashExp{"user": person}).Row(&seq)
	if _, err := db.Found(err); err != nil {
		in.app.Logger().Error("could not read how far the notifications are", "account", person, "err", err)
	}
	return seq, true
}

// Updated says that the person's row in a collection that has one for each user, such as
// settings, changed. Once committed, the person's devices are sent its state.
func Updated(tx core.App, person, collection string) {
	if in := existing(tx); in != nil {
		db.AfterCommit(tx, func() { in.tell(person, news{updated: []string{collection}}) })
	}
}

// FeedAdded says that rows were added to feeds. Once committed, those viewers who are
// connected are sent the ones that they may see.
func FeedAdded(tx core.App, rows []FeedRow) { feedChanged(tx, rows, true) }

// FeedRemoved says that rows were taken out of feeds, deleted or hidden. Once committed, those
// viewers who are connected are told so.
func FeedRemoved(tx core.App, rows []FeedRow) { feedChanged(tx, rows, false) }

func feedChanged(tx core.App, rows []FeedRow, added bool) {
	in := existing(tx)
	if in == nil || len(rows) == 0 {
		return
	}
	db.AfterCommit(tx, func() {
		for _, row := range rows {
			in.tell(row.Viewer, news{feed: []feedChange{{row.ID, added}}})
		}
	})
}

// tell has a worker send the news to the person's devices. All that is personal goes
// through here; who has no device costs a look into a map.
func (in *Inbox) tell(person string, n news) {
	in.mu.Lock()
	heard := len(in.people[person]) > 0 || len(in.supers) > 0
	in.mu.Unlock()
	if heard {
		in.desk.put(errand{person: person}, n)
	}
}
