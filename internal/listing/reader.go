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
	app   core.App
	plans atomic.Pointer[planCache]
}

// NewReader returns a reader of app's data.
func NewReader(app core.App) *Reader { return &Reader{app: app} }

// planCache has the statements for the collections as they are.
type planCache struct {
	feed, notifications, posts, users, comments *core.Collection

	mu    sync.Mutex
	plans map[string]*pagePlan
}

// pagePlan is how one kind of page is read; nil where PocketBase has to.
type pagePlan struct {
	firstSQL, nextSQL string // statements: of the first page, and of one behind a cursor
	row               *template

	actor, comment, post *template // expanded in the tray
	actorsSQL            string    // the statement that reads them
}

// AppendPage appends the JSON that a person who was given a token is answered, and reports whether it did: not if nothing was
// found, the token holds no more, or the general path has to answer. All is read in two statements at most.
func (r *Reader) AppendPage(out []byte, person *core.Record, a Request) ([]byte, bool, error) {
	p, err := r.findPlan(a)
	if err != nil || p == nil {
		return out, false, err
	}
	params := db.Params{"me": person.Id, "key": person.TokenKey(), "now": clock.Timestamp(r.app), "n": a.PerPage, "at": a.At, "last": a.LastID, "author": a.Author, "id": a.ID}
	if a.ID != "" {
		params["n"] = 1
	}
	statement := p.firstSQL
	if a.At != "" {
		statement = p.nextSQL
	}
	if a.Collection == "notifications" {
		out, err = r.appendTray(out, p, statement, params)
	} else {
		out, err = r.appendRows(out, p, statement, params)
	}
	if err != nil {
		return out, false, fmt.Errorf("read a page of %s: %w", a.Collection, err)
	}
	return finishAnswer(out, a)
}

const itemsHead = `{"items":[`

// appendRows appends the rows of a page behind items.
func (r *Reader) appendRows(out []byte, p *pagePlan, statement string, params db.Params) ([]byte, error) {
	var text string
	out = append(out, itemsHead...)
	err := db.QueryEach(r.app, statement, params, func() {
		out = append(p.row.appendRow(out, text, nil), ',')
	}, &text)
	return out, err
}

// finishAnswer makes rows behind items an answer.
func finishAnswer(out []byte, a Request) ([]byte, bool, error) {
	if len(out) == len(itemsHead) || !isUnbroken(out) {
		return out, false, nil
	}
	out = out[:len(out)-1]
	if a.ID != "" {
		return append(out[:0], out[len(itemsHead):]...), true, nil
	}
	out = strconv.AppendInt(append(out, `],"page":1,"perPage":`...), int64(a.PerPage), 10)
	return append(out, `,"totalItems":-1,"totalPages":-1}`...), true, nil
}

// findPlan returns how to read what is asked for.
func (r *Reader) findPlan(a Request) (*pagePlan, error) {
	b, err := r.currentPlans()
	if err != nil {
		return nil, err
	}
	kind := a.Collection + " " + a.Action() + " " + a.Sort + " " + a.Expand
	b.mu.Lock()
	defer b.mu.Unlock()
	p, made := b.plans[kind]
	if !made {
		p = b.makePlan(a)
		b.plans[kind] = p
	}
	return p, nil
}

// currentPlans returns the book of the collections as they are now. PocketBase loads them anew when one changes.
func (r *Reader) currentPlans() (*planCache, error) {
	fresh := &planCache{plans: map[string]*pagePlan{}}
	for name, c := range map[string]**core.Collection{"feed": &fresh.feed, "notifications": &fresh.notifications, "posts": &fresh.posts, "users": &fresh.users, "comments": &fresh.comments} {
		found, err := r.app.FindCachedCollectionByNameOrId(name)
		if err != nil {
			return nil, err
		}
		*c = found
	}
	old := r.plans.Load()
	if old != nil && old.feed == fresh.feed && old.notifications == fresh.notifications && old.posts == fresh.posts && old.users == fresh.users && old.comments == fresh.comments {
		return old, nil
	}
	r.plans.Store(fresh)
	return fresh, nil
}
