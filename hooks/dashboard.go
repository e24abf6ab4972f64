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
	for _, r := range []route{
		{method: "GET", path: "/api/v1/admin/insights", handle: func(e *core.RequestEvent) error { return web.ServeInsights(e, s.inbox.ConnectedCount) }},
		{method: "GET", path: "/api/v1/admin/jobs", handle: web.ServeJobs},
		{method: "POST", path: "/api/v1/admin/jobs/{id}", handle: func(e *core.RequestEvent) error { return web.ApplyJobAction(e, s.jobs.Wake) }},
		{method: "GET", path: "/api/v1/admin/deliveries", handle: web.ServeDeliveries},
		{method: "POST", path: "/api/v1/admin/deliveries/{id}", handle: web.ReplayDelivery},
		{method: "GET", path: "/api/v1/admin/why", handle: web.ExplainVisibility},
	} {
		r.access, r.internal = accessSuperusers, true
		s.routes = append(s.routes, r)
	}
}
