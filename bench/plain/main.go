// Plain is the app that PocketBase's documentation leads to: collections with rules, a hook after each success that
// writes what follows, and default settings. It is one of the subjects that the benchmark compares.
package main

import (
	"log"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
)

func main() {
	app := pocketbase.New()
	app.OnRecordAfterCreateSuccess("likes").BindFunc(func(e *core.RecordEvent) error {
		if err := countAndNotify(e, e.Record.GetString("user"), "like", "likesCount+"); err != nil {
			return err
		}
		return e.Next()
	})
	app.OnRecordAfterCreateSuccess("comments").BindFunc(func(e *core.RecordEvent) error {
		if err := countAndNotify(e, e.Record.GetString("author"), "comment", "commentsCount+"); err != nil {
			return err
		}
		return e.Next()
	})
	if err := app.Start(); err != nil {
		log.Fatal(err)
	}
}

// countAndNotify counts what actor did on the post and notifies the post's author. "likesCount+" is the documented
// way to add to a number; it is resolved against the record in memory, so one of two concurrent ones may be lost.
func countAndNotify(e *core.RecordEvent, actor, kind, count string) error {
	post, err := e.App.FindRecordById("posts", e.Record.GetString("post"))
	if err != nil {
		return err
	}
	post.Set(count, 1)
	if err := e.App.Save(post); err != nil {
		return err
	}
	if post.GetString("author") == actor {
		return nil
	}
	notifications, err := e.App.FindCollectionByNameOrId("notifications")
	if err != nil {
		return err
	}
	notification := core.NewRecord(notifications)
	notification.Set("recipient", post.GetString("author"))
	notification.Set("actor", actor)
	notification.Set("type", kind)
	notification.Set("post", post.Id)
	return e.App.Save(notification)
}
