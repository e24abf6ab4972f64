package hooks

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/subscriptions"

	"github.com/doubletap/doubletap/internal/adoption"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/guard"
	"github.com/doubletap/doubletap/internal/web"
)

// Every way to PocketBase's query engine has the same budget (guard.CheckQuery): the query of any URL, those of our
// own and an owner's routes included, since PocketBase reads expand and fields wherever records are shown; the URLs
// of a batch's items; and the options of a stream's topics.

// generalPathPriority is behind the fast paths, which answer only queries that they know and need no budget.
const generalPathPriority = lastPriority + 1

func (s *Social) bindBudget() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Func: checkURLBudget, Priority: generalPathPriority})
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Func: web.BoundStatements, Priority: generalPathPriority})
		return e.Next()
	})
	s.app.OnRecordEnrich().Bind(&hook.Handler[*core.RecordEnrichEvent]{Func: web.RequireWholeAnswer, Priority: firstPriority})
	s.app.OnBatchRequest().Bind(&hook.Handler[*core.BatchRequestEvent]{Func: checkBatchBudget, Priority: firstPriority})
	s.app.OnRealtimeSubscribeRequest().Bind(&hook.Handler[*core.RealtimeSubscribeRequestEvent]{Func: checkTopicsBudget, Priority: firstPriority})
}

func checkURLBudget(e *core.RequestEvent) error {
	if e.Request.URL.RawQuery == "" {
		return e.Next()
	}
	collection, ours := e.Request.PathValue("collection"), strings.HasPrefix(e.Request.URL.Path, "/api/v1/")
	question := guard.RecordQuery{
		Query:         e.Request.URL.Query(),
		OurCollection: ours,
		IsPage:        e.Request.Method != http.MethodPost && e.Request.PathValue("id") == "" && (ours || collection != ""),
	}
	if err := checkQuestion(e, collection, question); err != nil {
		return err
	}
	return e.Next()
}

func checkBatchBudget(e *core.BatchRequestEvent) error {
	for _, item := range e.Batch {
		u, err := url.Parse(item.URL)
		if err != nil {
			return fault.BadRequest("A request of the batch has no valid URL.")
		}
		collection, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/api/collections/"), "/")
		if err := checkQuestion(e.RequestEvent, collection, guard.RecordQuery{Query: u.Query()}); err != nil {
			return err
		}
	}
	return e.Next()
}

func checkTopicsBudget(e *core.RealtimeSubscribeRequestEvent) error {
	parsed := subscriptions.NewDefaultClient() // so that options mean what they mean to PocketBase
	parsed.Subscribe(e.Subscriptions...)
	for topic, options := range parsed.Subscriptions() {
		query := url.Values{}
		for name, value := range options.Query {
			query.Set(name, value)
		}
		path, _, _ := strings.Cut(topic, "?")
		collection, _, _ := strings.Cut(path, "/")
		if err := checkQuestion(e.RequestEvent, collection, guard.RecordQuery{Query: query}); err != nil {
			return err
		}
	}
	return e.Next()
}

// checkQuestion checks the query of a request against its budget. The collection may not exist.
func checkQuestion(e *core.RequestEvent, collection string, q guard.RecordQuery) error {
	if e.HasSuperuserAuth() {
		return guard.CheckSuperuserQuery(q.Query)
	}
	if c, err := e.App.FindCachedCollectionByNameOrId(collection); err == nil {
		q.Collection = c
	}
	q.PrivateFields = adoption.PrivateFields(e.App)
	return guard.CheckQuery(e.App, q)
}
