// Package feed keeps what people hid from their home feed. The feed itself is asked when somebody looks at it: it is a
// view of follows and posts, see the migrations, which package listing reads a page at a time.
package feed

import (
	"fmt"

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
