package listing

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
)

// The rules as they are shipped. With any other rule, this package leaves the collection to PocketBase.
const (
	feedRule     = `@request.auth.id != "" && viewer = @request.auth.id && seesPost(@request.auth.id, post) = true`
	trayRule     = `@request.auth.id != "" && recipient = @request.auth.id`
	postsRule    = `(@request.auth.id != "" && author = @request.auth.id) || (hidden = false && sees(@request.auth.id, author, visibility) = true)`
	commentsRule = `seesPost(@request.auth.id, post) = true && (hidden = false || (@request.auth.id != "" && author = @request.auth.id)) && (author = "" || blocked(@request.auth.id, author) = false)`
	usersRule    = `(@request.auth.id != "" && id = @request.auth.id) || (state = "active" && blockedBy(@request.auth.id, id) = false)`
)

// Reader answers supported requests. It is safe for concurrent use.
type Reader struct {
	app   core.App
	plans atomic.Pointer[planCache]
}

// NewReader returns a reader of app's data.
func NewReader(app core.App) *Reader { return &Reader{app: app} }

// planCache holds the page plans for the collections as they are.
type planCache struct {
	feed, notifications, posts, users, comments *core.Collection

	mu    sync.Mutex
	plans map[string]*pagePlan
}

// pagePlan is how one kind of page is read.
type pagePlan struct {
	firstSQL, nextSQL string // statements: of the first page, and of a page behind a cursor
	row               *template

	feed *feedPlan // of a page of the feed, which has no other statements

	actor, comment, post *template // what is expanded in the tray; nil where nothing is
	actorsSQL            string    // reads the actors
}

// AppendPage appends the JSON of the answer to a person who was given a token, and reports whether it did. It returns
// false when nothing was found, when the token is no longer valid, or when the general path has to answer. A page of
// the tray takes up to two statements, one of the feed as many as feedAttempts.
func (r *Reader) AppendPage(out []byte, person *core.Record, request Request) ([]byte, bool, error) {
	p, err := r.findPlan(request)
	if err != nil || p == nil {
		return out, false, err
	}
	params := r.pageParams(person, request)
	statement := p.firstSQL
	if request.At != "" {
		statement = p.nextSQL
	}
	switch {
	case p.feed != nil:
		out, err = r.appendFeed(out, p, person, request, params)
	case request.Collection == "notifications":
		out, err = r.appendTray(out, p, statement, params)
	default:
		out, _, err = r.appendRows(out, p, statement, params)
	}
	if err != nil {
		return out, false, fmt.Errorf("read a page of %s: %w", request.Collection, err)
	}
	return finishAnswer(out, request)
}

// pageParams returns the values of the parameters of all statements.
func (r *Reader) pageParams(person *core.Record, request Request) db.Params {
	params := db.Params{"me": person.Id, "key": person.TokenKey(), "now": clock.Timestamp(r.app), "n": request.PerPage, "at": request.At, "last": request.LastID, "author": request.Author, "id": request.ID}
	if request.ID != "" {
		params["n"] = 1
	}
	return params
}

const itemsHead = `{"items":[`

// appendRows appends itemsHead and the rows of a page, and returns how many they are.
func (r *Reader) appendRows(out []byte, p *pagePlan, statement string, params db.Params) (_ []byte, count int, err error) {
	var text string
	out = append(out, itemsHead...)
	err = db.QueryEach(r.app, statement, params, func() {
		out = append(p.row.appendRow(out, text, nil), ',')
		count++
	}, &text)
	return out, count, err
}

// finishAnswer turns itemsHead and rows into an answer: of one record, or of a page. It returns false when there are
// no rows, or when one was broken.
func finishAnswer(out []byte, r Request) ([]byte, bool, error) {
	if len(out) == len(itemsHead) || !isUnbroken(out) {
		return out, false, nil
	}
	out = out[:len(out)-1]
	if r.ID != "" {
		return append(out[:0], out[len(itemsHead):]...), true, nil
	}
	out = strconv.AppendInt(append(out, `],"page":1,"perPage":`...), int64(r.PerPage), 10)
	return append(out, `,"totalItems":-1,"totalPages":-1}`...), true, nil
}

// findPlan returns the plan of a request, or nil when the general path has to answer it.
func (r *Reader) findPlan(request Request) (*pagePlan, error) {
	plans, err := r.currentPlans()
	if err != nil {
		return nil, err
	}
	kind := request.Collection + " " + request.Action() + " " + request.Sort + " " + request.Expand
	plans.mu.Lock()
	defer plans.mu.Unlock()
	p, made := plans.plans[kind]
	if !made {
		p = plans.makePlan(request)
		plans.plans[kind] = p
	}
	return p, nil
}

// currentPlans returns the plans for the collections as they are now. PocketBase loads a collection anew when it
// changes.
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
