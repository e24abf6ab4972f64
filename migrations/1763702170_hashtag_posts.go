package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	// By today's rules older captions have other hashtags than before: what follows a ZWNJ or ・ used to be cut off. A
	// job tags the posts anew.
	m.Register(func(app core.App) error {
		_, err := app.DB().NewQuery(`INSERT INTO jobs (id, kind, payload, state, runAt, attempts, worker, dedupe, user, host, error, created, updated)
			SELECT 'hashtagsretag00', 'hashtags.retag', '{}', 'ready', strftime('%Y-%m-%d %H:%M:%fZ', 'now'), 0, '', '', '', '', '', strftime('%Y-%m-%d %H:%M:%fZ', 'now'), strftime('%Y-%m-%d %H:%M:%fZ', 'now')
			WHERE EXISTS (SELECT 1 FROM posts)`).Execute()
		return err
	}, nil)
}
