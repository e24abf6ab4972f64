package inbox

import (
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

func TestCountsComeOftenEnoughAndNotTooOften(t *testing.T) {
	s := startService(t)
	s.inbox.countsInterval = 50 * time.Millisecond
	s.addPost("bob", "p1", "public")
	like := func() {
		s.inTransaction(func(tx core.App) {
			s.execSQL(tx, `UPDATE posts SET likesCount = likesCount + 1 WHERE id = 'p1'`, nil)
			PostCountsChanged(tx, "p1")
		})
	}
	watchers := []*stream{s.connectDevice("", "posts/p1"), s.connectDevice(s.tokenOf("ada"), withQuery("posts/p1", `{"fields":"id,likesCount"}`))}
	start := time.Now()
	like()
	for _, d := range watchers {
		if e := d.nextEvent(); e.Record["likesCount"] != 1.0 {
			t.Errorf("got %v first", e.Record)
		}
	}
	const n = 500
	for range n - 1 {
		like()
	}
	most := 1 + int(time.Since(start)/s.inbox.countsInterval)
	for _, d := range watchers {
		messages, count := 0, 1.0
		for count < n {
			e := d.nextEvent()
			if e.Action != "update" || e.Record["id"] != "p1" || e.Record["likesCount"].(float64) < count {
				t.Fatalf("got %v %v after %v", e, e.Record, count)
			}
			messages, count = messages+1, e.Record["likesCount"].(float64)
		}
		if messages > most {
			t.Errorf("got %d messages, want at most %d", messages, most)
		}
	}
}

func TestCountsOfAPostOutOfSightAreNotSent(t *testing.T) {
	s := startService(t)
	s.addPost("bob", "p1", "private")
	guest, ada, bob := s.connectDevice("", "posts/p1"), s.connectDevice(s.tokenOf("ada"), "posts/p1"), s.connectDevice(s.tokenOf("bob"), "posts/p1")
	s.inTransaction(func(tx core.App) { PostCountsChanged(tx, "p1") })
	bob.wantEvents("posts/p1 update p1")
	guest.wantNothing()
	ada.wantNothing()
}

func TestWhoMayNoLongerSeeAPostIsToldOnce(t *testing.T) {
	s := startService(t)
	s.addPost("bob", "p1", "public")
	s.addPost("bob", "p2", "private")
	guest, ada, bob := s.connectDevice("", "posts/p1", "posts/p2"), s.connectDevice(s.tokenOf("ada"), "posts/p1", "feed/*"), s.connectDevice(s.tokenOf("bob"), "posts/p1", "feed/*")
	s.addFollow(s.app, "ada", "bob", "accepted")
	s.addFollow(s.app, "cyn", "bob", "accepted")
	s.inTransaction(func(tx core.App) { PostAdded(tx, "p1", "bob") })
	ada.wantEvents("feed/* create adap1")
	bob.wantEvents("feed/* create bobp1")
	hide := func(hidden string) {
		s.inTransaction(func(tx core.App) {
			s.execSQL(tx, `UPDATE posts SET hidden = `+hidden, nil)
			RecheckPosts(tx, "p1", "p2")
		})
	}
	hide("1")
	guest.wantEvents("posts/p1 delete p1") // and nothing of p2, which was never in sight
	ada.wantEvents("posts/p1 delete p1", "feed/* delete adap1")
	s.inTransaction(func(tx core.App) { RecheckPosts(tx, "p1"); PostCountsChanged(tx, "p1") })
	guest.wantNothing()
	bob.wantEvents("posts/p1 update p1") // the author sees it, hidden or not
	bob.wantNothing()
	hide("0")
	guest.wantNothing()
	hide("1")
	guest.wantEvents("posts/p1 delete p1")
}

func TestAnAccountThatTurnsPrivateLeavesTheSightOfStrangers(t *testing.T) {
	s := startService(t)
	for _, id := range []string{"p1", "p2"} {
		s.addPost("bob", id, "public")
	}
	s.addPost("cyn", "p3", "public")
	s.addFollow(s.app, "cyn", "bob", "accepted")
	s.addFollow(s.app, "ada", "cyn", "accepted")
	ada := s.connectDevice(s.tokenOf("ada"), "posts/p1", "posts/p2", "posts/p3")
	feed, cyn := s.connectDevice(s.tokenOf("ada"), "feed/*"), s.connectDevice(s.tokenOf("cyn"), "posts/p1", "feed/*")
	s.inTransaction(func(tx core.App) {
		s.execSQL(tx, `UPDATE users SET private = 1 WHERE id = 'bob'`, nil)
		RecheckAuthor(tx, "bob")
	})
	got := map[string]bool{ada.nextEvent().String(): true, ada.nextEvent().String(): true}
	if !got["posts/p1 delete p1"] || !got["posts/p2 delete p2"] {
		t.Errorf("got %v", got)
	}
	for _, d := range []*stream{ada, feed, cyn} {
		d.wantNothing()
	}
}

func TestASuspendedPersonsPostsLeaveOpenFeeds(t *testing.T) {
	s := startService(t)
	s.addPost("bob", "p1", "public")
	s.addFollow(s.app, "ada", "bob", "accepted")
	ada, cyn := s.connectDevice(s.tokenOf("ada"), "feed/*"), s.connectDevice(s.tokenOf("cyn"), "feed/*")
	s.inTransaction(func(tx core.App) {
		s.execSQL(tx, `UPDATE users SET state = 'suspended' WHERE id = 'bob'`, nil)
		RecheckAuthor(tx, "bob")
	})
	ada.wantEvents("feed/* delete adap1")
	ada.wantNothing()
	cyn.wantNothing()
}

func TestABlockIsFeltByTheBlockedAlone(t *testing.T) {
	s := startService(t)
	s.addPost("bob", "p1", "public")
	ada, cyn := s.connectDevice(s.tokenOf("ada"), "posts/p1"), s.connectDevice(s.tokenOf("cyn"), "posts/p1")
	s.inTransaction(func(tx core.App) {
		s.execSQL(tx, `INSERT INTO blocks (id, blocker, blocked, created, updated) VALUES ('b1', 'bob', 'ada', {:now}, {:now})`, nil)
		RecheckPerson(tx, "bob")
		RecheckPerson(tx, "ada")
	})
	ada.wantEvents("posts/p1 delete p1")
	ada.wantNothing()
	cyn.wantNothing()
}

func TestAWatcherWhoSubscribesAnewKeepsThePace(t *testing.T) {
	s := startService(t)
	s.inbox.countsInterval = time.Hour
	s.addPost("bob", "p1", "public")
	d := s.connectDevice(s.tokenOf("ada"), "posts/p1")
	s.inTransaction(func(tx core.App) { PostCountsChanged(tx, "p1") })
	d.wantEvents("posts/p1 update p1")
	d.subscribe("posts/p1", "settings/*")
	s.inTransaction(func(tx core.App) { PostCountsChanged(tx, "p1") })
	d.wantNothing() // until the hour is over
	s.execSQL(s.app, `UPDATE posts SET hidden = 1`, nil)
	d.subscribe("posts/p1")
	s.inTransaction(func(tx core.App) { RecheckPosts(tx, "p1") })
	d.wantEvents("posts/p1 delete p1") // the new subscription took over that it was in sight
}
