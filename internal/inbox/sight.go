package inbox

import (
	"encoding/json/v2"
	"fmt"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
)

// servePost sends the post to those who watch it, or its delete to whom it went out of sight.
func (in *Inbox) servePost(post string, n news) error {
	if err := in.serveWatched(post, n); err != nil {
		return fmt.Errorf("deliver post %s: %w", post, err)
	}
	if !n.feeds {
		return nil
	}
	return in.recheckFeeds("post", post)
}

func (in *Inbox) serveWatched(post string, n news) error {
	listeners := slices.DeleteFunc(in.listeners(posts, post, false), func(l listener) bool {
		return !n.touched && !n.recheck && !slices.Contains(n.of, l.person)
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
		if seeing, err = in.seeing(row, listeners); err != nil {
			return err
		}
	}
	if n.touched && row != nil {
		if err := in.sendRow("update", row, seeing); err != nil {
			return err
		}
	}
	sees := map[*seat]bool{}
	for _, l := range seeing {
		sees[l.seat] = true
	}
	for _, l := range listeners {
		if (n.recheck || slices.Contains(n.of, l.person)) && !sees[l.seat] && in.saw(l.seat, post) {
			a := &audience{topic: l.topic}
			l.send(a, in.encode("delete", a, nil, posts, post))
		}
	}
	in.noteSight(post, row, listeners, sees)
	return nil
}

func (in *Inbox) saw(s *seat, post string) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return s.seen[post]
}

// noteSight keeps who sees a post, so that nobody is sent its delete twice, nor the
// delete of a post that was never in sight. Of a post that is gone, row is nil.
func (in *Inbox) noteSight(post string, row *core.Record, listeners []listener, sees map[*seat]bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, l := range listeners {
		if _, watches := l.seen[post]; watches {
			l.seen[post] = sees[l.seat]
		}
	}
	if w := in.posts[post]; w != nil && row != nil && len(sees) > 0 {
		w.author = row.GetString("author")
	}
}

// serveAuthor looks again at all that is watched or listened to of an author.
func (in *Inbox) serveAuthor(author string) error {
	in.mu.Lock()
	for post, w := range in.posts {
		if w.author == author {
			in.crowd.put(errand{post: post}, news{recheck: true})
		}
	}
	in.mu.Unlock()
	return in.recheckFeeds("author", author)
}

// recheckFeeds looks again at the rows with this post or author in the feeds that somebody listens to.
func (in *Inbox) recheckFeeds(column, value string) error {
	people := in.listening(feed)
	if len(people) == 0 {
		return nil
	}
	list, err := json.Marshal(people)
	if err != nil {
		return err
	}
	var rows []FeedRow
	// CROSS JOIN keeps the order: a look at each listener, not at each row of the post or author
	err = db.All(in.app, &rows, `SELECT f.id, f.viewer FROM json_each({:people}) p CROSS JOIN feed f ON f.viewer = p.value
		WHERE f.`+column+` = {:value} AND NOT f.gone`, db.Params{"people": string(list), "value": value})
	if err != nil {
		return fmt.Errorf("find %s %s in feeds: %w", column, value, err)
	}
	for _, row := range rows {
		in.tell(row.Viewer, news{feed: []feedChange{{row.ID, false}}})
	}
	return nil
}
