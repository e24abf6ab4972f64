package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/fault"
)

// Pace is how much one transaction of work in steps does, and how long others have before the next.
type Pace struct {
	Time time.Duration // after which a transaction begins no further rows
	Rows int           // that one transaction changes at most
	Rest int           // how many times as long as a step a work rests after it
}

// Usual makes a step of about 10 ms, as the last rows begin before Time is over and the commit comes after it. A like that
// comes meanwhile mostly meets no step.
var Usual = Pace{Time: 5 * time.Millisecond, Rows: 400, Rest: 3}

const paceKey = "doubletap.pace"

// SetPace changes the pace of app.
func SetPace(app core.App, p Pace) { app.Store().Set(paceKey, p) }

// PaceOf returns the pace of app.
func PaceOf(app core.App) Pace {
	if p, ok := app.Store().Get(paceKey).(Pace); ok {
		return p
	}
	return Usual
}

// ErrStopping is what ends work in steps when the process wants to end: it is to be gone on with later.
var ErrStopping = errors.New("the process is about to end")

type stoppingKey struct{}

// WithStopping has work in steps end with ErrStopping once the channel is closed.
func WithStopping(ctx context.Context, stopping <-chan struct{}) context.Context {
	return context.WithValue(ctx, stoppingKey{}, stopping)
}

// Steps runs step in one short transaction after the other until it says that it is done, and leaves the writer to others after each, for
// as long as the pace of app says. A transaction that fails is tried again with most, the number of rows that it may do, at 1. If it
// fails with one as well, skip is given the error: it sees to it that the next step passes over that row, or returns an error that ends
// the work. So does an error that no row is to blame for: a full disk, a lock. A transaction that was ended for its length is tried with
// one row, and that row may be to blame.
//
// Each transaction takes SQLite's write lock first, so that it waits for another process instead of failing in the middle.
func Steps(ctx context.Context, app core.App, step func(tx core.App, most int) (done bool, err error), skip func(err error) error) error {
	pace := PaceOf(app)
	stopping, _ := ctx.Value(stoppingKey{}).(<-chan struct{})
	most := max(1, pace.Rows)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var began time.Time
		done := false
		err := RunInWriteTx(app, func(tx core.App) error {
			began = time.Now() // without the wait for the writer
			var err error
			done, err = step(tx, most)
			return err
		})
		switch {
		case err == nil && done:
			return nil
		case err == nil:
			most = min(2*most, max(1, pace.Rows))
		case ctx.Err() != nil || began.IsZero() || fault.IsTransient(err) && !errors.Is(err, fault.ErrTransactionEnded):
			return err
		case most > 1:
			most = 1
		default:
			if err := skip(err); err != nil {
				return err
			}
		}
		rest := time.NewTimer(time.Duration(pace.Rest) * time.Since(began))
		select {
		case <-ctx.Done():
		case <-stopping:
			return ErrStopping
		case <-rest.C:
		}
		rest.Stop()
	}
}

// RunInSteps does the work on items in steps. An item that fails keeps no other from being done: RunInSteps returns how many are done, and an
// error that joins the first failures, or what ended it.
func RunInSteps[T any](ctx context.Context, app core.App, items []T, work func(tx core.App, some []T) error) (done int, err error) {
	if len(items) == 0 {
		return 0, nil
	}
	var failures Failures
	pace, size, from := PaceOf(app), 8, 0
	err = Steps(ctx, app, func(tx core.App, most int) (bool, error) {
		some := items[from:min(from+min(size, most), len(items))]
		if len(some) == 0 { // the last ones failed
			return true, nil
		}
		began := time.Now()
		if err := work(tx, some); err != nil {
			return false, err
		}
		size = pace.next(size, time.Since(began))
		AfterCommit(tx, func() { from, done = from+len(some), done+len(some) })
		return from+len(some) == len(items), nil
	}, func(err error) error {
		failures.Add(items[from], err)
		from++
		return nil
	})
	return done, errors.Join(failures.Err(), err)
}

// next is how many items a transaction takes after one with size items held the writer for a time.
func (p Pace) next(size int, held time.Duration) int {
	switch {
	case held > 2*p.Time:
		return max(1, size/2)
	case held < p.Time/2:
		return min(2*size, max(1, p.Rows))
	}
	return size
}

// Failures are the rows that work went on without.
type Failures struct {
	first []error
	n     int
}

// named is how many rows an error of Failures names.
const named = 5

// Add notes what a row failed with.
func (f *Failures) Add(row any, err error) {
	if f.n++; f.n <= named {
		f.first = append(f.first, fmt.Errorf("%v: %w", row, err))
	}
}

// Err returns nil where nothing failed, else an error that names the first rows and says how many more there are.
func (f *Failures) Err() error {
	if f.n > named {
		return errors.Join(append(f.first, fmt.Errorf("and %d more", f.n-named))...)
	}
	return errors.Join(f.first...)
}

// RunInWriteTx is app.RunInTransaction, but takes SQLite's write lock first, so that it waits for a server that writes
// to the same folder instead of failing in the middle.
func RunInWriteTx(app core.App, fn func(tx core.App) error) error {
	return app.RunInTransaction(func(tx core.App) error {
		if _, err := Exec(tx, `DELETE FROM _migrations WHERE 0`, nil); err != nil {
			return err
		}
		return fn(tx)
	})
}
