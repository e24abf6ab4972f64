package job

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"
)

const (
	storeKey = "doubletap.job"
	grace    = time.Second // for handlers that heed their context, when Stop has no time left
)

// Runner claims and runs the jobs of one process.
type Runner struct {
	app     core.App
	name    string
	workers int
	poll    time.Duration

	woken   chan struct{}
	start   sync.Once
	stop    sync.Once
	stopped chan struct{}
	working sync.WaitGroup
	ctx     context.Context // ends when Stop has no time left
	cancel  context.CancelFunc

	failing atomic.Bool
	mu      sync.Mutex // guards the kinds and what is running of each
	kinds   map[string]*kind
}

// NewRunner returns a runner with no kinds that Add on app will wake from now
// on. It needs no database before Start or Drain.
func NewRunner(app core.App) *Runner {
	host, _ := os.Hostname()
	r := &Runner{
		app:     app,
		name:    fmt.Sprintf("%.40s:%d:%s", host, os.Getpid(), security.PseudorandomString(6)),
		workers: 16,
		poll:    time.Second,
		woken:   make(chan struct{}, 1),
		stopped: make(chan struct{}),
		kinds:   map[string]*kind{},
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	app.Store().Set(storeKey, r)
	return r
}

// Handle has h do the jobs of this kind; jobs of kinds without a handler are
// left alone. It panics when the kind has one already.
func (r *Runner) Handle(name string, h Handler, opts ...KindOption) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kinds[name] != nil {
		panic("job: two handlers for " + name)
	}
	k := &kind{handle: h, attempts: 10, lease: 30 * time.Second}
	for _, o := range opts {
		o(k)
	}
	r.kinds[name] = k
}

// Start begins to run jobs in the background: at once when woken, else every
// second. A second Start does nothing; there is no start after Stop.
func (r *Runner) Start() {
	r.start.Do(func() {
		tick := time.NewTicker(r.poll)
		for range r.workers {
			r.working.Go(func() { r.work(tick.C) })
		}
	})
}

// Stop lets no further job begin and waits for those that have. When ctx ends
// first, their contexts end too: jobs that heed it in time are given back, and
// the error tells that others go on.
func (r *Runner) Stop(ctx context.Context) error {
	r.stop.Do(func() { close(r.stopped) })
	idle := make(chan struct{})
	go func() {
		r.working.Wait()
		close(idle)
	}()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
	}
	r.cancel()
	select {
	case <-idle:
		return nil
	case <-time.After(grace):
		return fmt.Errorf("stop jobs: %w", ctx.Err())
	}
}

// Wake makes a worker look for jobs now.
func (r *Runner) Wake() {
	select {
	case r.woken <- struct{}{}:
	default: // one look finds all there is
	}
}

func wake(app core.App) {
	if r, ok := app.Store().Get(storeKey).(*Runner); ok {
		r.Wake()
	}
}

// Drain runs the jobs that are due, oldest first, on the calling goroutine, also
// those they add, until none is due, and returns how many. A job that fails is
// no error of Drain.
func (r *Runner) Drain(ctx context.Context) (ran int, err error) {
	for ctx.Err() == nil {
		j, err := r.claim()
		if j == nil || err != nil {
			return ran, err
		}
		r.run(ctx, j)
		ran++
	}
	return ran, ctx.Err()
}

func (r *Runner) work(tick <-chan time.Time) {
	for !r.stopping() {
		j, err := r.claim()
		r.noteClaim(err)
		switch {
		case j == nil:
			select {
			case <-r.stopped:
			case <-r.woken:
			case <-tick:
			}
		case r.stopping(): // since the claim began
			r.settle(r.ctx, j, snooze(0))
			r.release(j)
		default:
			r.Wake() // where one was due, a worker beside us may find another
			r.run(r.ctx, j)
		}
	}
}

func (r *Runner) stopping() bool {
	select {
	case <-r.stopped:
		return true
	default:
		return false
	}
}

// claim holds the lock over its statement, so that two workers cannot both take
// the last place of a kind; they would wait for the one connection that writes anyway.
func (r *Runner) claim() (*Job, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	leases := map[string]time.Duration{}
	for name, k := range r.kinds {
		if k.limit == 0 || k.running < k.limit {
			leases[name] = k.lease
		}
	}
	if len(leases) == 0 {
		return nil, nil
	}
	j, err := claim(r.app, r.name, leases)
	if j != nil {
		j.rules = r.kinds[j.Kind]
		j.rules.running++
	}
	return j, err
}

func (r *Runner) release(j *Job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	j.rules.running--
}

// noteClaim logs that claims fail once, not every second, and that they work again.
func (r *Runner) noteClaim(err error) {
	failing := err != nil
	if r.failing.Swap(failing) == failing {
		return
	}
	if failing {
		r.app.Logger().Error("cannot claim jobs", "err", err)
	} else {
		r.app.Logger().Info("claims jobs again")
	}
}
