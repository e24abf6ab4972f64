// Package erase removes a person and what they left behind, a chunk at a time, so that nobody waits
// for it.
package erase

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/inbox"
	"doubletap/internal/notification"
)

// Job is the kind of the job that erases an account.
const Job = "account.erase"

// Payload says whom a Job erases.
type Payload struct {
	User string `json:"user"`
}

// The sizes of a step: rows that statements delete, and records that go one by one with
// their hooks and files.
const (
	rows    = 2000
	records = 25
)

// Step erases one chunk of what the user left, edges first, and reports whether
// nothing but the account itself is left. Call it until it does, each time in a transaction.
func Step(tx core.App, user string) (done bool, err error) {
	for _, step := range []func(core.App, string) (int64, error){edges, forget, comments, posts, stories, remains} {
		n, err := step(tx, user)
		if err != nil {
			return false, fmt.Errorf("erase %s: %w", user, err)
		}
		if n > 0 {
			return false, nil
		}
	}
	return true, nil
}

// edges are what ties the user to others: they go in the first chunk.
func edges(tx core.App, user string) (int64, error) {
	var total int64
	p := db.Params{"u": user, "n": rows}
	var liked []string
	err := db.Column(tx, &liked, `DELETE FROM likes WHERE id IN (SELECT id FROM likes WHERE user = {:u} LIMIT {:n}) RETURNING post`, p)
	if err != nil {
		return 0, err
	}
	for _, post := range liked {
		inbox.Touched(tx, post)
	}
	total += int64(len(liked))
	for _, edge := range []struct{ table, condition string }{
		{"follows", "follower = {:u}"}, {"follows", "followee = {:u}"},
		{"blocks", "blocker = {:u}"}, {"blocks", "blocked = {:u}"},
		{"mutes", "muter = {:u}"}, {"mutes", "muted = {:u}"},
		{"comment_likes", "user = {:u}"}, {"saves", "user = {:u}"}, {"devices", "user = {:u}"},
		{"story_views", "viewer = {:u}"},
		{"feed", "viewer = {:u}"}, {"feed", "author = {:u}"},
		{"notifications", "recipient = {:u}"}, {"retractions", "recipient = {:u}"}, {"notification_events", "recipient = {:u}"},
	} {
		n, err := db.Exec(tx, `DELETE FROM `+edge.table+` WHERE id IN (SELECT id FROM `+edge.table+` WHERE `+edge.condition+` LIMIT {:n})`, p)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", edge.table, err)
		}
		total += n
	}
	return total, nil
}

// forget takes the user's doings out of other people's trays.
func forget(tx core.App, user string) (int64, error) {
	return notification.Forget(tx, user, rows)
}

func comments(tx core.App, user string) (int64, error) {
	return each(tx, "comments", "author = {:u}", user)
}

func posts(tx core.App, user string) (int64, error) {
	return each(tx, "posts", "author = {:u}", user)
}

func stories(tx core.App, user string) (int64, error) {
	return each(tx, "stories", "author = {:u}", user)
}

// remains are rows that stay without the person.
func remains(tx core.App, user string) (int64, error) {
	var total int64
	for _, field := range []struct{ table, column string }{{"reports", "reporter"}, {"reports", "user"}, {"orders", "user"}} {
		if !tx.HasTable(field.table) {
			continue
		}
		n, err := db.Exec(tx, `UPDATE `+field.table+` SET `+field.column+` = '' WHERE `+field.column+` = {:u}`, db.Params{"u": user})
		if err != nil {
			return 0, fmt.Errorf("%s: %w", field.table, err)
		}
		total += n
	}
	return total, nil
}

func each(tx core.App, collection, condition, user string) (int64, error) {
	found := []*core.Record{}
	err := tx.RecordQuery(collection).AndWhere(dbx.NewExp(condition, dbx.Params{"u": user})).Limit(records).All(&found)
	if err != nil {
		return 0, err
	}
	for _, record := range found {
		if err := tx.Delete(record); err != nil {
			return 0, fmt.Errorf("delete %s %s: %w", collection, record.Id, err)
		}
	}
	return int64(len(found)), nil
}
