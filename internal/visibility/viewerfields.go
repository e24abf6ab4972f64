package visibility

import (
	"fmt"
	"strconv"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
)

// ViewerField is a field that is added to a record for the one who looks at it.
type ViewerField struct {
	Name  string
	About string // for the description of the API
	sql   func(viewer, row string) string
}

// SQL returns the field's value, for the viewer and the row whose ids are given as SQL.
func (f ViewerField) SQL(viewer, row string) string { return f.sql(viewer, row) }

// PostFields are added to posts. Each is the id of the viewer's own edge to the post, or empty. Their statement has
// PostJoins.
var PostFields = []ViewerField{
	{"liked", "the id of the caller's like, or empty", func(_, _ string) string { return "coalesce([[_l.id]], '')" }},
	{"saved", "the id of the caller's save, or empty", func(viewer, post string) string {
		return "iif(" + anySQL("saves", "user", viewer) + ", coalesce((SELECT [[_s.id]] FROM {{saves}} {{_s}} WHERE [[_s.user]] = " + viewer + " AND [[_s.post]] = " + post + "), ''), '')"
	}},
}

// PostJoins returns the joins that PostFields read.
func PostJoins(viewer, post string) string {
	return " LEFT JOIN {{likes}} {{_l}} ON [[_l.post]] = " + post + " AND [[_l.user]] = " + viewer
}

// RelationshipName is the field that is added to users: an object of RelationshipFields.
const RelationshipName = "relationship"

// RelationshipFields are what is between the viewer and another user. Each is 1 or 0. Their statement has
// RelationshipJoins.
var RelationshipFields = []ViewerField{
	{Name: "following", sql: func(_, _ string) string { return "[[_out.state]] IS 'accepted'" }},
	{Name: "requested", sql: func(_, _ string) string { return "[[_out.state]] IS 'pending'" }},
	{Name: "followsMe", sql: func(_, _ string) string { return "[[_in.state]] IS 'accepted'" }},
	{Name: "blocking", sql: func(viewer, user string) string {
		return anySQL("blocks", "blocker", viewer) + " AND " + BlocksSQL(viewer, user)
	}},
	{Name: "muting", sql: func(viewer, user string) string {
		return anySQL("mutes", "muter", viewer) + " AND " + MutesUserSQL(viewer, user)
	}},
}

// anySQL is true when the viewer has any row in the table.
func anySQL(table, column, viewer string) string {
	return ExistsSQL("{{" + table + "}} WHERE [[" + column + "]] = " + viewer)
}

// ExistsSQL is true when there is such a row. When it depends on a parameter alone, SQLite evaluates it once for a whole
// page, so that a viewer who blocks, mutes or saves nothing pays nothing for it.
func ExistsSQL(from string) string { return "EXISTS (SELECT 1 FROM " + from + ")" }

// RelationshipJoins returns the joins that RelationshipFields read. By itself SQLite would take the unique index of
// follows and read the table for each row; two indexes contain the state, and have all rows of the viewer side by side.
// With withIndexes they are named, and the statement fails where they are missing.
func RelationshipJoins(viewer, user string, withIndexes bool) string {
	out, in := "", ""
	if withIndexes {
		out, in = " INDEXED BY idx_follows_out", " INDEXED BY idx_follows_in"
	}
	return " LEFT JOIN {{follows}} {{_out}}" + out + " ON [[_out.follower]] = " + viewer + " AND [[_out.followee]] = " + user +
		" LEFT JOIN {{follows}} {{_in}}" + in + " ON [[_in.followee]] = " + viewer + " AND [[_in.follower]] = " + user
}

// PostEdges are the values of PostFields.
type PostEdges []string

// Relationship is the values of RelationshipFields.
type Relationship []bool

// MarshalJSON implements json.Marshaler.
func (r Relationship) MarshalJSON() ([]byte, error) {
	text := []byte("{")
	for i, field := range RelationshipFields {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(strconv.AppendQuote(text, field.Name), ':')
		text = strconv.AppendBool(text, i < len(r) && r[i])
	}
	return append(text, '}'), nil
}

// ReadPostEdges returns, by post, the viewer's edges to each of the posts.
func ReadPostEdges(app core.App, viewer string, posts []string) (map[string]PostEdges, error) {
	return readViewerFields[PostEdges](app, PostFields, "{:one}", "each_.value", PostJoins("{:one}", "each_.value"), db.Params{"one": viewer, "ids": db.JSONList(posts)})
}

// ReadPostEdgesByUser returns, by user, the edges of each of the users to one post.
func ReadPostEdgesByUser(app core.App, post string, users []string) (map[string]PostEdges, error) {
	return readViewerFields[PostEdges](app, PostFields, "each_.value", "{:one}", PostJoins("each_.value", "{:one}"), db.Params{"one": post, "ids": db.JSONList(users)})
}

// ReadRelationships returns, by user, the viewer's relationship to each of the users.
func ReadRelationships(app core.App, viewer string, users []string, now string) (map[string]Relationship, error) {
	return readViewerFields[Relationship](app, RelationshipFields, "{:one}", "each_.value", RelationshipJoins("{:one}", "each_.value", false),
		db.Params{"one": viewer, "ids": db.JSONList(users), "now": now})
}

// ReadRelationshipsByViewer returns, by viewer, the relationship of each of the viewers to one user.
func ReadRelationshipsByViewer(app core.App, user string, viewers []string, now string) (map[string]Relationship, error) {
	return readViewerFields[Relationship](app, RelationshipFields, "each_.value", "{:one}", RelationshipJoins("each_.value", "{:one}", false),
		db.Params{"one": user, "ids": db.JSONList(viewers), "now": now})
}

// readViewerFields reads the fields for each of the ids, which are viewers or rows.
func readViewerFields[Values ~[]Value, Value any](app core.App, fields []ViewerField, viewer, row, joins string, params db.Params) (map[string]Values, error) {
	var id string
	statement, values, columns := "SELECT each_.value", make(Values, len(fields)), []any{&id}
	for i, field := range fields {
		statement += ", " + field.SQL(viewer, row)
		columns = append(columns, &values[i])
	}
	found := map[string]Values{}
	err := db.QueryEach(app, statement+" FROM json_each({:ids}) each_"+joins, params, func() {
		found[id] = append(Values{}, values...)
	}, columns...)
	if err != nil {
		return nil, fmt.Errorf("read %s and what else is added for viewers: %w", fields[0].Name, err)
	}
	return found, nil
}
