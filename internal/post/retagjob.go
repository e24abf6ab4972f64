package post

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/words"
)

// RetagJob is the kind of the job that gives posts the hashtags that their captions have by the present rules.
const RetagJob = "hashtags.retag"

// retagPageSize is how many posts the job looks at in a statement.
const retagPageSize = 100

// captionedPost is a post with its caption and, as JSON, the names of the hashtags that it has.
type captionedPost struct {
	ID      string `db:"id"`
	Caption string `db:"caption"`
	Created string `db:"created"`
	Tags    string `db:"tags"`
}

// RunRetagJob does the job. Posts whose hashtags are right already cost a look outside of any transaction.
func RunRetagJob(ctx context.Context, app core.App, _ *job.Job) error {
	if err := Folding.Finish(ctx, app, nil); err != nil { // or each post with a hashtag of before would differ
		return err
	}
	var failures []error
	for after, more := "", true; more; {
		var posts []captionedPost
		err := db.QueryAll(app, &posts, `SELECT p.id, p.caption, p.created, (SELECT json_group_array(h.name) FROM post_tags t JOIN hashtags h ON h.id = t.tag WHERE t.post = p.id) tags
			FROM posts p WHERE p.id > {:after} ORDER BY p.id LIMIT {:n}`, db.Params{"after": after, "n": retagPageSize})
		if err != nil {
			return fmt.Errorf("read captions after post %q: %w", after, err)
		}
		if more = len(posts) == retagPageSize; more {
			after = posts[retagPageSize-1].ID
		}
		_, err = db.RunInSteps(ctx, app, slices.DeleteFunc(posts, captionedPost.hasItsHashtags), retag)
		if failures = append(failures, err, ctx.Err()); ctx.Err() != nil || errors.Is(err, db.ErrStopping) || fault.IsTransient(err) {
			break
		}
	}
	return errors.Join(failures...)
}

// hasItsHashtags reports whether the post's hashtags are exactly those in its caption.
func (c captionedPost) hasItsHashtags() bool {
	var has []string
	_ = json.Unmarshal([]byte(c.Tags), &has) // SQLite wrote it
	carries := words.Hashtags(c.Caption)
	slices.Sort(has)
	slices.Sort(carries)
	return slices.Equal(has, carries)
}

// retag gives posts their hashtags. Who edited a caption meanwhile has tagged the post.
func retag(tx core.App, posts []captionedPost) error {
	for _, p := range posts {
		var caption string
		there, err := db.QueryValue(tx, &caption, `SELECT caption FROM posts WHERE id = {:id}`, db.Params{"id": p.ID})
		if err != nil {
			return fmt.Errorf("read the caption of post %s: %w", p.ID, err)
		}
		if !there || caption != p.Caption {
			continue
		}
		if err := storeHashtags(tx, p.ID, caption, p.Created); err != nil {
			return err
		}
	}
	return nil
}

// String implements fmt.Stringer, for errors.
func (c captionedPost) String() string { return "post " + c.ID }
