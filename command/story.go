package command

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

	"doubletap/internal/clock"
	"doubletap/internal/db"
)

// story is what people did, to be stored as if it had happened over a time that ends now.
type story struct {
	span  time.Duration
	steps []step
}

// step is one thing somebody did; at is when, from 0 for the story's begin to 1 for now.
type step struct {
	at    float64
	ready func() // what can be done before, outside of any transaction
	store func(tx core.App, at types.DateTime) error
}

func (s *story) add(at float64, store func(tx core.App, at types.DateTime) error) {
	s.steps = append(s.steps, step{at: at, store: store})
}

// tell stores the story, chunk steps to a transaction, and reports after each how many are stored. It ends
// between two chunks when ctx does.
func (s *story) tell(ctx context.Context, app core.App, chunk int, report func(done, total int)) error {
	slices.SortStableFunc(s.steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	now := clock.Now(app)
	var moved time.Duration
	defer func() { clock.Advance(app, -moved) }()
	move := func(to time.Time) {
		d := to.Sub(clock.Now(app))
		clock.Advance(app, d)
		moved += d
	}
	for done := 0; done < len(s.steps); {
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted: %d of %d steps are stored", done, len(s.steps))
		}
		steps := s.steps[done:min(done+chunk, len(s.steps))]
		prepare(steps)
		err := locked(app, func(tx core.App) error {
			for _, step := range steps {
				when := now.Add(-time.Duration(float64(s.span) * (1 - step.at))).Truncate(time.Millisecond)
				move(when)
				at, err := types.ParseDateTime(when)
				if err != nil {
					return err
				}
				if err := step.store(tx, at); err != nil {
					return err
				}
			}
			return due(tx, now)
		})
		if err != nil {
			return err
		}
		done += len(steps)
		if report != nil {
			report(done, len(s.steps))
		}
	}
	return nil
}

// due has what was left to do in the made-up past be due now, so that nobody takes it for late.
func due(tx core.App, now time.Time) error {
	_, err := db.Exec(tx, `UPDATE jobs SET runAt = {:now} WHERE state = 'ready' AND runAt < {:now}`, db.Params{"now": clock.Text(now)})
	if err != nil {
		return fmt.Errorf("have the jobs be due now: %w", err)
	}
	return nil
}

// prepare readies steps on all processors.
func prepare(steps []step) {
	var all sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, step := range steps {
		if step.ready == nil {
			continue
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			step.ready()
		})
	}
	all.Wait()
}
