package hooks

import (
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute // of a connection between two requests; a proxy's own is shorter, and must be
)

func (s *Social) bindTimeouts() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if e.Server == nil { // an owner's test of their app with PocketBase's own kit
			return e.Next()
		}
		e.Server.ReadHeaderTimeout = headerTimeout
		e.Server.IdleTimeout = idleTimeout
		writing := e.Server.WriteTimeout
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: firstPriority, Func: func(e *core.RequestEvent) error {
			return s.bodies.PaceBody(e, writing)
		}})
		return e.Next()
	})
}
