package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// What a run may cost: it works a twentieth of the time, so that requests have the machine, and at most this long in
// all. The next run continues where it ended, so that a run costs the same however much is stored.
const (
	pauseFactor = 20
	maxWorkTime = 10 * time.Second
)

const restKey = "doubletap.reconcile.rest"

// SetRest changes how many times as long as it worked a run of app rests; 20 unless told.
func SetRest(app core.App, times int) { app.Store().Set(restKey, times) }

func restOf(app core.App) time.Duration {
	if times, ok := app.Store().Get(restKey).(int); ok {
		return time.Duration(times)
	}
	return pauseFactor
}

// errTimeSpent ends a run that has worked for long enough.
var errTimeSpent = errors.New("worked for long enough")

// lastRun is where the last run of an app ended.
type lastRun struct {
	table    string
	position scanPosition
}

const lastRunKey = "doubletap.reconcile"

// RunHourly checks the invariants of cost Hourly, repairs those that are broken, and calls repaired for each of them
// afterwards. It writes only to repair, in short transactions; others read and write meanwhile, and have most of the
// machine. It ends when ctx does. After a failure it continues with the other invariants.
func RunHourly(ctx context.Context, app core.App, repaired func(r *Result)) error {
	all, err := RowInvariants(app)
	if err != nil {
		return err
	}
	hourly := make([]*Invariant, 0, len(all))
	for _, i := range all {
		if i.Cost == Hourly {
			hourly = append(hourly, i)
		}
	}
	left := maxWorkTime
	o := ExamineOptions{Pause: func(worked time.Duration) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(restOf(app) * worked):
		}
		if left -= worked; left <= 0 {
			return errTimeSpent
		}
		return nil
	}}
	var failures []error
	gaveUp := map[string]bool{}
	for range maxRounds {
		results, err := examineFromLast(ctx, app, hourly, o)
		if err != nil && !errors.Is(err, errTimeSpent) {
			failures = append(failures, err)
		}
		any := repairOnce(ctx, app, results, o, gaveUp, func(r *Result, mended int64, err error) {
			if err != nil {
				failures = append(failures, err)
			} else if mended > 0 {
				repaired(r)
			}
		})
		if !any || err != nil {
			break
		}
	}
	return errors.Join(failures...)
}

// examineFromLast examines all tables, beginning where the last run ended, until the time is spent.
func examineFromLast(ctx context.Context, app core.App, all []*Invariant, o ExamineOptions) (results []*Result, err error) {
	last := app.Store().GetOrSet(lastRunKey, func() any { return &lastRun{} }).(*lastRun)
	found := map[*Invariant]*Result{}
	for _, i := range all {
		r := &Result{Invariant: i}
		results, found[i] = append(results, r), r
	}
	list := groupScans(all)
	for at, s := range list {
		if s.scanName() == last.table {
			s.position = last.position
			list = append(list[at:], list[:at]...)
			break
		}
	}
	*last = lastRun{}
	m := newMemory(o.maxRemembered())
	var failures []error
	for _, s := range list {
		switch err := s.examine(ctx, app, m, found, o); {
		case errors.Is(err, errTimeSpent), err != nil && ctx.Err() != nil:
			*last = lastRun{s.scanName(), s.position}
			return results, errors.Join(append(failures, err)...)
		case err != nil:
			failures = append(failures, fmt.Errorf("look at %s: %w", s.table, err))
		}
	}
	return results, errors.Join(failures...)
}

// scanName returns a name that is different for each scan of a table.
func (s *scan) scanName() string { return fmt.Sprint(s.table, s.values) }
