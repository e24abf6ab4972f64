package reconcile

import (
	"fmt"
)

// counterColumn is a column that triggers keep equal to the number of rows of source that point at the row by key and
// meet when. A test compares the list with the triggers in the database. The actor count of a notification is not in
// the list: recountActors mends it together with the actors' names.
type counterColumn struct{ source, key, target, column, when string }

var counterColumns = []counterColumn{
	{"likes", "post", "posts", "likesCount", "1"},
	{"comments", "post", "posts", "commentsCount", "1"},
	{"comments", "parent", "comments", "repliesCount", "1"},
	{"comment_likes", "comment", "comments", "likesCount", "1"},
	{"posts", "author", "users", "publicPosts", "visibility = 'public' AND hidden = 0"}, // as in idx_posts_public
	{"follows", "followee", "users", "followersCount", "state = 'accepted'"},
	{"follows", "follower", "users", "followingCount", "state = 'accepted'"},
	{"post_tags", "tag", "hashtags", "postsCount", "counted"},
}

// columnInvariant returns an invariant about a column whose value follows from its row t and other rows; want is the
// SQL of the right value.
func columnInvariant(table, column, holds, want, broken string) *Invariant {
	return &Invariant{
		Check: "counters", Name: "counter", On: table + "." + column, Holds: holds, Cost: Hourly, Table: table, Broken: broken,
		Mend: mendByStatements(fmt.Sprintf(`UPDATE %s AS t SET %s = %s WHERE id IN @ids`, table, column, want)),
	}
}

func counterInvariants() []*Invariant {
	// tags of deleted posts are mended by the relation invariants; tags that a job is counting are left to the job
	all := []*Invariant{columnInvariant("post_tags", "counted", "A hashtag of a post is counted exactly while anybody may see the post.", "NOT counted",
		`EXISTS (SELECT 1 FROM posts p JOIN users u ON u.id = p.author WHERE p.id = t.post
			AND t.counted != (p.visibility = 'public' AND NOT p.hidden AND u.state = 'active' AND NOT u.private)
			AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = 'hashtags.count' AND j.state IN ('ready', 'running') AND json_extract(j.payload, '$.user') = u.id))`)}
	for _, c := range counterColumns {
		count := fmt.Sprintf("(SELECT count(*) FROM %s WHERE %s.%s = t.id AND %s)", c.source, c.source, c.key, c.when)
		counter := columnInvariant(c.target, c.column, "A counter is the number of rows that it counts.", count, fmt.Sprintf("t.%s != %s", c.column, count))
		counter.Proved = c.target == "posts"
		all = append(all, counter)
	}
	const shown = `(t.state = 'active' AND NOT t.private) * t.publicPosts`
	// between the two bounds an account may have the mark or not
	const famous = `(t.followersCount > 10000 AND NOT t.celebrity) OR (t.followersCount < 9000 AND t.celebrity)`
	return append(all,
		columnInvariant("users", "postsCount", "Of the posts of an account those are counted that anybody may see.", shown, `t.postsCount != `+shown),
		columnInvariant("users", "celebrity", "An account has the celebrity mark from 10,000 followers on.", "followersCount > 10000", famous),
	)
}
