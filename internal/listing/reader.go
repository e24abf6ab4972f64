package listing

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
	"doubletap/internal/db"
)

// The rules as they are shipped. Only with these is a page what this package reads.
const (
	feedRule     = `@request.auth.id != "" && viewer = @request.auth.id && gone = false && seesPost(@request.auth.id, post) = true`
	trayRule     = `@request.auth.id != "" && recipient = @request.auth.id`
	postsRule    = `(@request.auth.id != "" && author = @request.auth.id) || (hidden = false && sees(@request.auth.id, author, visibility) = true)`
	commentsRule = `seesPost(@request.auth.id, post) = true && (hidden = false || (@request.auth.id != "" && author = @request.auth.id)) && (author = "" || blocked(@request.auth.id, author) = false)`
	usersRule    = `(@request.auth.id != "" && id = @request.auth.id) || (state = "active" && blockedBy(@request.auth.id, id) = false)`
)

// Reader reads pages. It is safe for concurrent use.
type Reader struct {
	app  core.App
	book atomic.Pointer[book]
}

// NewReader returns a reader of app's data.
func NewReader(app core.App) *Reader { return &Reader{app: app} }

// book has the statements for the collections as they are.
type book struct {
	feed, notifications, posts, users, comments *core.Collection

	mu    sync.Mutex
	pages map[string]*page
}

// page is how one kind of page is read; nil where PocketBase has to.
type page struct {
	first, next string // statements: of the first page, and of one behind a cursor
	row         *template

	actor, comment, post *template // expanded in the tray
	actors               string    // the statement that reads them
}

// Page appends the JSON that a person who was given a token is answered, and reports whether it did: not if nothing was
// found, the token holds no more, or the general path has to answer. All is read in two statements at most.
func (r *Reader) Page(out []byte, person *core.Record, a Ask) ([]byte, bool, error) {
	p, err := r.page(a)
	if err != nil || p == nil {
		return out, false, err
	}
	params := db.Params{"me": person.Id, "key": person.TokenKey(), "now": clock.Stamp(r.app), "n": a.PerPage, "at": a.At, "last": a.Last, "author": a.Author, "id": a.ID}
	if a.ID != "" {
		params["n"] = 1
	}
	statement := p.first
	if a.At != "" {
		statement = p.next
	}
	if a.Collection == "notifications" {
		out, err = r.tray(out, p, statement, params)
	} else {
		out, err = r.rows(out, p, statement, params)
	}
	if err != nil {
		return out, false, fmt.Errorf("read a page of %s: %w", a.Collection, err)
	}
	return finish(out, a)
}

const items = `{"items":[`

// rows appends the rows of a page behind items.
func (r *Reader) rows(out []byte, p *page, statement string, params db.Params) ([]byte, error) {
	var text string
	out = append(out, items...)
	err := db.Each(r.app, statement, params, func() {
		out = append(p.row.fill(out, text, nil), ',')
	}, &text)
	return out, err
}

// finish makes rows behind items an answer.
func finish(out []byte, a Ask) ([]byte, bool, error) {
	if len(out) == len(items) || !whole(out) {
		return out, false, nil
	}
	out = out[:len(out)-1]
	if a.ID != "" {
		return append(out[:0], out[len(items):]...), true, nil
	}
	out = strconv.AppendInt(append(out, `],"page":1,"perPage":`...), int64(a.PerPage), 10)
	return append(out, `,"totalItems":-1,"totalPages":-1}`...), true, nil
}

// page returns how to read what is asked for.
func (r *Reader) page(a Ask) (*page, error) {
	b, err := r.now()
	if err != nil {
		return nil, err
	}
	kind := a.Collection + " " + a.Action() + " " + a.Sort + " " + a.Expand
	b.mu.Lock()
	defer b.mu.Unlock()
	p, made := b.pages[kind]
	if !made {
		p = b.make(a)
		b.pages[kind] = p
	}
	return p, nil
}

// now returns the book of the collections as they are now. PocketBase loads them anew when one changes.
func (r *Reader) now() (*book, error) {
	fresh := &book{pages: map[string]*page{}}
	for name, c := range map[string]**core.Collection{"feed": &fresh.feed, "notifications": &fresh.notifications, "posts": &fresh.posts, "users": &fresh.users, "comments": &fresh.comments} {
		found, err := r.app.FindCachedCollectionByNameOrId(name)
		if err != nil {
			return nil, err
		}
		*c = found
	}
	old := r.book.Load()
	if old != nil && old.feed == fresh.feed && old.notifications == fresh.notifications && old.posts == fresh.posts && old.users == fresh.users && old.comments == fresh.comments {
		return old, nil
	}
	r.book.Store(fresh)
	return fresh, nil
}
