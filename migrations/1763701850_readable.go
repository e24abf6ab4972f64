package migrations

import (
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	// SQLite before 3.44 cannot read a schema with an ORDER BY inside an aggregate, and takes the whole file for
	// damaged. Debian 12 has 3.40, and somebody who rescues a folder has only the SQLite of the rescue system. Its
	// unixepoch does not have 'subsec' either.
	m.Register(func(app core.App) error {
		var triggers []struct{ Name, SQL string }
		err := app.DB().NewQuery(`SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND (sql LIKE '%ORDER BY key) FROM (%' OR sql LIKE '%subsec%')`).All(&triggers)
		if err != nil {
			return err
		}
		readable := strings.NewReplacer(
			`, '' ORDER BY key) FROM (`, `, '') FROM (`, // the rows come in the order of the inner select
			`, ',0') || ']')))`, `, ',0') || ']') ORDER BY key))`,
			`round(coalesce(unixepoch(NEW.created, 'subsec'), 0) * 1000)`, `round((coalesce(julianday(NEW.created), 2440587.5) - 2440587.5) * 86400000)`,
			`round(coalesce(unixepoch('now', 'subsec'), 0) * 1000)`, `round((julianday('now') - 2440587.5) * 86400000)`,
		)
		for _, trigger := range triggers {
			for _, statement := range []string{"DROP TRIGGER `" + trigger.Name + "`", readable.Replace(trigger.SQL)} {
				if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
					return fmt.Errorf("make trigger %s readable: %w", trigger.Name, err)
				}
			}
		}
		return nil
	}, nil)
}
