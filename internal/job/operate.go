package job

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
)

// Row is a job as its operator sees it.
type Row struct {
	ID       string `db:"id" json:"id"`
	Kind     string `db:"kind" json:"kind"`
	State    string `db:"state" json:"state"`
	Attempts int    `db:"attempts" json:"attempts"`
	RunAt    string `db:"runAt" json:"runAt"` // when it is due; while it runs, the end of its lease
	Error    string `db:"error" json:"error"`
	Created  string `db:"created" json:"created"`
}

// Filter selects jobs. A field that is empty selects all.
type Filter struct {
	IDs    []string
	Kind   string
	State  string
	Before time.Time // not changed since then
}

func (f Filter) sqlCondition() (condition string, p db.Params) {
	p = db.Params{"kind": f.Kind, "state": f.State, "ids": db.JSONList(f.IDs), "before": ""}
	if !f.Before.IsZero() {
		p["before"] = clock.FormatTime(f.Before)
	}
	condition = `({:kind} = '' OR kind = {:kind}) AND ({:state} = '' OR state = {:state}) AND ({:before} = '' OR updated < {:before})`
	if len(f.IDs) > 0 {
		condition += ` AND id IN (SELECT value FROM json_each({:ids}))`
	}
	return condition, p
}

// ListMatching returns up to n jobs, the one that is due first before the others.
func ListMatching(app core.App, f Filter, n int) ([]Row, error) {
	condition, p := f.sqlCondition()
	p["n"] = n
	rows := []Row{}
	err := db.QueryAll(app, &rows, `SELECT id, kind, state, attempts, runAt, error, created FROM jobs WHERE `+condition+` ORDER BY runAt, id LIMIT {:n}`, p)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	return rows, nil
}

// CountMatching returns how many jobs the filter selects.
func CountMatching(app core.App, f Filter) (n int, err error) {
	condition, p := f.sqlCondition()
	if _, err = db.QueryValue(app, &n, `SELECT count(*) FROM jobs WHERE `+condition, p); err != nil {
		return 0, fmt.Errorf("count jobs: %w", err)
	}
	return n, nil
}

// RetryDead makes up to n dead jobs ready again, with all their attempts, and returns how many. A job whose dedupe key
// another job has by now stays dead.
func RetryDead(tx core.App, f Filter, n int) (int64, error) {
	f.State = "dead"
	condition, p := f.sqlCondition()
	p["n"], p["now"] = n, clock.Timestamp(tx)
	done, err := db.Exec(tx, `UPDATE OR IGNORE jobs SET state = 'ready', attempts = 0, runAt = {:now}, worker = '', error = '', updated = {:now}
		WHERE id IN (SELECT id FROM jobs WHERE `+condition+` AND (dedupe = '' OR NOT EXISTS (SELECT 1 FROM jobs other
			WHERE other.kind = jobs.kind AND other.dedupe = jobs.dedupe AND other.state IN ('ready', 'running'))) LIMIT {:n})`, p)
	if err != nil {
		return 0, fmt.Errorf("retry jobs: %w", err)
	}
	if done > 0 {
		db.AfterCommit(tx, func() { wakeRunner(tx) })
	}
	return done, nil
}

// PurgeDead deletes up to n dead jobs and returns how many.
func PurgeDead(tx core.App, f Filter, n int) (int64, error) {
	f.State = "dead"
	condition, p := f.sqlCondition()
	p["n"] = n
	done, err := db.Exec(tx, `DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE `+condition+` LIMIT {:n})`, p)
	if err != nil {
		return 0, fmt.Errorf("purge jobs: %w", err)
	}
	return done, nil
}

// RunnerOf returns the runner of app, or nil when it has none.
func RunnerOf(app core.App) *Runner {
	r, _ := app.Store().Get(storeKey).(*Runner)
	return r
}

// CountDue returns how many jobs of the runner's kinds are due or running, in any process.
func (r *Runner) CountDue() (n int, err error) {
	r.mu.Lock()
	names := make([]string, 0, len(r.kinds))
	for name := range r.kinds {
		names = append(names, name)
	}
	r.mu.Unlock()
	_, err = db.QueryValue(r.app, &n, `SELECT count(*) FROM jobs WHERE (state = 'running' OR (state = 'ready' AND runAt <= {:now}))
		AND kind IN (SELECT value FROM json_each({:kinds}))`, db.Params{"now": clock.Timestamp(r.app), "kinds": db.JSONList(names)})
	if err != nil {
		return 0, fmt.Errorf("count jobs: %w", err)
	}
	return n, nil
}

// HandledKinds returns the kinds of jobs that have a handler.
func (r *Runner) HandledKinds() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.kinds))
}

// LongestLease returns how long a worker may be silent, at most, before its job goes to another.
func (r *Runner) LongestLease() (longest time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range r.kinds {
		longest = max(longest, k.leaseDuration)
	}
	return longest
}
