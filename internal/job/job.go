// Package job stores work that outlives a request: a row that is saved together with its cause, claimed under a lease,
// tried again when it fails, and dead when it never succeeds.
//
// A job runs at least once. If a worker dies after the work and before the row is removed, another worker does the job
// again, so doing a job twice must be harmless.
package job

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
)

// ErrLeaseLost says that a job is no longer ours: its lease ran out and another worker has it, or an operator took it
// away.
var ErrLeaseLost = errors.New("lease lost")

// Option changes what Enqueue stores.
type Option func(db.Params)

// RunAt makes the job wait until t.
func RunAt(t time.Time) Option {
	return func(row db.Params) { row["runAt"] = clock.FormatTime(t) }
}

// Dedupe makes Enqueue do nothing while a job of this kind and key waits or runs. A job that runs may have read its
// data already: use a key only where that does not matter.
func Dedupe(key string) Option {
	return func(row db.Params) { row["dedupe"] = key }
}

// Enqueue stores a job of this kind, with payload as its JSON, and wakes this process's runner once the job can be
// seen. In a transaction, pass its tx: then the job exists if and only if the transaction commits.
func Enqueue(tx core.App, kind string, payload any, opts ...Option) error {
	if kind == "" {
		return errors.New("add job: it has no kind")
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("add %s job: write its payload: %w", kind, err)
	}
	now := clock.Timestamp(tx)
	row := db.Params{"id": core.GenerateDefaultRandomId(), "kind": kind, "payload": string(body), "runAt": now, "dedupe": "", "user": "", "host": "", "now": now}
	for _, o := range opts {
		o(row)
	}
	row["delayed"] = isDelayed(row["runAt"].(string), now)
	// SQL and not Save: no hooks, no broadcast to the realtime clients
	_, err = db.Exec(tx, `INSERT INTO jobs (id, kind, payload, state, runAt, delayed, attempts, worker, dedupe, user, host, error, created, updated)
		VALUES ({:id}, {:kind}, {:payload}, 'ready', {:runAt}, {:delayed}, 0, '', {:dedupe}, {:user}, {:host}, '', {:now}, {:now})
		ON CONFLICT DO NOTHING`, row)
	if err != nil {
		return fmt.Errorf("add %s job: %w", kind, err)
	}
	if !tx.IsTransactional() {
		wakeRunner(tx)
		return nil
	}
	tx.TxInfo().OnComplete(func(txErr error) error {
		if txErr == nil {
			wakeRunner(tx)
		}
		return nil
	})
	return nil
}

// isDelayed returns what a job's column delayed is: 1 keeps the job out of the index of lanes, so that whoever goes through the lanes
// meets none where all jobs are due later. It may stay 1 after the job is due, see [Runner.endDelays].
func isDelayed(runAt, now string) int {
	if runAt > now {
		return 1
	}
	return 0
}

// CountByState returns how many jobs there are by kind and state: ready, running or dead.
func CountByState(app core.App) (map[string]map[string]int, error) {
	var rows []struct {
		Kind, State string
		N           int
	}
	err := app.ConcurrentDB().NewQuery("SELECT kind, state, count(*) AS n FROM jobs GROUP BY kind, state").All(&rows)
	if err != nil {
		return nil, fmt.Errorf("count jobs: %w", err)
	}
	counts := map[string]map[string]int{}
	for _, row := range rows {
		if counts[row.Kind] == nil {
			counts[row.Kind] = map[string]int{}
		}
		counts[row.Kind][row.State] = row.N
	}
	return counts, nil
}

// QueueLag returns for how long the most overdue job has been due; 0 when none is.
func QueueLag(app core.App) (time.Duration, error) {
	now := clock.Now(app)
	var due string
	found, err := db.QueryValue(app, &due, `SELECT runAt FROM jobs WHERE state IN ('ready', 'running') AND runAt <= {:now} ORDER BY runAt LIMIT 1`,
		db.Params{"now": clock.FormatTime(now)})
	if err != nil || !found {
		return 0, err
	}
	at, err := clock.ParseTime(due)
	if err != nil {
		return 0, fmt.Errorf("read when a job is due: %w", err)
	}
	return max(now.Sub(at), 0), nil
}
