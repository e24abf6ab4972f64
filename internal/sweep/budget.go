package sweep

import (
	"context"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/job"
)

// Pace is how much one transaction does, and how long others have before the next.
type Pace struct {
	Time time.Duration // after which a transaction begins no further rows
	Rows int           // that one transaction changes at most, a Part's weight counted
	Rest int           // how many times as long as a step a work rests after it
}

// Usual makes a step of about 10 ms, as the last rows begin before Time is over and the commit comes after it. A like that
// comes meanwhile mostly meets no step.
var Usual = Pace{Time: 5 * time.Millisecond, Rows: 400, Rest: 3}

// statementRows is how many rows one statement changes at most, as the clock is looked at between two.
const statementRows = 100

const paceKey = "doubletap.sweep.pace"

// SetPace changes the pace of app.
func SetPace(app core.App, p Pace) { app.Store().Set(paceKey, p) }

func paceOf(app core.App) Pace {
	if p, ok := app.Store().Get(paceKey).(Pace); ok {
		return p
	}
	return Usual
}

// budget is what is left for all works that begin or go on in one transaction.
type budget struct {
	until time.Time
	rows  int
	least bool // a statement's rows are done however late it is, and however long it took to find some
}

// budgets are those of the transactions under way, by their TxInfo.
var budgets sync.Map

func budgetOf(tx core.App) *budget {
	info := tx.TxInfo()
	if known, ok := budgets.Load(info); ok {
		return known.(*budget)
	}
	pace := paceOf(tx)
	b := &budget{until: db.Began(tx).Add(pace.Time), rows: pace.Rows}
	budgets.Store(info, b)
	info.OnComplete(func(error) error {
		budgets.Delete(info)
		return nil
	})
	return b
}

// affords returns how many rows of the weight may be done now.
func (b *budget) affords(weight int) int {
	if b.rows <= 0 || !b.least && !time.Now().Before(b.until) {
		return 0
	}
	return max(1, min(statementRows, b.rows)/weight)
}

func (b *budget) spend(rows int) {
	b.rows -= rows
	b.least = b.least && rows == 0
}

// Steps runs step in one short transaction after the other until it says that it is done, and lets others in between. When the
// process wants to end, it asks to be gone on with later.
func Steps(ctx context.Context, app core.App, step func(tx core.App) (done bool, err error)) error {
	rest := time.NewTimer(0)
	defer rest.Stop()
	<-rest.C
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var began time.Time
		done := false
		err := app.RunInTransaction(func(tx core.App) (err error) {
			began = time.Now() // without the wait for the writer
			done, err = step(tx)
			return err
		})
		if err != nil || done {
			return err
		}
		rest.Reset(time.Duration(paceOf(app).Rest) * time.Since(began))
		select {
		case <-ctx.Done():
		case <-job.Stopping(ctx):
			return job.Snooze(time.Second)
		case <-rest.C:
		}
	}
}
