package inbox

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// TestAKeyIsHandledByOneWorkerAtATime enqueues a key again and again while it is handled.
func TestAKeyIsHandledByOneWorkerAtATime(t *testing.T) {
	const often = 3
	var mu sync.Mutex
	handled, running := map[workKey][]update{}, map[workKey]bool{}
	begun, goOn, other := make(chan struct{}), make(chan struct{}), make(chan struct{})
	ada, bob := workKey{person: "ada"}, workKey{person: "bob"}
	q := newWorkQueue(2, func(key workKey, u update) {
		mu.Lock()
		if running[key] {
			t.Errorf("%s is handled twice at once", key.person)
		}
		running[key] = true
		handled[key] = append(handled[key], u)
		first := key == ada && len(handled[ada]) == 1
		mu.Unlock()
		if first {
			close(begun)
			<-goOn
		}
		mu.Lock()
		running[key] = false
		mu.Unlock()
		if key == bob {
			close(other)
		}
	})
	q.enqueue(ada, update{})
	<-begun
	for range often {
		q.enqueue(ada, update{feed: []feedChange{{post: "p"}}})
	}
	q.enqueue(bob, update{tray: true})
	<-other // so the second worker works, and has left ada alone
	close(goOn)
	q.working.Wait()
	if len(handled[ada]) != 2 || len(handled[ada][1].feed) != often {
		t.Errorf("ada is handled with %+v, want once more with all that came meanwhile", handled[ada])
	}
	q.closeAndWait()
	q.enqueue(ada, update{})
	q.working.Wait()
	if len(handled[ada]) != 2 {
		t.Error("a queue that is closed handles a key")
	}
}

func TestTwoUpdatesAddUpToOne(t *testing.T) {
	first, second := time.Unix(1, 0), time.Unix(2, 0)
	a, b := feedChange{"a", true}, feedChange{"b", false}
	for name, c := range map[string]struct{ one, two, sum update }{
		"nothing and nothing":           {},
		"the tray changed, then others": {update{tray: true}, update{collections: []string{"settings"}}, update{tray: true, collections: []string{"settings"}}},
		"others changed, then the tray": {update{collections: []string{"settings"}}, update{tray: true}, update{tray: true, collections: []string{"settings"}}},
		"a row that changed twice":      {update{collections: []string{"settings"}}, update{collections: []string{"settings"}}, update{collections: []string{"settings"}}},
		"the earlier commit":            {update{committedAt: first}, update{committedAt: second}, update{committedAt: first}},
		"the only commit":               {update{}, update{committedAt: second}, update{committedAt: second}},
		"the earlier seq":               {update{toSuperusers: true, superusersFrom: 3}, update{toSuperusers: true, superusersFrom: 2}, update{toSuperusers: true, superusersFrom: 2}},
		"the only seq":                  {update{}, update{toSuperusers: true, superusersFrom: 2}, update{toSuperusers: true, superusersFrom: 2}},
		"a seq for nobody":              {update{toSuperusers: true, superusersFrom: 3}, update{}, update{toSuperusers: true, superusersFrom: 3}},
		"counts and sight":              {update{countsChanged: true}, update{sightChanged: true}, update{countsChanged: true, sightChanged: true}},
		"sight and counts":              {update{sightChanged: true}, update{countsChanged: true}, update{countsChanged: true, sightChanged: true}},
		"changes of feeds in order":     {update{feed: []feedChange{a}}, update{feed: []feedChange{b}}, update{feed: []feedChange{a, b}}},
		"authors":                       {update{feedAuthors: []string{"x"}}, update{feedAuthors: []string{"y", "x"}}, update{feedAuthors: []string{"x", "y"}}},
		"more than can be told":         {update{feed: []feedChange{a}, feedAuthors: []string{"x"}}, update{feedOverflows: true}, update{feedOverflows: true}},
		"what became of a post":         {update{inFeeds: []feedChange{a}, author: "x"}, update{inFeeds: []feedChange{a, b}}, update{inFeeds: []feedChange{a, b}, author: "x"}},
		"of whose sight it went":        {update{onlyPeople: []string{"x"}}, update{onlyPeople: []string{"y"}}, update{onlyPeople: []string{"x", "y"}}},
	} {
		sum := c.one
		sum.addUpdate(c.two)
		if !equalUpdates(sum, c.sum) {
			t.Errorf("%s: %+v, want %+v", name, sum, c.sum)
		}
	}
}

func equalUpdates(a, b update) bool {
	return a.tray == b.tray && a.committedAt.Equal(b.committedAt) && a.toSuperusers == b.toSuperusers && a.superusersFrom == b.superusersFrom &&
		slices.Equal(a.collections, b.collections) && slices.Equal(a.feed, b.feed) && slices.Equal(a.feedAuthors, b.feedAuthors) &&
		a.feedOverflows == b.feedOverflows && a.countsChanged == b.countsChanged && a.sightChanged == b.sightChanged &&
		slices.Equal(a.inFeeds, b.inFeeds) && a.author == b.author && slices.Equal(a.onlyPeople, b.onlyPeople)
}
