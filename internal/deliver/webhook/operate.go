package webhook

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
)

// Status is how a webhook does, for its operator. Its secrets are not in it.
type Status struct {
	ID           string `db:"id" json:"id"`
	URL          string `db:"url" json:"url"`
	Disabled     bool   `db:"disabled" json:"disabled"`
	Reason       string `db:"reason" json:"reason"`             // why it is disabled
	FailingSince string `db:"failingSince" json:"failingSince"` // empty while it works
	Waiting      int    `db:"waiting" json:"waiting"`           // deliveries that wait or are being sent
	Dead         int    `db:"dead" json:"dead"`                 // deliveries that were given up, of the last 30 days
}

// ListStatuses returns the status of all webhooks, the oldest first.
func ListStatuses(app core.App) ([]Status, error) {
	all := []Status{}
	err := db.QueryAll(app, &all, `SELECT id, url, disabled, reason, failingSince,
			(SELECT count(*) FROM jobs WHERE kind = '`+KindPrefix+`' || w.id AND state IN ('ready', 'running')) waiting,
			(SELECT count(*) FROM webhook_deliveries WHERE webhook = w.id AND state = 'dead') dead
		FROM webhooks w ORDER BY created, id`, nil)
	if err != nil {
		return nil, fmt.Errorf("list webhooks: %w", err)
	}
	return all, nil
}

// FindDeliveries returns ids of deliveries for Replay: those whose own id or whose event's id is in names or, without
// names, those that were given up. webhook limits it to one webhook, unless it is empty.
func FindDeliveries(app core.App, webhook string, names []string) ([]string, error) {
	condition := `state = 'dead'`
	if len(names) > 0 {
		condition = `(id IN (SELECT value FROM json_each({:names})) OR event IN (SELECT value FROM json_each({:names})))`
	}
	var ids []string
	err := db.QueryColumn(app, &ids, `SELECT id FROM webhook_deliveries WHERE ({:w} = '' OR webhook = {:w}) AND `+condition+` ORDER BY created, id`,
		db.Params{"w": webhook, "names": db.JSONList(names)})
	if err != nil {
		return nil, fmt.Errorf("find deliveries: %w", err)
	}
	return ids, nil
}

// Enable enables a disabled webhook. Events that waited for it are sent first.
func Enable(app core.App, webhook string) error {
	record, err := app.FindRecordById("webhooks", webhook)
	if err != nil {
		return fmt.Errorf("enable webhook %s: %w", webhook, err)
	}
	record.Set("disabled", false)
	if err := app.Save(record); err != nil { // the hooks of that save send what waited
		return fmt.Errorf("enable webhook %s: %w", webhook, err)
	}
	return nil
}
