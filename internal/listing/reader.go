package listing

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/visibility"
)

// The reasons, besides those of a rule, why a request is left to PocketBase's general path.
const (
	UnknownField  visibility.Reason = "fields"      // only PocketBase can write a field of the collection
	ManagesUsers  visibility.Reason = "manage_rule" // somebody may see more of users than they show
	ShowsOthers   visibility.Reason = "rule_others" // the rule shows rows of other people's too, which have no index
	FoundNothing  visibility.Reason = "nothing"     // no row was found, or the token is no longer valid
	UnknownFormat visibility.Reason = "value"       // a value is stored in a form that PocketBase does not write
	SlowTotal     visibility.Reason = "total"       // it took too long to count the rows
)

// Reader answers supported requests. It is safe for concurrent use.
type Reader struct {
	app   core.App
	plans atomic.Pointer[planCache]

	recent        recentPosts
	manyFollowees int

	totalTimeout time.Duration
	slow         slowTotals
}

// NewReader returns a reader of app's data.
func NewReader(app core.App) *Reader {
	return &Reader{app: app, recent: recentPosts{most: recentPostCount}, manyFollowees: manyFollowees, totalTimeout: totalTimeout}
}

// ForgetRecentPosts says that the author or the time of a post was changed, which are looked up again for the next page of
// the feed. New posts and those that were deleted need no word.
func (r *Reader) ForgetRecentPosts() { r.recent.forget() }

// planCache holds the page plans for the collections as they are.
type planCache struct {
	feed, notifications, posts, users, comments *core.Collection

	app   core.App
	mu    sync.Mutex
	plans map[string]*pagePlan
}

// pagePlan is how one kind of page is read.
type pagePlan struct {
	reason visibility.Reason // why there is no plan, if not empty

	pageSQL, totalSQL [2]string // statements, of the first page and of a page behind a cursor: its rows; how many there are in all
	row               *template

	feed *feedPlan // of a page of the feed, which has no other statements

	actor, comment, post *template // what is expanded in the tray; nil where nothing is
	actorsSQL            string    // reads the actors
}

// AppendPage appends the JSON of the answer to a person who was given a token. It returns the reason when the general
// path has to answer. A page of the tray takes up to two statements, one of the feed up to five.
func (r *Reader) AppendPage(out []byte, person *core.Record, request Request) ([]byte, visibility.Reason, error) {
	p, err := r.findPlan(request)
	if err != nil || p.reason != "" {
		return out, p.reason, err
	}
	counted := countedRows{person.Id, request.Collection, request.Author}
	if request.Total && r.slow.isKnown(counted) {
		return out, SlowTotal, nil
	}
	params := r.pageParams(person, request)
	behind := 0
	if request.At != "" {
		behind = 1
	}
	switch {
	case p.feed != nil:
		out, err = r.appendFeed(out, p, person, request, params)
	case request.Collection == "notifications":
		out, err = r.appendTray(out, p, p.pageSQL[behind], params)
	default:
		out, _, err = r.appendRows(out, p, p.pageSQL[behind], params)
	}
	total := -1
	if err == nil && request.Total {
		began := time.Now()
		if _, err = db.QueryValueWithin(r.app, r.totalTimeout, &total, p.totalSQL[behind], params); err != nil && time.Since(began) >= r.totalTimeout {
			r.slow.note(counted)
			return out, SlowTotal, nil
		}
	}
	if err != nil {
		return out, "", fmt.Errorf("read a page of %s: %w", request.Collection, err)
	}
	out, reason := finishAnswer(out, request, total)
	return out, reason, nil
}

// totalTimeout is how long it may take to count all rows: as long as a statement of PocketBase's general path, which is
// asked next.
const totalTimeout = 3 * time.Second

// pageParams returns the values of the parameters of all statements.
func (r *Reader) pageParams(person *core.Record, request Request) db.Params {
	params := db.Params{"me": person.Id, "key": person.TokenKey(), "now": clock.Timestamp(r.app), "n": request.PerPage, "at": request.At, "last": request.LastID, "author": request.Author, "id": request.ID}
	if request.ID != "" {
		params["n"] = 1
	}
	return params
}

const itemsHead = `{"items":[`

// errEmptyRow says that a statement had a row without a text.
var errEmptyRow = errors.New("a row is empty")

// appendRows appends itemsHead and the rows of a page, and returns how many they are, or errEmptyRow.
func (r *Reader) appendRows(out []byte, p *pagePlan, statement string, params db.Params) (_ []byte, count int, err error) {
	var text string
	out = append(out, itemsHead...)
	empty := false
	err = db.QueryEach(r.app, statement, params, func() {
		if text == "" {
			empty = true
			return
		}
		out = append(p.row.appendRow(out, text, nil), ',')
		count++
	}, &text)
	if err == nil && empty {
		err = errEmptyRow
	}
	return out, count, err
}

// finishAnswer turns itemsHead and rows into an answer: of one record, or of a page. It returns the reason when there
// are no rows, or when one was broken. The total is -1 where it is not asked for.
func finishAnswer(out []byte, r Request, total int) ([]byte, visibility.Reason) {
	switch {
	case !isUnbroken(out):
		return out, UnknownFormat
	case len(out) == len(itemsHead):
		return out, FoundNothing
	}
	out = out[:len(out)-1]
	if r.ID != "" {
		return append(out[:0], out[len(itemsHead):]...), ""
	}
	pages := -1
	if total >= 0 {
		pages = (total + r.PerPage - 1) / r.PerPage
	}
	return fmt.Appendf(out, `],"page":1,"perPage":%d,"totalItems":%d,"totalPages":%d}`, r.PerPage, total, pages), ""
}

// findPlan returns the plan of a request, perhaps one that only says why there is none.
func (r *Reader) findPlan(request Request) (*pagePlan, error) {
	plans, err := r.currentPlans()
	if err != nil {
		return &pagePlan{}, err
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
	fresh := &planCache{app: r.app, plans: map[string]*pagePlan{}}
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
