package apidoc

import (
	"maps"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// addCollection adds what the rules of a collection allow clients to do. Where it takes keys, a create may be sent again.
func (d *Document) addCollection(c *core.Collection, names map[string]string, takesKeys bool) {
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
		if takesKeys {
			o.addKey()
		}
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

// addKey adds the key with which a create may be sent again.
func (o *Operation) addKey() {
	o.Parameters = append(slices.Clone(o.Parameters), Input{
		Name: "Idempotency-Key", In: "header", Schema: &Schema{Type: "string", Pattern: "^[!-~]{1,255}$"},
		Description: "chosen by the client: the same request with the same key stores nothing again within a day, and is answered with what was stored",
	})
	record := o.Responses["200"]
	record.Headers = map[string]Header{"Idempotent-Replayed": {"true if an earlier request has stored it", &Schema{Type: "string"}}}
	o.Responses["200"] = record
	o.addErrors(404, 422)
}
