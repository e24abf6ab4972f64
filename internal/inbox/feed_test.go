package inbox

import (
	"fmt"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

func bindFirst[E hook.Resolver](do func(E) error) *hook.Handler[E] {
	return &hook.Handler[E]{Func: do, Priority: -1}
}

func TestAFeedGrowsAndShrinksBeforeItsViewersEyes(t *testing.T) {
	s := startService(t)
	s.addPost("bob", "p1", "public")
	s.addPost("bob", "p2", "followers")
	s.addPost("bob", "p3", "public")
	ada := s.connectDevice(s.tokenOf("ada"), withQuery("feed/*", `{"expand":"post.author"}`))
	cyn := s.connectDevice(s.tokenOf("cyn"), "feed/*")
	name := withQuery("feed/*", `{"expand":"post.author"}`)
	s.inTransaction(func(tx core.App) {
		s.addFeedRow(tx, "ada", "bob", "p1")
		s.addFeedRow(tx, "ada", "bob", "p2") // ada does not follow bob
		s.addFeedRow(tx, "ada", "bob", "p3")
	})
	got := ada.nextEvent()
	if got.String() != name+" create adap1" {
		t.Errorf("got %v", got)
	}
	post := got.Record["expand"].(map[string]any)["post"].(map[string]any)
	if post["caption"] != "p1" || post["expand"].(map[string]any)["author"].(map[string]any)["handle"] != "bob" {
		t.Errorf("got %v", post)
	}
	ada.wantEvents(name + " create adap3")
	s.inTransaction(func(tx core.App) {
		s.execSQL(tx, `DELETE FROM feed WHERE id = 'adap1'`, nil)
		FeedRowsRemoved(tx, []FeedRow{{"adap1", "ada"}})
	})
	s.inTransaction(func(tx core.App) {
		s.execSQL(tx, `UPDATE feed SET gone = 1 WHERE id = 'adap3'`, nil)
		FeedRowsRemoved(tx, []FeedRow{{"adap3", "ada"}})
	})
	got = ada.nextEvent()
	if got.String() != name+" delete adap1" || len(got.Record) != 3 || got.Record["collectionName"] != "feed" {
		t.Errorf("got %v %v", got, got.Record)
	}
	ada.wantEvents(name + " delete adap3")
	ada.wantNothing()
	cyn.wantNothing()
}

func TestAFeedThatChangesALotReachesADeviceThatReads(t *testing.T) {
	s := startService(t)
	ada := s.connectDevice(s.tokenOf("ada"), "feed/*")
	var rows []FeedRow
	for i := range 800 {
		rows = append(rows, FeedRow{fmt.Sprint("f", i), "ada"})
	}
	s.inTransaction(func(tx core.App) { FeedRowsRemoved(tx, rows) })
	for _, row := range rows {
		ada.wantEvents("feed/* delete " + row.ID)
	}
}

func TestAFeedThatChangesTooMuchIsFetchedAnew(t *testing.T) {
	s := startService(t)
	ada := s.connectDevice(s.tokenOf("ada"), "feed/*")
	var n update
	for i := range 10 * maxFeedChanges {
		n.addUpdate(update{feed: []feedChange{{id: fmt.Sprint("f", i)}}})
	}
	if len(n.feed) != maxFeedChanges+1 {
		t.Errorf("%d rows wait", len(n.feed))
	}
	s.inbox.updatePerson("ada", n)
	ada.wantEnd()
}

func TestNobodyConnectedCostsNoQuery(t *testing.T) {
	s := startService(t)
	s.connectDevice("", "posts/p9")
	s.addPost("bob", "p1", "public")
	before := s.queries.Load()
	s.inTransaction(func(tx core.App) {
		s.addFeedRow(tx, "ada", "bob", "p1")
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
