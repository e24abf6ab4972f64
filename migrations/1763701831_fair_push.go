package migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		// the user that a job works for and the host that it calls, so that the jobs of one of them do not make all
		// others wait
		jobs, err := app.FindCollectionByNameOrId("jobs")
		if err != nil {
			return err
		}
		jobs.Fields.Add(textField("user", 30), textField("host", 255))
		if err := app.Save(jobs); err != nil {
			return fmt.Errorf("add the shares of jobs: %w", err)
		}
		// when a device last accepted a message, and since when it does not answer
		devices, err := app.FindCollectionByNameOrId("devices")
		if err != nil {
			return err
		}
		devices.Fields.Add(hiddenDateField("answeredAt"), hiddenDateField("failingSince"))
		if err := app.Save(devices); err != nil {
			return fmt.Errorf("add what devices answered: %w", err)
		}
		_, err = app.DB().NewQuery(`DELETE FROM devices WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER
			(PARTITION BY user ORDER BY max(lastSeen, created) DESC, id) place FROM devices) WHERE place > 20)`).Execute()
		if err != nil {
			return fmt.Errorf("keep the twenty devices of each user that were seen last: %w", err)
		}
		return nil
	}, nil)
}
