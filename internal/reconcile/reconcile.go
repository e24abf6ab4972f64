// Package reconcile compares what follows from other rows with those rows, and puts right what differs: counters, trays,
// feeds, relations. As all of it is written in the transactions of its causes there is nothing to find, unless somebody
// wrote past the service, or the service is wrong.
package reconcile

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
)

// Job is the kind of the job that runs all checks.
const Job = "reconcile"

// Check looks at one thing, which changes nothing, and puts right what needs nobody to decide.
type Check struct {
	Name   string
	Look   func(app core.App, f *Found) error
	Repair func(tx core.App) (int64, error)
}

// The checks. Repairs build on each other in this order: counters come after everything that they count.
var (
	Relations     = Check{"relations", lookRelations, repairRelations}
	Settings      = Check{"settings", lookSettings, repairSettings}
	Missing       = Check{"missing", lookMissing, repairMissing}
	Notifications = Check{"notifications", lookNotifications, repairNotifications}
	Feed          = Check{"feed", lookFeed, repairFeed}
	Counters      = Check{"counters", lookCounters, repairCounters}

	All = []Check{Relations, Settings, Missing, Notifications, Feed, Counters}
)

// Found collects what a check finds.
type Found struct {
	Failed, Warned int
	Notes          []string
}

// Fail notes n things that are wrong.
func (f *Found) Fail(n int, format string, args ...any) {
	if n > 0 {
		f.Failed += n
		f.Notes = append(f.Notes, fmt.Sprintf(format, args...))
	}
}

// Warn notes n things that should be known.
func (f *Found) Warn(n int, format string, args ...any) {
	if n > 0 {
		f.Warned += n
		f.Notes = append(f.Notes, fmt.Sprintf(format, args...))
	}
}

// Run makes all checks, one after the other, and has repaired told of each that found something, once it is put right.
// Only then does it write; others read and write meanwhile.
func Run(app core.App, repaired func(check string, n int, notes []string)) error {
	for _, c := range All {
		f := &Found{}
		if err := c.Look(app, f); err != nil {
			return fmt.Errorf("look for %s: %w", c.Name, err)
		}
		if f.Failed == 0 {
			continue
		}
		err := app.RunInTransaction(func(tx core.App) error {
			_, err := c.Repair(tx)
			return err
		})
		if err != nil {
			return fmt.Errorf("repair %s: %w", c.Name, err)
		}
		repaired(c.Name, f.Failed, f.Notes)
	}
	return nil
}

// Some counts rows, given as all that follows FROM of a table named t, and names the first.
func Some(app core.App, from string) (n int, first string, err error) {
	var row struct {
		N     int    `db:"n"`
		First string `db:"first"`
	}
	_, err = db.One(app, &row, `SELECT count(*) n, coalesce(min(t.id), '') first FROM `+from, nil)
	return row.N, row.First, err
}
