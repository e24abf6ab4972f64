// Package apidoc describes the API to clients as OpenAPI, as TypeScript types and as a page. It makes them from the
// live collections and from the table of routes by which these routes are also served.
package apidoc

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/guard"
)

// Route describes one of our own routes.
type Route struct {
	Method, Path      string
	Summary           string
	Access            string // who may call it, in words; empty if everybody may
	Query             []QueryParameter
	Request, Response any    // bodies, as values of their types; nil for none
	Content           string // the media type of the answer if it is not JSON of a Go type
	ErrorStatuses     []int
}

// QueryParameter is a parameter of the query.
type QueryParameter struct{ Name, About string }

// Document is an OpenAPI document.
type Document struct {
	OpenAPI    string                           `json:"openapi"`
	Info       Info                             `json:"info"`
	Servers    []Server                         `json:"servers"`
	Tags       []Tag                            `json:"tags"`
	Paths      map[string]map[string]*Operation `json:"paths"`
	Components Components                       `json:"components"`
}

// The parts of a Document, as OpenAPI calls them.
type (
	Info struct {
		Title       string `json:"title"`
		Version     string `json:"version"`
		Description string `json:"description"`
	}
	Server struct {
		URL string `json:"url"`
	}
	Tag struct {
		Name string `json:"name"`
	}
	Components struct {
		Schemas         map[string]*Schema        `json:"schemas"`
		SecuritySchemes map[string]SecurityScheme `json:"securitySchemes"`
	}
	SecurityScheme struct {
		Type        string `json:"type"`
		Name        string `json:"name"`
		In          string `json:"in"`
		Description string `json:"description"`
	}
	Operation struct {
		ID          string                `json:"operationId"`
		Tags        []string              `json:"tags"`
		Summary     string                `json:"summary"`
		Description string                `json:"description,omitempty"`
		Security    []map[string][]string `json:"security"`
		Parameters  []Input               `json:"parameters,omitempty"`
		Body        *Body                 `json:"requestBody,omitempty"`
		Responses   map[string]Response   `json:"responses"`
	}
	Input struct {
		Name        string  `json:"name"`
		In          string  `json:"in"`
		Required    bool    `json:"required,omitempty"`
		Description string  `json:"description,omitempty"`
		Schema      *Schema `json:"schema"`
	}
	Body struct {
		Required bool               `json:"required"`
		Content  map[string]Content `json:"content"`
	}
	Content struct {
		Schema *Schema `json:"schema"`
	}
	Response struct {
		Description string             `json:"description"`
		Content     map[string]Content `json:"content,omitempty"`
	}
)

const ownTag = "doubletap" // the tag of our own routes

// DescribeAPI describes the routes and the collections that clients may use, as they are now, without hidden fields.
func DescribeAPI(app core.App, routes []Route) (*Document, error) {
	collections, err := publicCollections(app)
	if err != nil {
		return nil, err
	}
	d := &Document{
		OpenAPI: "3.1.0",
		Info: Info{
			Title: app.Settings().Meta.AppName, Version: "v1",
			Description: "The API of this service. Collections are PocketBase's, spoken by its SDKs; errors have its shape. Routes under /api/v1 grow by adding.",
		},
		Servers: []Server{{"/"}},
		Paths:   map[string]map[string]*Operation{},
		Components: Components{
			Schemas: map[string]*Schema{"Error": {
				Type: "object", Required: []string{"status", "message", "data"}, Properties: map[string]*Schema{
					"status": {Type: "integer"}, "message": {Type: "string"},
					"data": {Type: "object", Description: "by field: code and message"},
				},
			}},
			SecuritySchemes: map[string]SecurityScheme{"token": {"apiKey", "Authorization", "header", "the token that auth-with-password answers with"}},
		},
	}
	d.Tags = append(d.Tags, Tag{ownTag})
	for _, r := range routes {
		d.addRoute(r)
	}
	d.Tags = append(d.Tags, Tag{"files and realtime"})
	d.addBuiltIn()
	names := map[string]string{}
	for _, c := range collections {
		names[c.Id] = c.Name
	}
	for _, c := range collections {
		d.Tags = append(d.Tags, Tag{c.Name})
		d.addCollection(c, names)
	}
	return d, nil
}

// publicCollections returns the collections that have a rule for others than superusers, sorted by name.
func publicCollections(app core.App) ([]*core.Collection, error) {
	all, err := app.FindAllCollections()
	if err != nil {
		return nil, fmt.Errorf("describe the collections: %w", err)
	}
	all = slices.DeleteFunc(all, func(c *core.Collection) bool {
		return c.System && c.Name != "users" || c.ListRule == nil && c.ViewRule == nil && c.CreateRule == nil && c.UpdateRule == nil && c.DeleteRule == nil
	})
	slices.SortFunc(all, func(a, b *core.Collection) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

func (d *Document) addOperation(method, path string, o *Operation) {
	if d.Paths[path] == nil {
		d.Paths[path] = map[string]*Operation{}
	}
	for part := range strings.SplitSeq(path, "/") {
		if name, isParameter := strings.CutPrefix(part, "{"); isParameter {
			name = strings.TrimSuffix(name, "}")
			o.Parameters = append([]Input{{Name: name, In: "path", Required: true, Schema: &Schema{Type: "string"}}}, o.Parameters...)
		}
	}
	d.Paths[path][strings.ToLower(method)] = o
}

var (
	signedIn = []map[string][]string{{"token": {}}}
	anybody  = []map[string][]string{{}, {"token": {}}}
)

func (d *Document) addRoute(r Route) {
	o := &Operation{ID: operationID(r.Method, r.Path), Tags: []string{ownTag}, Summary: r.Summary, Description: r.Access, Security: anybody, Responses: map[string]Response{}}
	statuses := slices.Clone(r.ErrorStatuses)
	if r.Access != "" {
		o.Security = signedIn
		statuses = append(statuses, http.StatusUnauthorized)
	}
	for _, p := range r.Query {
		o.Parameters = append(o.Parameters, Input{Name: p.Name, In: "query", Description: p.About, Schema: &Schema{Type: "string"}})
	}
	if r.Request != nil {
		o.Body = &Body{true, map[string]Content{"application/json": {schemaOf(reflect.TypeOf(r.Request))}}}
	}
	if r.Request != nil || len(r.Query) > 0 && r.Content == "" {
		statuses = append(statuses, http.StatusBadRequest)
	}
	switch {
	case r.Content == "application/json": // JSON of no Go type
		o.Responses["200"] = Response{"The content.", map[string]Content{r.Content: {&Schema{Type: "object"}}}}
	case r.Content != "":
		o.Responses["200"] = Response{"The content.", map[string]Content{r.Content: {&Schema{Type: "string"}}}}
	case r.Response != nil:
		o.Responses["200"] = Response{"The answer.", map[string]Content{"application/json": {schemaOf(reflect.TypeOf(r.Response))}}}
	default:
		o.Responses["204"] = Response{Description: "Done."}
	}
	o.addErrors(statuses...)
	d.addOperation(r.Method, r.Path, o)
}

func (o *Operation) addErrors(statuses ...int) {
	for _, status := range statuses {
		o.Responses[strconv.Itoa(status)] = Response{http.StatusText(status) + ".", map[string]Content{"application/json": {schemaRef("Error")}}}
	}
}

// operationID returns a name of one word for a route.
func operationID(method, path string) string {
	id := strings.ToLower(method)
	for part := range strings.FieldsFuncSeq(path, func(r rune) bool { return strings.ContainsRune("/{}-._@", r) }) {
		if part != "api" && part != "v1" {
			id += pascalCase(part)
		}
	}
	return id
}

// pascalCase turns comment_likes into CommentLikes.
func pascalCase(name string) string {
	text := ""
	for part := range strings.SplitSeq(name, "_") {
		if part != "" {
			text += strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return text
}

// addCollection adds what the rules of a collection allow clients to do.
func (d *Document) addCollection(c *core.Collection, names map[string]string) {
	name, path := pascalCase(c.Name), "/api/collections/"+c.Name+"/records"
	d.Components.Schemas[name+"Record"] = recordSchema(c, names)
	record := map[string]Content{"application/json": {schemaRef(name + "Record")}}
	one := []Input{
		{Name: "expand", In: "query", Description: "relations to show as records, with commas", Schema: &Schema{Type: "string"}},
		{Name: "fields", In: "query", Description: "the fields to answer with, with commas; all unless told", Schema: &Schema{Type: "string"}},
	}
	operation := func(id, summary string, rule *string, statuses ...int) *Operation {
		o := &Operation{ID: id + name, Tags: []string{c.Name}, Summary: summary, Security: anybody, Responses: map[string]Response{}}
		if rule != nil && strings.HasPrefix(*rule, `@request.auth.id != ""`) {
			o.Security = signedIn
		}
		o.addErrors(statuses...)
		return o
	}
	if c.ListRule != nil {
		o := operation("list", "Those that the caller may see.", c.ListRule, 400, 403)
		o.Parameters = append([]Input{
			{Name: "page", In: "query", Schema: &Schema{Type: "integer"}}, {Name: "perPage", In: "query", Schema: &Schema{Type: "integer"}},
			{Name: "sort", In: "query", Description: "fields with commas, - for descending", Schema: &Schema{Type: "string"}},
			{Name: "filter", In: "query", Description: "in PocketBase's filter language", Schema: &Schema{Type: "string"}},
			{Name: "skipTotal", In: "query", Description: "true leaves the totals out, which is faster", Schema: &Schema{Type: "boolean"}},
		}, one...)
		o.Responses["200"] = Response{"A page.", map[string]Content{"application/json": {&Schema{
			Type: "object", Required: []string{"page", "perPage", "totalItems", "totalPages", "items"}, Properties: map[string]*Schema{
				"page": {Type: "integer"}, "perPage": {Type: "integer"}, "totalItems": {Type: "integer"}, "totalPages": {Type: "integer"},
				"items": listSchema(schemaRef(name + "Record")),
			},
		}}}}
		d.addOperation("GET", path, o)
	}
	if c.ViewRule != nil {
		o := operation("view", "One of them.", c.ViewRule, 404)
		o.Parameters, o.Responses["200"] = one, Response{"The record.", record}
		d.addOperation("GET", path+"/{id}", o)
	}
	if c.CreateRule != nil {
		d.Components.Schemas[name+"Create"] = inputSchema(c, names, true)
		o := operation("create", "Stores a new one.", c.CreateRule, 400)
		o.Parameters, o.Body, o.Responses["200"] = one, requestBody(c, name+"Create"), Response{"The record.", record}
		d.addOperation("POST", path, o)
	}
	if c.UpdateRule != nil {
		d.Components.Schemas[name+"Update"] = inputSchema(c, names, false)
		o := operation("update", "Changes one.", c.UpdateRule, 400, 404)
		o.Parameters, o.Body, o.Responses["200"] = one, requestBody(c, name+"Update"), Response{"The record.", record}
		d.addOperation("PATCH", path+"/{id}", o)
	}
	if c.DeleteRule != nil {
		o := operation("delete", "Deletes one.", c.DeleteRule, 400, 404)
		o.Responses["204"] = Response{Description: "Done."}
		d.addOperation("DELETE", path+"/{id}", o)
	}
	if c.IsAuth() {
		d.addSignIn(c, name)
	}
}

func requestBody(c *core.Collection, schema string) *Body {
	content := map[string]Content{"application/json": {schemaRef(schema)}}
	if slices.ContainsFunc(c.Fields, func(f core.Field) bool { return f.Type() == core.FieldTypeFile }) {
		content["multipart/form-data"] = Content{schemaRef(schema)}
	}
	return &Body{true, content}
}

// recordSchema returns the schema of a record as clients get it.
func recordSchema(c *core.Collection, names map[string]string) *Schema {
	s := &Schema{Type: "object", Properties: map[string]*Schema{"collectionId": {Type: "string"}, "collectionName": {Type: "string", Enum: []string{c.Name}}}}
	s.Required = []string{"collectionId", "collectionName"}
	expand := &Schema{Type: "object", Properties: map[string]*Schema{}, Others: &Schema{}, Description: "what expand asked for and the caller may see"}
	for _, f := range c.Fields {
		if f.GetHidden() || f.Type() == core.FieldTypePassword {
			continue
		}
		s.Properties[f.GetName()] = fieldSchema(c, f, names, false)
		if !c.IsAuth() || f.GetName() != core.FieldNameEmail { // the address is shown to its owner, and to others only if its owner wants that
			s.Required = append(s.Required, f.GetName())
		}
		if r, isRelation := f.(*core.RelationField); isRelation && names[r.CollectionId] != "" {
			one := schemaRef(pascalCase(names[r.CollectionId]) + "Record")
			if r.IsMultiple() {
				one = listSchema(one)
			}
			expand.Properties[r.Name] = one
		}
	}
	s.Properties["expand"] = expand
	maps.Copy(s.Properties, viewerFields[c.Name])
	s.Required = append(s.Required, slices.Sorted(maps.Keys(viewerFields[c.Name]))...)
	return s
}

// inputSchema returns the schema of what a client may send, without the fields that the service sets.
func inputSchema(c *core.Collection, names map[string]string, creating bool) *Schema {
	s := &Schema{Type: "object", Properties: map[string]*Schema{}}
	for _, f := range c.Fields {
		name := f.GetName()
		if f.Type() == core.FieldTypePassword {
			s.Properties["password"], s.Properties["passwordConfirm"] = &Schema{Type: "string"}, &Schema{Type: "string"}
			if creating {
				s.Required = append(s.Required, "password", "passwordConfirm")
			} else {
				s.Properties["oldPassword"] = &Schema{Type: "string"}
			}
			continue
		}
		system := f.GetSystem() && name != core.FieldNameId && name != core.FieldNameEmail && name != core.FieldNameEmailVisibility
		if f.GetHidden() || f.Type() == core.FieldTypeAutodate || system || !guard.ClientMaySet(c.Name, name, creating) || name == core.FieldNameId && !creating {
			continue
		}
		s.Properties[name] = fieldSchema(c, f, names, true)
		if isRequired(f) && creating && name != collection.Describe(c.Name).Owner && name != core.FieldNameId {
			s.Required = append(s.Required, name)
		}
	}
	return s
}

// isRequired reports whether the field is required; each kind of field has its own Required.
func isRequired(f core.Field) bool {
	flag := reflect.Indirect(reflect.ValueOf(f)).FieldByName("Required")
	return flag.IsValid() && flag.Bool()
}
