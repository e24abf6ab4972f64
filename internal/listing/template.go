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
	slots   []slot
	after   []byte
	columns []string // their SQL, in the order of the holes
}

type slot struct {
	before   []byte
	appendTo func(out []byte, r *rowValues) []byte
}

const (
	valueSeparator = "\x1f"
	brokenMark     = 0 // in JSON, a sign that this is not the plain case
)

// rowValues is what is read of a row's text, from left to right.
type rowValues struct {
	unread       string
	hasMore      bool
	appendExpand func(out []byte) []byte // fills the hole of an expand that is put together apart
}

func (r *rowValues) nextValue() (value string) {
	if !r.hasMore {
		return string(rune(brokenMark)) // there were fewer values than columns
	}
	value, r.unread, r.hasMore = strings.Cut(r.unread, valueSeparator)
	return value
}

// rowTextSQL is the expression of the row's text.
func (t *template) rowTextSQL() string {
	return "concat_ws(char(31), " + strings.Join(t.columns, ", ") + ")"
}

// appendRow appends the JSON of a row's text. One that has a separator in a value is no plain case.
func (t *template) appendRow(out []byte, text string, expand func([]byte) []byte) []byte {
	r := &rowValues{unread: text, hasMore: true, appendExpand: expand}
	for i := range t.slots {
		out = append(out, t.slots[i].before...)
		out = t.slots[i].appendTo(out, r)
	}
	if r.hasMore {
		out = append(out, brokenMark)
	}
	return append(out, t.after...)
}

// isUnbroken reports whether JSON is free of the sign.
func isUnbroken(out []byte) bool { return bytes.IndexByte(out, brokenMark) < 0 }

// jsonField is one name of an object and what writes its value.
type jsonField struct {
	name     string
	constant string // JSON that is the same in every row, else
	columns  []string
	appendTo func(out []byte, r *rowValues) []byte
	nested   *template // or an object with a template of its own
	optional bool      // fill writes the name too, or nothing at all
}

// objectTemplate returns the template of an object, its members sorted by name as PocketBase sorts them.
func objectTemplate(members []jsonField) *template {
	slices.SortFunc(members, func(a, b jsonField) int { return cmp.Compare(a.name, b.name) })
	t, text := &template{}, []byte("{")
	for i, m := range members {
		if m.optional {
			t.addSlot(slot{text, m.appendTo}, m.columns...)
			text = nil
			continue
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = append(appendQuoted(text, m.name), ':')
		switch {
		case m.nested != nil:
			for j, h := range m.nested.slots {
				if j == 0 {
					h.before = append(text, h.before...)
				}
				t.addSlot(h)
			}
			t.columns = append(t.columns, m.nested.columns...)
			text = slices.Clone(m.nested.after)
		case m.appendTo != nil:
			t.addSlot(slot{text, m.appendTo}, m.columns...)
			text = nil
		default:
			text = append(text, m.constant...)
		}
	}
	t.after = append(text, '}')
	return t
}

func (t *template) addSlot(h slot, columns ...string) {
	t.slots = append(t.slots, h)
	t.columns = append(t.columns, columns...)
}

// recordFields returns those of a record of the collection under an alias, and false if there is a field that only
// PocketBase knows how to show.
func recordFields(c *core.Collection, alias string) ([]jsonField, bool) {
	all := []jsonField{{name: core.FieldNameCollectionId, constant: string(appendQuoted(nil, c.Id))}, {name: core.FieldNameCollectionName, constant: string(appendQuoted(nil, c.Name))}}
	for _, field := range c.Fields {
		name := field.GetName()
		switch {
		case slices.Contains(reservedNames, name):
			return nil, false
		case c.IsAuth() && (name == core.FieldNamePassword || name == core.FieldNameTokenKey), field.GetHidden():
			continue
		case c.IsAuth() && name == core.FieldNameEmail:
			all = append(all, emailField(alias))
			continue
		}
		write, known := appenderOf(field)
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
		all = append(all, jsonField{name: name, columns: []string{column}, appendTo: appendNextValue(write)})
	}
	return all, true
}

// reservedNames are names that answers use for something else.
var reservedNames = []string{core.FieldNameCollectionId, core.FieldNameCollectionName, core.FieldNameExpand, "liked", "saved", "relationship"}

func appendNextValue(write valueAppender) func([]byte, *rowValues) []byte {
	return func(out []byte, r *rowValues) []byte { return write(out, r.nextValue()) }
}

// emailField is an address that its owner shows, or that is one's own.
func emailField(alias string) jsonField {
	return jsonField{
		name: core.FieldNameEmail, optional: true,
		columns: []string{"iif(" + alias + ".emailVisibility OR " + alias + ".id = {:me}, '+' || " + alias + ".email, '')"},
		appendTo: func(out []byte, r *rowValues) []byte {
			if address, shown := strings.CutPrefix(r.nextValue(), "+"); shown {
				return appendQuoted(append(out, `,"email":`...), address)
			}
			return out
		},
	}
}
