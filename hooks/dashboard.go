package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/web"
)

func (s *Social) bindDashboard() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		extension, err := web.DashboardExtension()
		if err != nil {
			return err
		}
		e.UIExtensions = append(e.UIExtensions, extension)
		e.Router.BindFunc(web.RefreshExtensions)
		return e.Next()
	})
	for _, r := range []web.Route{
		{Method: "GET", Path: "/api/v1/admin/insights", Handle: func(e *core.RequestEvent) error { return web.ServeInsights(e, s.inbox.ConnectedCount) }},
		{Method: "GET", Path: "/api/v1/admin/jobs", Handle: web.ServeJobs},
		{Method: "POST", Path: "/api/v1/admin/jobs/{id}", Handle: func(e *core.RequestEvent) error { return web.ApplyJobAction(e, s.jobs.Wake) }},
		{Method: "GET", Path: "/api/v1/admin/deliveries", Handle: web.ServeDeliveries},
		{Method: "POST", Path: "/api/v1/admin/deliveries/{id}", Handle: web.ReplayDelivery},
		{Method: "GET", Path: "/api/v1/admin/why", Handle: web.ExplainVisibility},
	} {
		r.Access, r.Internal = web.SuperusersOnly, true
		s.routes = append(s.routes, r)
	}
}
