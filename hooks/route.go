package hooks

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/web"
)

// bindRoutes registers the table of routes after an owner's. Each bind function has added its own to s.routes.
func (s *Social) bindRoutes() {
	s.app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{Priority: lastPriority, Func: func(e *core.ServeEvent) error {
		web.AddRoutes(e, s.routes)
		return e.Next()
	}})
}
