package main

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"

	"github.com/doubletap/doubletap/bench/schema"
)

// A post has its own private field, so that no rule has to join its author; only the author sees a private post. That
// is less than Doubletap's visibility, and cheaper.
const (
	signedIn = `@request.auth.id != ""`
	onPost   = signedIn + ` && post.private = false`
)

func init() {
	m.Register(func(app core.App) error {
		if err := schema.OpenUsersCollection(app); err != nil {
			return err
		}
		err := schema.CreateCollection(app, "follows", schema.Rules{
			See:    signedIn,
			Create: signedIn + ` && follower = @request.auth.id`,
			Remove: `follower = @request.auth.id`,
		}, []string{
			schema.UniqueIndexDDL("follows", "`follower`, `followee`"),
			schema.IndexDDL("follows", "`followee`"),
		}, schema.RelationField(app, "follower", "users"), schema.RelationField(app, "followee", "users"))
		if err != nil {
			return err
		}
		err = schema.CreateCollection(app, "posts", schema.Rules{
			See:    signedIn + ` && (private = false || author = @request.auth.id)`,
			Create: signedIn + ` && author = @request.auth.id`,
			Remove: `author = @request.auth.id`,
		}, []string{
			schema.IndexDDL("posts", "`author`, `created` DESC"),
			schema.IndexDDL("posts", "`created` DESC"),
		},
			schema.RelationField(app, "author", "users"), schema.PhotoField("photo"), &core.TextField{Name: "caption"},
			&core.BoolField{Name: "private"}, schema.CountField("likesCount"), schema.CountField("commentsCount"))
		if err != nil {
			return err
		}
		err = schema.CreateCollection(app, "likes", schema.Rules{
			See:    signedIn,
			Create: onPost + ` && user = @request.auth.id`,
			Remove: `user = @request.auth.id`,
		}, []string{
			schema.UniqueIndexDDL("likes", "`post`, `user`"),
			schema.IndexDDL("likes", "`user`"),
		}, schema.RelationField(app, "post", "posts"), schema.RelationField(app, "user", "users"))
		if err != nil {
			return err
		}
		err = schema.CreateCollection(app, "comments", schema.Rules{
			See:    onPost,
			Create: onPost + ` && author = @request.auth.id`,
			Remove: `author = @request.auth.id`,
		}, []string{
			schema.IndexDDL("comments", "`post`, `created`"),
			schema.IndexDDL("comments", "`author`"),
		}, schema.RelationField(app, "post", "posts"), schema.RelationField(app, "author", "users"), &core.TextField{Name: "text", Required: true})
		if err != nil {
			return err
		}
		err = schema.CreateCollection(app, "notifications", schema.Rules{
			See: `recipient = @request.auth.id`,
		}, []string{
			schema.IndexDDL("notifications", "`recipient`, `created` DESC"),
			schema.IndexDDL("notifications", "`actor`"),
			schema.IndexDDL("notifications", "`post`"),
		},
			schema.RelationField(app, "recipient", "users"), schema.RelationField(app, "actor", "users"), schema.RelationField(app, "post", "posts"),
			&core.SelectField{Name: "type", Values: []string{"like", "comment"}, MaxSelect: 1}, &core.BoolField{Name: "read"})
		if err != nil {
			return err
		}
		for _, c := range []struct{ from, column string }{{"likes", "likesCount"}, {"comments", "commentsCount"}} {
			for when, row := range map[string]string{"INSERT": "NEW", "DELETE": "OLD"} {
				by := map[string]string{"INSERT": "+", "DELETE": "-"}[when]
				_, err := app.DB().NewQuery(fmt.Sprintf("CREATE TRIGGER count_%s_%s AFTER %s ON %s BEGIN UPDATE posts SET %s = %s %s 1 WHERE id = %s.post; END",
					c.from, when, when, c.from, c.column, c.column, by, row)).Execute()
				if err != nil {
					return err
				}
			}
		}
		return nil
	}, nil)
}
