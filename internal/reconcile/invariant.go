// Package reconcile knows the invariants of the stored data: which row follows from which at every moment. All rows are
// written in the transactions of their causes, so that nothing is broken unless somebody changed the database without
// the service, or the service has a bug.
//
// Doctor and the hourly reconciliation are made from one list of invariants.
package reconcile

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/sweep"
)

// HourlyJob is the kind of the job that looks for broken invariants and repairs them.
const HourlyJob = "reconcile"

// Cost says who checks whether an invariant holds.
type Cost string

// The costs. What only doctor checks costs more than a few lookups for each row, or is about the installation.
const (
	Hourly     Cost = "hourly"
	DoctorOnly Cost = "doctor"
)

// Invariant is something that holds of the stored data at every moment. It is either about the rows of a table, with
// Table and Broken, or about something else, with Inspect.
type Invariant struct {
	Check          string // the group under which doctor and the metrics show it
	Name           string
	On             string // the table, or table.column, if there are several invariants of this name
	Holds          string // what holds, as a sentence
	Cost           Cost
	WhyNotRepaired string // why it is reported and not repaired; empty if it is repaired
	Warns          bool   // it harms nobody when broken, but somebody should know

	Table  string
	Broken string   // the SQL condition of a row t that is wrong; see conditionParams for the values it may use
	Values []string // columns: each combination of their values is checked once instead of each row, and Broken uses no other columns of t
	Mend   func(tx core.App, ids []string) error

	// Proved says that the proof of Table tells of nearly every row that this is not broken, so that Broken is asked about the
	// others alone. It has no part in what is repaired.
	Proved bool

	Inspect func(app core.App, f *Problems) error
	MendAll func(ctx context.Context, app core.App) (int64, error)
}

// Label returns the name of the invariant for messages, with On if it has one.
func (i *Invariant) Label() string {
	if i.On == "" {
		return i.Name
	}
	return i.Name + " of " + i.On
}

// IsRepairable reports whether it can be repaired without a person's decision.
func (i *Invariant) IsRepairable() bool { return i.WhyNotRepaired == "" }

// conditionParams returns the values that the conditions of invariants may use.
func conditionParams(app core.App) db.Params {
	now := clock.Now(app)
	longest := time.Hour
	if r := job.RunnerOf(app); r != nil {
		longest = r.LongestLease()
	}
	return db.Params{
		"now": clock.FormatTime(now), "latest": clock.FormatTime(clock.LatestPlausible(app)), "recent": clock.FormatTime(now.Add(-recentWindow)),
		"lease": clock.FormatTime(now.Add(longest + time.Minute)), "month": clock.FormatTime(now.Add(30*24*time.Hour + time.Minute)),
		"kinds": knownKinds(app),
	}
}

// recentWindow is how old an action may be for which a missing notification is still made.
const recentWindow = 7 * 24 * time.Hour

// RowInvariants returns the invariants about rows of app, with those about relations of owners' collections. Their
// order is that of repairs, which build on each other: counters come after all that they count.
func RowInvariants(app core.App) ([]*Invariant, error) {
	relations, err := relationInvariants(app)
	if err != nil {
		return nil, fmt.Errorf("list the relations: %w", err)
	}
	var all []*Invariant
	for _, some := range [][]*Invariant{
		momentInvariants(), relations, accountInvariants(), edgeInvariants(), settingsInvariants(), postInvariants(), storyInvariants(), commentInvariants(), missingEventInvariants(), notificationInvariants(), jobInvariants(), handleInvariants(), counterInvariants(),
	} {
		for _, i := range some {
			applies := i.Table == ""
			if !applies {
				if applies, err = db.HasTable(app, i.Table); err != nil {
					return nil, err
				}
			}
			if applies {
				all = append(all, i)
			}
		}
	}
	return all, nil
}

// CheckNames returns the names of the groups of the invariants about rows.
func CheckNames() []string {
	return []string{"moments", "relations", "accounts", "keys", "edges", "settings", "posts", "comments", "tags", "search", "missing", "notifications", "counters", "queue", "handles"}
}

// mendByStatements returns a Mend that runs the statements; @ids in them is the list of the rows' ids.
func mendByStatements(statements ...string) func(tx core.App, ids []string) error {
	return func(tx core.App, ids []string) error {
		for _, statement := range statements {
			p := conditionParams(tx)
			p["ids"] = db.JSONList(ids)
			if _, err := db.Exec(tx, strings.ReplaceAll(statement, "@ids", `(SELECT value FROM json_each({:ids}))`), p); err != nil {
				return err
			}
		}
		return nil
	}
}

// mendEach returns a Mend that calls mend for one row after the other.
func mendEach(mend func(tx core.App, id string) error) func(tx core.App, ids []string) error {
	return func(tx core.App, ids []string) error {
		for _, id := range ids {
			if err := mend(tx, id); err != nil {
				return err
			}
		}
		return nil
	}
}

// mendByDelete returns a Mend that deletes the rows of a table with one of the ids in the column.
func mendByDelete(table, column string) func(tx core.App, ids []string) error {
	return func(tx core.App, ids []string) error {
		_, err := sweep.DeleteRows(tx, table, column+` IN (SELECT value FROM json_each({:ids}))`, db.Params{"ids": db.JSONList(ids)})
		return err
	}
}

// mendInTurn returns a Mend that does one after the other.
func mendInTurn(mends ...func(tx core.App, ids []string) error) func(tx core.App, ids []string) error {
	return func(tx core.App, ids []string) error {
		for _, mend := range mends {
			if err := mend(tx, ids); err != nil {
				return err
			}
		}
		return nil
	}
}

// noJobCondition returns the SQL condition that no waiting or running job of the kind is about the value; such a job
// would repair the row.
func noJobCondition(kind, key, value string) string {
	return `NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = '` + kind + `' AND j.state IN ('ready', 'running') AND iif(json_valid(j.payload), j.payload ->> '` + key + `', '') = ` + value + `)`
}

// Problems collects what an Inspect finds.
type Problems struct {
	Failed, Warned int
	Notes          []string
}

// AddNote adds what is worth saying although nothing is wrong.
func (f *Problems) AddNote(format string, args ...any) {
	f.Notes = append(f.Notes, fmt.Sprintf(format, args...))
}

// AddFailure adds n things that are wrong; 0 adds nothing.
func (f *Problems) AddFailure(n int, format string, args ...any) {
	if n > 0 {
		f.Failed += n
		f.Notes = append(f.Notes, fmt.Sprintf(format, args...))
	}
}

// AddWarning adds n things that should be known; 0 adds nothing.
func (f *Problems) AddWarning(n int, format string, args ...any) {
	if n > 0 {
		f.Warned += n
		f.Notes = append(f.Notes, fmt.Sprintf(format, args...))
	}
}
