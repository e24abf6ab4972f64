package migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// counter keeps target.column equal to the number of source's rows whose key points at the target and that meet when,
// which has %[1]s for the row. alsoWatched lists the other columns that when depends on. As they are triggers,
// counters are right for requests, batches, cascades, the dashboard and the SQL console alike.
type counter struct{ source, key, target, column, when, alsoWatched string }

func init() {
	m.Register(func(app core.App) error {
		var statements []string
		for _, c := range []counter{
			{source: "likes", key: "post", target: "posts", column: "likesCount"},
			{source: "comments", key: "post", target: "posts", column: "commentsCount"},
			{source: "comments", key: "parent", target: "comments", column: "repliesCount"},
			{source: "comment_likes", key: "comment", target: "comments", column: "likesCount"},
			{source: "follows", key: "followee", target: "users", column: "followersCount", when: "%[1]s.state = 'accepted'", alsoWatched: ", state"},
			{source: "follows", key: "follower", target: "users", column: "followingCount", when: "%[1]s.state = 'accepted'", alsoWatched: ", state"},
			{source: "notification_events", key: "notification", target: "notifications", column: "actorsCount", when: "%[1]s.active", alsoWatched: ", active"},
			{source: "posts", key: "author", target: "users", column: "publicPosts", when: "%[1]s.visibility = 'public' AND NOT %[1]s.hidden", alsoWatched: ", visibility, hidden"},
			{source: "post_tags", key: "tag", target: "hashtags", column: "postsCount", when: "%[1]s.counted", alsoWatched: ", counted"},
		} {
			statements = append(statements, c.triggerDDL()...)
		}
		for _, ddl := range append(statements, publicCountDDL()...) {
			if _, err := app.DB().NewQuery(ddl).Execute(); err != nil {
				return fmt.Errorf("create a counter: %s: %w", ddl, err)
			}
		}
		return nil
	}, refuseDown)
}

func (c counter) triggerDDL() []string {
	name := "count_" + c.source + "_" + c.target + "_" + c.column
	when := func(row string) string {
		if c.when == "" {
			return "1"
		}
		return fmt.Sprintf(c.when, row)
	}
	add := func(n, row string) string {
		return fmt.Sprintf("UPDATE %s SET %s = %s %s WHERE id = %s.%s AND %s;", c.target, c.column, c.column, n, row, c.key, when(row))
	}
	return []string{
		fmt.Sprintf("CREATE TRIGGER %s_in AFTER INSERT ON %s WHEN %s BEGIN %s END", name, c.source, when("NEW"), add("+ 1", "NEW")),
		fmt.Sprintf("CREATE TRIGGER %s_out AFTER DELETE ON %s WHEN %s BEGIN %s END", name, c.source, when("OLD"), add("- 1", "OLD")),
		fmt.Sprintf("CREATE TRIGGER %s_moved AFTER UPDATE OF %s%s ON %s WHEN OLD.%s IS NOT NEW.%s OR (%s) IS NOT (%s) BEGIN %s %s END",
			name, c.key, c.alsoWatched, c.source, c.key, c.key, when("OLD"), when("NEW"), add("- 1", "OLD"), add("+ 1", "NEW")),
	}
}

// maxCountedAtOnce is the most public posts of an account with which the statement that opens or closes the account
// also changes the counts of its hashtags. With more, a job does that in steps: a statement over thousands of posts
// would hold the writer.
const maxCountedAtOnce = 50

// publicCountDDL returns the triggers by which users.postsCount and hashtags.postsCount count what a guest may see: public
// posts that are not hidden, of active accounts that are not private. Otherwise they would tell strangers of posts that
// these may not see.
//
// Opening or closing an account changes all its posts at once. For its own count that changes one row: publicPosts counts
// its public posts whatever the account's state is, and postsCount is that number or 0. For hashtags each post_tags row
// stores whether it is counted, so that the sums are right at every moment while a job goes through the posts.
func publicCountDDL() []string {
	return []string{
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
}

// openAccountSQL returns an SQL expression that is 1 for a row of users whose public posts everybody may see, else 0.
func openAccountSQL(row string) string {
	return "(" + row + ".state = 'active' AND NOT " + row + ".private)"
}

// countedTagSQL returns an SQL expression that is 1 if everybody may see the post, else 0.
func countedTagSQL(post string) string {
	return "EXISTS (SELECT 1 FROM posts p JOIN users u ON u.id = p.author WHERE p.id = " + post + " AND p.visibility = 'public' AND NOT p.hidden AND " + openAccountSQL("u") + ")"
}
