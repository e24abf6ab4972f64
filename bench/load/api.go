package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"strings"
)

// SendFunc sends a request and returns the body of its answer until the next call.
type SendFunc func(Request) ([]byte, error)

// API is how the clients of one server speak: the requests that an unmodified JS SDK sends for what a person does.
type API struct {
	Like    func(who Person, post string) Request
	Comment func(who Person, post, text string) Request
	// A page is one request or several, as its client needs them.
	Feed, Tray func(do SendFunc, who Person) ([]byte, error)
	Grid       func(do SendFunc, who Person, author string) ([]byte, error)
	// PhotoField is the name of the field that an upload goes to.
	PhotoField string
	// LikesCountField is the count in a post's record.
	LikesCountField string
	// ParseNotification returns whose likes a notification tells of, newest first, and of which post.
	ParseNotification func(message []byte) (post string, actors []string)
	// CheckFeedPage fails unless a feed page is what it should be for the person who asked.
	CheckFeedPage func(page []byte, who Person) error
}

// Sizes of pages.
const (
	FeedPage = 20
	TrayPage = 30
	GridPage = 30
)

// ListRequest is the request that getList sends. Options are names and values, in the order in which the SDK writes them.
func ListRequest(who Person, collection string, page, perPage int, options ...string) Request {
	path := fmt.Sprintf("/api/collections/%s/records?page=%d&perPage=%d", collection, page, perPage)
	for i := 0; i < len(options); i += 2 {
		path += "&" + options[i] + "=" + strings.ReplaceAll(url.QueryEscape(options[i+1]), "+", "%20")
	}
	return Request{Method: "GET", Path: path, Token: who.Token}
}

// CreateRequest is the request that create sends for fields that are all texts.
func CreateRequest(who Person, collection string, fields ...string) Request {
	body := []byte{'{'}
	for i := 0; i < len(fields); i += 2 {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(append(append(body, '"'), fields[i]...), `":`...)
		value, _ := json.Marshal(fields[i+1]) // a text always encodes
		body = append(body, value...)
	}
	return Request{Method: "POST", Path: "/api/collections/" + collection + "/records", Token: who.Token, Body: append(body, '}')}
}

// UploadRequest is the request that create sends for a post with a photo.
func (a API) UploadRequest(who Person, photo []byte, fields ...string) (Request, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i < len(fields); i += 2 {
		if err := form.WriteField(fields[i], fields[i+1]); err != nil {
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
