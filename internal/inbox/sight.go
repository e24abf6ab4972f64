package inbox

import (
	"encoding/json/v2"
	"fmt"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
)

// deliverPost sends the post to those who watch it, or its delete to whom it went out of sight.
func (in *Inbox) deliverPost(post string, n update) error {
	if err := in.deliverToWatchers(post, n); err != nil {
		return fmt.Errorf("deliver post %s: %w", post, err)
	}
	if !n.inFeedsToo {
		return nil
	}
	return in.recheckFeeds("post", post)
}

func (in *Inbox) deliverToWatchers(post string, n update) error {
	listeners := slices.DeleteFunc(in.listenersOf(posts, post, false), func(l listener) bool {
		return !n.countsChanged && !n.sightChanged && !slices.Contains(n.onlyPeople, l.person)
	})
	if len(listeners) == 0 {
		return nil
	}
	row, err := db.FindRecord(in.app, posts, post)
	if err != nil {
		return err
	}
	var seeing []listener
	if row != nil {
		if seeing, err = in.filterVisible(row, listeners); err != nil {
			return err
		}
	}
	if n.countsChanged && row != nil {
		if err := in.sendRow("update", row, seeing); err != nil {
			return err
		}
	}
	sees := map[*subscription]bool{}
	for _, l := range seeing {
		sees[l.subscription] = true
	}
	for _, l := range listeners {
		if (n.sightChanged || slices.Contains(n.onlyPeople, l.person)) && !sees[l.subscription] && in.wasInSight(l.subscription, post) {
			a := &viewGroup{topic: l.topic}
			l.sendData(a, in.encodeMessage("delete", a, nil, posts, post))
		}
	}
	in.noteSight(post, row, listeners, sees)
	return nil
}

func (in *Inbox) wasInSight(s *subscription, post string) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return s.inSight[post]
}

// noteSight keeps who sees a post, so that nobody is sent its delete twice, nor the
// delete of a post that was never in sight. Of a post that is gone, row is nil.
func (in *Inbox) noteSight(post string, row *core.Record, listeners []listener, sees map[*subscription]bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, l := range listeners {
		if _, watches := l.inSight[post]; watches {
			l.inSight[post] = sees[l.subscription]
		}
	}
	if w := in.watchedPosts[post]; w != nil && row != nil && len(sees) > 0 {
		w.author = row.GetString("author")
	}
}

// recheckWatchedPosts looks again at all that is watched or listened to of an author.
func (in *Inbox) recheckWatchedPosts(author string) error {
	in.mu.Lock()
	for post, w := range in.watchedPosts {
		if w.author == author {
			in.broadcastQueue.enqueue(workKey{post: post}, update{sightChanged: true})
		}
	}
	in.mu.Unlock()
	return in.recheckFeeds("author", author)
}

// recheckFeeds looks again at the rows with this post or author in the feeds that somebody listens to.
func (in *Inbox) recheckFeeds(column, value string) error {
	people := in.peopleListeningTo(feed)
	if len(people) == 0 {
		return nil
	}
	list, err := json.Marshal(people)
	if err != nil {
		return err
	}
	var rows []FeedRow
	// CROSS JOIN keeps the order: a look at each listener, not at each row of the post or author
	err = db.QueryAll(in.app, &rows, `SELECT f.id, f.viewer FROM json_each({:people}) p CROSS JOIN feed f ON f.viewer = p.value
		WHERE f.`+column+` = {:value} AND NOT f.gone`, db.Params{"people": string(list), "value": value})
	if err != nil {
		return fmt.Errorf("find %s %s in feeds: %w", column, value, err)
	}
	for _, row := range rows {
		in.updatePerson(row.Viewer, update{feed: []feedChange{{row.ID, false}}})
	}
	return nil
}
