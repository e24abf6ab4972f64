// Package guard keeps what belongs to the service out of clients' hands: silently, in
// every spelling, since it looks at the record and not at the request.
package guard

import (
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/edge"
)

// Owners names the field of each collection that says whose a row is; a client may leave it out.
var Owners = map[string]string{
	"likes": "user", "comment_likes": "user", "saves": "user", "devices": "user",
	"posts": "author", "comments": "author", "follows": "follower", "blocks": "blocker", "mutes": "muter", "reports": "reporter",
	"stories": "author", "story_views": "viewer",
}

// server are the fields that the service sets; superusers may, other clients may not.
var server = map[string][]string{
	"users":         {"state", "role"},
	"posts":         {"hidden", "media"},
	"comments":      {"deleted"},
	"settings":      {"readAt"},
	"notifications": {"recipient", "type", "actors", "post", "comment", "latestAt", "seq"},
	"reports":       {"state", "resolution"},
	"stories":       {"expires"},
	"devices":       {"lastSeen"},
}

// onCreate are further ones that a client may change later but not choose at first.
var onCreate = map[string][]string{"follows": {"state"}}

// derived are the fields that follow from other rows: nobody sets them.
var derived = map[string][]string{
	"users":         {"postsCount", "followersCount", "followingCount", "celebrity"},
	"posts":         {"likesCount", "commentsCount"},
	"comments":      {"likesCount", "repliesCount"},
	"hashtags":      {"postsCount"},
	"settings":      {"seq"},
	"notifications": {"actorsCount", "groupKey"},
}

// Keep puts the fields that no client may set back to what they were.
func Keep(record *core.Record) {
	name := record.Collection().Name
	fields := server[name]
	if record.IsNew() {
		fields = slices.Concat(fields, onCreate[name])
	}
	restore(record, fields)
}

// Derive puts the fields that nobody may set back to what they were, and an edge's ends.
func Derive(record *core.Record) {
	name := record.Collection().Name
	restore(record, derived[name])
	if !record.IsNew() {
		restore(record, edge.Ends[name])
	}
}

func restore(record *core.Record, fields []string) {
	original := record.Original()
	for _, field := range fields {
		record.SetRaw(field, original.GetRaw(field))
	}
}

// Default fills an empty field; call it after Keep, so that a superuser's value stays.
func Default(record *core.Record, field, value string) {
	if record.GetString(field) == "" {
		record.Set(field, value)
	}
}
