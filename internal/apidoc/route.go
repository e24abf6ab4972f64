package apidoc

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
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

// The tags of our own routes and of PocketBase's besides collections.
const (
	ownTag     = "doubletap"
	builtInTag = "pocketbase"
)

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
