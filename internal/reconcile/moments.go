package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
)

// causeTables are the tables to which nearly every write adds a row: their newest rows tell when this data folder was
// last written.
var causeTables = []string{"posts", "comments", "likes", "follows", "notification_events"}

// NewestMoment returns the latest moment that is stored in the newest rows and in the trays' seenAt and readAt, or the
// zero time.
func NewestMoment(app core.App) (newest time.Time, err error) {
	questions := []string{`SELECT coalesce(max(max(seenAt, readAt)), '') FROM settings`}
	for _, table := range causeTables {
		questions = append(questions, `SELECT coalesce(max(created), '') FROM (SELECT created FROM `+table+` ORDER BY rowid DESC LIMIT 100)`)
	}
	for _, question := range questions {
		var text string
		if _, err := db.QueryValue(app, &text, question, nil); err != nil {
			return newest, fmt.Errorf("find the newest row: %w", err)
		}
		if text == "" {
			continue
		}
		if at, err := clock.ParseTime(text); err == nil && at.After(newest) { // a value that somebody wrote by hand may not be a time
			newest = at
		}
	}
	return newest, nil
}

// momentInvariants are about rows with moments in the future: the machine's clock was ahead when they were stored. Such
// rows would stand at the head of every list until that time has come.
func momentInvariants() (all []*Invariant) {
	for _, table := range slices.Sorted(slices.Values(collection.StampedNames())) {
		conditions := make([]string, len(collection.Describe(table).Moments))
		for i, column := range collection.Describe(table).Moments {
			conditions[i] = `t.` + column + ` > {:latest}`
		}
		all = append(all, &Invariant{
			Check: "moments", Name: "moment", On: table, Holds: "Nothing is of a time to come.", Cost: Hourly, Table: table,
			Broken: strings.Join(conditions, ` OR `), MendAll: MendMoments,
		})
	}
	return all
}

// MendMoments moves the moments in the future, in all tables, to the last milliseconds before now, and keeps their
// order. Equal moments stay equal. What is due some time after such a moment becomes due the same time after the new
// one.
func MendMoments(ctx context.Context, app core.App) (mended int64, err error) {
	latest := clock.FormatTime(clock.LatestPlausible(app))
	rows, becomes, err := findMoments(ctx, app)
	if err != nil || len(becomes) == 0 {
		return 0, err
	}
	was := slices.Sorted(maps.Keys(becomes))
	now := clock.Now(app)
	for i, moment := range was {
		becomes[moment] = clock.FormatTime(now.Add(time.Duration(i+1-len(was)) * time.Millisecond))
	}
	var failures []error
	for _, table := range slices.Sorted(slices.Values(collection.StampedNames())) {
		n, err := db.RunInSteps(ctx, app, rows[table], func(tx core.App, ids []string) error { return mendTableMoments(tx, table, ids, latest, becomes) })
		mended += int64(n)
		if err != nil {
			failures = append(failures, fmt.Errorf("mend the moments of %s: %w", table, err))
		}
	}
	return mended, errors.Join(failures...)
}

// findMoments returns, by table, the ids of the rows that have moments in the future, and all such moments as keys of
// becomes.
func findMoments(ctx context.Context, app core.App) (rows map[string][]string, becomes map[string]string, err error) {
	rows, becomes = map[string][]string{}, map[string]string{}
	for _, i := range momentInvariants() {
		s := &scan{table: i.Table, invariants: []*Invariant{i}}
		for more := true; more; {
			if err := ctx.Err(); err != nil {
				return nil, nil, err
			}
			wrong, n, err := s.readPage(app, nil, pageRows, false)
			if err != nil {
				return nil, nil, err
			}
			more = n == pageRows
			ids := make([]string, len(wrong))
			for at, b := range wrong {
				ids[at] = b.ID
			}
			rows[i.Table] = append(rows[i.Table], ids...)
			for _, column := range collection.Describe(i.Table).Moments {
				var values []string
				err := db.QueryColumn(app, &values, `SELECT DISTINCT `+column+` FROM `+i.Table+` WHERE id IN (SELECT value FROM json_each({:ids})) AND `+column+` > {:latest}`,
					db.Params{"ids": db.JSONList(ids), "latest": clock.FormatTime(clock.LatestPlausible(app))})
				if err != nil {
					return nil, nil, fmt.Errorf("read the moments of %s: %w", i.Table, err)
				}
				for _, value := range values {
					becomes[value] = ""
				}
			}
		}
	}
	return rows, becomes, nil
}

// dueStatements move what is due some time after a row was created together with the row's created.
var dueStatements = map[string]string{
	"stories": `UPDATE stories SET expires = strftime('%Y-%m-%d %H:%M:%fZ', {:becomes}, '+1 day') WHERE id = {:id} AND created = {:was} AND expires > created`,
	"jobs": `UPDATE jobs SET runAt = strftime('%Y-%m-%d %H:%M:%fZ', {:becomes}, format('+%.3f seconds', (julianday(runAt) - julianday(created)) * 86400))
		WHERE id = {:id} AND created = {:was} AND runAt >= created`,
}

func mendTableMoments(tx core.App, table string, ids []string, latest string, becomes map[string]string) error {
	for _, id := range ids {
		if table == "notifications" { // the group key ends with the moment of the group's first event
			var key string
			if _, err := db.QueryValue(tx, &key, `SELECT groupKey FROM notifications WHERE id = {:id}`, db.Params{"id": id}); err != nil {
				return err
			}
			if at := max(0, len(key)-len(latest)); becomes[key[at:]] != "" {
				if _, err := db.Exec(tx, `UPDATE notifications SET groupKey = {:key} WHERE id = {:id}`, db.Params{"key": key[:at] + becomes[key[at:]], "id": id}); err != nil {
					return err
				}
			}
		}
		for _, column := range collection.Describe(table).Moments {
			var was string
			found, err := db.QueryValue(tx, &was, `SELECT `+column+` FROM `+table+` WHERE id = {:id} AND `+column+` > {:latest}`, db.Params{"id": id, "latest": latest})
			if err != nil {
				return err
			}
			if !found || becomes[was] == "" {
				continue
			}
			p := db.Params{"id": id, "was": was, "becomes": becomes[was]}
			if statement := dueStatements[table]; statement != "" && column == "created" {
				if _, err := db.Exec(tx, statement, p); err != nil {
					return err
				}
			}
			if _, err := db.Exec(tx, `UPDATE `+table+` SET `+column+` = {:becomes} WHERE id = {:id}`, p); err != nil {
				return err
			}
		}
	}
	return nil
}
