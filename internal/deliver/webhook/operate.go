package webhook

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
)

// Status is how a webhook does, for its operator. Its secrets are not in it.
type Status struct {
	ID           string `db:"id" json:"id"`
	URL          string `db:"url" json:"url"`
	Disabled     bool   `db:"disabled" json:"disabled"`
	Reason       string `db:"reason" json:"reason"`             // of being disabled
	FailingSince string `db:"failingSince" json:"failingSince"` // empty while it works
	Waiting      int    `db:"waiting" json:"waiting"`           // events on their way
	Dead         int    `db:"dead" json:"dead"`                 // events that were given up, of the last 30 days
}

// ListStatuses returns how all webhooks do, the oldest first.
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

// FindDeliveries returns the ids of deliveries that Replay takes: of those named by their own id or their event's, or, with
// none named, of what one webhook did not take in the end.
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

// Enable lets a disabled webhook have events again, those that waited for it first.
func Enable(app core.App, webhook string) error {
	record, err := app.FindRecordById("webhooks", webhook)
	if err != nil {
		return fmt.Errorf("enable webhook %s: %w", webhook, err)
	}
	record.Set("disabled", false)
	if err := app.Save(record); err != nil { // its hooks see to what waited
		return fmt.Errorf("enable webhook %s: %w", webhook, err)
	}
	return nil
}
