package hooks

import (
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"

	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/moderation"
	"github.com/doubletap/doubletap/internal/web"
)

// route is a route of our own. The router and the description of the API are made from the same table of routes, so
// that neither can have one that the other lacks.
type route struct {
	method, path  string
	summary       string
	access        access
	query         []queryParameter
	requestBody   any    // the body, as a value of its type; nil for none
	responseBody  any    // the answer, likewise; nil for 204
	contentType   string // of the answer, when it is no JSON
	errorStatuses []int  // statuses besides those that access, requestBody and query bring
	isElsewhere   bool   // only described here: something else serves it
	internal      bool   // no part of the contract, and not in the description
	skipsLog      bool   // successes are not logged
	yieldsToOwner bool   // not registered if an owner has a route of the same path
	middlewares   []*hook.Handler[*core.RequestEvent]
	handle        func(e *core.RequestEvent) error
}

type queryParameter struct{ name, about string }

// access is who may call a route. It is checked before the route's handler runs.
type access int

const (
	accessEverybody  access = iota
	accessUsers             // signed-in users; 401 for others
	accessModerators        // and superusers; 401 for guests, 403 for others
	accessSuperusers        // 401 for guests, 403 for others
)

// bindRoutes registers the table of routes. Each bind function has added its own to s.routes.
func (s *Social) bindRoutes() {
	s.app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{Priority: lastPriority, Func: func(e *core.ServeEvent) error { // after an owner's routes
		for _, r := range s.routes {
			if r.isElsewhere || r.yieldsToOwner && e.Router.HasRoute(r.method, r.path) {
				continue
			}
			added := e.Router.Route(r.method, r.path, func(e *core.RequestEvent) error {
				err := r.access.checkCaller(e.Auth)
				if err == nil {
					err = r.handle(e)
				}
				if r.contentType == "text/html" {
					return web.AnswerWithPage(e, err)
				}
				if err = fault.ForClient(err); err == nil {
					return nil
				}
				return router.ToApiError(err) // as PocketBase will answer it, so that the log has its status too
			})
			if r.skipsLog {
				added.Bind(apis.SkipSuccessActivityLog())
			}
			added.Bind(r.middlewares...)
		}
		return e.Next()
	}})
}

func (a access) checkCaller(caller *core.Record) error {
	forbidden := apis.NewForbiddenError("", nil)
	switch {
	case a == accessEverybody:
		return nil
	case caller == nil, a == accessUsers && caller.Collection().Name != "users":
		return fault.Unauthorized()
	case a == accessModerators && !moderation.MayModerate(caller), a == accessSuperusers && !caller.IsSuperuser():
		return forbidden
	}
	return nil
}
