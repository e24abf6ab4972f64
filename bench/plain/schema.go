package main

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"

	"github.com/doubletap/doubletap/bench/schema"
)

// visiblePosts is the rule that a tutorial writes for private accounts: it follows relations. onVisiblePost is the
// same for records that belong to a post.
const (
	signedIn      = `@request.auth.id != ""`
	visiblePosts  = signedIn + ` && (author.private = false || author = @request.auth.id || author.follows_via_followee.follower ?= @request.auth.id)`
	onVisiblePost = ` && (post.author.private = false || post.author = @request.auth.id || post.author.follows_via_followee.follower ?= @request.auth.id)`
)

func init() {
	m.Register(func(app core.App) error {
		if err := schema.OpenUsersCollection(app, &core.BoolField{Name: "private"}); err != nil {
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
			See:    visiblePosts,
			Create: signedIn + ` && author = @request.auth.id`,
			Remove: `author = @request.auth.id`,
		}, []string{
			schema.IndexDDL("posts", "`author`"),
			schema.IndexDDL("posts", "`created`"),
		},
			schema.RelationField(app, "author", "users"), schema.PhotoField("photo"), &core.TextField{Name: "caption"},
			schema.CountField("likesCount"), schema.CountField("commentsCount"))
		if err != nil {
			return err
		}
		err = schema.CreateCollection(app, "likes", schema.Rules{
			See:    signedIn,
			Create: signedIn + ` && user = @request.auth.id` + onVisiblePost,
			Remove: `user = @request.auth.id`,
		}, []string{
			schema.UniqueIndexDDL("likes", "`post`, `user`"),
			schema.IndexDDL("likes", "`user`"),
		}, schema.RelationField(app, "post", "posts"), schema.RelationField(app, "user", "users"))
		if err != nil {
			return err
		}
		err = schema.CreateCollection(app, "comments", schema.Rules{
			See:    signedIn + onVisiblePost,
			Create: signedIn + ` && author = @request.auth.id` + onVisiblePost,
			Remove: `author = @request.auth.id`,
		}, []string{
			schema.IndexDDL("comments", "`post`"),
			schema.IndexDDL("comments", "`author`"),
		}, schema.RelationField(app, "post", "posts"), schema.RelationField(app, "author", "users"), &core.TextField{Name: "text", Required: true})
		if err != nil {
			return err
		}
		return schema.CreateCollection(app, "notifications", schema.Rules{
			See: `recipient = @request.auth.id`,
		}, []string{
			schema.IndexDDL("notifications", "`recipient`"),
			schema.IndexDDL("notifications", "`actor`"),
			schema.IndexDDL("notifications", "`post`"),
		},
			schema.RelationField(app, "recipient", "users"), schema.RelationField(app, "actor", "users"), schema.RelationField(app, "post", "posts"),
			&core.SelectField{Name: "type", Values: []string{"like", "comment"}, MaxSelect: 1}, &core.BoolField{Name: "read"})
	}, nil)
}
