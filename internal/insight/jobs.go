package insight

import (
	"errors"
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/job"
)

// ErrNotDead says that there is no dead job with this id.
var ErrNotDead = errors.New("no such dead job")

// JobList is the background jobs: how many there are, and some of them.
type JobList struct {
	Counts   map[string]map[string]int `json:"counts"` // by kind and state
	Items    []JobInfo                 `json:"items"`  // of one state, the latest change first
	Webhooks []WebhookInfo             `json:"webhooks"`
}

// JobInfo is a job without its payload, which may be private.
type JobInfo struct {
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

const maxListed = 100 // jobs or deliveries at a time

// ListJobs returns the counts of all jobs and the latest jobs of a state, or of any state if it is empty.
func ListJobs(app core.App, state string) (*JobList, error) {
	counts, err := job.CountByState(app)
	if err != nil {
		return nil, err
	}
	all := &JobList{Counts: counts, Items: []JobInfo{}}
	err = db.QueryAll(app, &all.Items, `SELECT id, kind, state, runAt, attempts, worker, error, created, updated FROM jobs
		WHERE {:state} = '' OR state = {:state} ORDER BY updated DESC, id LIMIT {:n}`, db.Params{"state": state, "n": maxListed})
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	all.Webhooks, err = ListWebhooks(app)
	return all, err
}

// RetryJob makes a dead job ready again, in the transaction. If another job with the same kind and dedupe key waits
// already, it deletes the dead one, as the other does the same. The error is ErrNotDead if there is no such dead job.
func RetryJob(tx core.App, id string) error {
	n, err := job.RetryDead(tx, job.Filter{IDs: []string{id}}, 1)
	if err != nil || n > 0 {
		return err
	}
	return DiscardJob(tx, id)
}

// DiscardJob deletes a dead job, in the transaction. The error is ErrNotDead if there is no such dead job.
func DiscardJob(tx core.App, id string) error {
	n, err := job.PurgeDead(tx, job.Filter{IDs: []string{id}}, 1)
	if err == nil && n == 0 {
		return ErrNotDead
	}
	return err
}

// DeliveryInfo is an event on its way to a webhook, without its body.
type DeliveryInfo struct {
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

// ListDeliveries returns the latest events for a webhook.
func ListDeliveries(app core.App, webhook string) ([]DeliveryInfo, error) {
	all := []DeliveryInfo{}
	err := db.QueryAll(app, &all, `SELECT id, event, type, state, status, error, coalesce(json_array_length(attempts), 0) attempts, created, updated
		FROM webhook_deliveries WHERE webhook = {:webhook} ORDER BY updated DESC, id LIMIT {:n}`, db.Params{"webhook": webhook, "n": maxListed})
	if err != nil {
		return nil, fmt.Errorf("list the deliveries of webhook %s: %w", webhook, err)
	}
	return all, nil
}
