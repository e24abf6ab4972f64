package apidoc

import (
	"reflect"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/deliver"
	"github.com/doubletap/doubletap/internal/rendition"
	"github.com/doubletap/doubletap/internal/visibility"
)

// Schema is a JSON Schema, with those of its keywords that we use.
type Schema struct {
	Ref         string              `json:"$ref,omitempty"`
	Type        string              `json:"type,omitempty"`
	Description string              `json:"description,omitempty"`
	Format      string              `json:"format,omitempty"`
	Enum        []string            `json:"enum,omitempty"`
	Const       any                 `json:"const,omitempty"`
	Pattern     string              `json:"pattern,omitempty"`
	MinLength   int                 `json:"minLength,omitempty"`
	MaxLength   int                 `json:"maxLength,omitempty"`
	MinItems    int                 `json:"minItems,omitempty"`
	MaxItems    int                 `json:"maxItems,omitempty"`
	Minimum     *float64            `json:"minimum,omitempty"`
	Maximum     *float64            `json:"maximum,omitempty"`
	Items       *Schema             `json:"items,omitempty"`
	Properties  map[string]*Schema  `json:"properties,omitempty"`
	Required    []string            `json:"required,omitempty"`
	Together    map[string][]string `json:"dependentRequired,omitempty"`    // what must come with a property
	Others      any                 `json:"additionalProperties,omitempty"` // a *Schema, or false for none
	Removable   bool                `json:"-"`                              // a file that null removes, where the body is no form
	AnyOf       []*Schema           `json:"anyOf,omitempty"`
	OneOf       []*Schema           `json:"oneOf,omitempty"`
}

func schemaRef(name string) *Schema { return &Schema{Ref: "#/components/schemas/" + name} }

func listSchema(items *Schema) *Schema { return &Schema{Type: "array", Items: items} }

// shapeTypes are values of the Go types that our own JSON fields hold.
var shapeTypes = map[collection.Shape]any{
	collection.Texts:       []string{},
	collection.PhotoMetas:  []*rendition.Meta{},
	collection.Preferences: map[string]deliver.Preference{},
	collection.DeviceKeys:  map[string]string{},
}

// shapeOf returns a value of the Go type that a JSON field of a collection of ours holds, if it has a published shape.
func shapeOf(name, field string) (shape any, shaped bool) {
	shape, shaped = shapeTypes[collection.Describe(name).Shapes[field]]
	return shape, shaped
}

// viewerFields are the fields that are added to records for the viewer.
var viewerFields = map[string]map[string]*Schema{
	"posts": viewerFieldSchemas(visibility.PostFields, "string"),
	"users": {visibility.RelationshipName: relationshipSchema()},
}

func viewerFieldSchemas(fields []visibility.ViewerField, kind string) map[string]*Schema {
	all := map[string]*Schema{}
	for _, field := range fields {
		all[field.Name] = &Schema{Type: kind, Description: field.About}
	}
	return all
}

func relationshipSchema() *Schema {
	s := &Schema{Type: "object", Properties: viewerFieldSchemas(visibility.RelationshipFields, "boolean")}
	for _, field := range visibility.RelationshipFields {
		s.Required = append(s.Required, field.Name)
	}
	return s
}

// schemaOf returns the schema of a Go type, by its json tags. The tag about describes a field, the tag one lists its
// values, and the tag records names the collection whose records it holds.
func schemaOf(t reflect.Type) *Schema {
	switch t.Kind() {
	case reflect.Pointer:
		return &Schema{AnyOf: []*Schema{schemaOf(t.Elem()), {Type: "null"}}}
	case reflect.Slice:
		if t == reflect.TypeFor[[]byte]() || t.Name() == "RawMessage" {
			return &Schema{Description: "JSON"}
		}
		return listSchema(schemaOf(t.Elem()))
	case reflect.Map:
		return &Schema{Type: "object", Others: schemaOf(t.Elem())}
	case reflect.String:
		return &Schema{Type: "string"}
	case reflect.Bool:
		return &Schema{Type: "boolean"}
	case reflect.Float32, reflect.Float64:
		return &Schema{Type: "number", Format: "double"}
	case reflect.Struct:
		return structSchema(t)
	case reflect.Interface:
		return &Schema{Description: "JSON"}
	}
	return &Schema{Type: "integer"}
}

func structSchema(t reflect.Type) *Schema {
	s := &Schema{Type: "object", Properties: map[string]*Schema{}}
	for field := range t.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" || name == "" {
			continue
		}
		kind := field.Type
		optional := strings.Contains(options, "omit") || kind.Kind() == reflect.Pointer && kind.Elem().Kind() == reflect.Bool
		if kind.Kind() == reflect.Pointer && optional {
			kind = kind.Elem()
		}
		p := listSchema(schemaRef(pascalCase(field.Tag.Get("records")) + "Record"))
		if field.Tag.Get("records") == "" {
			p = schemaOf(kind)
		}
		p.Description, p.Enum = field.Tag.Get("about"), strings.Fields(field.Tag.Get("one"))
		s.Properties[name] = p
		if !optional {
			s.Required = append(s.Required, name)
		}
	}
	return s
}

// fieldSchema returns the schema of a record's field: as clients get it, or as they may send it if forInput is set.
func fieldSchema(c *core.Collection, field core.Field, names map[string]string, forInput bool) *Schema {
	if shape, ours := shapeOf(c.Name, field.GetName()); ours {
		s := schemaOf(reflect.TypeOf(shape))
		if !forInput { // an empty JSON field is null
			return &Schema{AnyOf: []*Schema{s, {Type: "null"}}}
		}
		return s
	}
	switch f := field.(type) {
	case *core.TextField:
		s := &Schema{Type: "string"}
		if forInput {
			s.boundText(f)
		}
		return s
	case *core.EditorField:
		return &Schema{Type: "string", Description: "HTML"}
	case *core.EmailField:
		s := &Schema{Type: "string", Description: "an e-mail address"}
		if forInput {
			s.Format = "email"
		}
		return s
	case *core.URLField:
		return &Schema{Type: "string", Description: "an address"}
	case *core.DateField, *core.AutodateField:
		return &Schema{Type: "string", Description: "a time such as 2026-01-31 12:00:00.000Z, or empty"}
	case *core.BoolField:
		return &Schema{Type: "boolean"}
	case *core.NumberField:
		s := &Schema{Type: "number", Minimum: f.Min, Maximum: f.Max}
		if s.Format = "double"; f.OnlyInt {
			s.Type, s.Format = "integer", ""
		}
		return s
	case *core.SelectField:
		one := &Schema{Type: "string", Enum: slices.Clone(f.Values)}
		if f.IsMultiple() {
			return &Schema{Type: "array", Items: one, MaxItems: f.MaxSelect}
		}
		if !f.Required {
			one.Enum = append(one.Enum, "")
		}
		return one
	case *core.RelationField:
		one := &Schema{Type: "string", Description: "the id of a record of " + names[f.CollectionId]}
		if f.IsMultiple() {
			return &Schema{Type: "array", Items: one, MaxItems: f.MaxSelect}
		}
		return one
	case *core.FileField:
		one := &Schema{Type: "string", Description: "the name of a file"}
		if forInput {
			one = &Schema{Type: "string", Format: "binary", Description: strings.Join(f.MimeTypes, ", ")}
		}
		if f.IsMultiple() {
			list := &Schema{Type: "array", Items: one, MaxItems: f.MaxSelect}
			if forInput && f.Required {
				list.MinItems = 1
			}
			return list
		}
		return one
	case *core.GeoPointField:
		return structSchema(reflect.TypeFor[struct {
			Lon float64 `json:"lon"`
			Lat float64 `json:"lat"`
		}]())
	}
	return &Schema{Description: "JSON"}
}
