package reconcile

import (
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/sweep"
)

// strays are feed rows that their viewer does not get: of somebody they do not follow, or of
// another author than the post's. While an account is being erased, its rows are not looked at.
const strays = `feed t WHERE NOT EXISTS (SELECT 1 FROM users WHERE id IN (t.viewer, t.author) AND state = 'deleting')
	AND t.post NOT IN ` + sweep.Pending + ` AND t.viewer NOT IN ` + sweep.Pending + ` AND t.author NOT IN ` + sweep.Pending + `
	AND NOT EXISTS (SELECT 1 FROM jobs WHERE kind = 'feed.unwanted' AND state IN ('ready', 'running') AND json_extract(payload, '$.viewer') = t.viewer)
	AND ((t.viewer != t.author AND NOT EXISTS (SELECT 1 FROM follows WHERE follower = t.viewer AND followee = t.author AND state = 'accepted'))
		OR NOT EXISTS (SELECT 1 FROM posts WHERE id = t.post AND author = t.author))`

// idle are rows of posts that became private. Reading leaves them out, and they come back by themselves
// when the post does; a row that its viewer hid must stay to keep it from coming back.
const idle = `feed t WHERE NOT t.gone AND EXISTS (SELECT 1 FROM posts WHERE id = t.post AND visibility = 'private' AND author != t.viewer)`

func lookFeed(app core.App, f *Found) error {
	n, first, err := f.Some(app, strays)
	if err != nil {
		return err
	}
	f.Fail(n, "%d rows of an author whom the viewer does not follow, or who is not the post's, as %s", n, first)
	n, first, err = f.Some(app, idle)
	f.Warn(n, "%d rows of posts that are private by now, never shown, as %s", n, first)
	return err
}

// repairFeed gives rows the author of their post, and deletes those that are still nobody's to read.
func repairFeed(tx core.App) (total int64, err error) {
	for _, statement := range []string{
		`UPDATE feed AS t SET author = p.author FROM posts p WHERE p.id = t.post AND p.author != t.author`,
		`DELETE FROM feed WHERE id IN (SELECT t.id FROM ` + strays + `)`,
		`DELETE FROM feed WHERE id IN (SELECT t.id FROM ` + idle + `)`,
	} {
		n, err := db.Exec(tx, statement, nil)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}
