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
		for _, c := range []counter{
			{source: "likes", key: "post", target: "posts", column: "likesCount"},
			{source: "comments", key: "post", target: "posts", column: "commentsCount"},
			{source: "comments", key: "parent", target: "comments", column: "repliesCount"},
			{source: "comment_likes", key: "comment", target: "comments", column: "likesCount"},
			{source: "posts", key: "author", target: "users", column: "postsCount"},
			{source: "follows", key: "followee", target: "users", column: "followersCount", when: "%[1]s.state = 'accepted'", alsoWatched: ", state"},
			{source: "follows", key: "follower", target: "users", column: "followingCount", when: "%[1]s.state = 'accepted'", alsoWatched: ", state"},
			{source: "notification_events", key: "notification", target: "notifications", column: "actorsCount", when: "%[1]s.active", alsoWatched: ", active"},
			{source: "post_tags", key: "tag", target: "hashtags", column: "postsCount"},
		} {
			for _, ddl := range c.triggerDDL() {
				if _, err := app.DB().NewQuery(ddl).Execute(); err != nil {
					return fmt.Errorf("counter %s.%s: %w", c.target, c.column, err)
				}
			}
		}
		// The gap between the bounds keeps an author near 10,000 followers from changing state again and again.
		_, err := app.DB().NewQuery(`CREATE TRIGGER celebrity AFTER UPDATE OF followersCount ON users
			WHEN (NEW.followersCount > 10000 AND NOT NEW.celebrity) OR (NEW.followersCount < 9000 AND NEW.celebrity)
			BEGIN UPDATE users SET celebrity = NEW.followersCount > 10000 WHERE id = NEW.id; END`).Execute()
		return err
	}, nil)
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
