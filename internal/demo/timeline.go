package demo

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
)

// timeline is what people did, stored as if it had happened over a span that ends now.
type timeline struct {
	span    time.Duration
	actions []timelineAction
	gallery gallery
}

// timelineAction is one thing that somebody did; at is when, from 0 for the timeline's beginning to 1 for now.
type timelineAction struct {
	at      float64
	prepare func() // what can be done before, outside of any transaction; may be nil
	store   func(tx core.App, at types.DateTime) error
}

func (t *timeline) addAction(at float64, store func(tx core.App, at types.DateTime) error) {
	t.actions = append(t.actions, timelineAction{at: at, store: store})
}

// storeActions stores the timeline in transactions of chunk actions, and calls report after each with how many are
// stored. It stops between two transactions when ctx ends.
func (t *timeline) storeActions(ctx context.Context, app core.App, chunk int, report func(done, total int)) error {
	slices.SortStableFunc(t.actions, func(a, b timelineAction) int { return cmp.Compare(a.at, b.at) })
	now := clock.Now(app)
	var moved time.Duration
	defer func() { clock.Advance(app, -moved) }()
	move := func(to time.Time) {
		d := to.Sub(clock.Now(app))
		clock.Advance(app, d)
		moved += d
	}
	for done := 0; done < len(t.actions); {
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted: %d of %d steps are stored", done, len(t.actions))
		}
		steps := t.actions[done:min(done+chunk, len(t.actions))]
		prepareActions(steps)
		err := db.RunInWriteTx(app, func(tx core.App) error {
			for _, step := range steps {
				when := now.Add(-time.Duration(float64(t.span) * (1 - step.at))).Truncate(time.Millisecond)
				move(when)
				at, err := types.ParseDateTime(when)
				if err != nil {
					return err
				}
				if err := step.store(tx, at); err != nil {
					return err
				}
			}
			return makeJobsDue(tx, now)
		})
		if err != nil {
			return err
		}
		done += len(steps)
		if report != nil {
			report(done, len(t.actions))
		}
	}
	return nil
}

// makeJobsDue makes the jobs that were stored in the made-up past due now, so that they do not count as late.
func makeJobsDue(tx core.App, now time.Time) error {
	_, err := db.Exec(tx, `UPDATE jobs SET runAt = {:now} WHERE state = 'ready' AND runAt < {:now}`, db.Params{"now": clock.FormatTime(now)})
	if err != nil {
		return fmt.Errorf("have the jobs be due now: %w", err)
	}
	return nil
}

// prepareActions calls the actions' prepare on all processors.
func prepareActions(steps []timelineAction) {
	var all sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, step := range steps {
		if step.prepare == nil {
			continue
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			step.prepare()
		})
	}
	all.Wait()
}
