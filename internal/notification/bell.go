package notification

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/graph"
	"doubletap/internal/job"
	"doubletap/internal/rule"
)

// RingJob is the kind of the job that tells of a new post those who asked for it by follows.notify.
const RingJob = "notification.ring"

// Ring is the payload of a RingJob: the post, and the follow after which to go on.
type Ring struct {
	Post  string `json:"post"`
	After string `json:"after"`
}

// ringStep is how many are told in one transaction, some milliseconds.
const ringStep = 20

// belled are the follows of people who want to hear of the posts of author {:author}.
const belled = ` FROM follows f WHERE f.followee = {:author} AND f.state = '` + graph.Accepted + `' AND f.notify`

// Posted leaves a job to tell of a new post, if anybody asked to be told of its author's.
func Posted(tx core.App, post *core.Record) error {
	var one int
	asked, err := db.Value(tx, &one, `SELECT 1`+belled+` LIMIT 1`, db.Params{"author": post.GetString("author")})
	if err != nil {
		return fmt.Errorf("look who asked for posts of %s: %w", post.GetString("author"), err)
	}
	if !asked {
		return nil
	}
	return job.Add(tx, RingJob, Ring{Post: post.Id}, job.Dedupe(post.Id))
}

// TellFollowers tells the next of those who asked for the posts of the post's author, and leaves a job in the same transaction
// for those behind them. A post that is gone is told to nobody, and who may not see it is not told.
func TellFollowers(tx core.App, r Ring) error {
	var author string
	found, err := db.Value(tx, &author, `SELECT author FROM posts WHERE id = {:post}`, db.Params{"post": r.Post})
	if err != nil {
		return fmt.Errorf("find the author of post %s: %w", r.Post, err)
	}
	if !found {
		return nil
	}
	var follows []struct {
		ID       string `db:"id"`
		Follower string `db:"follower"`
	}
	err = db.All(tx, &follows, `SELECT f.id, f.follower`+belled+` AND f.id > {:after} ORDER BY f.id LIMIT {:n}`,
		db.Params{"author": author, "after": r.After, "n": ringStep})
	if err != nil {
		return fmt.Errorf("find who asked for posts of %s: %w", author, err)
	}
	for _, f := range follows {
		r.After = f.ID
		sees, err := rule.SeesPost(tx, f.Follower, r.Post)
		if err != nil {
			return fmt.Errorf("ask whether %s sees post %s: %w", f.Follower, r.Post, err)
		}
		if !sees {
			continue
		}
		if err := tell(tx, &Notice{Recipient: f.Follower, Actor: author, Type: Post, Subject: author, Post: r.Post}); err != nil {
			return err
		}
	}
	if len(follows) < ringStep {
		return nil
	}
	return job.Add(tx, RingJob, r, job.Dedupe(r.Post+"/"+r.After))
}

// showFormer makes a group that shows a post which is gone show its author's newest other post since it began, if there is
// one. The hour is for the job that began it, which may have been late.
func showFormer(tx core.App, post, author string, g group) (bool, error) {
	var former string
	found, err := db.Value(tx, &former, `SELECT o.id FROM notifications n JOIN posts o ON o.author = {:author} AND o.id != {:post}
			AND o.created > strftime('%Y-%m-%d %H:%M:%fZ', n.created, '-1 hour') AND o.visibility != 'private' AND NOT o.hidden
		WHERE n.id = {:id} ORDER BY o.created DESC LIMIT 1`, db.Params{"post": post, "author": author, "id": g.ID})
	if err != nil || !found {
		return false, err
	}
	if _, err := db.Exec(tx, `UPDATE notifications SET post = {:former} WHERE id = {:id}`, db.Params{"former": former, "id": g.ID}); err != nil {
		return false, fmt.Errorf("show post %s instead of %s: %w", former, post, err)
	}
	return true, regroup(tx, g.Recipient, g.ID)
}
