package hooks

import (
	"context"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/reconcile"
)

// Lists are ordered by timestamps. When a machine's clock is put back, a new row must not sort behind older ones;
// when it was ahead, no rows may stay at the head of every list.

// minCredibleTime is before anybody ran this program: a machine's clock that shows less has lost its battery, and is
// not believed.
var minCredibleTime = time.Date(2025, 11, 13, 0, 0, 0, 0, time.UTC)

func (s *Social) bindClock() {
	s.app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if err := s.resumeClock(); err != nil {
			return err
		}
		return e.Next()
	})
	s.app.OnRecordCreate(collection.StampedNames()...).BindFunc(stampCreated)
}

// resumeClock continues the service's clock from the newest stored time. If that is too far in the future, it
// corrects the stored rows instead, unless it is the machine's clock that is not believed.
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

// trustMachineClock makes the service's clock follow the machine's again when that was put back by more than a
// little. The reconciliation then corrects the rows to go with it.
func trustMachineClock(app core.App) {
	if ahead := clock.Now(app).Sub(clock.LatestPlausible(app)); ahead > 0 {
		app.Logger().Error("the machine's clock was put back", "seconds", ahead.Seconds())
		clock.FollowMachine(app)
	}
}

// stampCreated gives a new row the service's time instead of the machine's, unless created is set already.
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
