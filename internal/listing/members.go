package listing

import (
	"github.com/pocketbase/pocketbase/core"
)

// What the templates' columns need beside the record. SQLite would take the unique index of follows and look into the table
// for each row; these two have the state, and all that is mine side by side.
const (
	likes   = " LEFT JOIN likes _l ON _l.post = _p.id AND _l.user = {:me}"
	follows = " LEFT JOIN follows _out INDEXED BY idx_follows_out ON _out.follower = {:me} AND _out.followee = _u.id" +
		" LEFT JOIN follows _in INDEXED BY idx_follows_in ON _in.followee = {:me} AND _in.follower = _u.id"
)

// post is the template of a posts record _p as me sees it, perhaps with its author _u.
func post(posts, users *core.Collection, author bool) (*template, bool) {
	all, ok := members(posts, "_p")
	if !ok {
		return nil, false
	}
	all = append(all,
		member{name: "liked", fill: value(quote), columns: []string{"coalesce(_l.id, '')"}},
		member{name: "saved", fill: value(quote), columns: []string{
			"iif(" + exists("saves WHERE user = {:me}") + ", coalesce((SELECT s.id FROM saves s WHERE s.user = {:me} AND s.post = _p.id), ''), '')"}})
	if author {
		u, ok := user(users)
		if !ok {
			return nil, false
		}
		all = append(all, expand("author", u))
	}
	return object(all), true
}

// user is the template of a users record _u as me sees it.
func user(users *core.Collection) (*template, bool) {
	all, ok := members(users, "_u")
	return object(append(all, member{name: "relationship", fill: relationship, columns: []string{
		"coalesce(_out.state, '')", "coalesce(_in.state, '')",
		exists("blocks WHERE blocker = {:me}") + " AND " + exists("blocks WHERE blocker = {:me} AND blocked = _u.id"),
		exists("mutes WHERE muter = {:me}") + " AND " + exists("mutes WHERE muter = {:me} AND muted = _u.id AND post = '' AND (until = '' OR until > {:now})"),
	}})), ok
}

// exists asks for a row. Where it is only of me, SQLite asks once for the whole page, so that who blocks, mutes and
// saves nothing pays nothing for it.
func exists(from string) string { return "EXISTS (SELECT 1 FROM " + from + ")" }

func relationship(out []byte, r *row) []byte {
	mine, theirs := r.next(), r.next()
	for _, m := range []struct {
		name string
		is   bool
	}{
		{`{"following":`, mine == "accepted"}, {`,"requested":`, mine == "pending"}, {`,"followsMe":`, theirs == "accepted"},
		{`,"blocking":`, r.next() == "1"}, {`,"muting":`, r.next() == "1"},
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

// expand is the member of a record with one relation expanded.
func expand(name string, t *template) member {
	return member{name: core.FieldNameExpand, inside: object([]member{{name: name, inside: t}})}
}
