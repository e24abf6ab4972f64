package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		return createInternal(app, "jobs",
			[]string{
				"CREATE INDEX `idx_jobs_due` ON `jobs` (`runAt`) WHERE `state` IN ('ready', 'running')",
				"CREATE UNIQUE INDEX `idx_jobs_dedupe` ON `jobs` (`kind`, `dedupe`) WHERE `dedupe` != '' AND `state` IN ('ready', 'running')",
			},
			&core.TextField{Name: "kind", Required: true, Max: 60, Presentable: true}, object("payload", 1<<20),
			choice("state", true, "ready", "running", "dead"), date("runAt"), number("attempts"),
			text("worker", 60), text("dedupe", 200), text("error", 1000))
	}, nil)
}
