// Package guard keeps clients from changing what belongs to the service: silently, and in every spelling of a request,
// since it looks at the record and not at the request.
package guard

import (
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/edgeid"
)

// OwnerFields is, by collection, the field that says whose a row is; a client may leave it out.
var OwnerFields = map[string]string{
	"likes": "user", "comment_likes": "user", "saves": "user", "devices": "user",
	"posts": "author", "comments": "author", "follows": "follower", "blocks": "blocker", "mutes": "muter", "reports": "reporter",
	"stories": "author", "story_views": "viewer",
}

// ClientChoosesID reports whether a client may choose the id of what it creates in a collection, so that it can tell a
// repeated try, whose first answer was lost, from a new record.
func ClientChoosesID(collection string) bool {
	return collection == "posts" || collection == "comments"
}

// serverFields are the fields that the service sets. Superusers may set them, other clients may not.
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

// serverFieldsOnCreate are further fields, which a client may change later but not choose at first.
var serverFieldsOnCreate = map[string][]string{"follows": {"state"}}

// derivedFields are the fields that follow from other rows. Nobody sets them.
var derivedFields = map[string][]string{
	"users":         {"postsCount", "publicPosts", "followersCount", "followingCount", "celebrity"},
	"posts":         {"likesCount", "commentsCount"},
	"comments":      {"likesCount", "repliesCount"},
	"hashtags":      {"postsCount"},
	"post_tags":     {"counted"},
	"settings":      {"seq"},
	"notifications": {"actorsCount", "groupKey"},
}

// RestoreServerFields sets the fields that no client may set back to what they were.
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

// ClientMaySet reports whether a client that is no superuser may choose the value of the field.
func ClientMaySet(collection, field string, creating bool) bool {
	if field == core.FieldNameId && slices.Contains(ServiceCollections, collection) && !ClientChoosesID(collection) {
		return false
	}
	return !slices.Contains(serverFieldsOf(collection, creating), field) && ServerMaySet(collection, field) &&
		(creating || !slices.Contains(edgeid.Ends[collection], field) && field != OwnerFields[collection])
}

// ServerMaySet reports whether Go code, or a superuser, may choose the value of the field.
func ServerMaySet(collection, field string) bool {
	return !slices.Contains(derivedFields[collection], field)
}

// RestoreDerived sets the fields that nobody may set, and an edge's ends, back to what they were.
func RestoreDerived(record *core.Record) {
	name := record.Collection().Name
	restoreFields(record, derivedFields[name])
	if !record.IsNew() {
		restoreFields(record, edgeid.Ends[name])
	}
}

func restoreFields(record *core.Record, fields []string) {
	if len(fields) == 0 {
		return
	}
	original := record.Original()
	if record.IsNew() {
		original = core.NewRecord(record.Collection()) // a copy made in Go takes over nothing of its original
	}
	for _, field := range fields {
		record.SetRaw(field, original.GetRaw(field))
	}
}

// SetDefault sets the field if it is empty. Call it after RestoreServerFields, so that a superuser's value stays.
func SetDefault(record *core.Record, field, value string) {
	if record.GetString(field) == "" {
		record.Set(field, value)
	}
}
