package migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	// Jobs that are due later are in no lane: whoever looks for due jobs lane by lane would have to pass each of their lanes.
	m.Register(func(app core.App) error {
		jobs, err := app.FindCollectionByNameOrId("jobs")
		if err != nil {
			return err
		}
		jobs.Fields.Add(boolField("delayed"))
		jobs.AddIndex("idx_jobs_lane", false, "`kind`, `host`, `user`, `runAt`", "`state` IN ('ready', 'running') AND `delayed` = 0")
		jobs.AddIndex("idx_jobs_delayed", false, "`runAt`", "`state` IN ('ready', 'running') AND `delayed` = 1")
		if err := app.Save(jobs); err != nil {
			return fmt.Errorf("mark delayed jobs: %w", err)
		}
		_, err = app.DB().NewQuery(`UPDATE jobs SET delayed = 1 WHERE state = 'ready' AND runAt > strftime('%Y-%m-%d %H:%M:%fZ', 'now')`).Execute()
		if err != nil {
			return fmt.Errorf("mark delayed jobs: %w", err)
		}
		return nil
	}, nil)
}
