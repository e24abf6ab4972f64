package migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	// Where all jobs that are longest due must wait for one user or one host, those of others are found without reading past them.
	m.Register(func(app core.App) error {
		jobs, err := app.FindCollectionByNameOrId("jobs")
		if err != nil {
			return err
		}
		jobs.AddIndex("idx_jobs_lane", false, "`kind`, `host`, `user`, `runAt`", "`state` IN ('ready', 'running')")
		if err := app.Save(jobs); err != nil {
			return fmt.Errorf("index the lanes of jobs: %w", err)
		}
		return nil
	}, nil)
}
