package inbox

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

func bindFirst[E hook.Resolver](do func(E) error) *hook.Handler[E] {
	return &hook.Handler[E]{Func: do, Priority: -1}
}

func TestAFeedGrowsAndShrinksBeforeItsViewersEyes(t *testing.T) {
	s := startService(t)
	s.addFollow(s.app, "ada", "bob", "accepted")
	s.addFollow(s.app, "cyn", "bob", "pending")
	name := withQuery("feed/*", `{"expand":"post.author"}`)
	ada, cyn, bob := s.connectDevice(s.tokenOf("ada"), name), s.connectDevice(s.tokenOf("cyn"), "feed/*"), s.connectDevice(s.tokenOf("bob"), "feed/*")
	for id, visibility := range map[string]string{"p1": "public", "p2": "private", "p3": "followers"} {
		s.addPost("bob", id, visibility)
	}
	for _, id := range []string{"p1", "p2", "p3"} {
		s.inTransaction(func(tx core.App) { PostAdded(tx, id, "bob") })
	}
	got := ada.nextEvent()
	if got.String() != name+" create adap1" {
		t.Errorf("got %v", got)
	}
	post := got.Record["expand"].(map[string]any)["post"].(map[string]any)
	if post["caption"] != "p1" || post["expand"].(map[string]any)["author"].(map[string]any)["handle"] != "bob" {
		t.Errorf("got %v", post)
	}
	ada.wantEvents(name + " create adap3")
	bob.wantEvents("feed/* create bobp1", "feed/* create bobp2", "feed/* create bobp3") // the author's own, private or not
	s.inTransaction(func(tx core.App) {
		s.execSQL(tx, `DELETE FROM posts WHERE id = 'p1'`, nil)
		PostRemoved(tx, "p1", "bob")
	})
	got = ada.nextEvent()
	if got.String() != name+" delete adap1" || len(got.Record) != 3 || got.Record["collectionName"] != "feed" {
		t.Errorf("got %v %v", got, got.Record)
	}
	bob.wantEvents("feed/* delete bobp1")
	s.inTransaction(func(tx core.App) {
		s.execSQL(tx, `INSERT INTO hidden_posts (id, viewer, post) VALUES ('h1', 'ada', 'p3')`, nil)
		FeedPostHidden(tx, "ada", "p3")
	})
	ada.wantEvents(name + " delete adap3")
	s.inTransaction(func(tx core.App) { PostAdded(tx, "p3", "bob") })
	bob.wantEvents("feed/* create bobp3")
	ada.wantNothing()
	cyn.wantNothing()
}

func TestWhoUnfollowsIsToldOfTheNewestPosts(t *testing.T) {
	s := startService(t)
	s.addFollow(s.app, "ada", "bob", "accepted")
	ada, bob := s.connectDevice(s.tokenOf("ada"), "feed/*"), s.connectDevice(s.tokenOf("bob"), "feed/*")
	s.execSQL(s.app, `WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 399)
		INSERT INTO posts (id, author, photos, visibility, created, updated) SELECT 'p' || i, 'bob', '[]', 'public', '2026-01-01 00:00:00.' || i || 'Z', '' FROM n`, nil)
	s.inTransaction(func(tx core.App) { FeedAuthorLeft(tx, "ada", "bob") }) // who is still followed
	ada.wantNothing()
	s.addPost("bob", "q1", "private") // which only bob ever saw, as he did the next, which is hidden
	s.addPost("bob", "q2", "public")
	s.execSQL(s.app, `UPDATE posts SET hidden = 1 WHERE id = 'q2'`, nil)
	s.inTransaction(func(tx core.App) {
		s.execSQL(tx, `DELETE FROM follows`, nil)
		FeedAuthorLeft(tx, "ada", "bob")
	})
	for i := range shownPosts {
		ada.wantEvents(fmt.Sprint("feed/* delete adap", 399-i))
	}
	ada.wantNothing()
	bob.wantNothing()
}

// TestANewPostAsksForFollowersOrForWhoIsConnected counts statements and their rows: what a post costs does not grow
// with who else is connected, nor with followers who are not.
func TestANewPostAsksForFollowersOrForWhoIsConnected(t *testing.T) {
	s := startService(t)
	s.addPost("bob", "p1", "public")
	for _, many := range []string{"followers", "connected"} {
		s.execSQL(s.app, `DELETE FROM follows`, nil)
		s.addFollow(s.app, "ada", "bob", "accepted")
		if many == "followers" {
			for i := range 40 {
				s.addFollow(s.app, fmt.Sprint("other", i), "bob", "accepted")
			}
		}
		ada, cyn := s.connectDevice(s.tokenOf("ada"), "feed/*"), s.connectDevice(s.tokenOf("cyn"), "feed/*")
		people, err := s.inbox.feedListenersOf("bob")
		if err != nil || fmt.Sprint(people) != "[ada]" {
			t.Errorf("many %s: %v, %v", many, people, err)
		}
		before := s.queries.Load()
		s.inTransaction(func(tx core.App) { PostAdded(tx, "p1", "bob") })
		ada.wantEvents("feed/* create adap1")
		s.waitUntilIdle()
		if n := s.queries.Load() - before; n > 6 {
			t.Errorf("many %s: %d queries", many, n)
		}
		cyn.wantNothing()
	}
}

// TestNobodyLosesAStreamBecauseOthersPostMuch has 3,000 posts made before a device is told of any: it is told of the newest
// that it has room for, in their order, and of what comes after them.
func TestNobodyLosesAStreamBecauseOthersPostMuch(t *testing.T) {
	for name, c := range map[string]struct {
		captionLength, least, most int
	}{"few bytes": {1, maxAddedPosts, maxAddedPosts}, "many bytes": {2000, 20, 100}} {
		t.Run(name, func(t *testing.T) {
			s := startService(t)
			s.addFollow(s.app, "ada", "bob", "accepted")
			name := withQuery("feed/*", `{"expand":"post"}`)
			if c.captionLength == 1 {
				name = "feed/*"
			}
			ada := s.connectDevice(s.tokenOf("ada"), name)
			s.execSQL(s.app, `WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 3999)
				INSERT INTO posts (id, author, photos, visibility, caption, created, updated) SELECT 'p' || i, 'bob', '[]', 'public', printf('%.*c', {:length}, 'x'), '2026-01-01 00:00:00.000Z', '' FROM n`,
				map[string]any{"length": c.captionLength})
			var burst update
			for i := range 3000 {
				burst.addUpdate(update{feed: []feedChange{{fmt.Sprint("p", 1000+i), true}, {"p1000", true}}})
			}
			if len(burst.feed) > 2*(maxAddedPosts+maxGonePosts) {
				t.Errorf("%d changes wait", len(burst.feed))
			}
			burst.addUpdate(update{feed: []feedChange{{"gone", false}}}) // of which a device is told in any case
			s.inbox.updatePerson("ada", burst)
			s.waitUntilIdle()
			s.addPost("bob", "last", "public")
			s.inTransaction(func(tx core.App) { PostAdded(tx, "last", "bob") })
			var got []string
			for len(got) == 0 || got[len(got)-1] != name+" create adalast" {
				got = append(got, ada.nextEvent().String())
			}
			if n := len(got) - 2; n < c.least || n > c.most {
				t.Fatalf("%d posts: %v", n, got)
			}
			if got[len(got)-2] != name+" delete adagone" || got[len(got)-3] != name+" create adap1000" {
				t.Errorf("got %v", got[len(got)-4:])
			}
			for i, event := range got[:len(got)-3] {
				if want := fmt.Sprint(name, " create adap", 3999-(len(got)-4)+i); event != want {
					t.Fatalf("got %s, want %s", event, want)
				}
			}
		})
	}
}

// TestNoDeleteOfAFeedIsLost has posts of several authors go: a device is sent each delete, whatever was posted meanwhile, or is
// disconnected and asks for its feed anew. A device that does not listen to the feed stays.
func TestNoDeleteOfAFeedIsLost(t *testing.T) {
	goneOf := func(from, to int) (u update) {
		for i := from; i < to; i++ {
			u.addUpdate(update{feed: []feedChange{{fmt.Sprint("gone", i), false}}})
			for range 3 { // the same again is no more, and what is added takes no delete's place
				u.addUpdate(update{feed: []feedChange{{fmt.Sprint("gone", i), false}, {fmt.Sprint("new", i), true}}})
			}
		}
		return u
	}
	authors := []string{"u1", "u2", "u3", "u4", "u5", "u6"}
	for name, c := range map[string]struct {
		u    update
		sent int // deletes; 0 if the device is disconnected
	}{
		"as many as one is told of":     {goneOf(0, maxGonePosts), maxGonePosts},
		"one more":                      {goneOf(0, maxGonePosts+1), 0},
		"very many":                     {goneOf(0, 5*maxGonePosts), 0},
		"five authors' newest":          {update{feedAuthors: authors[:5]}, maxGonePosts},
		"six authors' newest":           {update{feedAuthors: authors}, 0},
		"five authors' newest and more": {update{feedAuthors: authors[:5], feed: []feedChange{{"gone", false}}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := startService(t)
			for _, author := range authors {
				s.execSQL(s.app, `WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 299)
					INSERT INTO posts (id, author, photos, visibility, created, updated) SELECT {:author} || i, {:author}, '[]', 'public', '2026-01-01 00:00:00.' || i || 'Z', '' FROM n`, map[string]any{"author": author})
			}
			ada, other := s.connectDevice(s.tokenOf("ada"), "feed/*"), s.connectDevice(s.tokenOf("ada"), "settings/*")
			if len(c.u.feed) > 2*(maxAddedPosts+maxGonePosts) {
				t.Errorf("%d changes wait", len(c.u.feed))
			}
			s.inbox.updatePerson("ada", c.u)
			s.waitUntilIdle()
			other.wantNothing()
			if c.sent == 0 {
				ada.wantEnd()
				return
			}
			deleted := map[string]bool{}
			for range c.sent {
				e := ada.nextEvent()
				if deleted[e.String()] = true; e.Action != "delete" {
					t.Fatalf("got %v", e)
				}
			}
			ada.wantNothing()
			if len(deleted) != c.sent {
				t.Errorf("%d posts were deleted", len(deleted))
			}
		})
	}
}

// TestTheNewestPostHasRoomWhereNothingWaits has much wait for other devices: a device for which nothing waits is told of the
// newest post, however long, and of no other that long.
func TestTheNewestPostHasRoomWhereNothingWaits(t *testing.T) {
	for name, waiting := range map[string]int{"little waits": 0, "much waits for others": maxTotalWaitingBytes/2 + 1} {
		d := newDevice(subscriptions.NewDefaultClient(), new(atomic.Int64))
		for range channelSize { // which takes what comes first
			d.Send(testMessage(0, 1))
		}
		d.totalWaitingBytes.Store(int64(waiting))
		long := make([]byte, maxWaitingBytes/2+1)
		s, g := &subscription{device: d}, &viewGroup{}
		s.sendFeedMessages(g, []feedMessage{{long, true}, {long[1:], true}, {[]byte("{}"), false}})
		if len(d.waiting) != 2 || len(d.waiting[0].Data) != len(long)-1 || d.IsDiscarded() {
			t.Errorf("%s: %d messages wait", name, len(d.waiting))
		}
		s.sendFeedMessages(g, []feedMessage{{long, true}})
		if len(d.waiting) != 2 || d.IsDiscarded() {
			t.Errorf("%s: behind it %d messages wait", name, len(d.waiting))
		}
	}
}

func TestNobodyConnectedCostsNoQuery(t *testing.T) {
	s := startService(t)
	s.connectDevice("", "posts/p9")
	s.addPost("bob", "p1", "public")
	before := s.queries.Load()
	s.inTransaction(func(tx core.App) {
		PostAdded(tx, "p1", "bob")
		PostRemoved(tx, "p2", "bob")
		FeedPostHidden(tx, "ada", "p1")
		FeedAuthorLeft(tx, "ada", "bob")
		s.addNotification(tx, "ada", "n1")
		PersonRowChanged(tx, "ada", "settings")
		PostCountsChanged(tx, "p1")
		RecheckPosts(tx, "p1")
		RecheckAuthor(tx, "bob")
		RecheckPerson(tx, "ada")
	})
	s.waitUntilIdle()
	if got := s.queries.Load() - before; got != 0 {
		t.Errorf("%d queries", got)
	}
}
