// Package reconcile knows what holds of the stored data at every moment: which row follows from which. As all of it is written in the
// transactions of its causes there is nothing to find, unless somebody wrote past the service, or the service is wrong.
//
// Doctor and the hourly reconciliation are made from one list of invariants.
package reconcile

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
	"doubletap/internal/db"
	"doubletap/internal/job"
)

// HourlyJob is the kind of the job that looks for broken invariants.
const HourlyJob = "reconcile"

// Cost says who looks whether an invariant holds.
type Cost string

// The costs. What only doctor looks at costs more than a few lookups for each row, or is about the installation.
const (
	Hourly     Cost = "hourly"
	DoctorOnly Cost = "doctor"
)

// Invariant is something that holds of the stored data at every moment. It is either about the rows of a table, with Table and Broken,
// or about something else, with Look.
type Invariant struct {
	Check          string // the group that doctor and the metrics tell it in
	Name           string
	On             string // the table, or the table and column, where an invariant of this name is about several
	Holds          string // what holds, as a sentence
	Cost           Cost
	WhyNotRepaired string // why it is told and not repaired; empty where it is repaired
	Warns          bool   // nothing is wrong for anybody, but it should be known

	Table  string
	Broken string   // the SQL condition of a row t that is wrong; see params for the values it may use
	Values []string // columns: looked at is each combination of theirs once instead of each row, and Broken names no others of t
	Mend   func(tx core.App, ids []string) error

	// Fine is a condition that only rows meet which break none of the invariants that share it: where several of them are looked at, it is
	// asked once in place of all their conditions. It has no part in what is repaired.
	Fine string

	Inspect func(app core.App, f *Problems) error
	MendAll func(ctx context.Context, app core.App) (int64, error)
}

// Label is how the invariant is called where it is found broken.
func (i *Invariant) Label() string {
	if i.On == "" {
		return i.Name
	}
	return i.Name + " of " + i.On
}

// IsRepairable reports whether it can be repaired without a person to decide.
func (i *Invariant) IsRepairable() bool { return i.WhyNotRepaired == "" }

// conditionParams are the values that the conditions of invariants use.
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

// recentWindow is how old a deed may be of which somebody is still told.
const recentWindow = 7 * 24 * time.Hour

// RowInvariants returns the invariants about rows of app, in the order in which repairs build on each other: counters come after all that they count.
// An owner's relations are among them.
func RowInvariants(app core.App) ([]*Invariant, error) {
	relations, err := relationInvariants(app)
	if err != nil {
		return nil, fmt.Errorf("list the relations: %w", err)
	}
	var all []*Invariant
	for _, some := range [][]*Invariant{
		momentInvariants(), relations, accountInvariants(), edgeInvariants(), settingsInvariants(), postInvariants(), storyInvariants(), commentInvariants(), missingEventInvariants(), notificationInvariants(), feedInvariants(), jobInvariants(), handleInvariants(), counterInvariants(),
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

// CheckNames returns the groups of the invariants about rows.
func CheckNames() []string {
	return []string{"moments", "relations", "accounts", "keys", "edges", "settings", "posts", "comments", "tags", "search", "missing", "notifications", "feed", "counters", "queue", "handles"}
}

// mendByStatements is a Mend of one statement, in which ids are those of the rows.
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

// mendEach is a Mend that takes one row after the other.
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

// mendByDelete is a Mend that deletes rows of a table.
func mendByDelete(table string) func(tx core.App, ids []string) error {
	return mendByStatements(`DELETE FROM {{` + table + `}} WHERE id IN @ids`)
}

// noJobCondition is the condition that no job of the kind is about the value, which would put it right.
func noJobCondition(kind, key, value string) string {
	return `NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = '` + kind + `' AND j.state IN ('ready', 'running') AND iif(json_valid(j.payload), j.payload ->> '` + key + `', '') = ` + value + `)`
}

// Problems collects what a Look finds.
type Problems struct {
	Failed, Warned int
	Notes          []string
}

// AddFailure notes n things that are wrong.
func (f *Problems) AddFailure(n int, format string, args ...any) {
	if n > 0 {
		f.Failed += n
		f.Notes = append(f.Notes, fmt.Sprintf(format, args...))
	}
}

// AddWarning notes n things that should be known.
func (f *Problems) AddWarning(n int, format string, args ...any) {
	if n > 0 {
		f.Warned += n
		f.Notes = append(f.Notes, fmt.Sprintf(format, args...))
	}
}
