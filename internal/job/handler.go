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

	"doubletap/internal/clock"
	"doubletap/internal/db"
	"doubletap/internal/fault"
)

const lastWords = 1000 // of an error, in characters

// Handler does one job. A nil error removes it; Snooze and Bury say otherwise;
// any other error, or a panic, has it tried again later. Its ctx ends when the
// lease is lost or when the time for stopping is over.
type Handler func(ctx context.Context, app core.App, j *Job) error

type snooze time.Duration

func (s snooze) Error() string { return "snoozed for " + time.Duration(s).String() }

// Snooze is the error with which a handler asks to run again after d, at least
// a second, without having spent an attempt.
func Snooze(d time.Duration) error { return snooze(max(d, time.Second)) }

type bury struct{ error }

func (b bury) Unwrap() error { return b.error }

// Bury is the error with which a handler says that trying again will not help:
// the job is dead at once, with err as its last words.
func Bury(err error) error {
	if err == nil {
		err = errors.New("buried")
	}
	return bury{err}
}

// KindOption changes how jobs of one kind are run.
type KindOption func(*kind)

// MaxAttempts sets how often a job is begun before it is dead, 10 unless told.
// The waits double from a second to an hour: 10 attempts take up to 9 minutes, 20 up to 8 hours.
func MaxAttempts(n int) KindOption { return func(k *kind) { k.attempts = n } }

// Lease sets how long a worker may be silent before its job goes to another, 30 seconds unless told.
func Lease(d time.Duration) KindOption { return func(k *kind) { k.lease = d } }

// Concurrency sets how many jobs of this kind the runner has in hand at once, so
// that slow ones leave room for others; 16 unless told, which is half of its workers.
func Concurrency(n int) KindOption { return func(k *kind) { k.limit = n } }

type kind struct {
	handle   Handler
	attempts int
	lease    time.Duration
	limit    int
	running  int
	users    share
	hosts    share
	groups   []*group
}

// run does a claimed job and returns how it ended; begun is false where it could not be made sure that it is still ours.
// What is to be put right when the handler ends its goroutine stands in the defers.
func (r *Runner) run(ctx context.Context, j *Job) (result error, begun bool) {
	if clock.Now(r.app).Sub(j.claimed) > j.rules.lease/3 { // the claim had to wait for the database
		if err := j.Extend(j.rules.lease); err != nil {
			r.app.Logger().Warn("job not begun", "job", j.ID, "kind", j.Kind, "err", err)
			return nil, false
		}
	}
	if j.lapsed && j.Attempts > j.rules.attempts { // it has perhaps killed the process each time
		return Bury(errors.New("gave up: " + lapsed)), true
	}
	work, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	var beat sync.WaitGroup
	defer beat.Wait()
	over := make(chan struct{})
	defer close(over)
	beat.Go(func() { keep(j, over, lose) })
	return r.call(work, j), true
}

// keep extends the lease until the job is over, and tells the handler when it is lost.
func keep(j *Job, over <-chan struct{}, lose context.CancelCauseFunc) {
	lease := j.rules.lease
	tick := time.NewTicker(lease / 3)
	defer tick.Stop()
	until := j.claimed.Add(lease)
	for {
		select {
		case <-over:
			return
		case <-tick.C:
		}
		err := j.Extend(lease)
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

// Label is the pprof label that carries the kind of the job for which a goroutine works.
const Label = "job"

func (r *Runner) call(ctx context.Context, j *Job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			r.app.Logger().Error("job panicked", "job", j.ID, "kind", j.Kind, "err", err, "stack", string(debug.Stack()))
		}
	}()
	pprof.Do(ctx, pprof.Labels(Label, j.Kind), func(ctx context.Context) { err = j.rules.handle(ctx, r.app, j) })
	return err
}

// settle writes how a job ended, and stays with it while the database cannot:
// what is done but not written down would be done again.
func (r *Runner) settle(ctx context.Context, j *Job, result error) {
	write := r.outcome(ctx, j, result)
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
		case <-time.After(r.poll):
		}
	}
}

// outcome decides what becomes of a job, and returns the function that writes it.
func (r *Runner) outcome(ctx context.Context, j *Job, result error) func() error {
	if result == nil {
		return j.remove
	}
	now, why := clock.Now(r.app), fault.Reason(result)
	reason := []rune(why)
	reason = reason[:min(len(reason), lastWords)]
	pause, snoozed := errors.AsType[snooze](result)
	_, buried := errors.AsType[bury](result)
	switch {
	case errors.Is(result, db.ErrStopping):
		return func() error { return j.put("ready", now.Add(time.Second), j.Attempts-1, "") }
	case snoozed:
		return func() error { return j.put("ready", now.Add(time.Duration(pause)), j.Attempts-1, "") }
	case !buried && ctx.Err() != nil: // stopped in the middle: not the job's fault
		return func() error { return j.put("ready", now, j.Attempts-1, "") }
	case buried || j.Attempts >= j.rules.attempts:
		r.app.Logger().Error("job gave up", "job", j.ID, "kind", j.Kind, "attempts", j.Attempts, "err", why)
		return func() error { return j.put("dead", now, j.Attempts, string(reason)) }
	default:
		r.app.Logger().Warn("job failed", "job", j.ID, "kind", j.Kind, "attempts", j.Attempts, "err", why)
		return func() error { return j.put("ready", now.Add(backoff(j.Attempts)), j.Attempts, string(reason)) }
	}
}

// backoff is the wait after so many attempts: a second, doubling to an hour, and
// by chance up to half less, so that what failed together does not return together.
func backoff(attempts int) time.Duration {
	d := min(time.Second<<min(attempts-1, 12), time.Hour)
	return d - rand.N(d/2) // #nosec G404 -- nobody gains by knowing when a job is tried again
}
