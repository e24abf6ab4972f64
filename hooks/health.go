package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/datafolder"
	"github.com/doubletap/doubletap/internal/web"
)

// bindHealth adds /livez and /readyz, and ends the process in order: it is no longer ready, requests and jobs end,
// realtime connections are closed, and then PocketBase's own handlers run.
func (s *Social) bindHealth() {
	structure := &structureCheck{app: s.app}
	h := web.NewHealth(s.app, structure.checkRequired)
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		s.server = e.Server
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: -99999, Func: h.CountRequest})
		return e.Next()
	})
	s.routes = append(s.routes, web.Route{
		Method: "GET", Path: "/livez", SkipsLog: true, ResponseBody: web.HealthState{},
		Summary: "Whether the process lives.",
		Handle:  func(e *core.RequestEvent) error { return web.RespondHealth(e, nil, nil, nil) },
	}, web.Route{
		Method: "GET", Path: "/readyz", SkipsLog: true, ResponseBody: web.HealthState{}, ErrorStatuses: []int{http.StatusServiceUnavailable},
		Summary: "Whether it can serve: it can write rows and files, the disk has room, its collections are there, and it is not about to end. What differs from what ships is counted in data, which names damaged logs that were set aside.",
		Handle: func(e *core.RequestEvent) error {
			err := h.CheckReady()
			return web.RespondHealth(e, err, structure.findingCounts(), datafolder.DamagedLogs(s.app.DataDir()))
		},
	})
	s.bindTermination(h)
}
