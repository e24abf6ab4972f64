package reconcile

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/feed"
	"github.com/doubletap/doubletap/internal/sweep"
)

// notSweptCondition is the SQL condition that leaves out rows that a job is removing in steps.
const notSweptCondition = `t.viewer NOT IN ` + sweep.PendingIDs + ` AND t.author NOT IN ` + sweep.PendingIDs + `
	AND NOT EXISTS (SELECT 1 FROM jobs WHERE kind = 'feed.unwanted' AND state IN ('ready', 'running') AND json_extract(payload, '$.viewer') = t.viewer)`

// notErasedCondition is the SQL condition that leaves out rows of people who are being erased, which are deleted in
// steps.
const notErasedCondition = `NOT EXISTS (SELECT 1 FROM users WHERE id IN (t.viewer, t.author) AND state = 'deleting')`

func feedInvariants() []*Invariant {
	return []*Invariant{
		{
			Check: "feed", Name: "feed-author", Holds: "A feed row names the author of its post.", Cost: DoctorOnly, Table: "posts",
			Broken: `EXISTS (SELECT 1 FROM feed f WHERE f.post = t.id AND f.author != t.author)`,
			Mend:   mendByStatements(`UPDATE feed AS f SET author = p.author FROM posts p WHERE p.id = f.post AND p.id IN @ids AND f.author != p.author`),
		},
		{
			Check: "feed", Name: "feed-follow", Holds: "A feed has posts of those whom its viewer follows, and their own.", Cost: Hourly, Table: "feed", Values: []string{"viewer", "author"},
			Broken: `t.viewer != t.author AND NOT EXISTS (SELECT 1 FROM follows WHERE follower = t.viewer AND followee = t.author AND state = 'accepted') AND ` + notErasedCondition + ` AND ` + notSweptCondition,
			Mend:   mendByDelete("feed"),
		},
		{
			Check: "feed", Name: "feed-private", Holds: "Only its author's feed has a private post.", Cost: Hourly, Table: "posts", Warns: true, // reading leaves it out
			Broken: `t.visibility = 'private' AND EXISTS (SELECT 1 FROM feed f WHERE f.post = t.id AND f.viewer != t.author AND NOT f.gone)`,
			// the rows come back by themselves when the post is public again; a row that its viewer hid must stay, or
			// the post would come back
			Mend: mendByStatements(`DELETE FROM feed WHERE post IN @ids AND NOT gone AND viewer != (SELECT author FROM posts p WHERE p.id = feed.post)`),
		},
		{
			// a post is missing too after its author has muted it and the mute has ended
			Check: "feed", Name: "feed-own", Holds: "A post is in its author's feed, as far as that reaches.", Cost: Hourly, Table: "posts", Warns: true,
			Broken: feedReaches("t.author", "t.created") + ` AND NOT EXISTS (SELECT 1 FROM feed f WHERE f.viewer = t.author AND f.post = t.id)
				AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.muter = t.author AND (m.muted = t.author OR m.post = t.id))
				AND EXISTS (SELECT 1 FROM users u WHERE u.id = t.author AND u.state != 'deleting') AND ` + noJobCondition(feed.FanOutWork.Kind, "post", "t.id"),
			Mend: mendEach(func(tx core.App, id string) error { return feed.RestorePost(tx, id, false) }),
		},
		{
			// posts are missing too after a mute has ended
			Check: "feed", Name: "feed-followers", Holds: "A post of the last 7 days is in the feeds of those who followed its author.", Cost: Hourly, Table: "posts", Warns: true,
			Broken: `t.created > {:recent} AND t.visibility != 'private' AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = t.author AND (u.celebrity OR u.state = 'deleting'))
				AND ` + noJobCondition(feed.FanOutWork.Kind, "post", "t.id") + `
				AND EXISTS (SELECT 1 FROM follows f WHERE f.followee = t.author AND f.state = 'accepted' AND f.updated < t.created
					AND NOT EXISTS (SELECT 1 FROM feed r WHERE r.viewer = f.follower AND r.post = t.id) AND ` + feedReaches("f.follower", "t.created") + `
					AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.muter = f.follower AND (m.muted = t.author OR m.post = t.id)))`,
			Mend: mendEach(func(tx core.App, id string) error { return feed.RestorePost(tx, id, true) }),
		},
	}
}

// feedReaches returns the SQL condition that the viewer's feed goes back to the time at: it has an older row.
func feedReaches(viewer, at string) string {
	return fmt.Sprintf(`%s > (SELECT k.at FROM feed k WHERE k.viewer = %s ORDER BY k.at, k.post LIMIT 1)`, at, viewer)
}
