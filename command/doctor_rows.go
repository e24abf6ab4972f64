package command

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/account"
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

func lookCounters(app core.App, f *found) error {
	for _, c := range counters {
		n, first, err := some(app, fmt.Sprintf(`%s t WHERE t.%s != %s`, c.target, c.column, c.counted()))
		if err != nil {
			return err
		}
		f.fail(n, "%s.%s of %d rows, as of %s", c.target, c.column, n, first)
	}
	n, first, err := some(app, `users t WHERE `+famous)
	f.fail(n, "users.celebrity of %d rows, as of %s", n, first)
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

// some counts rows, given as all that follows FROM of a table named t, and names the first.
func some(app core.App, from string) (n int, first string, err error) {
	var row struct {
		N     int    `db:"n"`
		First string `db:"first"`
	}
	_, err = db.One(app, &row, `SELECT count(*) n, coalesce(min(t.id), '') first FROM `+from, nil)
	return row.N, row.First, err
}

// Settings also give each notification its place in the order of changes, so seq must not lie behind what was given.
const (
	unsettled = `users t WHERE NOT EXISTS (SELECT 1 FROM settings WHERE user = t.id)`
	given     = `max(coalesce((SELECT max(seq) FROM notifications WHERE recipient = t.user), 0), coalesce((SELECT max(seq) FROM retractions WHERE recipient = t.user), 0))`
)

func lookSettings(app core.App, f *found) error {
	n, first, err := some(app, unsettled)
	if err != nil {
		return err
	}
	f.fail(n, "%d users without settings, as %s", n, first)
	n, first, err = some(app, `settings t WHERE t.seq < `+given)
	f.fail(n, "%d settings behind their notifications, as %s", n, first)
	return err
}

func repairSettings(tx core.App) (int64, error) {
	var users []string
	if err := db.Column(tx, &users, `SELECT t.id FROM `+unsettled, nil); err != nil {
		return 0, err
	}
	for _, user := range users {
		if err := account.MakeSettings(tx, user); err != nil {
			return 0, err
		}
	}
	// new ones begin where the old ones ended
	n, err := db.Exec(tx, `UPDATE settings AS t SET seq = `+given+` WHERE t.seq < `+given, nil)
	return int64(len(users)) + n, err
}
