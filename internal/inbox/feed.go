package inbox

import (
	"fmt"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/list"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/visibility"
)

// PostAdded says that a post was made, or that more people may see it. After the commit its author, and those of the
// author's followers who listen to their feed, are sent the row if they may see it.
func PostAdded(tx core.App, post, author string) { postInFeeds(tx, post, author, true) }

// PostRemoved says that a post was deleted. After the commit those who listen to a feed that had it are sent its delete.
func PostRemoved(tx core.App, post, author string) { postInFeeds(tx, post, author, false) }

func postInFeeds(tx core.App, post, author string, added bool) {
	if in := existingInbox(tx); in != nil {
		db.AfterCommit(tx, func() {
			if people, _ := in.ConnectedCount(); people > 0 {
				in.broadcastQueue.enqueue(workKey{post: post}, update{inFeeds: []feedChange{{post, added}}, author: author})
			}
		})
	}
}

// FeedPostHidden says that a viewer hid a post. After the commit the viewer's devices are sent its delete.
func FeedPostHidden(tx core.App, viewer, post string) {
	if in := existingInbox(tx); in != nil {
		db.AfterCommit(tx, func() { in.updatePerson(viewer, update{feed: []feedChange{{post: post}}}) })
	}
}

// FeedAuthorLeft says that the author's posts may be gone from the viewer's feed, as after an unfollow. After the commit
// the viewer's devices are sent the deletes of the newest of them.
func FeedAuthorLeft(tx core.App, viewer, author string) {
	if in := existingInbox(tx); in != nil {
		db.AfterCommit(tx, func() { in.updatePerson(viewer, update{feedAuthors: []string{author}}) })
	}
}

// updateFeeds tells those whose open feed has posts of the author what became of them.
func (in *Inbox) updateFeeds(author string, find func() ([]feedChange, error)) error {
	people, err := in.feedListenersOf(author)
	if err != nil || len(people) == 0 {
		return err
	}
	changes, err := find()
	if err != nil {
		return err
	}
	for _, person := range people {
		in.updatePerson(person, update{feed: slices.Clone(changes)})
	}
	return nil
}

// feedListenersOf returns the author and the author's followers, as far as they listen to their feed. It looks at as
// many rows as there are followers or as people are connected, whichever is less.
func (in *Inbox) feedListenersOf(author string) ([]string, error) {
	connected, _ := in.ConnectedCount()
	if connected == 0 {
		return nil, nil
	}
	var people []string
	err := db.QueryColumn(in.app, &people, `SELECT follower FROM follows INDEXED BY idx_follows_in WHERE followee = {:author} AND state = 'accepted' LIMIT {:most}`,
		db.Params{"author": author, "most": connected + 1})
	if err == nil && len(people) > connected {
		people = people[:0]
		// CROSS JOIN fixes the order: one lookup for each person who is connected
		err = db.QueryColumn(in.app, &people, `SELECT f.follower FROM json_each({:people}) p CROSS JOIN follows f INDEXED BY idx_follows_out ON f.follower = p.value AND f.followee = {:author} AND f.state = 'accepted'`,
			db.Params{"author": author, "people": db.JSONList(in.connectedPeople())})
	}
	if err != nil {
		return nil, fmt.Errorf("find who listens to posts of %s: %w", author, err)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.DeleteFunc(append(people, author), func(person string) bool {
		for s := range in.people[person] {
			if s.listensTo(feed) {
				return false
			}
		}
		return true
	}), nil
}

func (in *Inbox) connectedPeople() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	people := make([]string, 0, len(in.people))
	for person := range in.people {
		people = append(people, person)
	}
	return people
}

// shownPosts is how many of an author's posts a device is told that they are gone: older ones are hardly on a screen.
const shownPosts = 200

// newestPostsOf returns that the author's newest posts may be gone, without those that only the author ever saw: who is
// told of a delete would learn that there was one.
func (in *Inbox) newestPostsOf(author string) (changes []feedChange, err error) {
	var ids []string
	err = db.QueryColumn(in.app, &ids, `SELECT id FROM posts INDEXED BY idx_posts_author WHERE author = {:author} AND `+visibility.ForOthersSQL("posts")+` ORDER BY created DESC, id DESC LIMIT {:most}`,
		db.Params{"author": author, "most": shownPosts})
	if err != nil {
		return nil, fmt.Errorf("find posts of %s: %w", author, err)
	}
	for _, id := range ids {
		changes = append(changes, feedChange{post: id})
	}
	return changes, nil
}

// deliverFeed sends what became of posts in the person's feed. It decides by what the database says now, since the
// updates of two transactions may arrive in either order: a row that is in sight is sent if one of the changes added it;
// for a post that is not, a delete is sent if one of the changes removed it.
func (in *Inbox) deliverFeed(person string, changes []feedChange) error {
	added, gone := map[string]bool{}, map[string]bool{}
	var posts []string
	for _, c := range changes {
		if !added[c.post] && !gone[c.post] {
			posts = append(posts, c.post)
		}
		if c.added {
			added[c.post] = true
		} else {
			gone[c.post] = true
		}
	}
	for _, g := range in.viewGroupsOf(person, feed) {
		wanted := slices.DeleteFunc(slices.Clone(posts), func(post string) bool { return !g.concerns(feed, person+post) })
		var messages []feedMessage
		for posts := range slices.Chunk(wanted, pageSize) {
			e := in.realtimeRequest(g.auth, g.options)
			rows, err := in.findVisibleRows(e, feed, dbx.HashExp{"viewer": person, "post": list.ToInterfaceSlice(posts)})
			if err != nil {
				return err
			}
			visible := map[string]*core.Record{}
			for _, row := range rows {
				visible[row.GetString("post")] = row
			}
			shown := in.enrichRows(e, slices.DeleteFunc(rows, func(row *core.Record) bool { return !added[row.GetString("post")] }))
			for _, post := range posts {
				id := person + post
				switch {
				case visible[post] != nil && added[post]:
					messages = append(messages, feedMessage{in.encodeMessage("create", g, shown[id], feed, id), true})
				case visible[post] == nil && gone[post]:
					messages = append(messages, feedMessage{in.encodeMessage("delete", g, nil, feed, id), false})
				}
			}
		}
		for _, s := range g.subscribers {
			s.sendFeedMessages(g, messages)
		}
	}
	return nil
}

// disconnectFeedListeners disconnects the devices that are sent the person's feed, so that they ask for it anew.
func (in *Inbox) disconnectFeedListeners(person string) {
	for _, g := range in.viewGroupsOf(person, feed) {
		for _, s := range g.subscribers {
			in.removeDevice(s.device)
		}
	}
}

// feedMessage is a message about a row of a feed.
type feedMessage struct {
	data  []byte
	added bool
}

// sendFeedMessages sends messages in their order. Of those about new posts it sends the newest for which the device has
// room: nobody is disconnected because others post much.
func (s *subscription) sendFeedMessages(g *viewGroup, messages []feedMessage) {
	newest := 0
	for _, m := range messages {
		if m.added {
			newest = len(m.data)
		}
	}
	room, first := s.device.room(newest), len(messages)
	for first > 0 && (!messages[first-1].added || len(messages[first-1].data) <= room) {
		first--
		if messages[first].added {
			room -= len(messages[first].data)
		}
	}
	for i, m := range messages {
		if i >= first || !m.added {
			s.sendData(g, m.data)
		}
	}
}
