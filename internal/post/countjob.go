package post

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/sweep"
	"github.com/doubletap/doubletap/internal/visibility"
)

// maxCountedByTrigger is how many public posts a trigger counts itself when their account is opened or closed.
const maxCountedByTrigger = 50

// Counting counts the hashtags of the posts of an account, the subject's user, anew. A step counts what the account is at its moment; each
// change of the account has a job of its own.
var Counting = sweep.Work{Kind: "hashtags.count", Parts: []sweep.Part{{
	From:   `posts WHERE author = {:user} AND visibility = 'public' AND hidden = 0 AND id > {:after}`,
	Order:  `ORDER BY id`,
	Weight: 25, // each has up to 30 hashtags
	Do: func(tx core.App, on sweep.Subject, ids []string) error {
		_, err := db.Exec(tx, `UPDATE post_tags SET counted = u.open FROM (SELECT `+visibility.OpenAccountSQL("o")+` AS open FROM users o WHERE o.id = {:u}) u
			WHERE post IN (SELECT value FROM json_each({:posts})) AND counted != u.open`, db.Params{"u": on["user"], "posts": db.JSONList(ids)})
		on["after"] = ids[len(ids)-1]
		return err
	},
}}}

// EnqueueCount stores a job that recounts the hashtags of an account that was opened or closed, if it has too many
// posts for the trigger. The job has no dedupe key: one that is running may already be past posts that this change is
// about.
func EnqueueCount(tx core.App, user string) error {
	var posts int
	if _, err := db.QueryValue(tx, &posts, `SELECT publicPosts FROM users WHERE id = {:u}`, db.Params{"u": user}); err != nil {
		return fmt.Errorf("count the public posts of %s: %w", user, err)
	}
	if posts <= maxCountedByTrigger {
		return nil
	}
	return job.Enqueue(tx, Counting.Kind, sweep.Subject{"user": user})
}
