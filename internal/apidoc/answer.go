package apidoc

import (
	"net/http"
	"strconv"
	"strings"
)

// The media types of bodies and answers.
const (
	jsonType = "application/json"
	htmlType = "text/html"
)

const errorName = "Error" // of the schema that all errors have

func contentResponse(about, mediaType string, s *Schema) Response {
	return Response{Description: about, Content: map[string]Content{mediaType: {Schema: s}}}
}

func jsonBody(s *Schema) *Body {
	return &Body{true, map[string]Content{jsonType: {Schema: s}}}
}

// textsSchema returns the schema of an object of texts, all of them required.
func textsSchema(names ...string) *Schema {
	s := &Schema{Type: "object", Required: names, Properties: map[string]*Schema{}}
	for _, name := range names {
		s.Properties[name] = &Schema{Type: "string"}
	}
	return s
}

func errorSchema() *Schema {
	return &Schema{
		Type: "object", Required: []string{"status", "message", "data"}, Properties: map[string]*Schema{
			"status":  {Type: "integer"},
			"message": {Type: "string", Description: "in English, for people"},
			"data":    {Type: "object", Description: "what is wrong, by field: a code for programs, and a message", Others: &Schema{}},
		},
	}
}

// errorMeanings are the statuses of errors with what each means everywhere.
var errorMeanings = map[int]string{
	http.StatusBadRequest:            "The request is not valid, or not allowed: data has the fields.",
	http.StatusUnauthorized:          "Nobody is signed in.",
	http.StatusForbidden:             "Nobody but others may do this.",
	http.StatusNotFound:              "It is not there, or not for the caller.",
	http.StatusRequestEntityTooLarge: "The body is too large.",
	http.StatusUnprocessableEntity:   "The Idempotency-Key, or the id, was used for another request.",
	http.StatusTooManyRequests:       "Too many for now: Retry-After says when to come back, where that is known.",
	http.StatusNotImplemented:        "This form of it is not served.",
	http.StatusServiceUnavailable:    "The service cannot do this right now: send it again after Retry-After.",
}

// responseName returns the name of a response among the document's components.
func responseName(status int) string { return strings.ReplaceAll(http.StatusText(status), " ", "") }

func errorResponses() map[string]Response {
	all := map[string]Response{}
	for status, meaning := range errorMeanings {
		r := contentResponse(meaning, jsonType, schemaRef(errorName))
		if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
			r.Headers = map[string]Header{"Retry-After": {"seconds", &Schema{Type: "integer"}}}
		}
		all[responseName(status)] = r
	}
	return all
}

func (o *Operation) addErrors(statuses ...int) {
	for _, status := range statuses {
		o.Responses[strconv.Itoa(status)] = Response{Ref: "#/components/responses/" + responseName(status)}
	}
}

// addPageErrors adds errors that are pages for people.
func (o *Operation) addPageErrors(statuses ...int) {
	for _, status := range statuses {
		o.Responses[strconv.Itoa(status)] = contentResponse("A page that says so.", htmlType, &Schema{Type: "string"})
	}
}

// addUsualErrors adds what any request to the API may be answered with.
func (o *Operation) addUsualErrors(path string) {
	if !strings.HasPrefix(path, "/api/") {
		return
	}
	o.addErrors(http.StatusTooManyRequests, http.StatusServiceUnavailable)
	if o.Body != nil {
		o.addErrors(http.StatusBadRequest, http.StatusRequestEntityTooLarge)
	}
}
