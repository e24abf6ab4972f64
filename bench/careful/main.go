// Careful is the best app that we know how to write with PocketBase alone: no totals that nobody reads, counters by
// SQL triggers, one transaction for what belongs together, no joins in rules. The benchmark's headline ratios compare
// with it.
package main

import (
	"log"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
)

func main() {
	app := pocketbase.New()
	app.OnRecordCreateExecute("likes").BindFunc(func(e *core.RecordEvent) error {
		return storeAndNotify(e, e.Record.GetString("user"), "like")
	})
	app.OnRecordCreateExecute("comments").BindFunc(func(e *core.RecordEvent) error {
		return storeAndNotify(e, e.Record.GetString("author"), "comment")
	})
	app.OnRecordsListRequest("posts").BindFunc(addLikedField)
	if err := app.Start(); err != nil {
		log.Fatal(err)
	}
}

// storeAndNotify stores the event's row and its notification together. The row was validated before, so that the
// write lock is held only for the writes; the notification needs no validation, as this code made it.
func storeAndNotify(e *core.RecordEvent, actor, kind string) error {
	app := e.App
	defer func() { e.App = app }()
	return app.RunInTransaction(func(tx core.App) error {
		e.App = tx
		if err := e.Next(); err != nil {
			return err
		}
		var author string
		post := e.Record.GetString("post")
		if err := tx.DB().Select("author").From("posts").Where(dbx.HashExp{"id": post}).Row(&author); err != nil {
			return err
		}
		if author == actor {
			return nil
		}
		notifications, err := tx.FindCachedCollectionByNameOrId("notifications")
		if err != nil {
			return err
		}
		notification := core.NewRecord(notifications)
		notification.SetRaw("recipient", author)
		notification.SetRaw("actor", actor)
		notification.SetRaw("type", kind)
		notification.SetRaw("post", post)
		return tx.SaveNoValidate(notification)
	})
}

// addLikedField adds to the listed posts whether the caller likes them, by one query in the same request. A second
// list request would be empty for most people, and PocketBase slows down empty ones.
func addLikedField(e *core.RecordsListRequestEvent) error {
	if e.Auth == nil || len(e.Records) == 0 {
		return e.Next()
	}
	ids := make([]any, len(e.Records))
	for i, post := range e.Records {
		ids[i] = post.Id
	}
	var rows []struct {
		ID   string `db:"id"`
		Post string `db:"post"`
	}
	err := e.App.DB().Select("id", "post").From("likes").Where(dbx.In("post", ids...)).AndWhere(dbx.HashExp{"user": e.Auth.Id}).All(&rows)
	if err != nil {
		return err
	}
	mine := map[string]string{}
	for _, row := range rows {
		mine[row.Post] = row.ID
	}
	for _, post := range e.Records {
		post.WithCustomData(true)
		post.Set("liked", mine[post.Id])
	}
	return e.Next()
}
