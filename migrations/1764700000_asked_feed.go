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
	// The feed is asked when somebody looks at it. To PocketBase it stays the collection that it was; what was its table
	// is a view now, so that a new post, a follow or a mute writes nothing for anybody. What people hid stays hidden.
	m.Register(func(app core.App) error {
		err := createInternalCollection(app, "hidden_posts",
			[]string{uniqueIndexDDL("hidden_posts", "edge", "`viewer`, `post`"), indexDDL("hidden_posts", "post", "`post`")},
			relationField(app, "viewer", "users", true, cascadeDelete), relationField(app, "post", "posts", true, cascadeDelete))
		if err != nil {
			return err
		}
		const former, sees = signedInRule + ` && viewer = ` + callerID, `seesPost(` + callerID + `, post) = true`
		for _, statement := range []string{
			`INSERT INTO hidden_posts (id, viewer, post, created, updated) SELECT id, viewer, post, updated, updated FROM feed WHERE gone
				AND viewer IN (SELECT id FROM users) AND post IN (SELECT id FROM posts)`,
			`DROP TABLE feed`,
			`DELETE FROM jobs WHERE kind IN ('feed.fanout', 'feed.cut', 'feed.unwanted', 'feed.trim')`,
			feedViewDDL,
			// not by saving the collection, as PocketBase would alter the table that is no longer there; an owner's own
			// fields and indexes of the feed go with the table
			// rules that an admin has changed name the former field in their own way
			`UPDATE _collections SET indexes = '[]', listRule = ` + withoutGone("listRule") + `, viewRule = ` + withoutGone("viewRule") + `,
				deleteRule = CASE WHEN deleteRule = '` + former + `' THEN deleteRule || ' && ` + sees + `'
					WHEN deleteRule IS NULL OR instr(deleteRule, 'seesPost') THEN ` + withoutGone("deleteRule") + `
					ELSE '(' || ` + withoutGone("deleteRule") + ` || ') && ` + sees + `' END,
				fields = (SELECT json_group_array(json(value)) FROM json_each(fields) WHERE value ->> 'name' IN ('id', 'viewer', 'post', 'author', 'at', 'created', 'updated'))
				WHERE name = 'feed'`,
		} {
			if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
				return fmt.Errorf("make the feed a view: %s: %w", statement, err)
			}
		}
		if err := app.ReloadCachedCollections(); err != nil {
			return err
		}
		posts, err := app.FindCollectionByNameOrId("posts")
		if err != nil {
			return err
		}
		// they contain all that the choice and the order of a feed's posts need
		posts.AddIndex("idx_posts_author", false, "`author`, `created` DESC, `id` DESC", "")
		posts.AddIndex("idx_posts_created", false, "`created` DESC, `id` DESC, `author`", "")
		if err := app.Save(posts); err != nil {
			return fmt.Errorf("index posts: %w", err)
		}
		return nil
	}, nil)
}

// withoutGone returns the SQL of a rule in which the former field gone is what it was for every row that is left: false.
func withoutGone(column string) string {
	expression := `replace(` + column + `, 'gone = false && ', '')`
	for _, isFalse := range []string{"gone = false", "gone=false", "gone != true", "gone!=true"} {
		expression = `replace(` + expression + `, '` + isFalse + `', 'id != ""')`
	}
	return expression
}
