// Package feed keeps each person's home feed ready to be read: a row for each post of each account they follow, and
// for their own posts.
package feed

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/inbox"
	"github.com/doubletap/doubletap/internal/sweep"
)

const (
	backfillCount = 20 // newest posts of an author that a new follower's feed gets
	// MaxRows is how many rows of a viewer's feed TrimWork leaves.
	MaxRows = 800
)

// TrimJobKind is the kind of the job that cuts feeds that are too long.
const TrimJobKind = "feed.trim"

// insertHead begins every statement that adds rows. A row that exists already, hidden or not, stays as it is.
const insertHead = `INSERT INTO feed (id, viewer, post, author, at, gone, created, updated) `

// wantedCondition is true when the viewer, whose SQL replaces %s, mutes neither the author of the post p nor p itself.
const wantedCondition = ` AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.muter = %s AND (m.until = '' OR m.until > {:now}) AND (m.muted = p.author OR m.post = p.id))`

// FanOutWork puts a post, the subject's, into the feeds of its author's followers behind the follow after. An author with the
// celebrity mark is not fanned out: see missing.
var FanOutWork = sweep.Work{Kind: "feed.fanout", Parts: []sweep.Part{{Do: fanOutStep, Key: "f.id", Order: `ORDER BY f.id`,
	From: `posts p JOIN users u ON u.id = p.author JOIN follows f ON f.followee = p.author
		WHERE p.id = {:post} AND p.visibility != 'private' AND NOT u.celebrity AND f.state = 'accepted' AND f.id > {:after}`}}}

// FanOutPost puts a new post into its author's feed and into those of the first followers; a job does the others.
func FanOutPost(tx core.App, post *core.Record) error {
	_, err := insertRows(tx, insertHead+`SELECT `+db.NewIDSQL+`, p.author, p.id, p.author, p.created, 0, {:now}, {:now} FROM posts p WHERE p.id = {:post}`,
		db.Params{"post": post.Id, "now": clock.Timestamp(tx)})
	if err != nil {
		return fmt.Errorf("put post %s into its author's feed: %w", post.Id, err)
	}
	return FanOutWork.Begin(tx, sweep.Subject{"post": post.Id, "after": ""})
}

func fanOutStep(tx core.App, on sweep.Subject, follows []string) error {
	params := on.SQLParams(tx)
	params["id"], params["follows"] = db.NewIDPrefix(), db.JSONList(follows)
	_, err := insertRows(tx, insertHead+`SELECT `+db.NextIDSQL+`, v.follower, p.id, p.author, p.created, 0, {:now}, {:now}
		FROM follows v JOIN posts p ON p.id = {:post} WHERE v.id IN (SELECT value FROM json_each({:follows}))`+fmt.Sprintf(wantedCondition, "v.follower"), params)
	if err != nil {
		return fmt.Errorf("put post %s into feeds: %w", on["post"], err)
	}
	on["after"] = follows[len(follows)-1]
	return nil
}

// Backfill adds the author's newest posts to the feed of viewer.
func Backfill(tx core.App, viewer, author string) error {
	_, err := insertRows(tx, insertHead+`SELECT `+db.NewIDSQL+`, {:viewer}, p.id, p.author, p.created, 0, {:now}, {:now}
		FROM (SELECT * FROM posts WHERE author = {:author} AND visibility != 'private' ORDER BY created DESC LIMIT {:n}) p
		WHERE 1`+fmt.Sprintf(wantedCondition, "{:viewer}"),
		db.Params{"viewer": viewer, "author": author, "n": backfillCount, "now": clock.Timestamp(tx)})
	if err != nil {
		return fmt.Errorf("backfill feed of %s with %s: %w", viewer, author, err)
	}
	return nil
}

// UnwantedWork takes an author's posts out of the feed of a viewer who follows them no more or has muted them; the
// subject names both.
var UnwantedWork = sweep.Work{Kind: "feed.unwanted", Parts: []sweep.Part{removalPart(`viewer = {:viewer} AND author = {:author}
	AND (NOT EXISTS (SELECT 1 FROM follows WHERE follower = {:viewer} AND followee = {:author} AND state = 'accepted')
		OR EXISTS (SELECT 1 FROM mutes WHERE muter = {:viewer} AND muted = {:author} AND (until = '' OR until > {:now})))`)}}

// RestorePost puts a post back into its author's feed and, with followers, into the feeds of all who followed the
// author when it was made. It adds the row only where it is missing, and where the feed reaches back to the time of
// the post.
func RestorePost(tx core.App, post string, followers bool) error {
	params := db.Params{"post": post, "now": clock.Timestamp(tx), "id": db.NewIDPrefix()}
	viewers := `SELECT p.author viewer FROM posts p WHERE p.id = {:post}`
	if followers {
		viewers += ` UNION ALL SELECT f.follower FROM posts p JOIN follows f ON f.followee = p.author WHERE p.id = {:post} AND p.visibility != 'private' AND f.state = 'accepted' AND f.updated < p.created`
	}
	_, err := insertRows(tx, insertHead+`SELECT `+db.NextIDSQL+`, v.viewer, p.id, p.author, p.created, 0, {:now}, {:now} FROM (`+viewers+`) v JOIN posts p ON p.id = {:post}
		WHERE NOT EXISTS (SELECT 1 FROM feed WHERE viewer = v.viewer AND post = p.id)
		AND p.created > (SELECT at FROM feed WHERE viewer = v.viewer ORDER BY at, post LIMIT 1)`+
		fmt.Sprintf(wantedCondition, "v.viewer"), params)
	if err != nil {
		return fmt.Errorf("put post %s into the feeds that lack it: %w", post, err)
	}
	return nil
}

// RemoveAuthor takes the author's posts out of the viewer's feed. Call it after the follow was removed or the mute
// added.
func RemoveAuthor(tx core.App, viewer, author string) error {
	return UnwantedWork.Begin(tx, sweep.Subject{"viewer": viewer, "author": author})
}

// RemovePost takes one post out of the viewer's feed.
func RemovePost(tx core.App, viewer, post string) error {
	return deleteRows(tx, `viewer = {:viewer} AND post = {:post}`, db.Params{"viewer": viewer, "post": post})
}

// PostRemovalPart takes a post that was deleted, whose id is the subject's, out of every feed.
var PostRemovalPart = removalPart(`post = {:id}`)

// HideRow hides a row from its viewer. It stays stored, so that the post does not come back.
func HideRow(tx core.App, row *core.Record) error {
	if _, err := db.Exec(tx, `UPDATE feed SET gone = 1 WHERE id = {:id}`, db.Params{"id": row.Id}); err != nil {
		return fmt.Errorf("hide feed row %s: %w", row.Id, err)
	}
	inbox.FeedRowsRemoved(tx, []inbox.FeedRow{{ID: row.Id, Viewer: row.GetString("viewer")}})
	return nil
}

func insertRows(tx core.App, statement string, params db.Params) (int, error) {
	var rows []inbox.FeedRow
	if err := db.QueryAll(tx, &rows, statement+` ON CONFLICT DO NOTHING RETURNING id, viewer`, params); err != nil {
		return 0, err
	}
	inbox.FeedRowsAdded(tx, rows)
	return len(rows), nil
}

func removalPart(condition string) sweep.Part {
	return sweep.Part{From: `feed WHERE (` + condition + `)`, Do: func(tx core.App, _ sweep.Subject, ids []string) error {
		return deleteRows(tx, `id IN (SELECT value FROM json_each({:ids}))`, db.Params{"ids": db.JSONList(ids)})
	}}
}

func deleteRows(tx core.App, condition string, params db.Params) error {
	var rows []inbox.FeedRow
	err := db.QueryAll(tx, &rows, `DELETE FROM feed WHERE `+condition+` RETURNING id, viewer`, params)
	if err != nil {
		return fmt.Errorf("remove from feeds: %w", err)
	}
	inbox.FeedRowsRemoved(tx, rows)
	return nil
}
