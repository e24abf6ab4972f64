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

// timeline is what people did, to be stored as if it had happened over a time that ends now.
type timeline struct {
	span    time.Duration
	actions []timelineAction
}

// timelineAction is one thing somebody did; at is when, from 0 for the story's begin to 1 for now.
type timelineAction struct {
	at      float64
	prepare func() // what can be done before, outside of any transaction
	store   func(tx core.App, at types.DateTime) error
}

func (s *timeline) addAction(at float64, store func(tx core.App, at types.DateTime) error) {
	s.actions = append(s.actions, timelineAction{at: at, store: store})
}

// storeActions stores the story, chunk steps to a transaction, and reports after each how many are stored. It ends
// between two chunks when ctx does.
func (s *timeline) storeActions(ctx context.Context, app core.App, chunk int, report func(done, total int)) error {
	slices.SortStableFunc(s.actions, func(a, b timelineAction) int { return cmp.Compare(a.at, b.at) })
	now := clock.Now(app)
	var moved time.Duration
	defer func() { clock.Advance(app, -moved) }()
	move := func(to time.Time) {
		d := to.Sub(clock.Now(app))
		clock.Advance(app, d)
		moved += d
	}
	for done := 0; done < len(s.actions); {
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted: %d of %d steps are stored", done, len(s.actions))
		}
		steps := s.actions[done:min(done+chunk, len(s.actions))]
		prepareActions(steps)
		err := inWriteTx(app, func(tx core.App) error {
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
			return makeJobsDue(tx, now)
		})
		if err != nil {
			return err
		}
		done += len(steps)
		if report != nil {
			report(done, len(s.actions))
		}
	}
	return nil
}

// makeJobsDue has what was left to do in the made-up past be due now, so that nobody takes it for late.
func makeJobsDue(tx core.App, now time.Time) error {
	_, err := db.Exec(tx, `UPDATE jobs SET runAt = {:now} WHERE state = 'ready' AND runAt < {:now}`, db.Params{"now": clock.FormatTime(now)})
	if err != nil {
		return fmt.Errorf("have the jobs be due now: %w", err)
	}
	return nil
}

// prepareActions readies steps on all processors.
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
