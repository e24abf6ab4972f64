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

	"github.com/doubletap/doubletap/internal/background"
	"github.com/doubletap/doubletap/internal/db"
)

const (
	storeKey        = "doubletap.job"
	stopGracePeriod = time.Second // for handlers that obey their context, when Stop has no time left
)

// Runner claims and runs the jobs of one process. One goroutine claims for all workers and removes what they have
// done, several jobs at a time: a statement and a commit cost more than most jobs.
type Runner struct {
	app          core.App
	name         string
	workers      int
	pollInterval time.Duration

	wakeSignal chan struct{}
	startOnce  sync.Once
	stopOnce   sync.Once

	leasesEnded atomic.Bool // endForeignLeases has succeeded
	stopped     chan struct{}
	inFlight    sync.WaitGroup
	ctx         context.Context // ends when Stop has no time left
	cancel      context.CancelFunc

	claimsFailing atomic.Bool
	claimLock     sync.Mutex // held while jobs are claimed, so that nobody else takes the last place of a kind
	passed        lane       // guarded by claiming: the last lane that a look went through

	mu          sync.Mutex // guards all below, and the counts of running jobs of each kind
	kinds       map[string]*jobKind
	groups      map[string]*group
	runningJobs int    // jobs in the background that run, or are done and not removed yet
	finished    []*Job // jobs that are done, to be removed
}

// NewRunner returns a runner without handlers. From now on, Enqueue on app wakes it. It needs no database before Start
// or Drain.
func NewRunner(app core.App) *Runner {
	host, _ := os.Hostname()
	r := &Runner{
		app:          app,
		name:         fmt.Sprintf("%.40s:%d:%s", host, os.Getpid(), security.PseudorandomString(6)),
		workers:      32,
		pollInterval: time.Second,
		wakeSignal:   make(chan struct{}, 1),
		stopped:      make(chan struct{}),
		kinds:        map[string]*jobKind{},
		groups:       map[string]*group{},
	}
	r.ctx, r.cancel = context.WithCancel(db.WithStopping(context.Background(), r.stopped))
	app.Store().Set(storeKey, r)
	return r
}

// Handle makes h the handler of the jobs of this kind. Jobs of kinds without a handler are left alone. It panics when
// the kind has a handler already.
func (r *Runner) Handle(name string, h Handler, opts ...KindOption) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kinds[name] != nil {
		panic("job: two handlers for " + name)
	}
	k := &jobKind{handler: h, maxAttempts: 10, leaseDuration: 30 * time.Second, maxRunning: 16}
	for _, o := range opts {
		o(k)
	}
	for i, g := range k.groups {
		k.groups[i] = sharedGroup(r.groups, *g)
	}
	r.kinds[name] = k
}

// Start begins to run jobs in the background: at once when woken, else every second. A second Start does nothing;
// there is no start after Stop.
func (r *Runner) Start() {
	r.startOnce.Do(func() { r.inFlight.Go(r.serveQueue) })
}

// Stop begins no further job and waits for those that run. When ctx ends first, their contexts end, too: jobs that
// obey in time are given back, and the error says that others still run.
func (r *Runner) Stop(ctx context.Context) error {
	r.stopOnce.Do(func() { close(r.stopped) })
	cut := background.Wait(ctx, &r.inFlight)
	if cut == nil {
		return nil
	}
	r.cancel()
	grace, end := context.WithTimeout(context.WithoutCancel(ctx), stopGracePeriod)
	defer end()
	if background.Wait(grace, &r.inFlight) != nil {
		return fmt.Errorf("stop jobs: %w", cut)
	}
	return nil
}

// Wake makes the runner look for jobs now.
func (r *Runner) Wake() {
	select {
	case r.wakeSignal <- struct{}{}:
	default: // it is to look already, and finds all there is
	}
}

func wakeRunner(app core.App) {
	if r, ok := app.Store().Get(storeKey).(*Runner); ok {
		r.Wake()
	}
}

// Drain runs the jobs that are due, oldest first, on the calling goroutine, including those that they add, until none
// is due, and returns how many it ran. A job that fails is no error of Drain.
func (r *Runner) Drain(ctx context.Context) (ran int, err error) {
	r.endLeasesOnce()
	for ctx.Err() == nil {
		j, err := r.claimOne()
		if j == nil || err != nil {
			return ran, err
		}
		if result, begun := r.runClaimed(ctx, j); begun {
			r.storeOutcome(ctx, j, result)
		}
		r.releaseJob(j)
		ran++
	}
	return ran, ctx.Err()
}
