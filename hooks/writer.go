package hooks

import (
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/web"
)

// One transaction writes at a time, so everybody else waits for as long as it takes.
const (
	slowTxThreshold = 50 * time.Millisecond  // a longer one is logged
	maxTxDuration   = 500 * time.Millisecond // a request's is ended
)

// bindWriter labels who writes, with pprof labels, which goroutines inherit, and bounds transactions from the moment
// we serve: migrations at the start and commands may take as long as they need.
//
// Only what a user or a guest asked for is ended. A job, a cron function, a backup or a superuser's request is only
// logged, also while it goes on: if it were ended, it would begin again and never be done.
func (s *Social) bindWriter() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: afterAuthPriority, Func: web.LabelWriter})
		db.LimitWriter(s.app, db.TransactionLimits{
			WarnAfter: slowTxThreshold,
			EndAfter:  maxTxDuration,
			MayEnd:    func() bool { kind, _ := web.CurrentWriter(); return kind == web.RequestLabel },
			OnTooLong: func(held time.Duration, ended bool) {
				kind, who := web.CurrentWriter()
				s.app.Logger().Warn("a transaction held the writer too long", "kind", kind, "who", who,
					"ms", float64(held.Microseconds())/1000, "ended", ended)
			},
		})
		return e.Next()
	})
}
