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
	now := map[*seat]bool{} // who sees it
	author := ""
	for _, a := range in.watching(post) {
		asked := func(s *seat) bool { return s.person != "" && slices.Contains(n.of, s.person) }
		recheck := n.recheck || slices.ContainsFunc(a.seats, asked)
		if !recheck && !n.touched {
			continue
		}
		e := in.request(a.auth, a.options)
		visible, err := in.visible(e, posts, []string{post})
		if err != nil {
			return fmt.Errorf("deliver post %s: %w", post, err)
		}
		if row := visible[post]; row != nil {
			author = row.GetString("author")
			for _, s := range a.seats {
				now[s] = true
			}
			if n.touched {
				a.send(in.encode("update", a, in.show(e, []*core.Record{row})[post], posts, post))
			}
			continue
		}
		if !recheck {
			continue
		}
		for _, s := range a.seats {
			now[s] = false
			if in.saw(s, post) {
				s.send(a, in.encode("delete", a, nil, posts, post))
			}
		}
	}
	in.noteSight(post, author, now)
	if !n.feeds {
		return nil
	}
	return in.recheckFeeds("post", post)
}

func (in *Inbox) saw(s *seat, post string) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return s.seen[post]
}

// noteSight keeps who sees a post, so that nobody is sent its delete twice, nor the
// delete of a post that was never in sight.
func (in *Inbox) noteSight(post, author string, now map[*seat]bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for s, sees := range now {
		s.seen[post] = sees
	}
	if w := in.posts[post]; w != nil && author != "" {
		w.author = author
	}
}

// serveAuthor looks again at all that is watched or listened to of an author.
func (in *Inbox) serveAuthor(author string) error {
	in.mu.Lock()
	for post, w := range in.posts {
		if w.author == author {
			in.desk.put(errand{post: post}, news{recheck: true})
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
