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

	"github.com/doubletap/doubletap/internal/metrics"
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
func (s *Social) bindTermination(requests *metrics.Drain) {
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
			waitAtMost(&restarts, restartTimeout)
			drained.Do(func() { s.drainService(requests) })
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
		drained.Do(func() { s.drainService(requests) })
		select {
		case <-asked:
			return errAskedToEnd
		default:
			return e.Next() // which returns only when the process could not be replaced
		}
	}})
}

func waitAtMost(all *sync.WaitGroup, most time.Duration) {
	over := make(chan struct{})
	go func() {
		all.Wait()
		close(over)
	}()
	select {
	case <-over:
	case <-time.After(most):
	}
}

// drainService waits for what is under way. For a moment new requests are still answered, so that their senders can
// see that the service is no longer ready; after that none is let in.
func (s *Social) drainService(requests *metrics.Drain) {
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	requests.BeginDrain()
	s.bodies.ShortenStalls(drainBodyTimeout)
	var ending sync.WaitGroup
	ending.Go(func() {
		if err := s.jobs.Stop(ctx); err != nil {
			s.app.Logger().Warn("jobs cut short", "err", err)
		}
	})
	soon, stop := context.WithTimeout(ctx, drainGraceTimeout)
	requests.WaitDrained(soon)
	stop()
	if s.server != nil {
		ending.Go(func() { _ = s.server.Shutdown(ctx) }) // the drain reports the same
	}
	if !requests.WaitDrained(ctx) {
		s.app.Logger().Warn("requests cut short", "err", fmt.Errorf("still under way after %v", drainTimeout))
	}
	s.inbox.Close()
	ending.Wait()
	unwaited, stop := context.WithTimeout(context.Background(), drainGraceTimeout) // photos that nobody waits for any more
	defer stop()
	s.studio.Close(unwaited)
}
