package migrations

import (
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		events, err := app.FindCollectionByNameOrId("notification_events")
		if err != nil {
			return err
		}
		silent := boolField("silent") // listed in the tray without an alert: its actor had no alerts left in that hour
		silent.Hidden = true
		// the notification that showed the event before it left the tray: it comes back under the same id
		events.Fields.Add(silent, hiddenTextField("former", 30))
		for i, ddl := range events.Indexes {
			if strings.Contains(ddl, "idx_notification_events_actor") { // for counting an actor's alerts to one recipient
				events.Indexes[i] = indexDDL("notification_events", "actor", "`actor`, `recipient`, `alertedAt`")
			}
		}
		if err := app.Save(events); err != nil {
			return fmt.Errorf("add what alerts are counted by: %w", err)
		}
		_, err = app.DB().NewQuery(`DELETE FROM retractions WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER
			(PARTITION BY recipient, notification ORDER BY seq DESC) place FROM retractions WHERE notification != '') WHERE place > 1)`).Execute()
		if err != nil {
			return fmt.Errorf("keep the last retraction of each notification: %w", err)
		}
		retractions, err := app.FindCollectionByNameOrId("retractions")
		if err != nil {
			return err
		}
		retractions.Indexes = append(retractions.Indexes, uniqueIndexDDL("retractions", "notification", "`recipient`, `notification`")+" WHERE `notification` != ''")
		if err := app.Save(retractions); err != nil {
			return fmt.Errorf("keep one retraction of each notification: %w", err)
		}
		return nil
	}, nil)
}
