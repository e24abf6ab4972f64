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
	{"posts", "author", "users", "publicPosts", "visibility = 'public' AND NOT hidden"},
	{"follows", "followee", "users", "followersCount", "state = 'accepted'"},
	{"follows", "follower", "users", "followingCount", "state = 'accepted'"},
	{"post_tags", "tag", "hashtags", "postsCount", "counted"},
}

// mark is a column that follows from its own row t and those it points at; wrong is the condition that it differs.
type mark struct{ table, column, want, wrong string }

// marks are what counters count by, to be put right before those. A tag of no post is the relations' to mend, and an author whose posts
// a job is counting is left to it.
var marks = []mark{{"post_tags", "counted", "NOT counted", `EXISTS (SELECT 1 FROM posts p JOIN users u ON u.id = p.author WHERE p.id = t.post
	AND t.counted != (p.visibility = 'public' AND NOT p.hidden AND u.state = 'active' AND NOT u.private)
	AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = 'hashtags.count' AND j.state IN ('ready', 'running') AND json_extract(j.payload, '$.user') = u.id))`}}

const shownPosts = `(t.state = 'active' AND NOT t.private) * t.publicPosts`

// shown is users.postsCount, which comes after the counter that it follows from.
var shown = mark{"users", "postsCount", shownPosts, `t.postsCount != ` + shownPosts}

func (m mark) look(app core.App, f *Found) error {
	n, first, err := f.Some(app, m.table+` t WHERE `+m.wrong)
	f.Fail(n, "%s.%s of %d rows, as of %s", m.table, m.column, n, first)
	return err
}

func (m mark) repair(tx core.App) (int64, error) {
	n, err := db.Exec(tx, fmt.Sprintf(`UPDATE %s AS t SET %s = %s WHERE %s`, m.table, m.column, m.want, m.wrong), nil)
	if err != nil {
		return 0, fmt.Errorf("%s.%s: %w", m.table, m.column, err)
	}
	return n, nil
}

// counted is the SQL of what the counter of the row t should be.
func (c counter) counted() string {
	return fmt.Sprintf("(SELECT count(*) FROM %s WHERE %s.%s = t.id AND %s)", c.source, c.source, c.key, c.when)
}

// famous is the condition of users whose celebrity mark does not go with their followers; between the bounds both do.
const famous = `(followersCount > 10000 AND NOT celebrity) OR (followersCount < 9000 AND celebrity)`

func lookCounters(app core.App, f *Found) error {
	for _, m := range append(marks, shown) {
		if err := m.look(app, f); err != nil {
			return err
		}
	}
	for _, c := range counters {
		n, first, err := f.Some(app, fmt.Sprintf(`%s t WHERE t.%s != %s`, c.target, c.column, c.counted()))
		if err != nil {
			return err
		}
		f.Fail(n, "%s.%s of %d rows, as of %s", c.target, c.column, n, first)
	}
	n, first, err := f.Some(app, `users t WHERE `+famous)
	f.Fail(n, "users.celebrity of %d rows, as of %s", n, first)
	return err
}

func repairCounters(tx core.App) (total int64, err error) {
	for _, m := range marks {
		n, err := m.repair(tx)
		if err != nil {
			return 0, err
		}
		total += n
	}
	for _, c := range counters {
		n, err := db.Exec(tx, fmt.Sprintf(`UPDATE %s AS t SET %s = %s WHERE t.%s != %s`, c.target, c.column, c.counted(), c.column, c.counted()), nil)
		if err != nil {
			return 0, fmt.Errorf("%s.%s: %w", c.target, c.column, err)
		}
		total += n
	}
	n, err := shown.repair(tx)
	if err != nil {
		return 0, err
	}
	total += n
	n, err = db.Exec(tx, `UPDATE users SET celebrity = followersCount > 10000 WHERE `+famous, nil)
	return total + n, err
}
