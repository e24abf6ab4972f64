package reconcile

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
)

// counter is a column that triggers keep at the number of rows that point at it: of source, by
// key, and meeting when. A test compares the list with the triggers there are. Of a notification's
// actors the count is not here: it is looked at together with their names.
type counter struct{ source, key, target, column, when string }

var counters = []counter{
	{"likes", "post", "posts", "likesCount", "1"},
	{"comments", "post", "posts", "commentsCount", "1"},
	{"comments", "parent", "comments", "repliesCount", "1"},
	{"comment_likes", "comment", "comments", "likesCount", "1"},
	{"posts", "author", "users", "postsCount", "1"},
	{"follows", "followee", "users", "followersCount", "state = 'accepted'"},
	{"follows", "follower", "users", "followingCount", "state = 'accepted'"},
	{"post_tags", "tag", "hashtags", "postsCount", "1"},
}

// counted is the SQL of what the counter of the row t should be.
func (c counter) counted() string {
	return fmt.Sprintf("(SELECT count(*) FROM %s WHERE %s.%s = t.id AND %s)", c.source, c.source, c.key, c.when)
}

// famous is the condition of users whose celebrity mark does not go with their followers; between the bounds both do.
const famous = `(followersCount > 10000 AND NOT celebrity) OR (followersCount < 9000 AND celebrity)`

func lookCounters(app core.App, f *Found) error {
	for _, c := range counters {
		n, first, err := Some(app, fmt.Sprintf(`%s t WHERE t.%s != %s`, c.target, c.column, c.counted()))
		if err != nil {
			return err
		}
		f.Fail(n, "%s.%s of %d rows, as of %s", c.target, c.column, n, first)
	}
	n, first, err := Some(app, `users t WHERE `+famous)
	f.Fail(n, "users.celebrity of %d rows, as of %s", n, first)
	return err
}

func repairCounters(tx core.App) (total int64, err error) {
	for _, c := range counters {
		n, err := db.Exec(tx, fmt.Sprintf(`UPDATE %s AS t SET %s = %s WHERE t.%s != %s`, c.target, c.column, c.counted(), c.column, c.counted()), nil)
		if err != nil {
			return 0, fmt.Errorf("%s.%s: %w", c.target, c.column, err)
		}
		total += n
	}
	n, err := db.Exec(tx, `UPDATE users SET celebrity = followersCount > 10000 WHERE `+famous, nil)
	return total + n, err
}
