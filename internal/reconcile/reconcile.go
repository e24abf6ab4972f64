// Package reconcile compares what follows from other rows with those rows, and puts right what differs: counters, trays,
// feeds, relations. As all of it is written in the transactions of its causes there is nothing to find, unless somebody
// wrote past the service, or the service is wrong.
package reconcile

import (
	"context"
	"fmt"
	"strings"
	"time"

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

	All = []Check{Moments, Relations, Settings, Missing, Notifications, Feed, Counters}
)

// Found collects what a check finds.
type Found struct {
	Failed, Warned int
	Notes          []string
	Rest           func(worked time.Duration) error // between slices of a table, if anything; an error ends the check
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
// Only then does it write; others read and write meanwhile, and have most of the machine, as it rests twenty times as long
// as it works. It ends with ctx.
func Run(ctx context.Context, app core.App, repaired func(check string, n int, notes []string)) error {
	rest := func(worked time.Duration) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * worked):
			return nil
		}
	}
	for _, c := range All {
		f := &Found{Rest: rest}
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

// slice is how many rows are looked at in one statement: about a millisecond, and a few megabytes that are mapped meanwhile.
const slice = 200

// Some counts rows, given as all that follows FROM, beginning with "TABLE t WHERE", and names the first. It looks at the table
// slice by slice, so that no statement is long: the write-ahead log could not begin anew meanwhile.
func (f *Found) Some(app core.App, from string) (n int, first string, err error) {
	table, where, _ := strings.Cut(from, " t WHERE ")
	var last int64
	if _, err := db.Value(app, &last, `SELECT coalesce(max(rowid), 0) FROM `+table, nil); err != nil {
		return 0, "", err
	}
	look := db.Scan
	if f.Rest == nil { // in a hurry
		look = db.Row
	}
	statement := `SELECT count(*), coalesce(min(t.id), '') FROM ` + table + ` t WHERE t.rowid > {:after} AND t.rowid <= {:to} AND (` + where + `)`
	for after := int64(0); after < last; after += slice {
		began := time.Now()
		var some int
		var one string
		if _, err := look(app, statement, db.Params{"after": after, "to": after + slice}, &some, &one); err != nil {
			return 0, "", err
		}
		if n += some; first == "" {
			first = one
		}
		if f.Rest != nil {
			if err := f.Rest(time.Since(began)); err != nil {
				return 0, "", err
			}
		}
	}
	return n, first, nil
}
