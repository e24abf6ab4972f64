package migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// maxCountedAtOnce is the most public posts of an account with which the statement that opens or closes the account
// also changes the counts of its hashtags. With more, a job does that in steps: a statement over thousands of posts
// would hold the writer.
const maxCountedAtOnce = 50

func init() {
	// users.postsCount and hashtags.postsCount count what a guest may see: public posts that are not hidden, of
	// active accounts that are not private. Otherwise they would tell strangers of posts that these may not see.
	//
	// Opening or closing an account changes all its posts at once. For its own count that changes one row:
	// publicPosts counts its public posts whatever the account's state is, and postsCount is that number or 0. For
	// hashtags each post_tags row stores whether it is counted, so that the sums are right at every moment while a
	// job goes through the posts.
	m.Register(func(app core.App) error {
		if err := addPublicCounts(app); err != nil {
			return err
		}
		publicPost := "%[1]s.visibility = 'public' AND NOT %[1]s.hidden"
		statements := []string{
			`DROP TRIGGER IF EXISTS count_posts_users_postsCount_in`, `DROP TRIGGER IF EXISTS count_posts_users_postsCount_out`, `DROP TRIGGER IF EXISTS count_posts_users_postsCount_moved`,
			`DROP TRIGGER IF EXISTS count_post_tags_hashtags_postsCount_in`, `DROP TRIGGER IF EXISTS count_post_tags_hashtags_postsCount_out`, `DROP TRIGGER IF EXISTS count_post_tags_hashtags_postsCount_moved`,
			`UPDATE users SET publicPosts = (SELECT count(*) FROM posts WHERE author = users.id AND visibility = 'public' AND hidden = 0)`,
			`UPDATE users SET postsCount = ` + openAccountSQL("users") + ` * publicPosts`,
			`UPDATE post_tags SET counted = ` + countedTagSQL("post_tags.post"),
			`UPDATE hashtags SET postsCount = (SELECT count(*) FROM post_tags WHERE tag = hashtags.id AND counted)`,
			`CREATE TRIGGER count_users_postsCount AFTER UPDATE OF publicPosts, state, private ON users
				WHEN OLD.publicPosts IS NOT NEW.publicPosts OR ` + openAccountSQL("OLD") + ` != ` + openAccountSQL("NEW") + `
				BEGIN UPDATE users SET postsCount = ` + openAccountSQL("NEW") + ` * NEW.publicPosts WHERE id = NEW.id; END`,
			`CREATE TRIGGER counted_post_tags_in AFTER INSERT ON post_tags
				BEGIN UPDATE post_tags SET counted = ` + countedTagSQL("NEW.post") + ` WHERE id = NEW.id AND counted != ` + countedTagSQL("NEW.post") + `; END`,
			`CREATE TRIGGER counted_post_tags_moved AFTER UPDATE OF post ON post_tags WHEN OLD.post IS NOT NEW.post
				BEGIN UPDATE post_tags SET counted = ` + countedTagSQL("NEW.post") + ` WHERE id = NEW.id AND counted != ` + countedTagSQL("NEW.post") + `; END`,
			`CREATE TRIGGER counted_post_tags_posts AFTER UPDATE OF visibility, hidden, author ON posts
				WHEN OLD.visibility IS NOT NEW.visibility OR OLD.hidden IS NOT NEW.hidden OR OLD.author IS NOT NEW.author
				BEGIN UPDATE post_tags SET counted = ` + countedTagSQL("NEW.id") + ` WHERE post = NEW.id AND counted != ` + countedTagSQL("NEW.id") + `; END`,
			fmt.Sprintf(`CREATE TRIGGER counted_post_tags_users AFTER UPDATE OF state, private ON users
				WHEN `+openAccountSQL("OLD")+` != `+openAccountSQL("NEW")+` AND NEW.publicPosts <= %d
				BEGIN UPDATE post_tags SET counted = `+openAccountSQL("NEW")+` WHERE post IN (SELECT id FROM posts WHERE author = NEW.id AND visibility = 'public' AND hidden = 0)
					AND counted != `+openAccountSQL("NEW")+`; END`, maxCountedAtOnce),
		}
		for _, c := range []counter{
			{source: "posts", key: "author", target: "users", column: "publicPosts", when: publicPost, alsoWatched: ", visibility, hidden"},
			{source: "post_tags", key: "tag", target: "hashtags", column: "postsCount", when: "%[1]s.counted", alsoWatched: ", counted"},
		} {
			statements = append(statements, c.triggerDDL()...)
		}
		for _, statement := range statements {
			if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
				return fmt.Errorf("count public posts: %s: %w", statement, err)
			}
		}
		return nil
	}, nil)
}

func addPublicCounts(app core.App) error {
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		return err
	}
	publicPosts := numberField("publicPosts")
	publicPosts.Hidden = true
	users.Fields.Add(publicPosts)
	if err := app.Save(users); err != nil {
		return err
	}
	posts, err := app.FindCollectionByNameOrId("posts")
	if err != nil {
		return err
	}
	posts.AddIndex("idx_posts_public", false, "`author`, `id`", "`visibility` = 'public' AND `hidden` = 0")
	if err := app.Save(posts); err != nil {
		return err
	}
	tags, err := app.FindCollectionByNameOrId("post_tags")
	if err != nil {
		return err
	}
	counted := boolField("counted")
	counted.Hidden = true
	tags.Fields.Add(counted)
	return app.Save(tags)
}

// openAccountSQL returns an SQL expression that is 1 for a row of users whose public posts everybody may see, else 0.
func openAccountSQL(row string) string {
	return "(" + row + ".state = 'active' AND NOT " + row + ".private)"
}

// countedTagSQL returns an SQL expression that is 1 if everybody may see the post, else 0.
func countedTagSQL(post string) string {
	return "EXISTS (SELECT 1 FROM posts p JOIN users u ON u.id = p.author WHERE p.id = " + post + " AND p.visibility = 'public' AND NOT p.hidden AND " + openAccountSQL("u") + ")"
}
