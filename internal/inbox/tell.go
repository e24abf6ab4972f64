package inbox

import (
	"slices"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
)

// maxFeedChanges is how many changes of a feed may wait for a person; with more, fetching the feed anew is cheaper.
const maxFeedChanges = 1000

// FeedRow is a row of the feed and whose feed it is.
type FeedRow struct {
	ID     string `db:"id"`
	Viewer string `db:"viewer"`
}

// update is what there is to do for an errand; two of them add up to one.
type update struct {
	tray           bool      // of a person: notifications or retractions changed
	committedAt    time.Time // when, if that is to be reported
	toSuperusers   bool      // superusers listen as well
	superusersFrom int64     // who have not heard of this person yet need nothing up to here
	collections    []string  // collections of which the person's row changed
	feed           []feedChange
	countsChanged  bool     // of a post: its counts moved
	sightChanged   bool     // it may have gone out of sight
	inFeedsToo     bool     // also of feeds
	onlyPeople     []string // of these people alone
}

type feedChange struct {
	id    string
	added bool // else it may be gone
}

func (n *update) addUpdate(more update) {
	if more.toSuperusers {
		if !n.toSuperusers || more.superusersFrom < n.superusersFrom {
			n.superusersFrom = more.superusersFrom
		}
		n.toSuperusers = true
	}
	n.tray = n.tray || more.tray
	if n.committedAt.IsZero() {
		n.committedAt = more.committedAt
	}
	n.collections = appendMissing(n.collections, more.collections)
	n.feed = append(n.feed, more.feed...)
	n.feed = n.feed[:min(len(n.feed), maxFeedChanges+1)] // one too many is enough to know
	n.countsChanged = n.countsChanged || more.countsChanged
	n.sightChanged = n.sightChanged || more.sightChanged
	n.inFeedsToo = n.inFeedsToo || more.inFeedsToo
	n.onlyPeople = appendMissing(n.onlyPeople, more.onlyPeople)
}

func appendMissing(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

// NotificationsChanged says that the person's notifications or retractions changed. Call it inside the
// transaction of the change: once committed, the person's devices are sent what they lack,
// in the order of seq; several changes of one row may come as one.
func NotificationsChanged(tx core.App, person string) {
	in := existingInbox(tx)
	if in == nil {
		return
	}
	n := update{tray: true}
	n.superusersFrom, n.toSuperusers = in.superuserCursor(person)
	db.AfterCommit(tx, func() {
		if in.OnDelivered != nil {
			n.committedAt = time.Now()
		}
		in.updatePerson(person, n)
	})
}

// superuserCursor returns, if a superuser listens to notifications, the person's last seq. Read
// beside the transaction under way, it is the one that precedes its changes. It is 0 where it cannot be read: the superuser is
// rather sent too much.
func (in *Inbox) superuserCursor(person string) (seq int64, listens bool) {
	in.mu.Lock()
	for s := range in.superusers {
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

// PersonRowChanged says that the person's row in a collection that has one for each user, such as
// settings, changed. Once committed, the person's devices are sent its state.
func PersonRowChanged(tx core.App, person, collection string) {
	if in := existingInbox(tx); in != nil {
		db.AfterCommit(tx, func() { in.updatePerson(person, update{collections: []string{collection}}) })
	}
}

// FeedRowsAdded says that rows were added to feeds. Once committed, those viewers who are
// connected are sent the ones that they may see.
func FeedRowsAdded(tx core.App, rows []FeedRow) { feedRowsChanged(tx, rows, true) }

// FeedRowsRemoved says that rows were taken out of feeds, deleted or hidden. Once committed, those
// viewers who are connected are told so.
func FeedRowsRemoved(tx core.App, rows []FeedRow) { feedRowsChanged(tx, rows, false) }

func feedRowsChanged(tx core.App, rows []FeedRow, added bool) {
	in := existingInbox(tx)
	if in == nil || len(rows) == 0 {
		return
	}
	db.AfterCommit(tx, func() {
		for _, row := range rows {
			in.updatePerson(row.Viewer, update{feed: []feedChange{{row.ID, added}}})
		}
	})
}

// updatePerson has a worker send the news to the person's devices. All that is personal goes
// through here; who has no device costs a look into a map.
func (in *Inbox) updatePerson(person string, n update) {
	in.mu.Lock()
	heard := len(in.people[person]) > 0 || len(in.superusers) > 0
	in.mu.Unlock()
	if heard {
		in.personQueue.enqueue(workKey{person: person}, n)
	}
}
