package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	// Users who existed before Doubletap get what a sign-up gives.
	m.Register(func(app core.App) error {
		for _, sql := range []string{
			`UPDATE users SET state = 'active' WHERE state = ''`,
			`UPDATE users SET role = 'member' WHERE role = ''`,
			// an id is unique, lower case and 15 characters, so this handle is free
			`UPDATE users SET handle = 'user_' || lower(id) WHERE handle = ''`,
			`INSERT INTO settings (id, user, digest, notify, seq, created, updated)
				SELECT id, id, 'off', '{}', 0, strftime('%Y-%m-%d %H:%M:%fZ'), strftime('%Y-%m-%d %H:%M:%fZ') FROM users`,
			`INSERT INTO handles (id, name, reason, created, updated)
				SELECT substr(lower(hex(randomblob(8))), 1, 15), value, 'reserved', strftime('%Y-%m-%d %H:%M:%fZ'), strftime('%Y-%m-%d %H:%M:%fZ')
				FROM json_each('["admin","administrator","root","system","support","help","moderator","doubletap","official","security","everyone","deleted"]')`,
		} {
			if _, err := app.DB().NewQuery(sql).Execute(); err != nil {
				return err
			}
		}
		return nil
	}, nil)
}
