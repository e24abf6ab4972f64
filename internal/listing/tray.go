package listing

import (
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/rule"
)

// makeTrayPlan is the page of notifications. Post and comment are joined to their row; the actors, up to eight in each,
// come by a statement of their own.
func (b *planCache) makeTrayPlan(expands string) *pagePlan {
	all, ok := recordFields(b.notifications, "n")
	p, joins := &pagePlan{}, " JOIN notifications n ON n.recipient = me.id"
	ofPost, ofComment, actors := "''", "''", "''"
	if expands != "" {
		var known [2]bool
		author := strings.Contains(expands, "post.author")
		p.actor, known[0] = userTemplate(b.users)
		p.post, known[1] = postTemplate(b.posts, b.users, author)
		ok = ok && known[0] && known[1]
		all = append(all, jsonField{name: core.FieldNameExpand, appendTo: func(out []byte, r *rowValues) []byte { return r.appendExpand(out) }})
		joins += " LEFT JOIN posts _p ON _p.id = n.post LEFT JOIN users _u ON _u.id = _p.author" + viewerJoins(true, author)
		ofPost, actors = "iif("+rule.PostShownSQL+", "+p.post.rowTextSQL()+", '')", "n.actors"
		p.actorsSQL = "SELECT _u.id, " + p.actor.rowTextSQL() + " FROM json_each({:ids}) JOIN users _u ON _u.id = value" + joinFollows + " WHERE " + rule.UserShownSQL
	}
	if strings.Contains(expands, "comment") {
		said, known := recordFields(b.comments, "_c")
		ok = ok && known
		p.comment = objectTemplate(said)
		joins += " LEFT JOIN comments _c ON _c.id = n.comment"
		ofComment = "CASE WHEN _c.post != n.post THEN '" + valueSeparator + "' WHEN _c.id IS NOT NULL AND " + rule.CommentShownSQL + " THEN " + p.comment.rowTextSQL() + " ELSE '' END"
	}
	if !ok {
		return nil
	}
	p.row = objectTemplate(all)
	head := "SELECT " + p.row.rowTextSQL() + ", " + ofPost + ", " + ofComment + ", " + actors + fromMe + joins + whereMe + "1"
	tail := " ORDER BY n.latestAt DESC, n.id DESC LIMIT {:n}"
	p.firstSQL, p.nextSQL = head+tail, head+" AND n.latestAt <= {:at} AND (n.latestAt < {:at} OR n.id < {:last})"+tail
	return p
}

// trayRow is a row of the tray as it is read.
type trayRow struct {
	text, post, comment string // texts of rows; empty for what is not shown
	actors              []string
}

// appendTray appends the rows of the tray behind items.
func (r *Reader) appendTray(out []byte, p *pagePlan, statement string, params db.Params) ([]byte, error) {
	var (
		notices []trayRow
		ids     []string
		plain   = true
		n       trayRow
		actors  string
	)
	err := db.QueryEach(r.app, statement, params, func() {
		if p.actor != nil {
			var ok bool
			n.actors, ok = parseWordList(actors)
			plain = plain && ok
			ids = append(ids, n.actors...)
		}
		notices = append(notices, n)
	}, &n.text, &n.post, &n.comment, &actors)
	if err != nil || !plain {
		return append(out, brokenMark), err
	}
	people, err := r.readPeople(p, ids, params)
	if err != nil {
		return out, err
	}
	out = append(out, itemsHead...)
	for _, n := range notices {
		out = p.row.appendRow(out, n.text, func(out []byte) []byte { return p.appendExpand(out, n, people) })
		out = append(out, ',')
	}
	return out, nil
}

// readPeople returns the JSON of those users whom the caller sees, by their id.
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
	slices.Sort(unique) // neighbours in an index are found faster one after the other
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

// appendExpand appends what is expanded in a row: who and what of it the caller sees.
func (p *pagePlan) appendExpand(out []byte, n trayRow, people map[string][]byte) []byte {
	begin, actor := byte('{'), `{"actors":[`
	for _, id := range n.actors {
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
	}{{`"comment":`, n.comment, p.comment}, {`"post":`, n.post, p.post}} {
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
