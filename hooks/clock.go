package hooks

import (
	"context"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"doubletap/internal/clock"
	"doubletap/internal/reconcile"
)

// Lists are ordered by stamps. A machine's clock that is put back must not let a new row sort behind older ones, and one that was ahead must
// not leave rows at the head of every list.

// minCredibleTime is before anybody ran this program: a clock that shows less has lost its battery, and is not believed.
var minCredibleTime = time.Date(2025, 11, 13, 0, 0, 0, 0, time.UTC)

func (s *Social) bindClock() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if err := s.resumeClock(); err != nil {
			return err
		}
		return e.Next()
	})
	s.app.OnRecordCreate(reconcile.StampedTables()...).BindFunc(stampCreated)
}

// resumeClock makes the clock go on where it ended, if it is not far: what is stored of a time to come is mended first.
func (s *Social) resumeClock() error {
	newest, err := reconcile.NewestMoment(s.app)
	if err != nil {
		return err
	}
	latest := clock.LatestPlausible(s.app)
	switch {
	case !newest.After(latest):
	case latest.Before(minCredibleTime):
		s.app.Logger().Error("the machine's clock is wrong", "shows", clock.FormatTime(latest), "stored", clock.FormatTime(newest))
	default:
		n, err := reconcile.MendMoments(context.Background(), s.app)
		if err != nil {
			return fmt.Errorf("mend what is stored of a time to come: %w", err)
		}
		s.app.Logger().Error("rows were of a time to come", "rows", n, "newest", clock.FormatTime(newest))
		return nil
	}
	clock.ContinueFrom(s.app, newest)
	return nil
}

// trustMachineClock ends what the clock holds against the machine's after that was put back by more than a little: rows are
// mended to go with it.
func trustMachineClock(app core.App) {
	if ahead := clock.Now(app).Sub(clock.LatestPlausible(app)); ahead > 0 {
		app.Logger().Error("the machine's clock was put back", "seconds", ahead.Seconds())
		clock.FollowMachine(app)
	}
}

// stampCreated gives a new row the service's time instead of the machine's, unless somebody chose another.
func stampCreated(e *core.RecordEvent) error {
	if e.Record.GetDateTime("created").IsZero() {
		at, err := types.ParseDateTime(clock.Now(e.App))
		if err != nil {
			return fmt.Errorf("stamp a row of %s: %w", e.Record.Collection().Name, err)
		}
		e.Record.SetRaw("created", at)
		e.Record.SetRaw("updated", at)
	}
	return e.Next()
}
