package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/deliver/mail"
	"github.com/doubletap/doubletap/internal/web"
	pb_public "github.com/doubletap/doubletap/pb_public"
)

// bindWebApp serves the web app at /, unless the owner serves something there.
func (s *Social) bindWebApp() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if e.Router.HasRoute(http.MethodGet, "/{path...}") {
			mail.UseDashboardLinks(e.App)
			return e.Next()
		}
		files, err := web.Assets()
		if err != nil {
			return err
		}
		e.Router.GET("/{path...}", apis.Static(pb_public.FS, false)).BindFunc(web.AnswerPeople, web.RedirectTrailingSlash).
			Bind(&hook.Handler[*core.RequestEvent]{Func: s.serveUserPage, Priority: generalPathPriority + 1}). // after the budget of queries
			Bind(&hook.Handler[*core.RequestEvent]{Func: web.ServeAssets(files), Priority: generalPathPriority + 2})
		return e.Next()
	})
}
