package hooks

import (
	"context"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/retention"
)

// bindRetention deletes each night what is kept only for a while.
func (s *Social) bindRetention() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if _, err := retention.DaysFromEnvironment(); err != nil {
			return err
		}
		return e.Next()
	})
	for _, kind := range append(retention.FormerJobs, retention.PurgeJob) {
		s.jobs.Handle(kind, func(ctx context.Context, app core.App, _ *job.Job) error { return retention.PurgeExpired(ctx, app) }, job.Concurrency(1))
	}
	s.app.Cron().MustAdd(retention.PurgeJob, "23 4 * * *", func() { s.enqueueJob(retention.PurgeJob) })
}
