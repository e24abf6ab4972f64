package listing

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/adoption"
	"github.com/doubletap/doubletap/internal/visibility"
)

// template is the JSON of a row with a slot for each value that differs between rows. A row's columns come as one text
// with separators, since SQLite takes far longer to hand over a value than we take to parse it.
type template struct {
	slots   []slot
	after   []byte
	columns []string // their SQL, in the order of the slots
	nesting int      // how many templates one in another are in a column of this one
}

type slot struct {
	before   []byte
	appendTo func(out []byte, r *rowValues) []byte
}

// brokenMark is a byte that marks JSON as broken: the general path has to answer.
const brokenMark = 0

// separator is the character between the values of a row. One that contains rows has another than they.
func (t *template) separator() rune { return rune(0x1f - t.nesting) }

// rowValues is the text of a row, read from left to right.
type rowValues struct {
	unread       string
	separator    string
	hasMore      bool
	appendExpand func(out []byte) []byte // fills the slot of an expand that is not part of the row's text
}

func (r *rowValues) nextValue() (value string) {
	if !r.hasMore {
		return string(rune(brokenMark)) // there are fewer values than columns
	}
	value, r.unread, r.hasMore = strings.Cut(r.unread, r.separator)
	return value
}

// rowTextSQL returns the SQL of the row's text.
func (t *template) rowTextSQL() string {
	return fmt.Sprintf("concat_ws(char(%d), %s)", t.separator(), strings.Join(t.columns, ", "))
}

// appendRow appends the JSON of a row's text. If a value contains a separator, the JSON is marked as broken.
func (t *template) appendRow(out []byte, text string, expand func([]byte) []byte) []byte {
	r := &rowValues{unread: text, separator: string(t.separator()), hasMore: true, appendExpand: expand}
	for i := range t.slots {
		out = append(out, t.slots[i].before...)
		out = t.slots[i].appendTo(out, r)
	}
	if r.hasMore {
		out = append(out, brokenMark)
	}
	return append(out, t.after...)
}

// isUnbroken reports whether JSON has no brokenMark.
func isUnbroken(out []byte) bool { return bytes.IndexByte(out, brokenMark) < 0 }

// jsonField is one name of a JSON object and what writes its value: constant, appendTo or nested.
type jsonField struct {
	name     string
	constant string // JSON that is the same in every row
	columns  []string
	appendTo func(out []byte, r *rowValues) []byte
	nested   *template     // an object with a template of its own
	optional valueAppender // writes the value, where it is shown: its column begins with a + then; else the name is left out as well
	nesting  int           // of the templates in the columns
}

// objectTemplate returns the template of an object. It sorts the fields by name, as PocketBase does.
func objectTemplate(fields []jsonField) *template {
	slices.SortFunc(fields, func(a, b jsonField) int { return cmp.Compare(a.name, b.name) })
	return orderedTemplate(fields)
}

// orderedTemplate returns the template of an object whose fields come as they are given.
func orderedTemplate(fields []jsonField) *template {
	t, text, begun := &template{}, []byte("{"), false
	for _, f := range fields {
		t.nesting = max(t.nesting, f.nesting)
		if f.optional != nil {
			t.addSlot(slot{text, f.appendOptional(begun)}, f.columns...)
			text = nil
			continue
		}
		if begun {
			text = append(text, ',')
		}
		begun = true
		text = append(appendQuoted(text, f.name), ':')
		switch {
		case f.nested != nil:
			for j, s := range f.nested.slots {
				if j == 0 {
					s.before = append(text, s.before...)
				}
				t.addSlot(s)
			}
			t.columns, t.nesting = append(t.columns, f.nested.columns...), max(t.nesting, f.nested.nesting)
			text = slices.Clone(f.nested.after)
		case f.appendTo != nil:
			t.addSlot(slot{text, f.appendTo}, f.columns...)
			text = nil
		default:
			text = append(text, f.constant...)
		}
	}
	t.after = append(text, '}')
	return t
}

func (t *template) addSlot(s slot, columns ...string) {
	t.slots = append(t.slots, s)
	t.columns = append(t.columns, columns...)
}

// recordFields returns the fields of a collection's record under an alias.
func (m *planMaker) recordFields(c *core.Collection, alias string) []jsonField {
	return m.recordFieldsBy(c, func(name string) string { return alias + ".[[" + name + "]]" })
}

// recordFieldsBy does what recordFields does, with the SQL that column returns for each field; "" if only PocketBase
// knows it.
func (m *planMaker) recordFieldsBy(c *core.Collection, column func(name string) string) []jsonField {
	private := adoption.PrivateFields(m.app)
	isPrivate := func(name string) bool { return c.Name == "users" && slices.Contains(private, name) }
	all := []jsonField{{name: core.FieldNameCollectionId, constant: string(appendQuoted(nil, c.Id))}, {name: core.FieldNameCollectionName, constant: string(appendQuoted(nil, c.Name))}}
	for _, field := range c.Fields {
		name := field.GetName()
		switch {
		case slices.Contains(reservedNames, name):
			m.refuse(UnknownField)
		case c.IsAuth() && (name == core.FieldNamePassword || name == core.FieldNameTokenKey), field.GetHidden():
			continue
		case c.IsAuth() && name == core.FieldNameEmail && !isPrivate(name):
			all = append(all, emailField(column))
			continue
		}
		write, known := appenderOf(field)
		if !known {
			m.refuse(UnknownField)
		}
		value := column(name)
		if value == "" {
			m.refuse(UnknownField)
		}
		switch field.Type() {
		case core.FieldTypeJSON:
			value = "coalesce(" + value + ", 'null')"
		case core.FieldTypeNumber:
			value = "iif(typeof(" + value + ") = 'integer', " + value + ", quote(" + value + "))" // quote gives all digits of a fraction
		}
		if isPrivate(name) {
			all = append(all, privateField(name, value, write, column))
			continue
		}
		all = append(all, jsonField{name: name, columns: []string{value}, appendTo: appendNextValue(write)})
	}
	return all
}

// reservedNames are the names that an answer uses for something else than a field of the collection.
var reservedNames = viewerFieldNames(core.FieldNameCollectionId, core.FieldNameCollectionName, core.FieldNameExpand, visibility.RelationshipName)

func viewerFieldNames(others ...string) []string {
	for _, field := range visibility.PostFields {
		others = append(others, field.Name)
	}
	return others
}

func appendNextValue(write valueAppender) func([]byte, *rowValues) []byte {
	return func(out []byte, r *rowValues) []byte { return write(out, r.nextValue()) }
}

// emailField returns the e-mail address, which is written only if its owner shows it or is the viewer.
func emailField(column func(name string) string) jsonField {
	return jsonField{
		name: core.FieldNameEmail, optional: appendQuoted,
		columns: []string{"iif(" + column("emailVisibility") + " OR " + column("id") + " = {:me}, '+' || " + column("email") + ", '')"},
	}
}

// privateField returns a field of a user that is written only if the user is the viewer.
func privateField(name, value string, write valueAppender, column func(name string) string) jsonField {
	return jsonField{name: name, optional: write, columns: []string{"iif(" + column("id") + " = {:me}, '+' || " + value + ", '')"}}
}

// appendOptional returns what writes the name and the value of an optional field, with a comma before them, or behind
// them if no other field has come yet. One that is never left out must come after it.
func (f jsonField) appendOptional(begun bool) func(out []byte, r *rowValues) []byte {
	return func(out []byte, r *rowValues) []byte {
		value, shown := strings.CutPrefix(r.nextValue(), "+")
		if !shown {
			return out
		}
		if begun {
			out = append(out, ',')
		}
		out = f.optional(append(appendQuoted(out, f.name), ':'), value)
		if !begun {
			out = append(out, ',')
		}
		return out
	}
}
