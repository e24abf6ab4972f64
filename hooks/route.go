package hooks

import (
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"

	"doubletap/internal/fault"
	"doubletap/internal/moderation"
)

// route is a route of our own. The router and the description of the API are made from the same table of them, so
// that neither can tell of what the other has not.
type route struct {
	method, path string
	summary      string
	access       access
	query        []parameter
	takes        any    // the body, as a value of its type; nil for none
	gives        any    // the answer, likewise; nil for 204
	content      string // of the answer, when it is no JSON
	refuses      []int  // statuses besides those that access, takes and query bring
	internal     bool   // no part of the contract, and not in the description
	quiet        bool   // successes are not logged
	yields       bool   // to an owner's route of the same path
	with         []*hook.Handler[*core.RequestEvent]
	do           func(e *core.RequestEvent) error
}

type parameter struct{ name, about string }

// access says who may call a route. It is checked before the route is asked.
type access int

const (
	everybody  access = iota
	users             // who are signed in; 401 for others
	moderators        // and superusers; 401 for guests, 403 for others
	superusers        // likewise
)

// bindRoutes registers the table. A route is added to s.routes by the bind function of what it is about.
func (s *Social) bindRoutes() {
	s.app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{Priority: last, Func: func(e *core.ServeEvent) error { // after an owner's routes
		for _, r := range s.routes {
			if r.yields && e.Router.HasRoute(r.method, r.path) {
				continue
			}
			added := e.Router.Route(r.method, r.path, func(e *core.RequestEvent) error {
				err := r.access.allows(e.Auth)
				if err == nil {
					err = r.do(e)
				}
				if err = fault.Answer(err); err == nil {
					return nil
				}
				return router.ToApiError(err) // as PocketBase will answer it, so that the log has its status too
			})
			if r.quiet {
				added.Bind(apis.SkipSuccessActivityLog())
			}
			added.Bind(r.with...)
		}
		return e.Next()
	}})
}

func (a access) allows(caller *core.Record) error {
	forbidden := apis.NewForbiddenError("", nil)
	switch {
	case a == everybody:
		return nil
	case caller == nil, a == users && caller.Collection().Name != "users":
		return fault.Unauthorized()
	case a == moderators && !moderation.MayModerate(caller), a == superusers && !caller.IsSuperuser():
		return forbidden
	}
	return nil
}
