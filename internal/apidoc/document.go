// Package apidoc describes the API to clients as OpenAPI, as TypeScript types and as a page. It makes them from the
// live collections and from the table of routes by which these routes are also served.
package apidoc

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
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
		Responses       map[string]Response       `json:"responses"`
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
		Schema   *Schema             `json:"schema"`
		Encoding map[string]Encoding `json:"encoding,omitempty"`
	}
	Encoding struct {
		ContentType string `json:"contentType"`
	}
	Response struct {
		Ref         string             `json:"$ref,omitempty"`
		Description string             `json:"description,omitempty"`
		Headers     map[string]Header  `json:"headers,omitempty"`
		Content     map[string]Content `json:"content,omitempty"`
	}
	Header struct {
		Description string  `json:"description"`
		Schema      *Schema `json:"schema"`
	}
)

// The tags of our own routes and of PocketBase's besides collections.
const (
	ownTag     = "doubletap"
	builtInTag = "files, realtime and batches"
)

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
			Schemas: map[string]*Schema{errorName: errorSchema()}, Responses: errorResponses(),
			SecuritySchemes: map[string]SecurityScheme{"token": {"apiKey", "Authorization", "header", "the token that auth-with-password answers with"}},
		},
	}
	d.Tags = append(d.Tags, Tag{ownTag})
	for _, r := range routes {
		d.addRoute(r)
	}
	d.Tags = append(d.Tags, Tag{builtInTag})
	d.addBuiltIn(app)
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
		if name, isParameter := strings.CutPrefix(strings.TrimPrefix(part, "@"), "{"); isParameter {
			name = strings.TrimSuffix(name, "}")
			o.Parameters = append([]Input{{Name: name, In: "path", Required: true, Schema: &Schema{Type: "string"}}}, o.Parameters...)
		}
	}
	o.addUsualErrors(path)
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
		o.Body = jsonBody(schemaOf(reflect.TypeOf(r.Request)))
	}
	if r.Request != nil || len(r.Query) > 0 && r.Content == "" {
		statuses = append(statuses, http.StatusBadRequest)
	}
	switch {
	case r.Content == "application/json": // JSON of no Go type
		o.Responses["200"] = contentResponse("The content.", r.Content, &Schema{Type: "object"})
	case r.Content != "":
		o.Responses["200"] = contentResponse("The content.", r.Content, &Schema{Type: "string"})
	case r.Response != nil:
		o.Responses["200"] = contentResponse("The answer.", jsonType, schemaOf(reflect.TypeOf(r.Response)))
	}
	if r.Content == "" && r.Response == nil || r.Method == http.MethodPost && r.Content == htmlType {
		o.Responses["204"] = Response{Description: "Done."}
	}
	if r.Content == htmlType {
		o.addPageErrors(statuses...)
	} else {
		o.addErrors(statuses...)
	}
	d.addOperation(r.Method, r.Path, o)
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
	record := contentResponse("The record.", jsonType, schemaRef(name+"Record"))
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
		o.Responses["200"] = contentResponse("A page.", jsonType, &Schema{
			Type: "object", Required: []string{"page", "perPage", "totalItems", "totalPages", "items"}, Properties: map[string]*Schema{
				"page": {Type: "integer"}, "perPage": {Type: "integer"}, "totalItems": {Type: "integer"}, "totalPages": {Type: "integer"},
				"items": listSchema(schemaRef(name + "Record")),
			},
		})
		d.addOperation("GET", path, o)
	}
	if c.ViewRule != nil {
		o := operation("view", "One of them.", c.ViewRule, 404)
		o.Parameters, o.Responses["200"] = one, record
		d.addOperation("GET", path+"/{id}", o)
	}
	if c.CreateRule != nil {
		o := operation("create", "Stores a new one.", c.CreateRule, 400)
		o.Parameters, o.Body, o.Responses["200"] = one, d.addInput(c, names, name+"Create", true), record
		d.addOperation("POST", path, o)
	}
	if c.UpdateRule != nil {
		o := operation("update", "Changes one.", c.UpdateRule, 400, 404)
		o.Parameters, o.Body, o.Responses["200"] = one, d.addInput(c, names, name+"Update", false), record
		d.addOperation("PATCH", path+"/{id}", o)
	}
	if c.DeleteRule != nil {
		o := operation("delete", "Deletes one.", c.DeleteRule, 400, 404)
		if c.Name == "users" {
			o.Description = "Asks for a sign-in within the last 15 minutes, or for the password."
			o.Body = jsonBody(&Schema{Type: "object", Properties: map[string]*Schema{"password": {Type: "string"}}})
			o.Body.Required = false
		}
		o.Responses["204"] = Response{Description: "Done."}
		d.addOperation("DELETE", path+"/{id}", o)
	}
	if c.IsAuth() {
		d.addSignIn(c, name)
	}
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
