package job

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
)

// Job is a claimed job. It is ours while its lease holds.
type Job struct {
	ID       string
	Kind     string
	Attempts int // how often it was begun, this time included

	app       core.App
	rules     *jobKind
	user      string
	host      string
	worker    string
	payload   string
	hasLapsed bool // the lease of the claim before this one ran out
	claimedAt time.Time
}

// ReadPayload reads what Add was given into the value that into points to. Its error is one of [Bury]: no later try reads it either.
func (j *Job) ReadPayload(into any) error {
	if err := json.Unmarshal([]byte(j.payload), into); err != nil {
		return Bury(fmt.Errorf("read payload of %s job %s: %w", j.Kind, j.ID, err))
	}
	return nil
}

// ExtendLease makes the lease last for at least d from now. It returns ErrLeaseLost when the job is no longer ours.
// The runner calls it by itself while a handler runs. Never call it inside a transaction: it would wait for itself.
func (j *Job) ExtendLease(d time.Duration) error {
	now := clock.Now(j.app)
	return j.updateOwned("extend", "UPDATE jobs SET runAt = max(runAt, {:runAt}), updated = {:now}",
		db.Params{"runAt": clock.FormatTime(now.Add(d)), "now": clock.FormatTime(now)})
}

// putBack gives the job back in this state: ready, to be due at the given time, or dead, for a person to look at.
func (j *Job) putBack(state string, at time.Time, attempts int, reason string) error {
	due, now := clock.FormatTime(at), clock.Timestamp(j.app)
	return j.updateOwned("put back", "UPDATE jobs SET state = {:state}, runAt = {:runAt}, delayed = {:delayed}, attempts = {:left}, error = {:error}, worker = '', updated = {:now}",
		db.Params{"state": state, "runAt": due, "delayed": isDelayed(due, now), "left": attempts, "error": reason, "now": now})
}

func (j *Job) deleteRow() error {
	return j.updateOwned("remove", "DELETE FROM jobs", db.Params{})
}

// updateOwned changes the row only while it is ours: attempts tells our claim from a later one by the same runner.
// what names the change in errors.
func (j *Job) updateOwned(what, statement string, params db.Params) error {
	if j.app.NonconcurrentDB() == nil {
		return fmt.Errorf("%s %s job %s: %w", what, j.Kind, j.ID, errClosed)
	}
	params["id"], params["worker"], params["attempts"] = j.ID, j.worker, j.Attempts
	n, err := db.Exec(j.app, statement+" WHERE id = {:id} AND worker = {:worker} AND attempts = {:attempts} AND state = 'running'", params)
	if err != nil {
		return fmt.Errorf("%s %s job %s: %w", what, j.Kind, j.ID, err)
	}
	if n == 0 {
		return fmt.Errorf("%s %s job %s: %w", what, j.Kind, j.ID, ErrLeaseLost)
	}
	return nil
}

// errClosed says that there is no database, as while PocketBase restarts or ends.
var errClosed = errors.New("the database is closed")

// lapsedReason is the error that a claim stores when the lease of the claim before it ran out.
const lapsedReason = "the lease ran out: the worker died or stood still"

// dueQuery finds the jobs that are longest due. It only reads, which is what a runner mostly does.
// While a job runs its runAt is the end of its lease: whoever looks next finds it due then. One index serves both.
const dueQuery = `SELECT id, kind, user, host FROM jobs WHERE state IN ('ready', 'running') AND runAt <= {:now} ORDER BY runAt LIMIT {:n}`

// claimQuery claims the named jobs that are still due, so that two processes never claim the same one. The plus signs
// keep SQLite from searching all that is due for the few that are named.
const claimQuery = `
	UPDATE jobs SET state = 'running', worker = {:worker}, attempts = attempts + 1, updated = {:now},
		error = CASE state WHEN 'running' THEN {:lapsed} ELSE error END,
		runAt = (SELECT value FROM json_each({:leases}) WHERE key = jobs.kind)
	WHERE id IN (SELECT value FROM json_each({:ids})) AND +state IN ('ready', 'running') AND +runAt <= {:now}
	RETURNING id, kind, user, host, coalesce(payload, 'null') payload, attempts, error`

// removeQuery deletes the named jobs that are still the worker's, by the attempts of their claims, and returns their
// ids.
const removeQuery = `DELETE FROM jobs WHERE id IN (SELECT key FROM json_each({:done})) AND +state = 'running' AND worker = {:worker}
	AND attempts = (SELECT value FROM json_each({:done}) WHERE key = jobs.id) RETURNING id`

// endLeasesOnce calls endForeignLeases, until it has succeeded once; it does nothing while the database is closed.
func (r *Runner) endLeasesOnce() {
	if !r.leasesEnded.Load() && r.app.NonconcurrentDB() != nil {
		r.leasesEnded.Store(r.endForeignLeases() == nil)
	}
}

// endForeignLeases makes those running jobs due whose lease ends later than any lease that begins now: they were
// claimed while the machine's clock was ahead, and nobody would look at them until then.
func (r *Runner) endForeignLeases() error {
	now := clock.Now(r.app)
	n, err := db.Exec(r.app, `UPDATE jobs SET runAt = {:now} WHERE state IN ('ready', 'running') AND runAt > {:end} AND state = 'running'`,
		db.Params{"now": clock.FormatTime(now), "end": clock.FormatTime(now.Add(r.LongestLease() + time.Minute))})
	if err != nil || n > 0 {
		r.app.Logger().Warn("jobs were leased by a clock that was ahead", "jobs", n, "err", err)
	}
	return err
}

// dueJob is a job that may be claimed.
type dueJob struct {
	ID   string `db:"id"`
	Kind string `db:"kind"`
	User string `db:"user"`
	Host string `db:"host"`
}

// claimedRow is a row that was claimed.
type claimedRow struct {
	dueJob
	Payload  string `db:"payload"`
	Attempts int    `db:"attempts"`
	Error    string `db:"error"`
}

// claimJobs takes jobs that are due, each with the lease of its kind, in their order.
func claimJobs(tx core.App, worker string, wanted []dueJob, kinds map[string]*jobKind) ([]*Job, error) {
	now := clock.Now(tx)
	ends, ids, place := map[string]string{}, make([]string, len(wanted)), make(map[string]int, len(wanted))
	for i, d := range wanted {
		ends[d.Kind] = clock.FormatTime(now.Add(kinds[d.Kind].leaseDuration))
		ids[i], place[d.ID] = d.ID, i
	}
	leases, err := json.Marshal(ends)
	if err != nil {
		return nil, err
	}
	var rows []claimedRow
	err = tx.NonconcurrentDB().NewQuery(claimQuery).Bind(db.Params{
		"worker": worker, "now": clock.FormatTime(now), "lapsed": lapsedReason, "leases": string(leases), "ids": db.JSONList(ids),
	}).All(&rows)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b claimedRow) int { return cmp.Compare(place[a.ID], place[b.ID]) })
	jobs := make([]*Job, len(rows))
	for i, r := range rows {
		jobs[i] = &Job{
			ID: r.ID, Kind: r.Kind, Attempts: r.Attempts, rules: kinds[r.Kind], user: r.User, host: r.Host, worker: worker, payload: r.Payload,
			hasLapsed: r.Error == lapsedReason, claimedAt: now,
		}
	}
	return jobs, nil
}

// removeJobs deletes jobs of one worker that are done, and returns those that were no longer its own.
func removeJobs(tx core.App, worker string, jobs []*Job) (lost []*Job, err error) {
	claims := map[string]int{}
	for _, j := range jobs {
		claims[j.ID] = j.Attempts
	}
	done, err := json.Marshal(claims)
	if err != nil {
		return nil, err
	}
	var removed []string
	if err := db.QueryColumn(tx, &removed, removeQuery, db.Params{"done": string(done), "worker": worker}); err != nil {
		return nil, err
	}
	for _, j := range jobs {
		if !slices.Contains(removed, j.ID) {
			lost = append(lost, j)
		}
	}
	return lost, nil
}
