package inbox

import (
	"time"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
)

// Touched says that the post's counts moved. Once committed, those who watch the post and may
// see it are sent its state: the first time at once, then once a quarter of a second while it moves.
func Touched(tx core.App, post string) {
	if in := existing(tx); in != nil {
		db.AfterCommit(tx, func() { in.touch(post) })
	}
}

// Recheck says that fewer people may see these posts, or none. Once committed, those who watch one
// and saw it before are sent its delete, and so is who has it in a feed that is listened to.
func Recheck(tx core.App, posts ...string) {
	if in := existing(tx); in != nil {
		db.AfterCommit(tx, func() { in.recheck(posts) })
	}
}

// RecheckAuthor is Recheck for all posts of an author.
func RecheckAuthor(tx core.App, author string) {
	if in := existing(tx); in != nil {
		db.AfterCommit(tx, func() { in.recheckAuthor(author) })
	}
}

// RecheckPerson is Recheck for all posts that this person watches, and for this person alone.
func RecheckPerson(tx core.App, person string) {
	if in := existing(tx); in != nil {
		db.AfterCommit(tx, func() { in.recheckPerson(person) })
	}
}

func (in *Inbox) touch(post string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch w := in.posts[post]; {
	case w == nil:
	case w.resting:
		w.moved = true
	default:
		in.sendCounts(post, w)
	}
}

// sendCounts has the counts sent now and, if they moved meanwhile, once more after the pause. It needs mu.
func (in *Inbox) sendCounts(post string, w *watched) {
	w.resting, w.moved = true, false
	in.crowd.put(errand{post: post}, news{touched: true})
	time.AfterFunc(in.pause, func() {
		in.mu.Lock()
		defer in.mu.Unlock()
		w.resting = false
		if w.moved && in.posts[post] == w {
			in.sendCounts(post, w)
		}
	})
}

func (in *Inbox) recheck(posts []string) {
	if _, devices := in.Connected(); devices == 0 {
		return
	}
	for _, post := range posts {
		in.crowd.put(errand{post: post}, news{recheck: true, feeds: true})
	}
}

func (in *Inbox) recheckAuthor(author string) {
	in.crowd.put(errand{author: author}, news{})
}

func (in *Inbox) recheckPerson(person string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for s := range in.people[person] {
		for post := range s.seen {
			in.crowd.put(errand{post: post}, news{of: []string{person}})
		}
	}
}
