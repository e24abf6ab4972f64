// Package apidoc describes the API to clients as OpenAPI, as TypeScript types and as a page. It makes them from the
// live collections and from the table of routes by which these routes are also served.
package apidoc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/idempotency"
)

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
		d.addCollection(c, names, idempotency.IsAccepted(app, c.Name))
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
