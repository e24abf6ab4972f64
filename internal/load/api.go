package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
)

// SendFunc sends a request and returns the body of its answer, which is valid until the next call.
type SendFunc func(Request) ([]byte, error)

// API describes the clients of one server: the requests that an unmodified JS SDK sends for what a person does.
type API struct {
	Like    func(who Person, post string) Request
	Comment func(who Person, post, text string) Request
	// Feed, Tray and Grid load a page, with as many requests as the client needs.
	Feed, Tray func(do SendFunc, who Person) ([]byte, error)
	Grid       func(do SendFunc, who Person, author string) ([]byte, error)
	// PhotoField names the field of a post that an upload goes to.
	PhotoField string
	// LikesCountField names the field of a post that counts its likes.
	LikesCountField string
	// ParseNotification returns the post and the actors, newest first, that a notification of likes is about; "" and
	// nil for other messages.
	ParseNotification func(message []byte) (post string, actors []string)
	// CheckFeedPage returns an error unless a feed page is as it should be for the person who asked.
	CheckFeedPage func(page []byte, who Person) error
}

// Sizes of pages.
const (
	FeedPage = 20
	TrayPage = 30
	GridPage = 30
)

// ListRequest returns the request that the SDK's getList sends. options are names and values in turn, in the SDK's
// order.
func ListRequest(who Person, collection string, page, perPage int, options ...string) Request {
	path := fmt.Sprintf("/api/collections/%s/records?page=%d&perPage=%d", collection, page, perPage)
	for i := 0; i < len(options); i += 2 {
		path += "&" + options[i] + "=" + strings.ReplaceAll(url.QueryEscape(options[i+1]), "+", "%20")
	}
	return Request{Method: "GET", Path: path, Token: who.Token}
}

// CreateRequest returns the request that the SDK's create sends. fields are names and texts in turn.
func CreateRequest(who Person, collection string, fields ...string) Request {
	body := []byte{'{'}
	for i := 0; i < len(fields); i += 2 {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(append(append(body, '"'), fields[i]...), `":`...)
		value, _ := json.Marshal(fields[i+1]) // a text can always be encoded
		body = append(body, value...)
	}
	return Request{Method: "POST", Path: "/api/collections/" + collection + "/records", Token: who.Token, Body: append(body, '}')}
}

// UploadRequest returns the request that the SDK's create sends for a post with a photo. fields are names and texts
// in turn.
func (a API) UploadRequest(who Person, photo []byte, fields ...string) (Request, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for pair := range slices.Chunk(fields, 2) {
		if err := form.WriteField(pair[0], pair[1]); err != nil {
			return Request{}, err
		}
	}
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {fmt.Sprintf(`form-data; name="%s"; filename="photo.jpg"`, a.PhotoField)},
		"Content-Type":        {"image/jpeg"},
	})
	if err != nil {
		return Request{}, err
	}
	if _, err := part.Write(photo); err != nil {
		return Request{}, err
	}
	if err := form.Close(); err != nil {
		return Request{}, err
	}
	return Request{Method: "POST", Path: "/api/collections/posts/records", Token: who.Token, Type: form.FormDataContentType(), Body: body.Bytes()}, nil
}
