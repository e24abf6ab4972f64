package inbox

import (
	"cmp"
	"slices"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
)

// Of how many changes of a feed a person is told. When others post more, these are the newest: older posts are hardly on a
// screen, and the next page has them. When more is gone, which of it is on a screen is not known: a person is disconnected, and
// asks for the feed anew.
const (
	maxAddedPosts = shownPosts
	maxGonePosts  = 1000
)

// update is what there is to do for a workKey. Two updates of one key add up to one.
type update struct {
	tray           bool      // of a person: notifications or retractions changed
	committedAt    time.Time // when that was committed; zero unless deliveries are reported
	toSuperusers   bool      // superusers listen to notifications as well
	superusersFrom int64     // superusers who were sent nothing of this person yet need nothing up to this seq
	collections    []string  // collections of which the person's row changed
	feed           []feedChange
	feedAuthors    []string     // of a person: whose posts may be gone from the feed
	feedOverflows  bool         // of a person: more posts may be gone from the feed than a person is told of
	countsChanged  bool         // of a post: its counts changed
	sightChanged   bool         // of a post: it may have gone out of sight
	inFeeds        []feedChange // of a post: what became of it in the feeds that it is in
	author         string       // of a post: its author, unless that is to be looked up
	onlyPeople     []string     // of a post: it may have gone out of sight of these people alone
}

// feedChange is what became of a post in a feed.
type feedChange struct {
	post  string
	added bool // false: it may be gone
}

func (u *update) addUpdate(more update) {
	if more.toSuperusers {
		if !u.toSuperusers || more.superusersFrom < u.superusersFrom {
			u.superusersFrom = more.superusersFrom
		}
		u.toSuperusers = true
	}
	u.tray = u.tray || more.tray
	if u.committedAt.IsZero() {
		u.committedAt = more.committedAt
	}
	u.collections = appendMissing(u.collections, more.collections)
	u.feedOverflows = u.feedOverflows || more.feedOverflows
	if u.feed = append(u.feed, more.feed...); len(u.feed) > 2*(maxAddedPosts+maxGonePosts) {
		u.boundFeed()
	}
	u.countsChanged = u.countsChanged || more.countsChanged
	u.sightChanged = u.sightChanged || more.sightChanged
	if u.feedAuthors = appendMissing(u.feedAuthors, more.feedAuthors); u.feedOverflows {
		u.feed, u.feedAuthors = nil, nil
	}
	u.inFeeds = appendMissing(u.inFeeds, more.inFeeds)
	u.author = cmp.Or(u.author, more.author)
	u.onlyPeople = appendMissing(u.onlyPeople, more.onlyPeople)
}

// boundFeed leaves the changes of which a person is told: without those that repeat a later one and, where too many posts
// were added, without the oldest of these. Added posts come in the order of their commits, as broadcastQueue has one worker;
// those that may be gone in no order, as an author's come newest first.
func (u *update) boundFeed() {
	kept := make(map[feedChange]bool, len(u.feed))
	count := map[bool]int{}
	var newest []feedChange
	for _, c := range slices.Backward(u.feed) {
		if kept[c] || c.added && count[c.added] == maxAddedPosts {
			continue
		}
		kept[c] = true
		count[c.added]++
		newest = append(newest, c)
	}
	slices.Reverse(newest)
	u.feed, u.feedOverflows = newest, u.feedOverflows || count[false] > maxGonePosts
}

func appendMissing[T comparable](a, b []T) []T {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

// NotificationsChanged says that the person's notifications or retractions changed. Call it inside the transaction of
// the change. After the commit, the person's devices are sent what they lack, in the order of seq; several changes of
// one row may arrive as one.
func NotificationsChanged(tx core.App, person string) {
	in := existingInbox(tx)
	if in == nil {
		return
	}
	u := update{tray: true}
	u.superusersFrom, u.toSuperusers = in.superuserCursor(person)
	db.AfterCommit(tx, func() {
		if in.OnDelivered != nil {
			u.committedAt = time.Now()
		}
		in.updatePerson(person, u)
	})
}

// superuserCursor returns the person's last seq, and whether a superuser listens to notifications. It reads outside of
// the open transaction, so the seq is the one before that transaction's changes. Where it cannot be read it is 0: the
// superuser is rather sent too much.
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

// PersonRowChanged says that the person's row changed in a collection that has one row for each user, such as
// settings. After the commit, the person's devices are sent the row as it is then.
func PersonRowChanged(tx core.App, person, collection string) {
	if in := existingInbox(tx); in != nil {
		db.AfterCommit(tx, func() { in.updatePerson(person, update{collections: []string{collection}}) })
	}
}

// updatePerson has a worker send an update to the person's devices. All that is personal goes through here; for a
// person without a device it costs only a lookup in a map.
func (in *Inbox) updatePerson(person string, u update) {
	in.mu.Lock()
	hasListener := len(in.people[person]) > 0 || len(in.superusers) > 0
	in.mu.Unlock()
	if hasListener {
		in.personQueue.enqueue(workKey{person: person}, u)
	}
}
