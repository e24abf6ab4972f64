package web

import (
	"net/http"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"

	"github.com/doubletap/doubletap/internal/apidoc"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/moderation"
)

// Route is a route of our own. The router and the description of the API are made from the same table of routes, so
// that neither can have one that the other lacks.
type Route struct {
	Method, Path  string
	Summary       string
	Access        Access
	Query         []QueryParameter
	RequestBody   any    // the body, as a value of its type; nil for none
	ResponseBody  any    // the answer, likewise; nil for 204
	ContentType   string // of the answer, when it is no JSON
	ErrorStatuses []int  // statuses besides those that Access, RequestBody and Query bring
	IsElsewhere   bool   // only described here: something else serves it
	Internal      bool   // no part of the contract, and not in the description
	SkipsLog      bool   // successes are not logged
	YieldsToOwner bool   // not registered if an owner has a route of the same path
	Handle        func(e *core.RequestEvent) error
}

// QueryParameter is a parameter of a route's query.
type QueryParameter = apidoc.QueryParameter

// Access is who may call a route. It is checked before the route's handler runs.
type Access int

// Who may call a route.
const (
	Everybody      Access = iota
	UsersOnly             // signed-in users; 401 for others
	ModeratorsOnly        // and superusers; 401 for guests, 403 for others
	SuperusersOnly        // 401 for guests, 403 for others
)

// String says who may call a route. It is empty if everybody may.
func (a Access) String() string {
	return [...]string{"", "For people who are signed in.", "For moderators and superusers.", "For superusers."}[a]
}

func (a Access) checkCaller(caller *core.Record) error {
	forbidden := apis.NewForbiddenError("", nil)
	switch {
	case a == Everybody:
		return nil
	case caller == nil, a == UsersOnly && caller.Collection().Name != "users":
		return fault.Unauthorized()
	case a == ModeratorsOnly && !moderation.MayModerate(caller), a == SuperusersOnly && !caller.IsSuperuser():
		return forbidden
	}
	return nil
}

// AddRoutes adds the routes to a service's router, which has its owner's by then.
func AddRoutes(e *core.ServeEvent, routes []Route) {
	for _, r := range routes {
		if r.IsElsewhere || r.YieldsToOwner && e.Router.HasRoute(r.Method, r.Path) {
			continue
		}
		added := e.Router.Route(r.Method, r.Path, r.serve)
		if r.SkipsLog {
			added.Bind(apis.SkipSuccessActivityLog())
		}
	}
}

func (r Route) serve(e *core.RequestEvent) error {
	err := r.Access.checkCaller(e.Auth)
	if err == nil {
		err = r.Handle(e)
	}
	if r.ContentType == "text/html" {
		return AnswerWithPage(e, err)
	}
	if err = fault.ForClient(err); err == nil {
		return nil
	}
	return router.ToApiError(err) // as PocketBase will answer it, so that the log has its status too
}

// DescribeRoutes returns the routes as the description of the API shows them, without internal ones.
func DescribeRoutes(routes []Route) []apidoc.Route {
	var all []apidoc.Route
	for _, r := range routes {
		if r.Internal {
			continue
		}
		statuses := r.ErrorStatuses
		if r.Access > UsersOnly {
			statuses = append([]int{http.StatusForbidden}, statuses...)
		}
		all = append(all, apidoc.Route{
			Method: r.Method, Path: r.Path, Summary: r.Summary, Access: r.Access.String(), Query: r.Query,
			Request: r.RequestBody, Response: r.ResponseBody, Content: r.ContentType, ErrorStatuses: statuses,
		})
	}
	return all
}
