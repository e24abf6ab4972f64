package hooks

import (
	"context"
	"errors"
	"time"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"

	"doubletap/command"
	"doubletap/internal/job"
	"doubletap/internal/reconcile"
	"doubletap/internal/watch"
)

// overdue is how long a job may be due without having begun before somebody should look.
const overdue = 5 * time.Minute

// bindReconcile looks at each start, and every hour, whether what follows from other rows does.
func (s *Social) bindReconcile() {
	figures := watch.Of(s.app)
	for _, check := range reconcile.Checks() {
		figures.Repaired(check, 0)
	}
	figures.Gauge("doubletap_jobs_lag_seconds", "For how long the job that is longest due has been due.", func() float64 {
		lag, err := job.Lag(s.app)
		if err != nil {
			s.app.Logger().Warn("jobs not looked at", "err", err)
		}
		return lag.Seconds()
	})
	s.jobs.Handle(reconcile.Job, s.reconciled, job.Concurrency(1))
	s.app.Cron().MustAdd(reconcile.Job, "7 * * * *", func() { s.enqueue(reconcile.Job) })
	if _, program := s.app.(*pocketbase.PocketBase); program {
		s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
			s.enqueue(reconcile.Job)
			return e.Next()
		})
	}
}

func (s *Social) reconciled(ctx context.Context, app core.App, _ *job.Job) error {
	believeMachine(app)
	lag, err := job.Lag(app)
	if err != nil {
		return err
	}
	wrong, unread := command.Structure(app)
	for _, finding := range wrong {
		app.Logger().Error("the data differs from what ships", "check", finding.Check, "count", finding.Count, "detail", finding.Detail)
	}
	if lag > overdue {
		app.Logger().Warn("jobs are late", "ms", lag.Milliseconds())
	}
	return errors.Join(unread, reconcile.Run(ctx, app, func(r *reconcile.Result) {
		watch.Of(app).Repaired(r.Check, r.Count)
		app.Logger().Error("reconciled", "check", r.Check, "invariant", r.Label(), "repairs", r.Count, "first", r.First)
	}))
}
