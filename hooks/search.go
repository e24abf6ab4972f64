package hooks

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/text/unicode/norm"

	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/search"
	"github.com/doubletap/doubletap/internal/web"
)

// How many records of each kind a search without a type finds, and how many of one kind unless asked for another
// number.
const (
	mixedPageSize   = 5
	defaultPageSize = 30
	maxPageSize     = 100
)

// searchAnswer is the answer to a search: without a type the first of each kind, with one a page of it.
type searchAnswer struct {
	Users  []*core.Record `json:"users,omitempty" records:"users"`
	Tags   []*core.Record `json:"tags,omitempty" records:"hashtags"`
	Posts  []*core.Record `json:"posts,omitempty" records:"posts"`
	Cursor string         `json:"cursor,omitempty" about:"of the next page; empty at the end"`
}

func (s *Social) bindSearch() {
	for _, kind := range search.Kinds {
		index := inTx(indexStored(kind))
		s.app.OnRecordCreateExecute(kind.Collection).Bind(afterFiles(index))
		s.app.OnRecordUpdateExecute(kind.Collection).Bind(afterFiles(index))
	}
	s.app.Cron().MustAdd(search.IndexJob, "11 * * * *", func() { s.enqueueJob(search.IndexJob) }) // what came by SQL
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		s.queueIndexing()
		return e.Next()
	})
	s.routes = append(s.routes, web.Route{
		Method: "GET", Path: "/api/v1/search", Handle: serveSearch, ResponseBody: searchAnswer{},
		Summary: "People, hashtags and posts that have all words of q, or begin with them, and that the caller may see.",
		Query: []web.QueryParameter{
			{Name: "q", About: "2 to 50 characters, or one of a script in which each is a word"}, {Name: "type", About: "users, tags or posts; the first 5 of each unless told"},
			{Name: "cursor", About: "the cursor of the page before"}, {Name: "perPage", About: "1 to 100, 30 unless told"},
			{Name: "expand", About: "relations to show as records, with commas"}, {Name: "fields", About: "the fields to answer with, with commas"},
		},
	})
}

// indexStored returns a handler that indexes a stored record in the same transaction.
func indexStored(kind search.Kind) func(tx core.App, e *core.RecordEvent) error {
	return func(tx core.App, e *core.RecordEvent) error {
		if err := e.Next(); err != nil {
			return err
		}
		return search.Index(tx, kind, e.Record.Id)
	}
}

// queueIndexing adds the job that indexes, if something waits for it.
func (s *Social) queueIndexing() {
	waiting, err := search.HasUnindexed(s.app)
	if err != nil {
		s.app.Logger().Error("not looked for what is to be indexed", "err", err)
	}
	if waiting {
		s.enqueueJob(search.IndexJob)
	}
}

// serveSearch answers with the first of each kind, {users, tags, posts}, or, with type=users, type=tags or
// type=posts, with a page of that kind and the cursor of the next, {posts, cursor}. The records are as in a list of
// their collection; expand and fields are honoured.
func serveSearch(e *core.RequestEvent) error {
	query := e.Request.URL.Query()
	q := norm.NFC.String(strings.TrimSpace(query.Get("q")))
	if !search.IsValidQuery(q) {
		return fault.InvalidField("q", "validation_length_out_of_range", "The length must be between 2 and 50.")
	}
	kinds := map[string]search.Kind{"users": search.Users, "tags": search.Tags, "posts": search.Posts}
	if !query.Has("type") {
		all := map[string]any{}
		for name, kind := range kinds {
			page, err := findSearchPage(e, kind, q, "", mixedPageSize)
			if err != nil {
				return err
			}
			all[name] = page.Records
		}
		return e.JSON(http.StatusOK, all)
	}
	name := query.Get("type")
	kind, known := kinds[name]
	if !known {
		return fault.InvalidField("type", "validation_in_invalid", "Must be users, tags or posts.")
	}
	limit := defaultPageSize
	if n, err := strconv.Atoi(query.Get("perPage")); err == nil && n > 0 {
		limit = min(n, maxPageSize)
	}
	page, err := findSearchPage(e, kind, q, query.Get("cursor"), limit)
	if errors.Is(err, search.ErrCursor) {
		return fault.InvalidField("cursor", "validation_invalid_cursor", "Must be the cursor of an answer, or left out.")
	}
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, map[string]any{name: page.Records, "cursor": page.Next})
}

func findSearchPage(e *core.RequestEvent, kind search.Kind, q, cursor string, limit int) (search.ResultPage, error) {
	info, err := e.RequestInfo()
	if err != nil {
		return search.ResultPage{}, err
	}
	page, err := search.FindPage(e.App, info, kind, q, cursor, limit)
	if err != nil {
		return search.ResultPage{}, err
	}
	if page.Records == nil {
		page.Records = []*core.Record{} // encoded as a list, if an empty one
	}
	return page, apis.EnrichRecords(e, page.Records)
}
