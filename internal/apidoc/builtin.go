package apidoc

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/photo"
)

// addBuiltIn adds PocketBase's routes besides collections that our clients need.
func (d *Document) addBuiltIn() {
	tags := []string{"files and realtime"}
	text := &Schema{Type: "string"}
	object := func(name string) *Schema {
		return &Schema{Type: "object", Required: []string{name}, Properties: map[string]*Schema{name: text}}
	}
	token := &Operation{ID: "fileToken", Tags: tags, Summary: "A short-lived token for files that not everybody may see.", Security: signedIn, Responses: map[string]Response{
		"200": {"The token.", map[string]Content{"application/json": {object("token")}}},
	}}
	token.addErrors(401)
	d.addOperation("POST", "/api/files/token", token)
	file := &Operation{
		ID: "file", Tags: tags, Summary: "A file of a record. Photos come as JPEG without any trace of where they were taken.", Security: anybody,
		Parameters: []Input{
			{Name: "thumb", In: "query", Description: "a size of a photo", Schema: &Schema{Type: "string", Enum: photo.ThumbNames()}},
			{Name: "token", In: "query", Description: "a file token", Schema: text},
		},
		Responses: map[string]Response{"200": {"The file.", map[string]Content{"application/octet-stream": {&Schema{Type: "string", Format: "binary"}}}}},
	}
	file.addErrors(404)
	d.addOperation("GET", "/api/files/{collection}/{id}/{filename}", file)
	d.addOperation("GET", "/api/realtime", &Operation{ID: "connect", Tags: tags, Summary: "Opens a stream of server-sent events.", Security: anybody, Responses: map[string]Response{
		"200": {"The stream.", map[string]Content{"text/event-stream": {text}}},
	}})
	subscribe := &Operation{ID: "subscribe", Tags: tags, Summary: "Says what a stream listens to.", Security: anybody,
		Body: &Body{true, map[string]Content{"application/json": {&Schema{Type: "object", Required: []string{"clientId", "subscriptions"}, Properties: map[string]*Schema{
			"clientId": text, "subscriptions": listSchema(text),
		}}}}},
		Responses: map[string]Response{"204": {Description: "Done."}},
	}
	subscribe.addErrors(400, 403, 404)
	d.addOperation("POST", "/api/realtime", subscribe)
}

// addSignIn adds the routes by which people sign in.
func (d *Document) addSignIn(c *core.Collection, name string) {
	signed := map[string]Content{"application/json": {&Schema{Type: "object", Required: []string{"token", "record"}, Properties: map[string]*Schema{
		"token": {Type: "string"}, "record": schemaRef(name + "Record"),
	}}}}
	path := "/api/collections/" + c.Name
	if c.PasswordAuth.Enabled {
		o := &Operation{ID: "signIn" + name, Tags: []string{c.Name}, Summary: "Signs in.", Security: anybody, Responses: map[string]Response{"200": {"A token and whose it is.", signed}},
			Body: &Body{true, map[string]Content{"application/json": {&Schema{Type: "object", Required: []string{"identity", "password"}, Properties: map[string]*Schema{
				"identity": {Type: "string"}, "password": {Type: "string"},
			}}}}}}
		o.addErrors(400, 403)
		d.addOperation("POST", path+"/auth-with-password", o)
	}
	o := &Operation{ID: "refresh" + name, Tags: []string{c.Name}, Summary: "A fresh token for one that is still good.", Security: signedIn, Responses: map[string]Response{"200": {"A token and whose it is.", signed}}}
	o.addErrors(401, 403)
	d.addOperation("POST", path+"/auth-refresh", o)
}
