package listing

import (
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
)

const joinTray = " JOIN notifications n ON n.recipient = me.id"

// makeTrayPlan returns the plan of the tray. Post and comment are joined to their row; the actors, up to eight of each
// row, are read by a second statement.
func (m *planMaker) makeTrayPlan(expands string) *pagePlan {
	m.requireOwn(m.notifications.ListRule, "recipient")
	all := m.recordFields(m.notifications, "n")
	p, joins := &pagePlan{}, joinTray
	ofPost, ofComment, actors := "''", "''", "''"
	if expands != "" {
		author := strings.Contains(expands, "post.author")
		p.actor, p.post = m.userTemplate(), m.postTemplate(m.posts.ViewRule, author)
		all = append(all, jsonField{name: core.FieldNameExpand, appendTo: func(out []byte, r *rowValues) []byte { return r.appendExpand(out) }})
		joins += " LEFT JOIN posts _p ON _p.id = n.post LEFT JOIN users _u ON _u.id = _p.author" + viewerJoins(true, author)
		ofPost, actors = "iif(_p.id IS NOT NULL AND "+m.postShownSQL(m.posts.ViewRule)+", "+p.post.rowTextSQL()+", '')", "n.actors"
		p.actorsSQL = "SELECT _u.id, " + p.actor.rowTextSQL() + " FROM json_each({:ids}) JOIN users _u ON _u.id = value" + joinFollows + " WHERE " + m.shownSQL(m.users, m.users.ViewRule, "_u")
	}
	if strings.Contains(expands, "comment") {
		p.comment = objectTemplate(m.recordFields(m.comments, "_c"))
		joins += " LEFT JOIN comments _c ON _c.id = n.comment"
		ofComment = "CASE WHEN _c.post != n.post THEN char(31) WHEN _c.id IS NOT NULL AND " + m.commentShownSQL() + " THEN " + p.comment.rowTextSQL() + " ELSE '' END"
	}
	p.row = objectTemplate(all)
	where := whereMe + m.shownSQL(m.notifications, m.notifications.ListRule, "n")
	for i, cursor := range []string{"", " AND n.latestAt <= {:at} AND (n.latestAt < {:at} OR n.id < {:last})"} {
		p.pageSQL[i] = "SELECT " + p.row.rowTextSQL() + ", " + ofPost + ", " + ofComment + ", " + actors + fromMe + joins + where + cursor + " ORDER BY n.latestAt DESC, n.id DESC LIMIT {:n}"
		p.totalSQL[i] = "SELECT count(*)" + fromMe + joinTray + where + cursor
	}
	return p
}

// trayRow is a row of the tray as it is read.
type trayRow struct {
	text, post, comment string // texts of rows; empty for what the viewer may not see
	actors              []string
}

// appendTray appends itemsHead and the rows of the tray.
func (r *Reader) appendTray(out []byte, p *pagePlan, statement string, params db.Params) ([]byte, error) {
	var (
		rows      []trayRow
		ids       []string
		canonical = true
		row       trayRow
		actors    string
	)
	err := db.QueryEach(r.app, statement, params, func() {
		if p.actor != nil {
			var ok bool
			row.actors, ok = parseWordList(actors)
			canonical = canonical && ok
			ids = append(ids, row.actors...)
		}
		rows = append(rows, row)
	}, &row.text, &row.post, &row.comment, &actors)
	if err != nil || !canonical {
		return append(out, brokenMark), err
	}
	people, err := r.readPeople(p, ids, params)
	if err != nil {
		return out, err
	}
	out = append(out, itemsHead...)
	for _, row := range rows {
		out = p.row.appendRow(out, row.text, func(out []byte) []byte { return p.appendExpand(out, row, people) })
		out = append(out, ',')
	}
	return out, nil
}

// readPeople returns, by id, the JSON of those users whom the viewer may see.
func (r *Reader) readPeople(p *pagePlan, ids []string, params db.Params) (map[string][]byte, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	people := make(map[string][]byte, len(ids))
	unique := ids[:0:0]
	for _, id := range ids {
		if _, known := people[id]; !known {
			people[id] = nil
			unique = append(unique, id)
		}
	}
	slices.Sort(unique) // SQLite finds neighbours in an index faster one after the other
	params["ids"] = db.JSONList(unique)
	var (
		id, text string
		all      []byte
	)
	err := db.QueryEach(r.app, p.actorsSQL, params, func() {
		start := len(all)
		all = p.actor.appendRow(all, text, nil)
		people[id] = all[start:len(all):len(all)]
	}, &id, &text)
	return people, err
}

// appendExpand appends what a row expands: its actors, comment and post, as far as the viewer may see them.
func (p *pagePlan) appendExpand(out []byte, row trayRow, people map[string][]byte) []byte {
	begin, actor := byte('{'), `{"actors":[`
	for _, id := range row.actors {
		if person := people[id]; person != nil {
			out = append(append(out, actor...), person...)
			begin, actor = ',', ","
		}
	}
	if begin == ',' {
		out = append(out, ']')
	}
	for _, one := range []struct {
		name, text string
		*template
	}{{`"comment":`, row.comment, p.comment}, {`"post":`, row.post, p.post}} {
		if one.text != "" {
			out = one.appendRow(append(append(out, begin), one.name...), one.text, nil)
			begin = ','
		}
	}
	if begin == '{' {
		out = append(out, '{')
	}
	return append(out, '}')
}
