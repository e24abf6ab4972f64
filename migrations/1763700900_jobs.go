package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		return createInternalCollection(app, "jobs",
			[]string{
				"CREATE INDEX `idx_jobs_due` ON `jobs` (`runAt`) WHERE `state` IN ('ready', 'running')",
				"CREATE UNIQUE INDEX `idx_jobs_dedupe` ON `jobs` (`kind`, `dedupe`) WHERE `dedupe` != '' AND `state` IN ('ready', 'running')",
			},
			&core.TextField{Name: "kind", Required: true, Max: 60, Presentable: true}, jsonField("payload", 1<<20),
			selectField("state", true, "ready", "running", "dead"), dateField("runAt"), numberField("attempts"),
			textField("worker", 60), textField("dedupe", 200), textField("error", 1000))
	}, nil)
}
