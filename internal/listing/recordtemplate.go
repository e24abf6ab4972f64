package listing

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/visibility"
)

// postTemplate returns the template of a posts record _p as the viewer {:me} sees it, with its author _u if author is
// set. It returns false when a field is one that only PocketBase can write.
func postTemplate(posts, users *core.Collection, author bool) (*template, bool) {
	all, ok := recordFields(posts, "_p")
	if !ok {
		return nil, false
	}
	for _, field := range visibility.PostFields {
		all = append(all, jsonField{name: field.Name, appendTo: appendNextValue(appendQuoted), columns: []string{field.SQL("{:me}", "_p.id")}})
	}
	if author {
		u, ok := userTemplate(users)
		if !ok {
			return nil, false
		}
		all = append(all, expandField("author", u))
	}
	return objectTemplate(all), true
}

// userTemplate returns the template of a users record _u as the viewer {:me} sees it, or false like postTemplate.
func userTemplate(users *core.Collection) (*template, bool) {
	all, ok := recordFields(users, "_u")
	relationship := make([]jsonField, len(visibility.RelationshipFields))
	for i, field := range visibility.RelationshipFields {
		relationship[i] = jsonField{name: field.Name, appendTo: appendNextValue(appendBool), columns: []string{field.SQL("{:me}", "_u.id")}}
	}
	return objectTemplate(append(all, jsonField{name: visibility.RelationshipName, nested: orderedTemplate(relationship)})), ok
}

// The joins that the viewer's fields of posts _p and users _u need.
var (
	joinLikes   = visibility.PostJoins("{:me}", "_p.id")
	joinFollows = visibility.RelationshipJoins("{:me}", "_u.id", true)
)

// expandField returns the "expand" field of a record with one relation expanded.
func expandField(name string, t *template) jsonField {
	return jsonField{name: core.FieldNameExpand, nested: objectTemplate([]jsonField{{name: name, nested: t}})}
}
