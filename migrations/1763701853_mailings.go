package migrations

import (
	"errors"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	// How many account mails of a kind a mailbox got, and when, so that nobody can fill a stranger's mailbox with
	// requests. It is not a collection, as only the service reads it. The target is a hash, as it may be an address
	// that has no account here.
	m.Register(func(app core.App) error {
		if app.HasTable("mailings") {
			return errors.New("doubletap needs a table of its own, but there is a mailings; rename it and start again")
		}
		for _, statement := range []string{
			`CREATE TABLE mailings (target TEXT NOT NULL, kind TEXT NOT NULL, count INTEGER NOT NULL, since TEXT NOT NULL, lastAt TEXT NOT NULL, PRIMARY KEY (target, kind))`,
			`CREATE INDEX idx_mailings_last ON mailings (lastAt)`,
		} {
			if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
				return err
			}
		}
		return nil
	}, nil)
}
