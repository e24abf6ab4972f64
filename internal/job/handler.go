package job

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
)

const maxErrorLength = 1000 // characters of an error that are stored

// Handler does one job. After a nil error the job is removed; Snooze and Bury say otherwise; after any other error, or
// a panic, it is tried again later. ctx ends when the lease is lost, or when the time for stopping is over, and with it
// the statements that run with app.
type Handler func(ctx context.Context, app core.App, j *Job) error

type snoozeError time.Duration

func (s snoozeError) Error() string { return "snoozed for " + time.Duration(s).String() }

// Snooze returns the error with which a handler asks to run again after d, at least a second, without spending an
// attempt.
func Snooze(d time.Duration) error { return snoozeError(max(d, time.Second)) }

type buryError struct{ error }

func (b buryError) Unwrap() error { return b.error }

// Bury returns the error with which a handler says that trying again will not help: the job is dead at once, and err
// is stored with it.
func Bury(err error) error {
	if err == nil {
		err = errors.New("buried")
	}
	return buryError{err}
}

// KindOption changes how jobs of one kind are run.
type KindOption func(*jobKind)

// MaxAttempts sets after how many attempts a job is dead; 10 by default. The waits double from a second to an hour: 10
// attempts take up to 9 minutes, 20 up to 8 hours.
func MaxAttempts(n int) KindOption { return func(k *jobKind) { k.maxAttempts = n } }

// LeaseDuration sets how long a worker may be silent before its job goes to another; 30 seconds by default.
func LeaseDuration(d time.Duration) KindOption { return func(k *jobKind) { k.leaseDuration = d } }

// Concurrency sets how many jobs of this kind the runner runs at once, so that slow ones leave room for others; 16 by
// default, which is half of its workers.
func Concurrency(n int) KindOption { return func(k *jobKind) { k.maxRunning = n } }

type jobKind struct {
	handler       Handler
	maxAttempts   int
	leaseDuration time.Duration
	maxRunning    int
	running       int
	userQuota     quota
	hostQuota     quota
	groups        []*group
}

// runClaimed does a claimed job and returns how it ended. begun is false when the lease could not be extended, so that
// the job may no longer be ours. Cleanup is deferred, since a handler may end its goroutine.
func (r *Runner) runClaimed(ctx context.Context, j *Job) (result error, begun bool) {
	if clock.Now(r.app).Sub(j.claimedAt) > j.rules.leaseDuration/3 { // the claim had to wait for the database
		if err := j.ExtendLease(j.rules.leaseDuration); err != nil {
			r.app.Logger().Warn("job not begun", "job", j.ID, "kind", j.Kind, "err", err)
			return nil, false
		}
	}
	if j.hasLapsed && j.Attempts > j.rules.maxAttempts { // perhaps it killed the process each time
		return Bury(errors.New("gave up: " + lapsedReason)), true
	}
	work, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	var extending sync.WaitGroup
	defer extending.Wait()
	over := make(chan struct{})
	defer close(over)
	extending.Go(func() { keepLeaseAlive(j, over, lose) })
	return r.callHandler(work, j), true
}

// keepLeaseAlive extends the lease until the job is over, and ends the handler's context when the lease is lost.
func keepLeaseAlive(j *Job, over <-chan struct{}, lose context.CancelCauseFunc) {
	lease := j.rules.leaseDuration
	tick := time.NewTicker(lease / 3)
	defer tick.Stop()
	until := j.claimedAt.Add(lease)
	for {
		select {
		case <-over:
			return
		case <-tick.C:
		}
		err := j.ExtendLease(lease)
		now := clock.Now(j.app)
		switch {
		case err == nil:
			until = now.Add(lease)
		case errors.Is(err, ErrLeaseLost) || now.After(until):
			lose(ErrLeaseLost)
			return
		}
	}
}

// ProfileLabel is the pprof label with the kind of the job for which a goroutine works.
const ProfileLabel = "job"

func (r *Runner) callHandler(ctx context.Context, j *Job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			r.app.Logger().Error("job panicked", "job", j.ID, "kind", j.Kind, "err", err, "stack", string(debug.Stack()))
		}
	}()
	pprof.Do(ctx, pprof.Labels(ProfileLabel, j.Kind), func(ctx context.Context) { err = j.rules.handler(ctx, db.WithContext(ctx, r.app), j) })
	return err
}

// storeOutcome writes how a job ended, and tries again while the database cannot: work that is done but not recorded
// would be done again.
func (r *Runner) storeOutcome(ctx context.Context, j *Job, result error) {
	write := r.decideOutcome(ctx, j, result)
	for try := 0; ; try++ {
		err := write()
		switch {
		case err == nil:
			return
		case errors.Is(err, ErrLeaseLost):
			r.app.Logger().Warn("job lost its lease", "job", j.ID, "kind", j.Kind, "attempts", j.Attempts, "err", result)
			return
		case try == 0:
			r.app.Logger().Error("job ended unwritten", "job", j.ID, "kind", j.Kind, "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(r.pollInterval):
		}
	}
}

// decideOutcome decides what becomes of a job, and returns the function that writes it.
func (r *Runner) decideOutcome(ctx context.Context, j *Job, result error) func() error {
	if result == nil {
		return j.deleteRow
	}
	now, why := clock.Now(r.app), fault.CauseText(result)
	reason := []rune(why)
	reason = reason[:min(len(reason), maxErrorLength)]
	pause, snoozed := errors.AsType[snoozeError](result)
	_, buried := errors.AsType[buryError](result)
	switch {
	case errors.Is(result, db.ErrStopping):
		return func() error { return j.putBack("ready", now.Add(time.Second), j.Attempts-1, "") }
	case snoozed:
		return func() error { return j.putBack("ready", now.Add(time.Duration(pause)), j.Attempts-1, "") }
	case !buried && ctx.Err() != nil: // stopped in the middle, which is not the job's fault
		return func() error { return j.putBack("ready", now, j.Attempts-1, "") }
	case buried || j.Attempts >= j.rules.maxAttempts:
		r.app.Logger().Error("job gave up", "job", j.ID, "kind", j.Kind, "attempts", j.Attempts, "err", why)
		return func() error { return j.putBack("dead", now, j.Attempts, string(reason)) }
	default:
		r.app.Logger().Warn("job failed", "job", j.ID, "kind", j.Kind, "attempts", j.Attempts, "err", why)
		return func() error { return j.putBack("ready", now.Add(retryBackoff(j.Attempts)), j.Attempts, string(reason)) }
	}
}

// retryBackoff returns how long a job waits after this many attempts: a second, doubling to an hour, and at random up
// to half less, so that jobs that failed together do not return together.
func retryBackoff(attempts int) time.Duration {
	d := min(time.Second<<min(attempts-1, 12), time.Hour)
	return d - rand.N(d/2) // #nosec G404 -- nobody gains by knowing when a job is tried again
}
