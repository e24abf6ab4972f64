// Package feed keeps each person's home feed ready to be read: a row for each post
// of each account they follow, and their own.
package feed

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
	"doubletap/internal/db"
	"doubletap/internal/inbox"
	"doubletap/internal/job"
)

const (
	// FirstReached followers get a post in its own transaction, the rest in jobs.
	FirstReached = 500
	chunk        = 1000 // followers that one step of a job reaches
	backfilled   = 20   // newest posts that a new follower gets
	// Kept is how many rows a viewer's feed keeps.
	Kept = 800
)

// The kinds of the feed's jobs.
const (
	FanoutJob = "feed.fanout"
	TrimJob   = "feed.trim"
)

// insert is the head of every statement that adds rows; a row that is there, hidden or not, stays.
const insert = `INSERT INTO feed (id, viewer, post, author, at, gone, created, updated) `

// kept tells whether viewer v wants posts of p's author and p itself.
const wanted = ` AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.muter = %s AND (m.until = '' OR m.until > {:now}) AND (m.muted = p.author OR m.post = p.id))`

// Fanout is the payload of a FanoutJob: the post, and the follow after which to go on.
type Fanout struct {
	Post  string `json:"post"`
	After string `json:"after"`
}

// Posted puts a new post into its author's feed and into those of the first followers; a job reaches the rest.
func Posted(tx core.App, post *core.Record) error {
	_, err := spread(tx, insert+`SELECT `+db.NewID+`, p.author, p.id, p.author, p.created, 0, {:now}, {:now} FROM posts p WHERE p.id = {:post}`,
		db.Params{"post": post.Id, "now": clock.Stamp(tx)})
	if err != nil {
		return fmt.Errorf("put post %s into its author's feed: %w", post.Id, err)
	}
	return Reach(tx, Fanout{Post: post.Id}, FirstReached)
}

// Reach puts a post into the feeds of up to most followers behind f.After and leaves a job for those
// behind them. An author with the celebrity mark is not fanned out: see Missing.
func Reach(tx core.App, f Fanout, most int) error {
	var last struct {
		ID    string `db:"id"`
		Count int    `db:"count"`
	}
	params := db.Params{"post": f.Post, "after": f.After, "n": most, "now": clock.Stamp(tx), "id": db.NewIDs()}
	const followers = `SELECT f.id, f.follower FROM posts p JOIN users u ON u.id = p.author JOIN follows f ON f.followee = p.author
		WHERE p.id = {:post} AND p.visibility != 'private' AND NOT u.celebrity AND f.state = 'accepted' AND f.id > {:after} ORDER BY f.id LIMIT {:n}`
	if _, err := db.One(tx, &last, `SELECT coalesce(max(id), '') id, count(*) count FROM (`+followers+`)`, params); err != nil {
		return fmt.Errorf("find followers of the author of post %s: %w", f.Post, err)
	}
	if last.Count == 0 {
		return nil
	}
	_, err := spread(tx, insert+`SELECT `+db.NextID+`, v.follower, p.id, p.author, p.created, 0, {:now}, {:now}
		FROM (`+followers+`) v JOIN posts p ON p.id = {:post} WHERE 1`+fmt.Sprintf(wanted, "v.follower"), params)
	if err != nil {
		return fmt.Errorf("put post %s into feeds: %w", f.Post, err)
	}
	if last.Count < most {
		return nil
	}
	return job.Add(tx, FanoutJob, Fanout{Post: f.Post, After: last.ID}, job.Dedupe(f.Post+"/"+last.ID))
}

// ReachChunk is the FanoutJob's work: one chunk of followers and, in the same transaction, the job for the next.
func ReachChunk(tx core.App, f Fanout) error { return Reach(tx, f, chunk) }

// Backfill gives viewer the author's newest posts.
func Backfill(tx core.App, viewer, author string) error {
	_, err := spread(tx, insert+`SELECT `+db.NewID+`, {:viewer}, p.id, p.author, p.created, 0, {:now}, {:now}
		FROM (SELECT * FROM posts WHERE author = {:author} AND visibility != 'private' ORDER BY created DESC LIMIT {:n}) p
		WHERE 1`+fmt.Sprintf(wanted, "{:viewer}"),
		db.Params{"viewer": viewer, "author": author, "n": backfilled, "now": clock.Stamp(tx)})
	if err != nil {
		return fmt.Errorf("backfill feed of %s with %s: %w", viewer, author, err)
	}
	return nil
}

// Remove takes the author's posts out of the viewer's feed.
func Remove(tx core.App, viewer, author string) error {
	return withdraw(tx, `viewer = {:viewer} AND author = {:author}`, db.Params{"viewer": viewer, "author": author})
}

// RemovePost takes one post out of the viewer's feed.
func RemovePost(tx core.App, viewer, post string) error {
	return withdraw(tx, `viewer = {:viewer} AND post = {:post}`, db.Params{"viewer": viewer, "post": post})
}

// PostGone takes a post out of every feed.
func PostGone(tx core.App, post string) error {
	return withdraw(tx, `post = {:post}`, db.Params{"post": post})
}

// Hide takes a row out of its viewer's sight; it stays, so that the post does not come back.
func Hide(tx core.App, row *core.Record) error {
	if _, err := db.Exec(tx, `UPDATE feed SET gone = 1 WHERE id = {:id}`, db.Params{"id": row.Id}); err != nil {
		return fmt.Errorf("hide feed row %s: %w", row.Id, err)
	}
	inbox.FeedRemoved(tx, []inbox.FeedRow{{ID: row.Id, Viewer: row.GetString("viewer")}})
	return nil
}

func spread(tx core.App, statement string, params db.Params) (int, error) {
	var rows []inbox.FeedRow
	if err := db.All(tx, &rows, statement+` ON CONFLICT DO NOTHING RETURNING id, viewer`, params); err != nil {
		return 0, err
	}
	inbox.FeedAdded(tx, rows)
	return len(rows), nil
}

func withdraw(tx core.App, condition string, params db.Params) error {
	var rows []inbox.FeedRow
	if err := db.All(tx, &rows, `DELETE FROM feed WHERE `+condition+` RETURNING id, viewer`, params); err != nil {
		return fmt.Errorf("remove from feeds: %w", err)
	}
	inbox.FeedRemoved(tx, rows)
	return nil
}
