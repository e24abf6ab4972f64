package job

import (
	"context"
	"fmt"
	"maps"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"

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
	idle := make(chan struct{})
	go func() {
		r.inFlight.Wait()
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
	case <-time.After(stopGracePeriod):
		return fmt.Errorf("stop jobs: %w", ctx.Err())
	}
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

// serveQueue starts jobs and removes those that are done, until Stop was called and no job is left running.
func (r *Runner) serveQueue() {
	r.endLeasesOnce()
	tick := time.NewTicker(r.pollInterval)
	defer tick.Stop()
	stopped := r.stopped
	for {
		stopping := r.isStopping()
		begun, err := r.startJobs(stopping)
		if !stopping {
			r.logClaimResult(err)
		}
		switch running := r.runningCount(); {
		case stopping && (running == 0 || err != nil && r.ctx.Err() != nil):
			return
		case begun > 0 && err == nil:
			continue // there may be more
		}
		select {
		case <-stopped:
			stopped = nil
		case <-r.wakeSignal:
		case <-tick.C:
		}
	}
}

// startJobs removes the jobs that are done and begins others while there is room, in one transaction.
func (r *Runner) startJobs(stopping bool) (begun int, err error) {
	r.claimLock.Lock()
	defer r.claimLock.Unlock()
	r.mu.Lock()
	done, room := r.finished, r.workers-r.runningJobs+len(r.finished)
	r.mu.Unlock()
	if stopping {
		room = 0
	}
	jobs, err := r.removeAndClaim(done, room)
	if err != nil {
		return 0, err
	}
	for _, j := range jobs {
		r.inFlight.Go(func() { r.runInBackground(j) })
	}
	return len(jobs), nil
}

// removeAndClaim removes jobs that are done and claims up to n others.
func (r *Runner) removeAndClaim(done []*Job, n int) (jobs []*Job, err error) {
	wanted, err := r.chooseDue(n, done) // outside of the transaction: looking needs no lock
	if err != nil {
		return nil, err
	}
	if len(done)+len(wanted) == 0 { // mostly so, and found out without writing
		return nil, nil
	}
	if r.app.NonconcurrentDB() == nil {
		return nil, fmt.Errorf("remove jobs: %w", errClosed)
	}
	r.mu.Lock()
	kinds := maps.Clone(r.kinds)
	r.mu.Unlock()
	var lost []*Job
	err = r.app.RunInTransaction(func(tx core.App) (err error) {
		if lost, err = removeJobs(tx, r.name, done); err != nil {
			return fmt.Errorf("remove jobs: %w", err)
		}
		if len(wanted) == 0 {
			return nil
		}
		if jobs, err = claimJobs(tx, r.name, wanted, kinds); err != nil {
			return fmt.Errorf("claim jobs: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, j := range lost {
		r.app.Logger().Warn("job lost its lease", "job", j.ID, "kind", j.Kind, "attempts", j.Attempts)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, j := range done {
		j.rules.markDone(j.user, j.host)
	}
	r.finished = r.finished[len(done):]
	r.runningJobs += len(jobs) - len(done)
	for _, j := range jobs {
		j.app = r.app
		j.rules.markRunning(j.user, j.host)
	}
	return jobs, nil
}

// runInBackground does a job in the background. A job that succeeds is left in finished, to be removed together with
// others.
func (r *Runner) runInBackground(j *Job) {
	handed := false // left in finished
	defer func() {
		r.mu.Lock()
		if handed {
			r.finished = append(r.finished, j)
		} else {
			j.rules.markDone(j.user, j.host)
			r.runningJobs--
		}
		r.mu.Unlock()
		r.Wake()
	}()
	if r.isStopping() { // Stop was called since the claim began
		r.storeOutcome(r.ctx, j, snoozeError(0))
		return
	}
	result, begun := r.runClaimed(r.ctx, j)
	switch {
	case begun && result == nil:
		handed = true
	case begun:
		r.storeOutcome(r.ctx, j, result)
	}
}

func (r *Runner) runningCount() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.runningJobs
}

func (r *Runner) isStopping() bool {
	select {
	case <-r.stopped:
		return true
	default:
		return false
	}
}

// claimOne claims one due job, or returns nil when there is none.
func (r *Runner) claimOne() (*Job, error) {
	r.claimLock.Lock()
	defer r.claimLock.Unlock()
	jobs, err := r.removeAndClaim(nil, 1)
	if err != nil || len(jobs) == 0 {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.runningJobs-- // Drain runs it, not the background
	return jobs[0], nil
}

func (r *Runner) releaseJob(j *Job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	j.rules.markDone(j.user, j.host)
}

// logClaimResult logs once that claims fail, not every second, and once that they work again.
func (r *Runner) logClaimResult(err error) {
	failing := err != nil
	if r.claimsFailing.Swap(failing) == failing {
		return
	}
	if failing {
		r.app.Logger().Error("cannot claim jobs", "err", err)
	} else {
		r.app.Logger().Info("claims jobs again")
	}
}
