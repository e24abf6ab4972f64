package listing

import (
	"github.com/pocketbase/pocketbase/core"
)

// What the templates' columns need beside the record. By itself SQLite would take the unique index of follows and read
// the table for each row; the two indexes named here contain the state, and have all rows of the viewer side by side.
const (
	joinLikes   = " LEFT JOIN likes _l ON _l.post = _p.id AND _l.user = {:me}"
	joinFollows = " LEFT JOIN follows _out INDEXED BY idx_follows_out ON _out.follower = {:me} AND _out.followee = _u.id" +
		" LEFT JOIN follows _in INDEXED BY idx_follows_in ON _in.followee = {:me} AND _in.follower = _u.id"
)

// postTemplate returns the template of a posts record _p as the viewer {:me} sees it, with its author _u if author is
// set. It returns false when a field is one that only PocketBase can write.
func postTemplate(posts, users *core.Collection, author bool) (*template, bool) {
	all, ok := recordFields(posts, "_p")
	if !ok {
		return nil, false
	}
	all = append(all,
		jsonField{name: "liked", appendTo: appendNextValue(appendQuoted), columns: []string{"coalesce(_l.id, '')"}},
		jsonField{name: "saved", appendTo: appendNextValue(appendQuoted), columns: []string{
			"iif(" + existsSQL("saves WHERE user = {:me}") + ", coalesce((SELECT s.id FROM saves s WHERE s.user = {:me} AND s.post = _p.id), ''), '')"}})
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
	return objectTemplate(append(all, jsonField{name: "relationship", appendTo: appendRelationship, columns: []string{
		"coalesce(_out.state, '')", "coalesce(_in.state, '')",
		existsSQL("blocks WHERE blocker = {:me}") + " AND " + existsSQL("blocks WHERE blocker = {:me} AND blocked = _u.id"),
		existsSQL("mutes WHERE muter = {:me}") + " AND " + existsSQL("mutes WHERE muter = {:me} AND muted = _u.id AND post = '' AND (until = '' OR until > {:now})"),
	}})), ok
}

// existsSQL returns the SQL of whether there is such a row. When it depends on {:me} alone, SQLite evaluates it once
// for the whole page, so that a viewer who blocks, mutes or saves nothing pays nothing for it.
func existsSQL(from string) string { return "EXISTS (SELECT 1 FROM " + from + ")" }

func appendRelationship(out []byte, r *rowValues) []byte {
	mine, theirs := r.nextValue(), r.nextValue()
	for _, m := range []struct {
		name string
		is   bool
	}{
		{`{"following":`, mine == "accepted"}, {`,"requested":`, mine == "pending"}, {`,"followsMe":`, theirs == "accepted"},
		{`,"blocking":`, r.nextValue() == "1"}, {`,"muting":`, r.nextValue() == "1"},
	} {
		out = append(out, m.name...)
		if m.is {
			out = append(out, "true"...)
		} else {
			out = append(out, "false"...)
		}
	}
	return append(out, '}')
}

// expandField returns the "expand" field of a record with one relation expanded.
func expandField(name string, t *template) jsonField {
	return jsonField{name: core.FieldNameExpand, nested: objectTemplate([]jsonField{{name: name, nested: t}})}
}
