package inbox

import (
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

func TestCountsComeOftenEnoughAndNotTooOften(t *testing.T) {
	s := serve(t)
	s.in.pause = 50 * time.Millisecond
	s.post("bob", "p1", "public")
	like := func() {
		s.transaction(func(tx core.App) {
			s.exec(tx, `UPDATE posts SET likesCount = likesCount + 1 WHERE id = 'p1'`, nil)
			Touched(tx, "p1")
		})
	}
	watchers := []*stream{s.connect("", "posts/p1"), s.connect(s.token("ada"), with("posts/p1", `{"fields":"id,likesCount"}`))}
	start := time.Now()
	like()
	for _, d := range watchers {
		if e := d.next(); e.Record["likesCount"] != 1.0 {
			t.Errorf("got %v first", e.Record)
		}
	}
	const n = 500
	for range n - 1 {
		like()
	}
	most := 1 + int(time.Since(start)/s.in.pause)
	for _, d := range watchers {
		messages, count := 0, 1.0
		for count < n {
			e := d.next()
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
	s := serve(t)
	s.post("bob", "p1", "private")
	guest, ada, bob := s.connect("", "posts/p1"), s.connect(s.token("ada"), "posts/p1"), s.connect(s.token("bob"), "posts/p1")
	s.transaction(func(tx core.App) { Touched(tx, "p1") })
	bob.want("posts/p1 update p1")
	guest.wantNothing()
	ada.wantNothing()
}

func TestWhoMayNoLongerSeeAPostIsToldOnce(t *testing.T) {
	s := serve(t)
	s.post("bob", "p1", "public")
	s.post("bob", "p2", "private")
	guest, ada, bob := s.connect("", "posts/p1", "posts/p2"), s.connect(s.token("ada"), "posts/p1", "feed/*"), s.connect(s.token("bob"), "posts/p1", "feed/*")
	s.transaction(func(tx core.App) {
		s.feed(tx, "ada", "bob", "p1")
		s.feed(tx, "bob", "bob", "p1")
		s.feed(tx, "cyn", "bob", "p1")
	})
	ada.want("feed/* create adap1")
	bob.want("feed/* create bobp1")
	hide := func(hidden string) {
		s.transaction(func(tx core.App) {
			s.exec(tx, `UPDATE posts SET hidden = `+hidden, nil)
			Recheck(tx, "p1", "p2")
		})
	}
	hide("1")
	guest.want("posts/p1 delete p1") // and nothing of p2, which was never in sight
	ada.want("posts/p1 delete p1", "feed/* delete adap1")
	s.transaction(func(tx core.App) { Recheck(tx, "p1"); Touched(tx, "p1") })
	guest.wantNothing()
	bob.want("posts/p1 update p1") // the author sees it, hidden or not
	bob.wantNothing()
	hide("0")
	guest.wantNothing()
	hide("1")
	guest.want("posts/p1 delete p1")
}

func TestAnAccountThatTurnsPrivateLeavesTheSightOfStrangers(t *testing.T) {
	s := serve(t)
	for _, id := range []string{"p1", "p2"} {
		s.post("bob", id, "public")
	}
	s.post("cyn", "p3", "public")
	s.exec(s.app, `INSERT INTO follows (id, follower, followee, state, created, updated) VALUES ('f1', 'cyn', 'bob', 'accepted', {:now}, {:now})`, nil)
	ada := s.connect(s.token("ada"), "posts/p1", "posts/p2", "posts/p3")
	feed, cyn := s.connect(s.token("ada"), "feed/*"), s.connect(s.token("cyn"), "posts/p1", "feed/*")
	s.transaction(func(tx core.App) {
		s.feed(tx, "ada", "bob", "p1")
		s.feed(tx, "ada", "cyn", "p3")
		s.feed(tx, "cyn", "bob", "p1")
		hidden := s.feed(tx, "ada", "bob", "p2")
		s.exec(tx, `UPDATE feed SET gone = 1 WHERE id = 'adap2'`, nil)
		FeedRemoved(tx, []FeedRow{hidden})
	})
	feed.want("feed/* create adap1", "feed/* create adap3", "feed/* delete adap2")
	cyn.want("feed/* create cynp1")
	s.transaction(func(tx core.App) {
		s.exec(tx, `UPDATE users SET private = 1 WHERE id = 'bob'`, nil)
		RecheckAuthor(tx, "bob")
	})
	got := map[string]bool{ada.next().String(): true, ada.next().String(): true}
	if !got["posts/p1 delete p1"] || !got["posts/p2 delete p2"] {
		t.Errorf("got %v", got)
	}
	feed.want("feed/* delete adap1")
	for _, d := range []*stream{ada, feed, cyn} {
		d.wantNothing()
	}
}

func TestABlockIsFeltByTheBlockedAlone(t *testing.T) {
	s := serve(t)
	s.post("bob", "p1", "public")
	ada, cyn := s.connect(s.token("ada"), "posts/p1"), s.connect(s.token("cyn"), "posts/p1")
	s.transaction(func(tx core.App) {
		s.exec(tx, `INSERT INTO blocks (id, blocker, blocked, created, updated) VALUES ('b1', 'bob', 'ada', {:now}, {:now})`, nil)
		RecheckPerson(tx, "bob")
		RecheckPerson(tx, "ada")
	})
	ada.want("posts/p1 delete p1")
	ada.wantNothing()
	cyn.wantNothing()
}

func TestAWatcherWhoSubscribesAnewKeepsThePace(t *testing.T) {
	s := serve(t)
	s.in.pause = time.Hour
	s.post("bob", "p1", "public")
	d := s.connect(s.token("ada"), "posts/p1")
	s.transaction(func(tx core.App) { Touched(tx, "p1") })
	d.want("posts/p1 update p1")
	d.subscribe("posts/p1", "settings/*")
	s.transaction(func(tx core.App) { Touched(tx, "p1") })
	d.wantNothing() // until the hour is over
	s.exec(s.app, `UPDATE posts SET hidden = 1`, nil)
	d.subscribe("posts/p1")
	s.transaction(func(tx core.App) { Recheck(tx, "p1") })
	d.want("posts/p1 delete p1") // it is known to have been in sight
}
