package listing

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/visibility"
)

// postTemplate returns the template of a posts record _p that the rule shows, as the viewer {:me} sees it, with its
// author _u if author is set.
func (m *planMaker) postTemplate(rule *string, author bool) *template {
	all := m.recordFields(m.posts, "_p")
	for _, field := range visibility.PostFields {
		all = append(all, jsonField{name: field.Name, appendTo: appendNextValue(appendQuoted), columns: []string{field.SQL("{:me}", "_p.id")}})
	}
	if author {
		all = append(all, expandField("author", m.userTemplate(), m.authorShownSQL(rule)))
	}
	return objectTemplate(all)
}

// userTemplate returns the template of a users record _u as the viewer {:me} sees it.
func (m *planMaker) userTemplate() *template {
	relationship := make([]jsonField, len(visibility.RelationshipFields))
	for i, field := range visibility.RelationshipFields {
		relationship[i] = jsonField{name: field.Name, appendTo: appendNextValue(appendBool), columns: []string{field.SQL("{:me}", "_u.id")}}
	}
	return objectTemplate(append(m.recordFields(m.users, "_u"), jsonField{name: visibility.RelationshipName, nested: orderedTemplate(relationship)}))
}

// The joins that the viewer's fields of posts _p and users _u need.
var (
	joinLikes   = visibility.PostJoins("{:me}", "_p.id")
	joinFollows = visibility.RelationshipJoins("{:me}", "_u.id", true)
)

// expandField returns the "expand" field of a record with one relation, which is expanded where the condition holds.
// All of it is one value of the record's, with separators of its own.
func expandField(name string, related *template, shown string) jsonField {
	head := append(appendQuoted([]byte("{"), name), ':')
	return jsonField{
		name:    core.FieldNameExpand,
		columns: []string{"iif(" + shown + ", " + related.rowTextSQL() + ", '')"},
		nesting: related.nesting + 1,
		appendTo: func(out []byte, r *rowValues) []byte {
			text := r.nextValue()
			if text == "" {
				return append(out, "{}"...)
			}
			return append(related.appendRow(append(out, head...), text, nil), '}')
		},
	}
}
