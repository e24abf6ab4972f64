package main

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"

	"doubletap/bench/schema"
)

// visible is the rule that a tutorial writes for private accounts: a walk over relations. %s is the path to the author.
const (
	signedIn = `@request.auth.id != ""`
	posts    = signedIn + ` && (author.private = false || author = @request.auth.id || author.follows_via_followee.follower ?= @request.auth.id)`
	onPost   = ` && (post.author.private = false || post.author = @request.auth.id || post.author.follows_via_followee.follower ?= @request.auth.id)`
)

func init() {
	m.Register(func(app core.App) error {
		if err := schema.OpenUsers(app, &core.BoolField{Name: "private"}); err != nil {
			return err
		}
		err := schema.Create(app, "follows", schema.Rules{
			See:    signedIn,
			Create: signedIn + ` && follower = @request.auth.id`,
			Remove: `follower = @request.auth.id`,
		}, []string{
			schema.Unique("follows", "`follower`, `followee`"),
			schema.Index("follows", "`followee`"),
		}, schema.Relation(app, "follower", "users"), schema.Relation(app, "followee", "users"))
		if err != nil {
			return err
		}
		err = schema.Create(app, "posts", schema.Rules{
			See:    posts,
			Create: signedIn + ` && author = @request.auth.id`,
			Remove: `author = @request.auth.id`,
		}, []string{
			schema.Index("posts", "`author`"),
			schema.Index("posts", "`created`"),
		},
			schema.Relation(app, "author", "users"), schema.Photo("photo"), &core.TextField{Name: "caption"},
			schema.Count("likesCount"), schema.Count("commentsCount"))
		if err != nil {
			return err
		}
		err = schema.Create(app, "likes", schema.Rules{
			See:    signedIn,
			Create: signedIn + ` && user = @request.auth.id` + onPost,
			Remove: `user = @request.auth.id`,
		}, []string{
			schema.Unique("likes", "`post`, `user`"),
			schema.Index("likes", "`user`"),
		}, schema.Relation(app, "post", "posts"), schema.Relation(app, "user", "users"))
		if err != nil {
			return err
		}
		err = schema.Create(app, "comments", schema.Rules{
			See:    signedIn + onPost,
			Create: signedIn + ` && author = @request.auth.id` + onPost,
			Remove: `author = @request.auth.id`,
		}, []string{
			schema.Index("comments", "`post`"),
			schema.Index("comments", "`author`"),
		}, schema.Relation(app, "post", "posts"), schema.Relation(app, "author", "users"), &core.TextField{Name: "text", Required: true})
		if err != nil {
			return err
		}
		return schema.Create(app, "notifications", schema.Rules{
			See: `recipient = @request.auth.id`,
		}, []string{
			schema.Index("notifications", "`recipient`"),
			schema.Index("notifications", "`actor`"),
			schema.Index("notifications", "`post`"),
		},
			schema.Relation(app, "recipient", "users"), schema.Relation(app, "actor", "users"), schema.Relation(app, "post", "posts"),
			&core.SelectField{Name: "type", Values: []string{"like", "comment"}, MaxSelect: 1}, &core.BoolField{Name: "read"})
	}, nil)
}
