// Package retention deletes what nobody needs any more: rows that would add up for as long as the service lives, each
// kind after a number of days.
package retention

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/notification"
	"github.com/doubletap/doubletap/internal/session"
	"github.com/doubletap/doubletap/internal/sweep"
)

// PurgeJob is the kind of the job that deletes expired rows.
const PurgeJob = "retention"

// FormerJobs are the kinds of jobs with which earlier versions did a part of it; some may still wait.
var FormerJobs = []string{"notification.purge", "webhook.purge"}

// EnvVariable is the environment variable with which an operator keeps rows longer or shorter than a rule's days, such as
// "notifications=180,audit=forever".
const EnvVariable = "DOUBLETAP_RETENTION"

// Forever, as a number of days, keeps rows without end.
const Forever = -1

// Rule says how long those rows of a table are kept that meet a condition.
type Rule struct {
	collection.Expiry
	Table string
}

// Rules are those of the collections' descriptors, in their order, which is that in which they are applied.
var Rules = func() (rules []Rule) {
	for _, d := range collection.All {
		for _, expiry := range d.Expiries {
			rules = append(rules, Rule{expiry, d.Name})
		}
	}
	return rules
}()

// purgeFuncs delete the rows of tables for which it is not enough to delete them.
var purgeFuncs = map[string]func(tx core.App, ids []string) error{"notifications": notification.ExpireOld, "account_sessions": session.Expire}

// DaysFromEnvironment returns the days of each rule, by its name, as EnvVariable sets them. A mistake in the variable
// is an error, so call it when the service starts.
func DaysFromEnvironment() (map[string]int, error) {
	days := map[string]int{}
	least := map[string]int{}
	names := make([]string, len(Rules))
	for i, rule := range Rules {
		days[rule.Name], least[rule.Name], names[i] = rule.Days, rule.MinDays, rule.Name
	}
	for _, setting := range strings.FieldsFunc(os.Getenv(EnvVariable), func(r rune) bool { return r == ',' || r == ' ' }) {
		name, value, _ := strings.Cut(setting, "=")
		if _, known := days[name]; !known {
			return nil, fmt.Errorf("%s: %q is none of %s", EnvVariable, name, strings.Join(names, ", "))
		}
		if value == "forever" {
			days[name] = Forever
			continue
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < least[name] || n > 36500 {
			return nil, fmt.Errorf("%s: %s is %q, want a number of days from %d on, or forever", EnvVariable, name, value, least[name])
		}
		days[name] = n
	}
	return days, nil
}

// scanPageSize is how many rows one query reads.
const scanPageSize = 1000

// PurgeExpired applies all rules. It finds the rows without blocking writers, and deletes them in steps; after each
// query it pauses for as long as the query took.
func PurgeExpired(ctx context.Context, app core.App) error {
	days, err := DaysFromEnvironment()
	if err != nil {
		return err
	}
	var failures []error
	for _, rule := range Rules {
		if days[rule.Name] == Forever {
			continue
		}
		before := clock.FormatTime(clock.Now(app).AddDate(0, 0, -days[rule.Name]))
		err := rule.applyRule(ctx, app, before)
		if err != nil {
			failures = append(failures, fmt.Errorf("forget %s before %s: %w", rule.Name, before, err))
		}
		if ctx.Err() != nil || errors.Is(err, db.ErrStopping) {
			break // the other rules come with the next try
		}
	}
	return errors.Join(failures...)
}

func (r *Rule) applyRule(ctx context.Context, app core.App, before string) error {
	var failures []error
	for after := int64(-1); ; {
		began := time.Now()
		ids, last, err := r.findExpired(app, before, after)
		if err != nil {
			return err
		}
		worked := time.Since(began)
		switch err := r.purgeRows(ctx, app, before, ids); {
		case err != nil && (ctx.Err() != nil || errors.Is(err, db.ErrStopping) || fault.IsTransient(err)):
			return errors.Join(append(failures, err)...)
		case err != nil:
			failures = append(failures, err)
		}
		if last == after {
			return errors.Join(failures...)
		}
		after = last
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(worked):
		}
	}
}

// findExpired reads the rows stored after row after, in the order in which they were stored, and returns the ids of
// those to delete and the last row that it read. It does not need an index.
func (r *Rule) findExpired(app core.App, before string, after int64) (ids []string, last int64, err error) {
	var id string
	var row int64
	var hit bool
	last = after
	err = db.QueryEach(app, `SELECT rowid, id, coalesce(`+r.Condition+`, 0) FROM `+r.Table+` WHERE rowid > {:after} ORDER BY rowid LIMIT {:n}`,
		db.Params{"before": before, "after": after, "n": scanPageSize}, func() {
			last = row
			if hit {
				ids = append(ids, id)
			}
		}, &row, &id, &hit)
	return ids, last, err
}

// purgeRows deletes those of the rows that still meet the rule's condition.
func (r *Rule) purgeRows(ctx context.Context, app core.App, before string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	part := sweep.DeletePart(r.Table, `id IN (SELECT value FROM json_each({:ids})) AND `+r.Condition).Heavier(r.Weight)
	if purge := purgeFuncs[r.Table]; purge != nil {
		part.Do = func(tx core.App, _ sweep.Subject, ids []string) error { return purge(tx, ids) }
	}
	work := sweep.Work{Kind: PurgeJob, Parts: []sweep.Part{part}}
	return work.Finish(ctx, app, sweep.Subject{"before": before, "ids": db.JSONList(ids)})
}
