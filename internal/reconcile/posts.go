package reconcile

import (
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/post"
	"github.com/doubletap/doubletap/internal/search"
)

func postInvariants() []*Invariant {
	return append([]*Invariant{
		{
			Check: "posts", Name: "visibility", Holds: "A post is public, for followers or private.", Cost: Hourly, Table: "posts",
			Broken: `t.visibility NOT IN ('public', 'followers', 'private')`, Mend: mendByStatements(`UPDATE posts SET visibility = 'private' WHERE id IN @ids`), // private shows nobody what they were not meant to see
		},
		{
			Check: "posts", Name: "photos", Holds: "A post has photos.", Cost: Hourly, Table: "posts",
			Broken: `iif(json_valid(t.photos), json_array_length(t.photos), 0) = 0`, Proved: true, WhyNotRepaired: "no other row knows them: its author deletes the post, or the operator names its files in posts.photos",
		},
		{
			Check: "posts", Name: "alts", Holds: "The descriptions of photos are a list of texts.", Cost: Hourly, Table: "posts", Proved: true,
			Broken: notOfType("alts", "array") + ` OR iif(json_valid(t.alts), json_type(t.alts), '') = 'array' AND EXISTS (SELECT 1 FROM json_each(t.alts) WHERE type != 'text')`,
			Mend: mendByStatements(
				`UPDATE posts SET alts = json_array(json_extract(alts, '$')) WHERE id IN @ids AND json_valid(alts) AND json_type(alts) = 'text'`,
				`UPDATE posts SET alts = (SELECT json_group_array(CASE WHEN type = 'text' THEN value ELSE '' END) FROM json_each(posts.alts)) WHERE id IN @ids AND json_valid(alts) AND json_type(alts) = 'array'`,
				`UPDATE posts SET alts = NULL WHERE id IN @ids AND iif(json_valid(alts), json_type(alts), '') != 'array'`),
		},
		{
			Check: "posts", Name: "media", Holds: "What is known of photos is a list.", Cost: Hourly, Table: "posts",
			Broken: notOfType("media", "array"), Proved: true, Mend: mendByStatements(`UPDATE posts SET media = NULL WHERE id IN @ids`), // a job finds it out again: see photos
		},
		{
			Check: "posts", Name: "gone-id", On: "posts", Holds: "What is there is not remembered as gone.", Cost: Hourly, Table: "posts", Broken: goneIDCondition, Mend: forgetGone,
		},
		{
			Check: "tags", Name: "hashtags", Holds: "A post has the hashtags of its caption.", Cost: Hourly, Table: "posts", Proved: true,
			// first a cheap test: most captions have no hashtag, and most posts no row of post_tags
			Broken: `(t.caption GLOB '*[#＃﹟]*' OR EXISTS (SELECT 1 FROM post_tags g WHERE g.post = t.id)) AND ` + tagNames + `(t.caption) !=
				(SELECT json_group_array(CAST(name AS TEXT)) FROM (SELECT h.name FROM post_tags g JOIN hashtags h ON h.id = g.tag WHERE g.post = t.id ORDER BY h.name))`,
			Mend: mendEach(func(tx core.App, id string) error {
				found, err := db.RequireRecord(tx, "posts", id)
				if err != nil {
					return err
				}
				return post.SetHashtags(tx, found)
			}),
		},
	}, searchInvariants()...)
}

// searchInvariants are about the search indexes. Rows changed by SQL are left out while a job that will index them
// waits.
func searchInvariants() (all []*Invariant) {
	const noJob = ` AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = '` + search.IndexJob + `' AND j.state IN ('ready', 'running'))`
	for _, kind := range search.Kinds {
		table, mend := kind.Collection, func(tx core.App, ids []string) error { return search.RepairIndex(tx, kind, ids...) }
		words := indexText + `(t.` + strings.Join(kind.Columns, ", t.") + `)`
		all = append(all,
			&Invariant{
				Check: "search", Name: "found", On: table, Holds: "What has words can be found by them.", Cost: Hourly, Table: table, Broken: kind.UnindexedCondition() + noJob, Proved: table == "posts", Mend: mend,
			},
			&Invariant{
				Check: "search", Name: "found-gone", On: table, Holds: "Nothing is found that is gone.", Cost: Hourly, Table: "search_" + table,
				Broken: `NOT EXISTS (SELECT 1 FROM ` + table + ` o WHERE o.id = t.id)`, Mend: mend,
			},
			&Invariant{
				Check: "search", Name: "words", On: table, Holds: "A row is found by the words that it has now.", Cost: DoctorOnly, Table: table,
				Broken: `EXISTS (SELECT 1 FROM search_` + table + ` s WHERE s.id = t.id AND s.words != ` + words + `)`, Proved: table == "posts", Mend: mend,
			})
	}
	return all
}

func storyInvariants() []*Invariant {
	return []*Invariant{
		{
			Check: "posts", Name: "story-end", Holds: "A story ends.", Cost: Hourly, Table: "stories", Broken: `julianday(t.expires) IS NULL`,
			Mend: mendByStatements(`UPDATE stories SET expires = strftime('%Y-%m-%d %H:%M:%fZ', created, '+1 day') WHERE id IN @ids`),
		},
		{
			Check: "posts", Name: "story-day", Holds: "A story is shown for a day.", Cost: Hourly, Table: "stories", Warns: true,
			Broken: `julianday(t.expires) > julianday(t.created) + 1.01`, WhyNotRepaired: "a superuser may have meant it: set expires",
		},
		{
			Check: "posts", Name: "story-visibility", Holds: "A story is public or for followers.", Cost: Hourly, Table: "stories",
			Broken: `t.visibility NOT IN ('public', 'followers')`, Mend: mendByStatements(`UPDATE stories SET visibility = 'followers' WHERE id IN @ids`),
		},
		{
			Check: "posts", Name: "gone-id", On: "stories", Holds: "What is there is not remembered as gone.", Cost: Hourly, Table: "stories", Broken: goneIDCondition, Mend: forgetGone,
		},
		{
			Check: "posts", Name: "report-state", Holds: "A report is open, upheld or dismissed.", Cost: Hourly, Table: "reports",
			Broken: `t.state NOT IN ('open', 'upheld', 'dismissed')`, Mend: mendByStatements(`UPDATE reports SET state = 'open' WHERE id IN @ids`),
		},
	}
}
