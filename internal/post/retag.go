package post

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/fault"
	"doubletap/internal/job"
	"doubletap/internal/text"
)

// RetagJob is the kind of the job that gives posts the hashtags that their captions carry by the rules of now.
const RetagJob = "hashtags.retag"

// lookedAt is how many posts the job looks at in a statement.
const lookedAt = 100

// captioned is a post, and the names of the hashtags that it has, as JSON.
type captioned struct {
	ID      string `db:"id"`
	Caption string `db:"caption"`
	Created string `db:"created"`
	Tags    string `db:"tags"`
}

// Retag does the job. Posts whose hashtags are right already cost a look outside of any transaction.
func Retag(ctx context.Context, app core.App, _ *job.Job) error {
	if err := Folding.Finish(ctx, app, nil); err != nil { // or each post with a hashtag of before would differ
		return err
	}
	var failures []error
	for after, more := "", true; more; {
		var posts []captioned
		err := db.All(app, &posts, `SELECT p.id, p.caption, p.created, (SELECT json_group_array(h.name) FROM post_tags t JOIN hashtags h ON h.id = t.tag WHERE t.post = p.id) tags
			FROM posts p WHERE p.id > {:after} ORDER BY p.id LIMIT {:n}`, db.Params{"after": after, "n": lookedAt})
		if err != nil {
			return fmt.Errorf("read captions after post %q: %w", after, err)
		}
		if more = len(posts) == lookedAt; more {
			after = posts[lookedAt-1].ID
		}
		_, err = db.InSteps(ctx, app, slices.DeleteFunc(posts, captioned.isTagged), retag)
		if failures = append(failures, err); ctx.Err() != nil || errors.Is(err, db.ErrStopping) || fault.Passing(err) {
			break
		}
	}
	return errors.Join(failures...)
}

// isTagged reports whether the post has the hashtags that its caption carries.
func (c captioned) isTagged() bool {
	var has []string
	_ = json.Unmarshal([]byte(c.Tags), &has) // SQLite wrote it
	carries := text.Hashtags(c.Caption)
	slices.Sort(has)
	slices.Sort(carries)
	return slices.Equal(has, carries)
}

// retag gives posts their hashtags. Who edited a caption meanwhile has tagged the post.
func retag(tx core.App, posts []captioned) error {
	for _, p := range posts {
		var caption string
		there, err := db.Value(tx, &caption, `SELECT caption FROM posts WHERE id = {:id}`, db.Params{"id": p.ID})
		if err != nil {
			return fmt.Errorf("read the caption of post %s: %w", p.ID, err)
		}
		if !there || caption != p.Caption {
			continue
		}
		if err := tag(tx, p.ID, caption, p.Created); err != nil {
			return err
		}
	}
	return nil
}

// String implements fmt.Stringer, for errors.
func (c captioned) String() string { return "post " + c.ID }
