package reconcile

import (
	"fmt"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/visibility"
)

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
			AND t.counted != (p.visibility = 'public' AND NOT p.hidden AND `+visibility.OpenAccountSQL("u")+`)
			AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = 'hashtags.count' AND j.state IN ('ready', 'running') AND json_extract(j.payload, '$.user') = u.id))`)}
	for _, source := range collection.All {
		for _, c := range source.Counts {
			count := fmt.Sprintf("(SELECT count(*) FROM %s WHERE %s.%s = t.id AND %s)", source.Name, source.Name, c.Key, c.When)
			all = append(all, columnInvariant(c.Target, c.Column, "A counter is the number of rows that it counts.", count, fmt.Sprintf("t.%s != %s", c.Column, count)))
		}
	}
	shown := visibility.OpenAccountSQL("t") + ` * t.publicPosts`
	return append(all,
		columnInvariant("users", "postsCount", "Of the posts of an account those are counted that anybody may see.", shown, `t.postsCount != `+shown),
	)
}
