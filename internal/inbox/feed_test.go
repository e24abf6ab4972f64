package inbox

import (
	"fmt"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

func firstly[E hook.Resolver](do func(E) error) *hook.Handler[E] {
	return &hook.Handler[E]{Func: do, Priority: -1}
}

func TestAFeedGrowsAndShrinksBeforeItsViewersEyes(t *testing.T) {
	s := serve(t)
	s.post("bob", "p1", "public")
	s.post("bob", "p2", "followers")
	s.post("bob", "p3", "public")
	ada := s.connect(s.token("ada"), with("feed/*", `{"expand":"post.author"}`))
	cyn := s.connect(s.token("cyn"), "feed/*")
	name := with("feed/*", `{"expand":"post.author"}`)
	s.transaction(func(tx core.App) {
		s.feed(tx, "ada", "bob", "p1")
		s.feed(tx, "ada", "bob", "p2") // ada does not follow bob
		s.feed(tx, "ada", "bob", "p3")
	})
	got := ada.next()
	if got.String() != name+" create adap1" {
		t.Errorf("got %v", got)
	}
	post := got.Record["expand"].(map[string]any)["post"].(map[string]any)
	if post["caption"] != "p1" || post["expand"].(map[string]any)["author"].(map[string]any)["handle"] != "bob" {
		t.Errorf("got %v", post)
	}
	ada.want(name + " create adap3")
	s.transaction(func(tx core.App) {
		s.exec(tx, `DELETE FROM feed WHERE id = 'adap1'`, nil)
		FeedRemoved(tx, []FeedRow{{"adap1", "ada"}})
	})
	s.transaction(func(tx core.App) {
		s.exec(tx, `UPDATE feed SET gone = 1 WHERE id = 'adap3'`, nil)
		FeedRemoved(tx, []FeedRow{{"adap3", "ada"}})
	})
	got = ada.next()
	if got.String() != name+" delete adap1" || len(got.Record) != 3 || got.Record["collectionName"] != "feed" {
		t.Errorf("got %v %v", got, got.Record)
	}
	ada.want(name + " delete adap3")
	ada.wantNothing()
	cyn.wantNothing()
}

func TestAFeedThatChangesALotReachesADeviceThatReads(t *testing.T) {
	s := serve(t)
	ada := s.connect(s.token("ada"), "feed/*")
	var rows []FeedRow
	for i := range 800 {
		rows = append(rows, FeedRow{fmt.Sprint("f", i), "ada"})
	}
	s.transaction(func(tx core.App) { FeedRemoved(tx, rows) })
	for _, row := range rows {
		ada.want("feed/* delete " + row.ID)
	}
}

func TestAFeedThatChangesTooMuchIsFetchedAnew(t *testing.T) {
	s := serve(t)
	ada := s.connect(s.token("ada"), "feed/*")
	var n news
	for i := range 10 * mostRows {
		n.add(news{feed: []feedChange{{id: fmt.Sprint("f", i)}}})
	}
	if len(n.feed) != mostRows+1 {
		t.Errorf("%d rows wait", len(n.feed))
	}
	s.in.tell("ada", n)
	ada.wantEnd()
}

func TestNobodyConnectedCostsNoQuery(t *testing.T) {
	s := serve(t)
	s.connect("", "posts/p9")
	s.post("bob", "p1", "public")
	before := s.queries.Load()
	s.transaction(func(tx core.App) {
		s.feed(tx, "ada", "bob", "p1")
		s.notify(tx, "ada", "n1")
		Updated(tx, "ada", "settings")
		Touched(tx, "p1")
		Recheck(tx, "p1")
		RecheckAuthor(tx, "bob")
		RecheckPerson(tx, "ada")
	})
	s.idle()
	if got := s.queries.Load() - before; got != 0 {
		t.Errorf("%d queries", got)
	}
}
