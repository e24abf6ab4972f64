package apidoc

import (
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/photo"
)

// addBuiltIn adds PocketBase's routes besides collections that our clients need.
func (d *Document) addBuiltIn(app core.App) {
	add := func(method, path string, o *Operation, errorStatuses ...int) {
		o.Tags = []string{builtInTag}
		o.addErrors(errorStatuses...)
		d.addOperation(method, path, o)
	}
	text := &Schema{Type: "string"}
	add("GET", "/api/health", &Operation{
		ID: "health", Summary: "Whether the service answers; /readyz says whether it can do its work.", Security: anybody,
		Responses: map[string]Response{"200": contentResponse("It does.", jsonType, &Schema{Type: "object", Required: []string{"code", "message", "data"}, Properties: map[string]*Schema{
			"code": {Type: "integer"}, "message": text, "data": {Type: "object", Others: &Schema{}},
		}})},
	})
	add("POST", "/api/files/token", &Operation{
		ID: "fileToken", Summary: "A short-lived token for files that not everybody may see.", Security: signedIn,
		Responses: map[string]Response{"200": contentResponse("The token.", jsonType, textsSchema("token"))},
	}, 401)
	add("GET", "/api/files/{collection}/{id}/{filename}", &Operation{
		ID: "file", Summary: "A file of a record. Photos come as JPEG without any trace of where they were taken.", Security: anybody,
		Parameters: []Input{
			{Name: "thumb", In: "query", Description: "a size of a photo", Schema: &Schema{Type: "string", Enum: photo.ThumbNames()}},
			{Name: "token", In: "query", Description: "a file token", Schema: text},
		},
		Responses: map[string]Response{"200": contentResponse("The file.", "application/octet-stream", &Schema{Type: "string", Format: "binary"})},
	}, 404)
	add("GET", "/api/realtime", &Operation{
		ID: "connect", Summary: "Opens a stream of server-sent events.", Security: anybody,
		Responses: map[string]Response{"200": contentResponse("The stream.", "text/event-stream", text)},
	})
	add("POST", "/api/realtime", &Operation{
		ID: "subscribe", Summary: "Says what a stream listens to.", Security: anybody,
		Body: jsonBody(&Schema{Type: "object", Required: []string{"clientId", "subscriptions"}, Properties: map[string]*Schema{
			"clientId": text, "subscriptions": listSchema(text),
		}}),
		Responses: map[string]Response{"204": {Description: "Done."}},
	}, 403, 404)
	if batch := app.Settings().Batch; batch.Enabled && batch.MaxRequests > 0 {
		add("POST", "/api/batch", d.batchOperation(batch.MaxRequests), 403)
	}
}

// batchOperation describes the batch, which has files only as a form: see the SDKs' createBatch.
func (d *Document) batchOperation(most int) *Operation {
	item := &Schema{Type: "object", Required: []string{"method", "url"}, Properties: map[string]*Schema{
		"method":  {Type: "string", Enum: []string{"POST", "PUT", "PATCH", "DELETE"}},
		"url":     {Type: "string", Description: "such as /api/collections/likes/records"},
		"headers": {Type: "object", Others: &Schema{Type: "string"}},
		"body":    {Type: "object", Others: &Schema{}},
	}}
	answer := &Schema{Type: "object", Required: []string{"status", "body"}, Properties: map[string]*Schema{
		"status": {Type: "integer"}, "body": {Description: "what the request alone would be answered"},
	}}
	return &Operation{
		ID: "batch", Summary: "Several writes in one transaction: all of them, or none.", Security: signedIn,
		Description: "Sign-ups and passwords cannot be part of it. Files come as a form; the SDKs build it.",
		Body: jsonBody(&Schema{Type: "object", Required: []string{"requests"}, Properties: map[string]*Schema{
			"requests": {Type: "array", Items: item, MinItems: 1, MaxItems: most},
		}}),
		Responses: map[string]Response{"200": contentResponse("The answers, in the order of the requests.", jsonType, listSchema(answer))},
	}
}
