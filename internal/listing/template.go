package listing

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// template is the JSON of a row with a hole for each value that differs between rows. Its columns come as one text with
// separators, as a value costs far more to fetch from SQLite than to read.
type template struct {
	holes   []hole
	after   []byte
	columns []string // their SQL, in the order of the holes
}

type hole struct {
	before []byte
	fill   func(out []byte, r *row) []byte
}

const (
	separator = "\x1f"
	broken    = 0 // in JSON, a sign that this is not the plain case
)

// row is what is read of a row's text, from left to right.
type row struct {
	left   string
	more   bool
	expand func(out []byte) []byte // fills the hole of an expand that is put together apart
}

func (r *row) next() (value string) {
	if !r.more {
		return string(rune(broken)) // there were fewer values than columns
	}
	value, r.left, r.more = strings.Cut(r.left, separator)
	return value
}

// sql is the expression of the row's text.
func (t *template) sql() string {
	return "concat_ws(char(31), " + strings.Join(t.columns, ", ") + ")"
}

// fill appends the JSON of a row's text. One that has a separator in a value is no plain case.
func (t *template) fill(out []byte, text string, expand func([]byte) []byte) []byte {
	r := &row{left: text, more: true, expand: expand}
	for i := range t.holes {
		out = append(out, t.holes[i].before...)
		out = t.holes[i].fill(out, r)
	}
	if r.more {
		out = append(out, broken)
	}
	return append(out, t.after...)
}

// whole reports whether JSON is free of the sign.
func whole(out []byte) bool { return bytes.IndexByte(out, broken) < 0 }

// member is one name of an object and what writes its value.
type member struct {
	name    string
	fixed   string // JSON that is the same in every row, else
	columns []string
	fill    func(out []byte, r *row) []byte
	inside  *template // or an object with a template of its own
	comes   bool      // fill writes the name too, or nothing at all
}

// object returns the template of an object, its members sorted by name as PocketBase sorts them.
func object(members []member) *template {
	slices.SortFunc(members, func(a, b member) int { return cmp.Compare(a.name, b.name) })
	t, text := &template{}, []byte("{")
	for i, m := range members {
		if m.comes {
			t.add(hole{text, m.fill}, m.columns...)
			text = nil
			continue
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = append(quote(text, m.name), ':')
		switch {
		case m.inside != nil:
			for j, h := range m.inside.holes {
				if j == 0 {
					h.before = append(text, h.before...)
				}
				t.add(h)
			}
			t.columns = append(t.columns, m.inside.columns...)
			text = slices.Clone(m.inside.after)
		case m.fill != nil:
			t.add(hole{text, m.fill}, m.columns...)
			text = nil
		default:
			text = append(text, m.fixed...)
		}
	}
	t.after = append(text, '}')
	return t
}

func (t *template) add(h hole, columns ...string) {
	t.holes = append(t.holes, h)
	t.columns = append(t.columns, columns...)
}

// members returns those of a record of the collection under an alias, and false if there is a field that only
// PocketBase knows how to show.
func members(c *core.Collection, alias string) ([]member, bool) {
	all := []member{{name: core.FieldNameCollectionId, fixed: string(quote(nil, c.Id))}, {name: core.FieldNameCollectionName, fixed: string(quote(nil, c.Name))}}
	for _, field := range c.Fields {
		name := field.GetName()
		switch {
		case slices.Contains(reserved, name):
			return nil, false
		case c.IsAuth() && (name == core.FieldNamePassword || name == core.FieldNameTokenKey), field.GetHidden():
			continue
		case c.IsAuth() && name == core.FieldNameEmail:
			all = append(all, email(alias))
			continue
		}
		write, known := putter(field)
		if !known {
			return nil, false
		}
		column := alias + ".[[" + name + "]]"
		switch field.Type() {
		case core.FieldTypeJSON:
			column = "coalesce(" + column + ", 'null')"
		case core.FieldTypeNumber:
			column = "iif(typeof(" + column + ") = 'integer', " + column + ", quote(" + column + "))" // all digits of a fraction
		}
		all = append(all, member{name: name, columns: []string{column}, fill: value(write)})
	}
	return all, true
}

// reserved are names that answers use for something else.
var reserved = []string{core.FieldNameCollectionId, core.FieldNameCollectionName, core.FieldNameExpand, "liked", "saved", "relationship"}

func value(write put) func([]byte, *row) []byte {
	return func(out []byte, r *row) []byte { return write(out, r.next()) }
}

// email is an address that its owner shows, or that is one's own.
func email(alias string) member {
	return member{
		name: core.FieldNameEmail, comes: true,
		columns: []string{"iif(" + alias + ".emailVisibility OR " + alias + ".id = {:me}, '+' || " + alias + ".email, '')"},
		fill: func(out []byte, r *row) []byte {
			if address, shown := strings.CutPrefix(r.next(), "+"); shown {
				return quote(append(out, `,"email":`...), address)
			}
			return out
		},
	}
}
