package job

import (
	"fmt"
	"maps"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

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
