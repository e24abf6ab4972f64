package migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	// An id that was once used is never used again. A table and not a collection: only these triggers write it, so that a
	// cascade, a job and the SQL console count like a request. WITHOUT ROWID stores the ids alone in one small tree.
	m.Register(func(app core.App) error {
		statements := []string{`CREATE TABLE gone_ids (id TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID`}
		for _, table := range []string{"posts", "comments", "stories", "users"} {
			statements = append(statements, fmt.Sprintf(
				`CREATE TRIGGER gone_%[1]s AFTER DELETE ON %[1]s BEGIN INSERT OR IGNORE INTO gone_ids (id) VALUES (OLD.id); END`, table))
		}
		for _, statement := range statements {
			if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
				return fmt.Errorf("remember the ids of what is gone: %s: %w", statement, err)
			}
		}
		return nil
	}, refuseDown)
}
