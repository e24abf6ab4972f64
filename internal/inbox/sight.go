package inbox

import (
	"fmt"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
)

// deliverPost sends the post to those who watch it, or its delete to those who can no longer see it.
func (in *Inbox) deliverPost(post string, u update) error {
	if err := in.deliverToWatchers(post, u); err != nil {
		return fmt.Errorf("deliver post %s: %w", post, err)
	}
	if len(u.inFeeds) == 0 {
		return nil
	}
	if u.author == "" {
		found, err := db.QueryValue(in.app, &u.author, `SELECT author FROM posts WHERE id = {:post}`, db.Params{"post": post})
		if err != nil || !found { // who deletes a post says whose it was
			return err
		}
	}
	return in.updateFeeds(u.author, func() ([]feedChange, error) { return u.inFeeds, nil })
}

func (in *Inbox) deliverToWatchers(post string, u update) error {
	listeners := slices.DeleteFunc(in.listenersOf(posts, post, false), func(l listener) bool {
		return !u.countsChanged && !u.sightChanged && !slices.Contains(u.onlyPeople, l.person)
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
	if u.countsChanged && row != nil {
		if err := in.sendRow("update", row, seeing); err != nil {
			return err
		}
	}
	sees := map[*subscription]bool{}
	for _, l := range seeing {
		sees[l.subscription] = true
	}
	for _, l := range listeners {
		if (u.sightChanged || slices.Contains(u.onlyPeople, l.person)) && !sees[l.subscription] && in.wasInSight(l.subscription, post) {
			g := &viewGroup{topic: l.topic}
			l.sendData(g, in.encodeMessage("delete", g, nil, posts, post))
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

// noteSight records who sees a post, so that nobody is sent its delete twice, nor the delete of a post that was never
// in sight. For a post that is gone, row is nil.
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

// recheckWatchedPosts checks again all posts of an author that are watched, and those in feeds that are listened to.
func (in *Inbox) recheckWatchedPosts(author string) error {
	in.mu.Lock()
	for post, w := range in.watchedPosts {
		if w.author == author {
			in.broadcastQueue.enqueue(workKey{post: post}, update{sightChanged: true})
		}
	}
	in.mu.Unlock()
	return in.updateFeeds(author, func() ([]feedChange, error) { return in.newestPostsOf(author) })
}
