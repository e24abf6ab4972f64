package listing

import (
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/rule"
)

// makeTray is the page of notifications. Post and comment are joined to their row; the actors, up to eight in each,
// come by a statement of their own.
func (b *book) makeTray(expands string) *page {
	all, ok := members(b.notifications, "n")
	p, joins := &page{}, " JOIN notifications n ON n.recipient = me.id"
	ofPost, ofComment, actors := "''", "''", "''"
	if expands != "" {
		var known [2]bool
		author := strings.Contains(expands, "post.author")
		p.actor, known[0] = user(b.users)
		p.post, known[1] = post(b.posts, b.users, author)
		ok = ok && known[0] && known[1]
		all = append(all, member{name: core.FieldNameExpand, fill: func(out []byte, r *row) []byte { return r.expand(out) }})
		joins += " LEFT JOIN posts _p ON _p.id = n.post LEFT JOIN users _u ON _u.id = _p.author" + beside(true, author)
		ofPost, actors = "iif("+rule.PostShown+", "+p.post.sql()+", '')", "n.actors"
		p.actors = "SELECT _u.id, " + p.actor.sql() + " FROM json_each({:ids}) JOIN users _u ON _u.id = value" + follows + " WHERE " + rule.UserShown
	}
	if strings.Contains(expands, "comment") {
		said, known := members(b.comments, "_c")
		ok = ok && known
		p.comment = object(said)
		joins += " LEFT JOIN comments _c ON _c.id = n.comment"
		ofComment = "CASE WHEN _c.post != n.post THEN '" + separator + "' WHEN _c.id IS NOT NULL AND " + rule.CommentShown + " THEN " + p.comment.sql() + " ELSE '' END"
	}
	if !ok {
		return nil
	}
	p.row = object(all)
	head := "SELECT " + p.row.sql() + ", " + ofPost + ", " + ofComment + ", " + actors + me + joins + asks + "1"
	tail := " ORDER BY n.latestAt DESC, n.id DESC LIMIT {:n}"
	p.first, p.next = head+tail, head+" AND n.latestAt <= {:at} AND (n.latestAt < {:at} OR n.id < {:last})"+tail
	return p
}

// notice is a row of the tray as it is read.
type notice struct {
	text, post, comment string // texts of rows; empty for what is not shown
	actors              []string
}

// tray appends the rows of the tray behind items.
func (r *Reader) tray(out []byte, p *page, statement string, params db.Params) ([]byte, error) {
	var (
		notices []notice
		ids     []string
		plain   = true
		n       notice
		actors  string
	)
	err := db.Each(r.app, statement, params, func() {
		if p.actor != nil {
			var ok bool
			n.actors, ok = words(actors)
			plain = plain && ok
			ids = append(ids, n.actors...)
		}
		notices = append(notices, n)
	}, &n.text, &n.post, &n.comment, &actors)
	if err != nil || !plain {
		return append(out, broken), err
	}
	people, err := r.people(p, ids, params)
	if err != nil {
		return out, err
	}
	out = append(out, items...)
	for _, n := range notices {
		out = p.row.fill(out, n.text, func(out []byte) []byte { return p.expand(out, n, people) })
		out = append(out, ',')
	}
	return out, nil
}

// people returns the JSON of those users whom the caller sees, by their id.
func (r *Reader) people(p *page, ids []string, params db.Params) (map[string][]byte, error) {
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
	params["ids"] = db.List(unique)
	var (
		id, text string
		all      []byte
	)
	err := db.Each(r.app, p.actors, params, func() {
		start := len(all)
		all = p.actor.fill(all, text, nil)
		people[id] = all[start:len(all):len(all)]
	}, &id, &text)
	return people, err
}

// expand appends what is expanded in a row: who and what of it the caller sees.
func (p *page) expand(out []byte, n notice, people map[string][]byte) []byte {
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
			out = one.fill(append(append(out, begin), one.name...), one.text, nil)
			begin = ','
		}
	}
	if begin == '{' {
		out = append(out, '{')
	}
	return append(out, '}')
}
