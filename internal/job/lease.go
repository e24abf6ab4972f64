package job

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
)

// Job is a claimed job, ours while its lease holds.
type Job struct {
	ID       string
	Kind     string
	Attempts int // how often it was begun, this time included

	app     core.App
	rules   *kind
	worker  string
	payload string
	lapsed  bool // the claim before this one ended without a word
	claimed time.Time
}

// Payload reads what Add was given into the value that into points to.
func (j *Job) Payload(into any) error {
	if err := json.Unmarshal([]byte(j.payload), into); err != nil {
		return fmt.Errorf("read payload of %s job %s: %w", j.Kind, j.ID, err)
	}
	return nil
}

// Extend makes the lease last for at least d from now; it is ErrLeaseLost when
// there is none left to extend. The runner does this by itself while a handler
// runs. Never call it inside a transaction: it would wait for itself.
func (j *Job) Extend(d time.Duration) error {
	now := clock.Now(j.app)
	return j.change("extend", "UPDATE jobs SET runAt = max(runAt, {:runAt}), updated = {:now}",
		dbx.Params{"runAt": clock.Text(now.Add(d)), "now": clock.Text(now)})
}

// put hands the job over, to be looked at again at the time given or, when dead, by a person.
func (j *Job) put(state string, at time.Time, attempts int, reason string) error {
	return j.change("put back", "UPDATE jobs SET state = {:state}, runAt = {:runAt}, attempts = {:left}, error = {:error}, worker = '', updated = {:now}",
		dbx.Params{"state": state, "runAt": clock.Text(at), "left": attempts, "error": reason, "now": clock.Stamp(j.app)})
}

func (j *Job) remove() error {
	return j.change("remove", "DELETE FROM jobs", dbx.Params{})
}

// change touches the row only while it is ours: attempts tells our claim from a
// later one of the same runner.
func (j *Job) change(deed, statement string, params dbx.Params) error {
	db, err := writer(j.app)
	if err != nil {
		return fmt.Errorf("%s %s job %s: %w", deed, j.Kind, j.ID, err)
	}
	params["id"], params["worker"], params["attempts"] = j.ID, j.worker, j.Attempts
	result, err := db.NewQuery(statement + " WHERE id = {:id} AND worker = {:worker} AND attempts = {:attempts} AND state = 'running'").Bind(params).Execute()
	if err != nil {
		return fmt.Errorf("%s %s job %s: %w", deed, j.Kind, j.ID, err)
	}
	if n, _ := result.RowsAffected(); n == 0 {
		return fmt.Errorf("%s %s job %s: %w", deed, j.Kind, j.ID, ErrLeaseLost)
	}
	return nil
}

// writer returns the connection that writes; there is none while PocketBase starts over or ends.
func writer(app core.App) (dbx.Builder, error) {
	if db := app.NonconcurrentDB(); db != nil {
		return db, nil
	}
	return nil, errors.New("the database is closed")
}

// lapsed is what a claim notes about the claim before it when that one ended without a word.
const lapsed = "the lease ran out: the worker died or stood still"

// claimOldest takes the job that is longest due in one statement, so that two
// processes never take the same one. While a job runs its runAt is the end of
// its lease: whoever looks next finds it due then. One index serves both.
const claimOldest = `
	UPDATE jobs SET state = 'running', worker = {:worker}, attempts = attempts + 1, updated = {:now},
		error = CASE state WHEN 'running' THEN {:lapsed} ELSE error END,
		runAt = (SELECT value FROM json_each({:leases}) WHERE key = jobs.kind)
	WHERE id = (SELECT id FROM jobs WHERE state IN ('ready', 'running') AND runAt <= {:now}
		AND kind IN (SELECT key FROM json_each({:leases})) ORDER BY runAt LIMIT 1)
	RETURNING id, kind, coalesce(payload, 'null'), attempts, error`

// claim takes one due job of these kinds, each with its lease; nil when none is due.
func claim(app core.App, worker string, kinds map[string]time.Duration) (*Job, error) {
	db, err := writer(app)
	if err != nil {
		return nil, fmt.Errorf("claim jobs: %w", err)
	}
	now := clock.Now(app)
	ends := make(map[string]string, len(kinds))
	for kind, lease := range kinds {
		ends[kind] = clock.Text(now.Add(lease))
	}
	leases, err := json.Marshal(ends)
	if err != nil {
		return nil, fmt.Errorf("claim jobs: %w", err)
	}
	j := &Job{app: app, worker: worker, claimed: now}
	var note string
	err = db.NewQuery(claimOldest).
		Bind(dbx.Params{"worker": worker, "now": clock.Text(now), "lapsed": lapsed, "leases": string(leases)}).
		Row(&j.ID, &j.Kind, &j.payload, &j.Attempts, &note)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("claim jobs: %w", err)
	}
	j.lapsed = note == lapsed
	return j, nil
}
