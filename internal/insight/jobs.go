package insight

import (
	"errors"
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/job"
)

// ErrNotDead says that there is no such job that gave up.
var ErrNotDead = errors.New("no such dead job")

// Jobs are the background jobs: how many there are, and some of them.
type Jobs struct {
	Counts   map[string]map[string]int `json:"counts"` // by kind and state
	Items    []Job                     `json:"items"`  // of one state, the latest change first
	Webhooks []Webhook                 `json:"webhooks"`
}

// Job is a job without its payload, which may hold what is nobody's business.
type Job struct {
	ID       string `json:"id" db:"id"`
	Kind     string `json:"kind" db:"kind"`
	State    string `json:"state" db:"state"`
	RunAt    string `json:"runAt" db:"runAt"`
	Attempts int    `json:"attempts" db:"attempts"`
	Worker   string `json:"worker" db:"worker"`
	Error    string `json:"error" db:"error"`
	Created  string `json:"created" db:"created"`
	Updated  string `json:"updated" db:"updated"`
}

const listed = 100 // jobs or deliveries at a time

// JobsIn returns the counts and the latest jobs of a state, or of any when it is empty.
func JobsIn(app core.App, state string) (*Jobs, error) {
	counts, err := job.Counts(app)
	if err != nil {
		return nil, err
	}
	all := &Jobs{Counts: counts, Items: []Job{}}
	err = db.All(app, &all.Items, `SELECT id, kind, state, runAt, attempts, worker, error, created, updated FROM jobs
		WHERE {:state} = '' OR state = {:state} ORDER BY updated DESC, id LIMIT {:n}`, db.Params{"state": state, "n": listed})
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	all.Webhooks, err = Webhooks(app)
	return all, err
}

// Retry lets a dead job begin anew, in the transaction; ErrNotDead when it is not dead. One whose like waits already is
// removed, as that one does the same.
func Retry(tx core.App, id string) error {
	n, err := job.Retry(tx, job.Filter{IDs: []string{id}}, 1)
	if err != nil || n > 0 {
		return err
	}
	return Discard(tx, id)
}

// Discard deletes a dead job, in the transaction; ErrNotDead when it is not dead.
func Discard(tx core.App, id string) error {
	n, err := job.Purge(tx, job.Filter{IDs: []string{id}}, 1)
	if err == nil && n == 0 {
		return ErrNotDead
	}
	return err
}

// Delivery is an event on its way to a webhook, without its body.
type Delivery struct {
	ID       string `json:"id" db:"id"`
	Event    string `json:"event" db:"event"`
	Type     string `json:"type" db:"type"`
	State    string `json:"state" db:"state"`
	Status   int    `json:"status" db:"status"`
	Error    string `json:"error" db:"error"`
	Attempts int    `json:"attempts" db:"attempts"`
	Created  string `json:"created" db:"created"`
	Updated  string `json:"updated" db:"updated"`
}

// Deliveries returns the latest events to a webhook.
func Deliveries(app core.App, webhook string) ([]Delivery, error) {
	all := []Delivery{}
	err := db.All(app, &all, `SELECT id, event, type, state, status, error, coalesce(json_array_length(attempts), 0) attempts, created, updated
		FROM webhook_deliveries WHERE webhook = {:webhook} ORDER BY updated DESC, id LIMIT {:n}`, db.Params{"webhook": webhook, "n": listed})
	if err != nil {
		return nil, fmt.Errorf("list the deliveries of webhook %s: %w", webhook, err)
	}
	return all, nil
}
