package main

import (
	"fmt"

	"github.com/doubletap/doubletap/bench/stored"
)

// printRows prints as JSON what is stored, to be compared with what was acknowledged.
func printRows(j toolJob) error {
	db, err := openReadOnly(j.file)
	if err != nil {
		return err
	}
	defer db.Close()
	// Doubletap groups likes in a notification; PocketBase's subjects have a notification for each like.
	notified, groups := `SELECT count(*) FROM notifications WHERE type = 'like'`, `SELECT 0`
	if j.kind == "doubletap" {
		notified = `SELECT count(*) FROM notification_events WHERE type = 'like' AND active`
		groups = `SELECT count(*) FROM notifications n WHERE n.actorsCount != (SELECT count(*) FROM notification_events e WHERE e.notification = n.id AND e.active)`
	}
	var r stored.Rows
	for _, q := range []struct {
		n    *int
		sql  string
		args []any
	}{
		{n: &r.Likes, sql: `SELECT count(*) FROM likes`},
		{n: &r.LikesCounted, sql: `SELECT coalesce(sum(likesCount), 0) FROM posts`},
		{n: &r.LikesWrong, sql: `SELECT count(*) FROM posts p WHERE p.likesCount != (SELECT count(*) FROM likes l WHERE l.post = p.id)`},
		{n: &r.NotifiedLikes, sql: notified},
		{n: &r.GroupsWrong, sql: groups},
		{n: &r.Comments, sql: `SELECT count(*) FROM comments`},
		{n: &r.CommentsTotal, sql: `SELECT coalesce(sum(commentsCount), 0) FROM posts`},
		{n: &r.Posts, sql: `SELECT count(*) FROM posts`},
		{n: &r.Tray, sql: `SELECT count(*) FROM notifications WHERE type = 'like' AND post = ?`, args: []any{j.post}},
	} {
		if err := db.QueryRow(q.sql, q.args...).Scan(q.n); err != nil {
			return fmt.Errorf("%s: %w", q.sql, err)
		}
	}
	return printJSON(r)
}
