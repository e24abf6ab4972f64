package migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	// The mark of an author with many followers said whose posts were not written into feeds. None are any more.
	m.Register(func(app core.App) error {
		for _, statement := range []string{
			`DROP TRIGGER IF EXISTS celebrity`,
			`DROP INDEX IF EXISTS idx_users_celebrity`,
			`ALTER TABLE users DROP COLUMN celebrity`,
			// not by saving the collection, as that would refuse to take out a field that an earlier step ships
			`UPDATE _collections SET indexes = (SELECT json_group_array(value) FROM json_each(indexes) WHERE value NOT LIKE '%idx_users_celebrity%'),
				fields = (SELECT json_group_array(json(value)) FROM json_each(fields) WHERE value ->> 'name' != 'celebrity') WHERE name = 'users'`,
		} {
			if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
				return fmt.Errorf("take the mark of celebrities out: %s: %w", statement, err)
			}
		}
		return app.ReloadCachedCollections()
	}, nil)
}
