package hooks

import (
	"context"
	"os"
	"sync"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/gctune"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/web"
)

func (s *Social) bindServer() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.InstallerFunc = nil // the first superuser comes from a command or a variable, never from a link in a log
		e.Router.BindFunc(web.AnswerTransient)
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Func: web.ExposeHeaders, Priority: apis.DefaultCorsMiddlewarePriority - 1})
		compress, err := web.NewCompression()
		if err != nil {
			return err
		}
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Func: compress, Priority: apis.DefaultBodyLimitMiddlewarePriority + 2}) // what is refused before is short
		if pb, ok := s.app.(*pocketbase.PocketBase); ok {
			if err := web.PrepareServing(pb, e); err != nil {
				return err
			}
			gctune.TuneCollector()
		}
		if err := web.TuneConnections(s.app); err != nil {
			return err
		}
		ctx, stop := context.WithCancel(context.Background())
		var copying sync.WaitGroup
		copying.Go(func() { db.RunCheckpoints(ctx, s.app) })
		s.app.OnTerminate().BindFunc(func(e *core.TerminateEvent) error {
			stop()
			copying.Wait() // before the databases are closed
			return e.Next()
		})
		if err := e.Next(); err != nil {
			return err
		}
		if pb, ok := s.app.(*pocketbase.PocketBase); ok {
			return web.PrintWelcome(pb, os.Stdout)
		}
		return nil
	})
}

func (s *Social) bindJobs() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if err := e.Next(); err != nil {
			return err
		}
		s.jobs.Start()
		return nil
	})
}

// enqueueJob adds a recurring job unless one waits already, as every process's cron calls it.
func (s *Social) enqueueJob(kind string) {
	if err := job.Enqueue(s.app, kind, struct{}{}, job.Dedupe("recurring")); err != nil {
		s.app.Logger().Error("recurring job not added", "kind", kind, "err", err)
	}
}

// DrainJobs runs the background jobs that are due, and those that they add, on the calling goroutine until none is
// due, and returns how many it ran. A job that fails is no error of DrainJobs. A serving process runs jobs by itself;
// tests and commands call DrainJobs.
func (s *Social) DrainJobs(ctx context.Context) (int, error) { return s.jobs.Drain(ctx) }

// StopJobs lets no further background job begin and waits for those that have begun. If ctx ends first, their
// contexts end too, and the error says that some still run. There is no start after it.
func (s *Social) StopJobs(ctx context.Context) error { return s.jobs.Stop(ctx) }
