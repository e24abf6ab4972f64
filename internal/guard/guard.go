// Package guard keeps what belongs to the service out of clients' hands: silently, in
// every spelling, since it looks at the record and not at the request.
package guard

import (
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/edge"
)

// OwnerFields names the field of each collection that says whose a row is; a client may leave it out.
var OwnerFields = map[string]string{
	"likes": "user", "comment_likes": "user", "saves": "user", "devices": "user",
	"posts": "author", "comments": "author", "follows": "follower", "blocks": "blocker", "mutes": "muter", "reports": "reporter",
	"stories": "author", "story_views": "viewer",
}

// ClientChoosesID reports whether a client may choose the id of what it creates in a collection, so that a try whose answer got
// lost can be told from a new one.
func ClientChoosesID(collection string) bool {
	return collection == "posts" || collection == "comments"
}

// serverFields are the fields that the service sets; superusers may, other clients may not.
var serverFields = map[string][]string{
	"users":         {"state", "role"},
	"posts":         {"hidden", "media"},
	"comments":      {"deleted", "hidden"},
	"settings":      {"readAt"},
	"notifications": {"recipient", "type", "actors", "post", "comment", "message", "latestAt", "seq"},
	"reports":       {"state", "resolution"},
	"stories":       {"expires"},
	"devices":       {"lastSeen", "answeredAt", "failingSince"},
}

// serverFieldsOnCreate are further ones that a client may change later but not choose at first.
var serverFieldsOnCreate = map[string][]string{"follows": {"state"}}

// derivedFields are the fields that follow from other rows: nobody sets them.
var derivedFields = map[string][]string{
	"users":         {"postsCount", "publicPosts", "followersCount", "followingCount", "celebrity"},
	"posts":         {"likesCount", "commentsCount"},
	"comments":      {"likesCount", "repliesCount"},
	"hashtags":      {"postsCount"},
	"post_tags":     {"counted"},
	"settings":      {"seq"},
	"notifications": {"actorsCount", "groupKey"},
}

// RestoreServerFields puts the fields that no client may set back to what they were.
func RestoreServerFields(record *core.Record) {
	restoreFields(record, serverFieldsOf(record.Collection().Name, record.IsNew()))
}

func serverFieldsOf(collection string, creating bool) []string {
	fields := serverFields[collection]
	if creating {
		fields = slices.Concat(fields, serverFieldsOnCreate[collection])
	}
	return fields
}

// ClientMaySet reports whether a client that is no superuser may give the field a value of its own.
func ClientMaySet(collection, field string, creating bool) bool {
	if field == core.FieldNameId && slices.Contains(ServiceCollections, collection) && !ClientChoosesID(collection) {
		return false
	}
	return !slices.Contains(serverFieldsOf(collection, creating), field) && ServerMaySet(collection, field) &&
		(creating || !slices.Contains(edge.Ends[collection], field) && field != OwnerFields[collection])
}

// ServerMaySet reports whether Go code, or a superuser, may give the field a value.
func ServerMaySet(collection, field string) bool {
	return !slices.Contains(derivedFields[collection], field)
}

// RestoreDerived puts the fields that nobody may set back to what they were, and an edge's ends.
func RestoreDerived(record *core.Record) {
	name := record.Collection().Name
	restoreFields(record, derivedFields[name])
	if !record.IsNew() {
		restoreFields(record, edge.Ends[name])
	}
}

func restoreFields(record *core.Record, fields []string) {
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

// SetDefault fills an empty field; call it after Keep, so that a superuser's value stays.
func SetDefault(record *core.Record, field, value string) {
	if record.GetString(field) == "" {
		record.Set(field, value)
	}
}
