package apidoc

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/guard"
)

// formSuffix is what the name of a form's schema has after that of the JSON body without its files.
const formSuffix = "Form"

// addInput adds the schema of what a client may send, and returns the body that has it: JSON unless a file is required,
// and a form if files can be sent.
func (d *Document) addInput(c *core.Collection, names map[string]string, name string, creating bool) *Body {
	rule := c.UpdateRule
	if creating {
		rule = c.CreateRule
	}
	fields := inputSchema(c, names, creating)
	demands := demandsOf(*rule, creating)
	files := fields.fileFields()
	body := &Body{true, map[string]Content{}}
	for _, file := range files {
		fields.Properties[file].Removable = !creating && fields.Properties[file].Type == "string" && !slices.Contains(fields.Required, file)
	}
	if len(files) > 0 {
		form := d.restrictTo(fields, name+formSuffix, demands)
		d.Components.Schemas[name+formSuffix] = form
		body.Content["multipart/form-data"] = Content{Schema: schemaRef(name + formSuffix), Encoding: fields.formEncoding()}
	}
	if slices.ContainsFunc(files, func(file string) bool { return slices.Contains(fields.Required, file) }) {
		return body
	}
	for _, file := range files {
		if removable := fields.Properties[file].Removable; removable {
			fields.Properties[file] = &Schema{Type: "null", Description: "null removes the file"}
		} else {
			delete(fields.Properties, file)
		}
	}
	d.Components.Schemas[name] = d.restrictTo(fields, name, demands)
	body.Content["application/json"] = Content{Schema: schemaRef(name)}
	return body
}

// inputSchema returns the schema of what a client may send, without the fields that the service sets.
func inputSchema(c *core.Collection, names map[string]string, creating bool) *Schema {
	s := &Schema{Type: "object", Properties: map[string]*Schema{}}
	described := collection.Describe(c.Name)
	for _, f := range c.Fields {
		name := f.GetName()
		if password, isPassword := f.(*core.PasswordField); isPassword {
			s.addPassword(password, creating)
			continue
		}
		system := f.GetSystem() && name != core.FieldNameId && name != core.FieldNameEmail && name != core.FieldNameEmailVisibility
		if f.GetHidden() || f.Type() == core.FieldTypeAutodate || system || !guard.ClientMaySet(c.Name, name, creating) || name == core.FieldNameId && !creating {
			continue
		}
		if c.IsAuth() && name == core.FieldNameEmail && !creating {
			continue // an address is changed by request-email-change
		}
		p := fieldSchema(c, f, names, true)
		required := isRequired(f) && name != described.Owner && name != core.FieldNameId || slices.Contains(described.RequiredTexts, name)
		if required && p.Type == "string" && p.Format != "binary" && len(p.Enum) == 0 {
			p.MinLength = max(p.MinLength, 1)
		}
		if required && creating {
			s.Required = append(s.Required, name)
		}
		s.Properties[name] = p
	}
	s.sendTogether(described.Together...)
	return s
}

func (s *Schema) addPassword(f *core.PasswordField, creating bool) {
	longest := f.Max
	if longest == 0 {
		longest = 71 // as PocketBase has it
	}
	s.Properties["password"] = &Schema{Type: "string", MinLength: f.Min, MaxLength: longest, Description: "at most 71 bytes"}
	s.Properties["passwordConfirm"] = &Schema{Type: "string", Description: "the same"}
	if creating {
		s.Required = append(s.Required, "password", "passwordConfirm")
		return
	}
	s.Properties["oldPassword"] = &Schema{Type: "string", Description: "needed with password"}
	s.sendTogether("password", "passwordConfirm", "oldPassword")
}

// sendTogether says that each of the properties needs the others.
func (s *Schema) sendTogether(names ...string) {
	if s.Together == nil && len(names) > 0 {
		s.Together = map[string][]string{}
	}
	for i, name := range names {
		s.Together[name] = slices.Concat(names[:i], names[i+1:])
	}
}

// isRequired reports whether the field is required; each kind of field has its own Required.
func isRequired(f core.Field) bool {
	flag := reflect.Indirect(reflect.ValueOf(f)).FieldByName("Required")
	return flag.IsValid() && flag.Bool()
}

// fileFields returns the names of the properties that are files, sorted.
func (s *Schema) fileFields() []string {
	var files []string
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if p := s.Properties[name]; p.Format == "binary" || p.Items != nil && p.Items.Format == "binary" {
			files = append(files, name)
		}
	}
	return files
}

// formEncoding says how a form sends what is no text: a value of JSON as JSON.
func (s *Schema) formEncoding() map[string]Encoding {
	all := map[string]Encoding{}
	for name, p := range s.Properties {
		if p.Type == "object" || p.Type == "" || p.Type == "array" && p.Items.Format != "binary" && len(p.Items.Enum) == 0 && p.MaxItems == 0 {
			all[name] = Encoding{"application/json"}
		}
	}
	return all
}

// restrictTo returns the schema of the bodies that meet a rule's demands. Each of several demands has a schema of its
// own, added under a name of its own, without what only others ask for: generators tell alternatives apart by the
// fields that only one of them has.
func (d *Document) restrictTo(s *Schema, name string, demands []demand) *Schema {
	if len(demands) == 1 {
		return s.meeting(demands[0])
	}
	all := &Schema{}
	for _, one := range demands {
		met := s.meeting(one)
		met.Others = false
		alternative := name
		for _, field := range slices.Sorted(maps.Keys(one.sent)) {
			alternative += pascalCase(field)
		}
		for _, other := range demands {
			for field := range other.sent {
				if !one.sent[field] {
					delete(met.Properties, field)
				}
			}
		}
		d.Components.Schemas[alternative] = met
		all.OneOf = append(all.OneOf, schemaRef(alternative))
	}
	return all
}

func (s *Schema) meeting(d demand) *Schema {
	met := *s
	met.Properties, met.Required = maps.Clone(s.Properties), slices.Clone(s.Required)
	for name := range d.unsent {
		delete(met.Properties, name)
	}
	for _, name := range slices.Sorted(maps.Keys(d.sent)) {
		p := met.Properties[name]
		if p == nil {
			continue // the service sets it
		}
		if !slices.Contains(met.Required, name) {
			met.Required = append(met.Required, name)
		}
		p = p.clone()
		if value, fixed := d.values[name]; fixed {
			p.fix(value)
		} else if p.Type == "string" && len(p.Enum) == 0 {
			p.MinLength = max(p.MinLength, 1)
		}
		met.Properties[name] = p
	}
	return &met
}

func (s *Schema) clone() *Schema { copied := *s; return &copied }

// fix leaves one value.
func (s *Schema) fix(value any) {
	if text, isText := value.(string); isText && s.Type == "string" {
		s.Enum = []string{text}
		return
	}
	if s.Type == "boolean" {
		s.Const = value
	}
}

// boundText adds what a text field asks of a text. PocketBase takes an empty text for none, but one that has a smallest
// length is better left out.
func (s *Schema) boundText(f *core.TextField) {
	s.MinLength, s.MaxLength = f.Min, f.Max
	if f.Max == 0 {
		s.MaxLength = 5000 // as PocketBase has it
	}
	pattern, portable := ecmaPattern(f.Pattern)
	switch {
	case f.Pattern != "" && !portable:
		s.Description = "matches the Go pattern " + f.Pattern
	case f.Pattern != "" && !f.Required && f.Min == 0:
		s.Pattern = "^$|" + pattern
	case f.Pattern != "":
		s.Pattern = pattern
	}
}

// ecmaPattern returns a Go pattern as JSON Schema has it, if it is one: those with groups of flags and Go's own
// classes mean nothing there.
func ecmaPattern(pattern string) (text string, portable bool) {
	for _, own := range []string{"(?", `\A`, `\z`, `\Q`, `[[:`, `\p`, `\P`, `\C`, `\a`} {
		if strings.Contains(pattern, own) {
			return "", false
		}
	}
	return pattern, true
}
