// Package feed keeps what people hid from their home feed. The feed itself is asked when somebody looks at it: it is a
// view of follows and posts, see the migrations, which package listing reads a page at a time.
package feed

import (
	"fmt"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/inbox"
)

// HideRow hides the post of a feed row from its viewer for good.
func HideRow(tx core.App, row *core.Record) error {
	viewer, post := row.GetString("viewer"), row.GetString("post")
	_, err := db.Exec(tx, `INSERT INTO hidden_posts (id, viewer, post, created, updated) VALUES (`+db.NewIDSQL+`, {:viewer}, {:post}, {:now}, {:now}) ON CONFLICT DO NOTHING`,
		db.Params{"viewer": viewer, "post": post, "now": clock.Timestamp(tx)})
	if err != nil {
		return fmt.Errorf("hide post %s from %s: %w", post, viewer, err)
	}
	inbox.FeedPostHidden(tx, viewer, post)
	return nil
}

// idLength is how long the ids of users and posts are. The id of a feed row is the viewer's and the post's together.
const idLength = 15

// SeekRow returns a filter for a search by id, which lets a search of the feed begin with the row's viewer and post:
// ids of a view have no index, and everybody's feed would be computed to find one.
func SeekRow(id string) func(*dbx.SelectQuery) error {
	return func(query *dbx.SelectQuery) error {
		if !slices.Equal(query.Info().From, []string{"feed"}) {
			return nil
		}
		if len(id) != 2*idLength {
			query.AndWhere(dbx.NewExp("0")) // no row has such an id
			return nil
		}
		query.AndWhere(dbx.HashExp{"feed.viewer": id[:idLength], "feed.post": id[idLength:]})
		return nil
	}
}
