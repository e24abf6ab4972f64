package hooks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/internal/background"
	"github.com/doubletap/doubletap/internal/web"
)

const (
	drainTimeout      = 25 * time.Second // for requests and jobs once the process is asked to end; supervisors kill after 30 s
	drainGraceTimeout = 3 * time.Second  // in which new requests are still answered, while something is under way
	drainBodyTimeout  = 4 * time.Second  // without a byte of its body, after which a request no longer holds up the end
	restartTimeout    = time.Minute      // for a restart, and for the restore that it belongs to, before the process may end
)

// errAskedToEnd is why a restart is given up.
var errAskedToEnd = errors.New("asked to end while restarting")

// bindTermination ends the process in order, and lets app.Restart replace it. PocketBase's server returns as soon as
// it is closed, also when it is closed for a restart. PocketBase then ends the process, with 0, while the restart is
// still on its way to execve. So the second termination waits for the first.
func (s *Social) bindTermination(health *web.Health) {
	var restarts sync.WaitGroup
	var drained sync.Once
	var ending, replacing atomic.Bool
	s.app.OnBackupRestore().BindFunc(func(e *core.BackupEvent) error {
		restarts.Add(1) // when the restart fails, the restore puts the folder back
		defer restarts.Done()
		return e.Next()
	})
	s.app.OnTerminate().Bind(&hook.Handler[*core.TerminateEvent]{Priority: -99999, Func: func(e *core.TerminateEvent) error {
		if !e.IsRestart {
			ending.Store(!replacing.Load())
			most, stop := context.WithTimeout(context.Background(), restartTimeout)
			defer stop()
			if err := background.Wait(most, &restarts); err != nil {
				s.app.Logger().Warn("restart cut short", "err", err)
			}
			drained.Do(func() { s.drainService(health) })
			return e.Next()
		}
		if ending.Load() {
			return errAskedToEnd
		}
		replacing.Store(true)
		restarts.Add(1)
		defer restarts.Done()
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, os.Interrupt, syscall.SIGTERM)
		defer signal.Stop(asked)
		drained.Do(func() { s.drainService(health) })
		select {
		case <-asked:
			return errAskedToEnd
		default:
			return e.Next() // which returns only when the process could not be replaced
		}
	}})
}

// drainService waits for what is under way. For a moment new requests are still answered, so that their senders can
// see that the service is no longer ready; after that none is let in. Then it waits for the goroutines of each part of
// the service: what a part uses ends after it.
func (s *Social) drainService(health *web.Health) {
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	requests := health.Drain
	requests.BeginDrain()
	s.bodies.ShortenStalls(drainBodyTimeout)
	var ending sync.WaitGroup
	ending.Go(func() { s.logCutShort("jobs", s.jobs.Stop(ctx)) })
	soon, stop := context.WithTimeout(ctx, drainGraceTimeout)
	requests.WaitDrained(soon)
	stop()
	if s.server != nil {
		ending.Go(func() { _ = s.server.Shutdown(ctx) }) // the drain reports the same
	}
	if !requests.WaitDrained(ctx) {
		s.app.Logger().Warn("requests cut short", "err", fmt.Errorf("still under way after %v", drainTimeout))
	}
	streams, stop := context.WithTimeout(context.Background(), drainGraceTimeout) // for what nobody waits for any more
	s.logCutShort("streams", s.inbox.Close(streams))
	stop()
	ending.Wait() // which may take longer than the grace
	grace, stop := context.WithTimeout(context.Background(), drainGraceTimeout)
	defer stop()
	s.logCutShort("photos", s.studio.Close(grace))
	s.logCutShort("mails", s.delivery.service.Close(grace))
	s.logCutShort("health check", health.Close(grace))
	s.logCutShort("likes", s.writer.Close(grace))
}

func (s *Social) logCutShort(what string, err error) {
	if err != nil {
		s.app.Logger().Warn("cut short", "part", what, "err", err)
	}
}
