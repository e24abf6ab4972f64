package post

import (
	"context"
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/account"
	"doubletap/internal/db"
	"doubletap/internal/job"
	"doubletap/internal/sweep"
)

// CountJob is the kind of the job that counts the hashtags of an account's posts anew, in steps.
const CountJob = "hashtags.count"

// countedAtOnce is how many public posts a trigger counts itself when their account is opened or closed; countedInStep is how
// many a step of the job does, each with up to 30 hashtags.
const (
	countedAtOnce = 50
	countedInStep = 15
)

type countPayload struct {
	User string `json:"user"`
}

// CountTags lets a job count the hashtags of an account that was opened or closed, where these are too many for the trigger. The job
// has no Dedupe: one that runs may be past posts that this change is about.
func CountTags(tx core.App, user string) error {
	var posts int
	if _, err := db.Value(tx, &posts, `SELECT publicPosts FROM users WHERE id = {:u}`, db.Params{"u": user}); err != nil {
		return fmt.Errorf("count the public posts of %s: %w", user, err)
	}
	if posts <= countedAtOnce {
		return nil
	}
	return job.Add(tx, CountJob, countPayload{user})
}

// CountTagsOf does the job. A step counts what the account is at its moment; each change of the account has a job of its own.
func CountTagsOf(ctx context.Context, app core.App, j *job.Job) error {
	var p countPayload
	if err := j.Payload(&p); err != nil {
		return job.Bury(err)
	}
	after := ""
	err := sweep.Steps(ctx, app, func(tx core.App) (done bool, err error) {
		last, more, err := countStep(tx, p.User, after)
		db.AfterCommit(tx, func() { after = last })
		return !more, err
	})
	if err != nil {
		return fmt.Errorf("count the hashtags of %s: %w", p.User, err)
	}
	return nil
}

// countStep counts the hashtags of some posts behind the post after, and returns the last of these.
func countStep(tx core.App, user, after string) (last string, more bool, err error) {
	var ids []string
	err = db.Column(tx, &ids, `SELECT id FROM posts WHERE author = {:u} AND visibility = 'public' AND hidden = 0 AND id > {:after} ORDER BY id LIMIT {:n}`,
		db.Params{"u": user, "after": after, "n": countedInStep})
	if err != nil || len(ids) == 0 {
		return after, false, err
	}
	_, err = db.Exec(tx, `UPDATE post_tags SET counted = u.open FROM (SELECT state = {:active} AND NOT private AS open FROM users WHERE id = {:u}) u
		WHERE post IN (SELECT value FROM json_each({:posts})) AND counted != u.open`, db.Params{"u": user, "active": account.Active, "posts": db.List(ids)})
	return ids[len(ids)-1], len(ids) == countedInStep, err
}
