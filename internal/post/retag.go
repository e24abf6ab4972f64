package post

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/job"
	"doubletap/internal/text"
)

// RetagJob is the kind of the job that gives posts the hashtags that their captions carry by the rules of now.
const RetagJob = "hashtags.retag"

// What the job does at once: posts that it looks at in a statement, and how long it writes in a transaction.
const (
	lookedAt    = 100
	retaggedFor = 5 * time.Millisecond
)

// captioned is a post, and the names of the hashtags that it has, as JSON.
type captioned struct {
	ID      string `db:"id"`
	Caption string `db:"caption"`
	Created string `db:"created"`
	Tags    string `db:"tags"`
}

// Retag does the job. Posts whose hashtags are right already cost a look outside of any transaction.
func Retag(ctx context.Context, app core.App, j *job.Job) error {
	if err := FoldTags(ctx, app, j); err != nil { // or each post with a hashtag of before would differ
		return err
	}
	for after, more := "", true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var posts []captioned
		err := db.All(app, &posts, `SELECT p.id, p.caption, p.created, (SELECT json_group_array(h.name) FROM post_tags t JOIN hashtags h ON h.id = t.tag WHERE t.post = p.id) tags
			FROM posts p WHERE p.id > {:after} ORDER BY p.id LIMIT {:n}`, db.Params{"after": after, "n": lookedAt})
		if err != nil {
			return fmt.Errorf("read captions after post %q: %w", after, err)
		}
		if more = len(posts) == lookedAt; more {
			after = posts[lookedAt-1].ID
		}
		posts = slices.DeleteFunc(posts, captioned.isTagged)
		for len(posts) > 0 {
			if posts, err = retagSome(app, posts); err != nil {
				return err
			}
		}
	}
	return nil
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

// retagSome gives posts their hashtags as long as one transaction may take, and returns those that are left. Who edited a caption
// meanwhile has tagged the post.
func retagSome(app core.App, posts []captioned) (left []captioned, err error) {
	err = app.RunInTransaction(func(tx core.App) error {
		left = posts
		for began := time.Now(); len(left) > 0 && time.Since(began) < retaggedFor; left = left[1:] {
			var caption string
			there, err := db.Value(tx, &caption, `SELECT caption FROM posts WHERE id = {:id}`, db.Params{"id": left[0].ID})
			if err != nil {
				return fmt.Errorf("read the caption of post %s: %w", left[0].ID, err)
			}
			if !there || caption != left[0].Caption {
				continue
			}
			if err := tag(tx, left[0].ID, caption, left[0].Created); err != nil {
				return err
			}
		}
		return nil
	})
	return left, err
}
