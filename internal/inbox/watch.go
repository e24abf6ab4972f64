package inbox

import (
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
)

// PostCountsChanged says that the post's counts changed. After the commit, those who watch the post and may see it are
// sent its state: the first time at once, then once every quarter of a second while the counts change.
func PostCountsChanged(tx core.App, post string) {
	if in := existingInbox(tx); in != nil {
		db.AfterCommit(tx, func() { in.noteCountsChanged(post) })
	}
}

// RecheckPosts says that fewer people may see these posts, or nobody. After the commit, those who watch one of them
// and saw it before are sent its delete, and so are those who listen to a feed that contains it.
func RecheckPosts(tx core.App, posts ...string) {
	if in := existingInbox(tx); in != nil {
		db.AfterCommit(tx, func() { in.recheckPosts(posts) })
	}
}

// RecheckAuthor does what RecheckPosts does, for all posts of an author.
func RecheckAuthor(tx core.App, author string) {
	if in := existingInbox(tx); in != nil {
		db.AfterCommit(tx, func() { in.recheckAuthor(author) })
	}
}

// RecheckPerson does what RecheckPosts does, for all posts that this person watches, and for this person alone. It
// leaves the person's feed as it is.
func RecheckPerson(tx core.App, person string) {
	if in := existingInbox(tx); in != nil {
		db.AfterCommit(tx, func() { in.recheckPerson(person) })
	}
}

func (in *Inbox) noteCountsChanged(post string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch w := in.watchedPosts[post]; {
	case w == nil:
	case w.countsJustSent:
		w.countsChanged = true
	default:
		in.queueCounts(post, w)
	}
}

// queueCounts has the counts sent now and, if they change meanwhile, once more after countsInterval. It needs mu.
func (in *Inbox) queueCounts(post string, w *watchedPost) {
	w.countsJustSent, w.countsChanged = true, false
	in.broadcastQueue.enqueue(workKey{post: post}, update{countsChanged: true})
	time.AfterFunc(in.countsInterval, func() {
		in.mu.Lock()
		defer in.mu.Unlock()
		w.countsJustSent = false
		if w.countsChanged && in.watchedPosts[post] == w {
			in.queueCounts(post, w)
		}
	})
}

func (in *Inbox) recheckPosts(posts []string) {
	if _, devices := in.ConnectedCount(); devices == 0 {
		return
	}
	for _, post := range posts {
		in.broadcastQueue.enqueue(workKey{post: post}, update{sightChanged: true, inFeeds: []feedChange{{post: post}}})
	}
}

func (in *Inbox) recheckAuthor(author string) {
	in.broadcastQueue.enqueue(workKey{author: author}, update{})
}

func (in *Inbox) recheckPerson(person string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for s := range in.people[person] {
		for post := range s.inSight {
			in.broadcastQueue.enqueue(workKey{post: post}, update{onlyPeople: []string{person}})
		}
	}
}
