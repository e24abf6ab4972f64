package migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		err := createInternalCollection(app, "jobs",
			[]string{
				"CREATE INDEX `idx_jobs_due` ON `jobs` (`runAt`) WHERE `state` IN ('ready', 'running')",
				"CREATE UNIQUE INDEX `idx_jobs_dedupe` ON `jobs` (`kind`, `dedupe`) WHERE `dedupe` != '' AND `state` IN ('ready', 'running')",
				// Where all jobs that are longest due must wait for one user or one host, those of others are found without
				// reading past them. Jobs that are due later are in no lane: whoever looks for due jobs lane by lane would
				// have to pass each of theirs.
				"CREATE INDEX `idx_jobs_lane` ON `jobs` (`kind`, `host`, `user`, `runAt`) WHERE `state` IN ('ready', 'running') AND `delayed` = 0",
				"CREATE INDEX `idx_jobs_delayed` ON `jobs` (`runAt`) WHERE `state` IN ('ready', 'running') AND `delayed` = 1",
			},
			&core.TextField{Name: "kind", Required: true, Max: 60, Presentable: true}, jsonField("payload", 1<<20),
			selectField("state", true, "ready", "running", "dead"), dateField("runAt"), numberField("attempts"),
			textField("worker", 60), textField("dedupe", 200), textField("error", 1000),
			textField("user", 30), textField("host", 255), // whom the job works for and which host it calls
			boolField("delayed"))
		if err != nil {
			return err
		}
		// How many account mails of a kind a mailbox got, and when, so that nobody can fill a stranger's mailbox with
		// requests. It is not a collection, as only the service reads it. The target is a hash, as it may be an address
		// that has no account here. Requests are noted for whatever address somebody names, and forgotten after an hour.
		for _, statement := range []string{
			`CREATE TABLE mailings (target TEXT NOT NULL, kind TEXT NOT NULL, count INTEGER NOT NULL, since TEXT NOT NULL, lastAt TEXT NOT NULL, PRIMARY KEY (target, kind))`,
			`CREATE INDEX idx_mailings_last ON mailings (lastAt)`,
			`CREATE INDEX idx_mailings_kind ON mailings (kind, lastAt)`,
		} {
			if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
				return fmt.Errorf("create mailings: %w", err)
			}
		}
		return nil
	}, refuseDown)
}
