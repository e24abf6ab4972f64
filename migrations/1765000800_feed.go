package migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// feedViewDDL makes of follows and posts what each person's feed contains: the posts of those whom they follow, and their
// own, without what they hid or muted. The collection's rule adds who may see a post. PocketBase counts rows by _rowid_,
// which a view has only if it says so.
const feedViewDDL = `CREATE VIEW feed AS
	SELECT f.follower || p.id AS id, f.follower AS viewer, p.id AS post, p.author AS author, p.created AS at, p.created AS created, p.created AS updated, f.follower || p.id AS _rowid_
		FROM follows f JOIN posts p ON p.author = f.followee WHERE f.state = 'accepted' AND f.followee != f.follower
		AND NOT EXISTS (SELECT 1 FROM hidden_posts h WHERE h.viewer = f.follower AND h.post = p.id)
		AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.muter = f.follower AND m.muted = p.author AND (m.until = '' OR m.until > strftime('%Y-%m-%d %H:%M:%fZ', 'now')))
		AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.muter = f.follower AND m.post = p.id AND (m.until = '' OR m.until > strftime('%Y-%m-%d %H:%M:%fZ', 'now')))
	UNION ALL
	SELECT p.author || p.id, p.author, p.id, p.author, p.created, p.created, p.created, p.author || p.id FROM posts p
		WHERE NOT EXISTS (SELECT 1 FROM hidden_posts h WHERE h.viewer = p.author AND h.post = p.id)
		AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.muter = p.author AND m.post = p.id AND (m.until = '' OR m.until > strftime('%Y-%m-%d %H:%M:%fZ', 'now')))`

func init() {
	// The feed is asked when somebody looks at it. To PocketBase it is a collection like others; what would be its table is
	// a view, so that a new post, a follow or a mute writes nothing for anybody.
	m.Register(func(app core.App) error {
		err := createInternalCollection(app, "hidden_posts",
			[]string{uniqueIndexDDL("hidden_posts", "edge", "`viewer`, `post`"), indexDDL("hidden_posts", "post", "`post`")},
			relationField(app, "viewer", "users", true, cascadeDelete), relationField(app, "post", "posts", true, cascadeDelete))
		if err != nil {
			return err
		}
		visible := ownerRule("viewer") + ` && seesPost(` + callerID + `, post) = true`
		err = createCollection(app, "feed", collectionRules{see: visible, remove: visible}, nil,
			relationField(app, "viewer", "users", true, cascadeDelete), relationField(app, "post", "posts", true, cascadeDelete),
			relationField(app, "author", "users", true, cascadeDelete), dateField("at"))
		if err != nil {
			return err
		}
		for _, statement := range []string{`DROP TABLE feed`, feedViewDDL} {
			if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
				return fmt.Errorf("make the feed a view: %s: %w", statement, err)
			}
		}
		return nil
	}, refuseDown)
}
