package hooks

import (
	"slices"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/web"
)

func (s *Social) bindBodies() {
	bodies := web.NewBodies(func(pattern string) bool {
		return slices.ContainsFunc(s.routes, func(r web.Route) bool { return r.Method+" "+r.Path == pattern })
	})
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: afterAuthPriority, Func: bodies.CheckBody})
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: afterAuthPriority + 1, Func: web.RefuseNullBody})
		return e.Next()
	})
}
