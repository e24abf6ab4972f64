package apidoc

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// resolve returns the schema that a reference names, or the schema itself. Of alternatives it returns the first.
func (d *Document) resolve(s *Schema) *Schema {
	if name, isRef := strings.CutPrefix(s.Ref, schemaRef("").Ref); isRef {
		s = d.Components.Schemas[name]
	}
	if len(s.OneOf) > 0 {
		return d.resolve(s.OneOf[0])
	}
	if len(s.AnyOf) > 0 {
		return d.resolve(s.AnyOf[0])
	}
	return s
}

// exampleOf returns a value that fits the schema: of an object, the required properties, or the first if there are none.
func (d *Document) exampleOf(name string, s *Schema) any {
	s = d.resolve(s)
	switch {
	case s.Const != nil:
		return s.Const
	case len(s.Enum) > 0:
		return s.Enum[0]
	}
	switch s.Type {
	case "object":
		object := map[string]any{}
		for _, property := range s.exampleProperties() {
			object[property] = d.exampleOf(property, s.Properties[property])
		}
		return object
	case "array":
		return []any{d.exampleOf(name, s.Items)}
	case "boolean":
		return true
	case "integer", "number":
		return 1
	case "string":
		switch {
		case s.Format == "email" || name == "identity":
			return "ada@example.com"
		case strings.HasPrefix(s.Description, "the id of"):
			return strings.ToUpper(name) + "_ID"
		}
		return strings.ToUpper(name)
	}
	return nil
}

func (s *Schema) exampleProperties() []string {
	if len(s.Required) > 0 {
		return slices.Sorted(slices.Values(s.Required))
	}
	names := slices.Sorted(maps.Keys(s.Properties))
	return names[:min(1, len(names))]
}

// exampleBody returns an example of an operation's body, and whether it is a form. It is nil if there is no body.
func (d *Document) exampleBody(o *Operation) (body map[string]any, isForm bool) {
	if o.Body == nil {
		return nil, false
	}
	content, isJSON := o.Body.Content[jsonType]
	if !isJSON {
		content = o.Body.Content["multipart/form-data"]
	}
	body, _ = d.exampleOf("", content.Schema).(map[string]any)
	return body, !isJSON
}

// examples returns how an operation is called from a shell and from JavaScript.
func (d *Document) examples(method, path string, o *Operation) (curl, script string) {
	body, isForm := d.exampleBody(o)
	text, err := json.Marshal(body)
	if err != nil {
		text = nil
	}
	shown := strings.NewReplacer("{", "", "}", "").Replace(path)
	curl = "curl"
	if method != "get" {
		curl += " -X " + strings.ToUpper(method)
	}
	curl += ` "$URL` + shown + `"`
	if len(o.Security) == 1 && len(o.Security[0]) > 0 {
		curl += ` -H "Authorization: $TOKEN"`
	}
	switch {
	case isForm:
		for _, name := range slices.Sorted(maps.Keys(body)) {
			curl += ` -F ` + name + `=@photo.jpg`
		}
	case body != nil:
		curl += ` -H "Content-Type: application/json" -d '` + string(text) + `'`
	}
	return curl, scriptExample(method, path, shown, body, string(text), isForm)
}

// collectionCalls are what the SDK calls the operations of a collection, by method, for all rows and for one.
var collectionCalls = map[string]string{"get": "getList(1, 30", "post": "create(", "get one": "getOne('ID'", "patch one": "update('ID'", "delete one": "delete('ID'"}

func scriptExample(method, path, shown string, body map[string]any, text string, isForm bool) string {
	if isForm {
		text = "{ " + strings.Join(slices.Sorted(maps.Keys(body)), ", ") + ": input.files[0] }"
	}
	name, isRecords := strings.CutPrefix(path, "/api/collections/")
	name, rest, _ := strings.Cut(name, "/")
	key := method
	if rest == "records/{id}" {
		key += " one"
	}
	if call := collectionCalls[key]; isRecords && strings.HasPrefix(rest, "records") && call != "" {
		if body != nil && !strings.HasSuffix(call, "(") {
			call += ", "
		}
		if body != nil {
			call += text
		}
		return "await pb.collection('" + name + "')." + call + ");"
	}
	options := "{ method: '" + strings.ToUpper(method) + "'"
	if body != nil {
		options += ", body: " + text
	}
	return "await pb.send('" + shown + "', " + options + " });"
}
