package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/web"
)

// bindLogs keeps the values of queries out of the activity log, whoever logs: tokens of files, of unsubscribe links
// and of sign-ins elsewhere, and what people search and filter for. PocketBase logs the whole address of each request
// and keeps it for days, and network errors name the address that was requested.
func (s *Social) bindLogs() {
	s.app.OnModelCreate(core.LogsTableName).BindFunc(func(e *core.ModelEvent) error {
		if log, ok := e.Model.(*core.Log); ok {
			web.RedactLog(log)
		}
		return e.Next()
	})
}
