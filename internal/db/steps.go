package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// StepTime is how long one transaction of work that can be done in parts may hold the only connection that writes.
const StepTime = 10 * time.Millisecond

// mostAtOnce is how many items one transaction takes at most, however quick they are.
const mostAtOnce = 500

// InSteps does the work on items in transactions of their own that are about StepTime long, and leaves the writer to others for as long
// after each. An item that fails keeps no other from being done: InSteps returns how many are done, and an error that joins the first
// failures, or the one of ctx.
//
// Each transaction takes SQLite's write lock first, so that it waits for another process instead of failing in the middle.
func InSteps[T any](ctx context.Context, app core.App, items []T, work func(tx core.App, some []T) error) (done int, err error) {
	var failures []error
	failed, size := 0, 8
	for from := 0; from < len(items); {
		if err := ctx.Err(); err != nil {
			return done, errors.Join(append(failures, err)...)
		}
		some := items[from:min(from+size, len(items))]
		var held time.Duration
		err := app.RunInTransaction(func(tx core.App) error {
			if _, err := Exec(tx, `DELETE FROM _migrations WHERE 0`, nil); err != nil {
				return err
			}
			began := time.Now()
			defer func() { held = time.Since(began) }()
			return work(tx, some)
		})
		switch {
		case err != nil && len(some) > 1: // one of them: each alone
			size = 1
			continue
		case err != nil:
			if failed++; failed <= mostFailures {
				failures = append(failures, fmt.Errorf("%v: %w", some[0], err))
			}
		default:
			done += len(some)
		}
		from += len(some)
		size = nextSize(size, held)
		if from < len(items) {
			rest(ctx, held)
		}
	}
	if failed > mostFailures {
		failures = append(failures, fmt.Errorf("and %d more", failed-mostFailures))
	}
	return done, errors.Join(failures...)
}

// mostFailures is how many failures an error of InSteps names.
const mostFailures = 5

// nextSize is how many items the next transaction takes after one with size items held the writer for a time.
func nextSize(size int, held time.Duration) int {
	switch {
	case held > StepTime:
		return max(1, size/2)
	case held < StepTime/4:
		return min(2*size, mostAtOnce)
	}
	return size
}

// rest waits, unless ctx ends before.
func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
