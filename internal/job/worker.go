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

	"doubletap/internal/db"
)

const (
	storeKey = "doubletap.job"
	grace    = time.Second // for handlers that heed their context, when Stop has no time left
)

// Runner claims and runs the jobs of one process. One goroutine claims for all of its workers, and removes what they have
// done, several at a time: a statement and a commit cost more than most jobs.
type Runner struct {
	app     core.App
	name    string
	workers int
	poll    time.Duration

	woken chan struct{}
	start sync.Once
	stop  sync.Once

	leasesEnded atomic.Bool // of those that a clock gave that was ahead
	stopped     chan struct{}
	working     sync.WaitGroup
	ctx         context.Context // ends when Stop has no time left
	cancel      context.CancelFunc

	failing  atomic.Bool
	claiming sync.Mutex // held while jobs are claimed, so that nobody else takes the last place of a kind
	passed   lane       // guarded by claiming: the last lane that a look went through

	mu     sync.Mutex // guards all below, and what is running of each kind
	kinds  map[string]*kind
	groups map[string]*group
	hands  int    // jobs in hand in the background: running, or done and not removed
	done   []*Job // to be removed
}

// NewRunner returns a runner with no kinds that Add on app will wake from now
// on. It needs no database before Start or Drain.
func NewRunner(app core.App) *Runner {
	host, _ := os.Hostname()
	r := &Runner{
		app:     app,
		name:    fmt.Sprintf("%.40s:%d:%s", host, os.Getpid(), security.PseudorandomString(6)),
		workers: 32,
		poll:    time.Second,
		woken:   make(chan struct{}, 1),
		stopped: make(chan struct{}),
		kinds:   map[string]*kind{},
		groups:  map[string]*group{},
	}
	r.ctx, r.cancel = context.WithCancel(db.WithStopping(context.Background(), r.stopped))
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
	k := &kind{handle: h, attempts: 10, lease: 30 * time.Second, limit: 16}
	for _, o := range opts {
		o(k)
	}
	for i, g := range k.groups {
		k.groups[i] = sharedGroup(r.groups, *g)
	}
	r.kinds[name] = k
}

// Start begins to run jobs in the background: at once when woken, else every
// second. A second Start does nothing; there is no start after Stop.
func (r *Runner) Start() {
	r.start.Do(func() { r.working.Go(r.serve) })
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
	r.endLeasesOnce()
	for ctx.Err() == nil {
		j, err := r.claim()
		if j == nil || err != nil {
			return ran, err
		}
		if result, begun := r.run(ctx, j); begun {
			r.settle(ctx, j, result)
		}
		r.release(j)
		ran++
	}
	return ran, ctx.Err()
}

// serve hands out jobs and removes those that are done until Stop, and until nothing is in hand.
func (r *Runner) serve() {
	r.endLeasesOnce()
	tick := time.NewTicker(r.poll)
	defer tick.Stop()
	stopped := r.stopped
	for {
		stopping := r.stopping()
		begun, err := r.turn(stopping)
		if !stopping {
			r.noteClaim(err)
		}
		switch hands := r.inHand(); {
		case stopping && (hands == 0 || err != nil && r.ctx.Err() != nil):
			return
		case begun > 0 && err == nil:
			continue // there may be more
		}
		select {
		case <-stopped:
			stopped = nil
		case <-r.woken:
		case <-tick.C:
		}
	}
}

// turn removes the jobs that are done and begins others while there is room, in one transaction.
func (r *Runner) turn(stopping bool) (begun int, err error) {
	r.claiming.Lock()
	defer r.claiming.Unlock()
	r.mu.Lock()
	done, room := r.done, r.workers-r.hands+len(r.done)
	r.mu.Unlock()
	if stopping {
		room = 0
	}
	jobs, err := r.exchange(done, room)
	if err != nil {
		return 0, err
	}
	for _, j := range jobs {
		r.working.Go(func() { r.work(j) })
	}
	return len(jobs), nil
}

// exchange removes jobs that are done and claims up to n others.
func (r *Runner) exchange(done []*Job, n int) (jobs []*Job, err error) {
	wanted, err := r.choose(n, done) // outside of the transaction: looking needs no lock
	if err != nil {
		return nil, err
	}
	if len(done)+len(wanted) == 0 { // which is mostly so, and found out without writing
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
		if lost, err = remove(tx, r.name, done); err != nil {
			return fmt.Errorf("remove jobs: %w", err)
		}
		if len(wanted) == 0 {
			return nil
		}
		if jobs, err = claim(tx, r.name, wanted, kinds); err != nil {
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
		j.rules.give(j.user, j.host)
	}
	r.done = r.done[len(done):]
	r.hands += len(jobs) - len(done)
	for _, j := range jobs {
		j.app = r.app
		j.rules.take(j.user, j.host)
	}
	return jobs, nil
}

// work does a job in the background. One that succeeds is left to be removed together with others.
func (r *Runner) work(j *Job) {
	handed := false // on
	defer func() {
		r.mu.Lock()
		if handed {
			r.done = append(r.done, j)
		} else {
			j.rules.give(j.user, j.host)
			r.hands--
		}
		r.mu.Unlock()
		r.Wake()
	}()
	if r.stopping() { // since the claim began
		r.settle(r.ctx, j, snooze(0))
		return
	}
	result, begun := r.run(r.ctx, j)
	switch {
	case begun && result == nil:
		handed = true
	case begun:
		r.settle(r.ctx, j, result)
	}
}

func (r *Runner) inHand() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hands
}

func (r *Runner) stopping() bool {
	select {
	case <-r.stopped:
		return true
	default:
		return false
	}
}

// claim takes one due job; nil when there is none.
func (r *Runner) claim() (*Job, error) {
	r.claiming.Lock()
	defer r.claiming.Unlock()
	jobs, err := r.exchange(nil, 1)
	if err != nil || len(jobs) == 0 {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hands-- // it is in the hand of the caller
	return jobs[0], nil
}

func (r *Runner) release(j *Job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	j.rules.give(j.user, j.host)
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
