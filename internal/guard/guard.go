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

// ChoosesID reports whether a client may choose the id of what it creates in a collection, so that a try whose answer got
// lost can be told from a new one.
func ChoosesID(collection string) bool { return collection == "posts" || collection == "comments" }

// server are the fields that the service sets; superusers may, other clients may not.
var server = map[string][]string{
	"users":         {"state", "role"},
	"posts":         {"hidden", "media"},
	"comments":      {"deleted", "hidden"},
	"settings":      {"readAt"},
	"notifications": {"recipient", "type", "actors", "post", "comment", "message", "latestAt", "seq"},
	"reports":       {"state", "resolution"},
	"stories":       {"expires"},
	"devices":       {"lastSeen", "answeredAt", "failingSince"},
}

// onCreate are further ones that a client may change later but not choose at first.
var onCreate = map[string][]string{"follows": {"state"}}

// derived are the fields that follow from other rows: nobody sets them.
var derived = map[string][]string{
	"users":         {"postsCount", "publicPosts", "followersCount", "followingCount", "celebrity"},
	"posts":         {"likesCount", "commentsCount"},
	"comments":      {"likesCount", "repliesCount"},
	"hashtags":      {"postsCount"},
	"post_tags":     {"counted"},
	"settings":      {"seq"},
	"notifications": {"actorsCount", "groupKey"},
}

// Keep puts the fields that no client may set back to what they were.
func Keep(record *core.Record) {
	restore(record, kept(record.Collection().Name, record.IsNew()))
}

func kept(collection string, creating bool) []string {
	fields := server[collection]
	if creating {
		fields = slices.Concat(fields, onCreate[collection])
	}
	return fields
}

// Offers reports whether a client that is no superuser may give the field a value of its own.
func Offers(collection, field string, creating bool) bool {
	if field == core.FieldNameId && slices.Contains(Collections, collection) && !ChoosesID(collection) {
		return false
	}
	return !slices.Contains(kept(collection, creating), field) && MaySet(collection, field) &&
		(creating || !slices.Contains(edge.Ends[collection], field) && field != Owners[collection])
}

// MaySet reports whether Go code, or a superuser, may give the field a value.
func MaySet(collection, field string) bool {
	return !slices.Contains(derived[collection], field)
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
	if len(fields) == 0 {
		return
	}
	original := record.Original()
	if record.IsNew() {
		original = core.NewRecord(record.Collection()) // a copy made in Go brings nothing of what it was copied from
	}
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
