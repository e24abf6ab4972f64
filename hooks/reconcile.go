package hooks

import (
	"context"
	"errors"
	"time"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/cli"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/metrics"
	"github.com/doubletap/doubletap/internal/reconcile"
)

// maxJobLag is how long a job may be due without having begun before a warning says so.
const maxJobLag = 5 * time.Minute

// bindReconcile checks, at each start and every hour, whether rows that follow from other rows still do.
func (s *Social) bindReconcile() {
	figures := metrics.ForApp(s.app)
	for _, check := range reconcile.CheckNames() {
		figures.CountRepairs(check, 0)
	}
	figures.AddGauge("doubletap_jobs_lag_seconds", "For how long the job that is longest due has been due.", func() float64 {
		lag, err := job.QueueLag(s.app)
		if err != nil {
			s.app.Logger().Warn("jobs not looked at", "err", err)
		}
		return lag.Seconds()
	})
	s.jobs.Handle(reconcile.HourlyJob, s.runReconcile, job.Concurrency(1))
	s.app.Cron().MustAdd(reconcile.HourlyJob, "7 * * * *", func() { s.enqueueJob(reconcile.HourlyJob) })
	if _, program := s.app.(*pocketbase.PocketBase); program {
		s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
			s.enqueueJob(reconcile.HourlyJob)
			return e.Next()
		})
	}
}

func (s *Social) runReconcile(ctx context.Context, app core.App, _ *job.Job) error {
	trustMachineClock(app)
	lag, err := job.QueueLag(app)
	if err != nil {
		return err
	}
	wrong, unread := cli.CheckStructure(ctx, app)
	for _, finding := range wrong {
		app.Logger().Error("the data differs from what ships", "check", finding.Check, "count", finding.Count, "detail", finding.Detail)
	}
	if lag > maxJobLag {
		app.Logger().Warn("jobs are late", "ms", lag.Milliseconds())
	}
	return errors.Join(unread, reconcile.RunHourly(ctx, app, func(r *reconcile.Result) {
		metrics.ForApp(app).CountRepairs(r.Check, r.Count)
		app.Logger().Error("reconciled", "check", r.Check, "invariant", r.Label(), "repairs", r.Count, "first", r.First)
	}))
}
