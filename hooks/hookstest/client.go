package hookstest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/clock"
)

// Client is somebody who sends requests to the service: one of the cast, a guest or the superuser.
type Client struct {
	Name  string
	ID    string // of the account; empty for a guest
	Token string // sent with each request unless empty

	headers http.Header
	service *Service
	t       testing.TB
}

// Answer is the service's answer to a request.
type Answer struct {
	Status int
	Body   map[string]any // nil if it is no JSON object
	Raw    string
	Header http.Header
}

// ID returns the id of the record in the answer, empty if there is none.
func (a Answer) ID() string { id, _ := a.Body["id"].(string); return id }

// Items returns the records of a list, none if the answer is no list.
func (a Answer) Items() []map[string]any {
	list, _ := a.Body["items"].([]any)
	items := make([]map[string]any, len(list))
	for i, item := range list {
		items[i], _ = item.(map[string]any)
	}
	return items
}

// As returns one of the cast, signed in just now. The test ends if there is no such user.
func (s *Service) As(name string) *Client {
	s.t.Helper()
	user := s.User(name)
	token, err := user.NewAuthToken()
	if err == nil {
		token, err = account.StampToken(user, token, clock.Now(s.App))
	}
	if err != nil {
		s.t.Fatalf("sign %s in: %v", name, err)
	}
	return &Client{Name: name, ID: user.Id, Token: token, service: s, t: s.t}
}

// Guest returns somebody who is not signed in.
func (s *Service) Guest() *Client { return &Client{Name: "guest", service: s, t: s.t} }

// Admin returns the superuser, signed in.
func (s *Service) Admin() *Client {
	s.t.Helper()
	admin, err := s.App.FindAuthRecordByEmail("_superusers", "admin@example.com")
	if err != nil {
		s.t.Fatal("find the superuser:", err)
	}
	token, err := admin.NewAuthToken()
	if err != nil {
		s.t.Fatal("sign the superuser in:", err)
	}
	return &Client{Name: "admin", ID: admin.Id, Token: token, service: s, t: s.t}
}

// With returns the client with a header that it sends with each request, once for each value.
func (c *Client) With(name string, values ...string) *Client {
	with := *c
	with.headers = maps.Clone(c.headers)
	if with.headers == nil {
		with.headers = http.Header{}
	}
	with.headers[http.CanonicalHeaderKey(name)] = values
	return &with
}

// Do sends a request and returns the answer, whatever its status. body may be nil, a string that is sent as it is, an
// *Upload, or anything else, which is sent as JSON.
func (c *Client) Do(method, path string, body any) Answer {
	c.t.Helper()
	reader, kind := encodeBody(c.t, body)
	request, err := http.NewRequest(method, c.service.URL+path, reader)
	if err != nil {
		c.t.Fatal(err)
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	if c.Token != "" {
		request.Header.Set("Authorization", c.Token)
	}
	maps.Copy(request.Header, c.headers)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Fatalf("%s: %s %s: %v", c.Name, method, path, err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatalf("%s: %s %s: %v", c.Name, method, path, err)
	}
	answer := Answer{Status: response.StatusCode, Raw: string(raw), Header: response.Header}
	_ = json.Unmarshal(raw, &answer.Body) // a list or a file is no object
	return answer
}

// Must is Do, but ends the test unless the answer has the status.
func (c *Client) Must(status int, method, path string, body any) Answer {
	c.t.Helper()
	answer := c.Do(method, path, body)
	if answer.Status != status {
		c.t.Fatalf("%s: %s %s: status %d, want %d: %s", c.Name, method, path, answer.Status, status, answer.Raw)
	}
	return answer
}

// Create stores a record and returns the answer. The test ends unless its status is 200.
func (c *Client) Create(collection string, body any) Answer {
	c.t.Helper()
	return c.Must(200, "POST", "/api/collections/"+collection+"/records", body)
}

// List returns the records of a page of a collection, for a query such as "sort=-created". The test ends unless the
// status is 200.
func (c *Client) List(collection, query string) []map[string]any {
	c.t.Helper()
	return c.Must(200, "GET", "/api/collections/"+collection+"/records?"+query, nil).Items()
}

// Post shares a small photo and returns the post's id. fields are pairs of a further field's name and its value.
func (c *Client) Post(caption string, fields ...string) string {
	c.t.Helper()
	upload := &Upload{Fields: map[string]string{"caption": caption}, Files: map[string][]byte{"photos": Photo()}}
	for i := 0; i+1 < len(fields); i += 2 {
		upload.Fields[fields[i]] = fields[i+1]
	}
	return c.Create("posts", upload).ID()
}

// Story shares a small photo for a day and returns the story's id. fields are as for Post.
func (c *Client) Story(fields ...string) string {
	c.t.Helper()
	upload := &Upload{Fields: map[string]string{}, Files: map[string][]byte{"photo": Photo()}}
	for i := 0; i+1 < len(fields); i += 2 {
		upload.Fields[fields[i]] = fields[i+1]
	}
	return c.Create("stories", upload).ID()
}

// Like likes a post and returns the like's id.
func (c *Client) Like(post string) string {
	c.t.Helper()
	return c.Create("likes", map[string]any{"post": post}).ID()
}

// Follow follows one of the cast and returns the follow's id.
func (c *Client) Follow(name string) string {
	c.t.Helper()
	return c.Create("follows", map[string]any{"followee": c.service.User(name).Id}).ID()
}

// Block blocks one of the cast and returns the block's id.
func (c *Client) Block(name string) string {
	c.t.Helper()
	return c.Create("blocks", map[string]any{"blocked": c.service.User(name).Id}).ID()
}

// Comment comments on a post and returns the comment's id. It replies to the comment parent unless that is empty.
func (c *Client) Comment(post, parent, text string) string {
	c.t.Helper()
	return c.Create("comments", map[string]any{"post": post, "parent": parent, "text": text}).ID()
}

// Update changes a record and returns the answer. The test ends unless its status is 200.
func (c *Client) Update(collection, id string, body any) Answer {
	c.t.Helper()
	return c.Must(200, "PATCH", "/api/collections/"+collection+"/records/"+id, body)
}

// Delete deletes a record. The test ends unless the status is 204.
func (c *Client) Delete(collection, id string) {
	c.t.Helper()
	c.Must(204, "DELETE", "/api/collections/"+collection+"/records/"+id, nil)
}

// Upload is a multipart body.
type Upload struct {
	Fields map[string]string
	Files  map[string][]byte // content by field
	// Name is the name of the files, photo.jpg if empty.
	Name string
}

func encodeBody(t testing.TB, body any) (io.Reader, string) {
	t.Helper()
	switch b := body.(type) {
	case nil:
		return nil, ""
	case string:
		return strings.NewReader(b), "application/json"
	case *Upload:
		var buffer bytes.Buffer
		form := multipart.NewWriter(&buffer)
		for name, value := range b.Fields {
			_ = form.WriteField(name, value) // a buffer takes every write
		}
		for name, content := range b.Files {
			part, err := form.CreateFormFile(name, cmp.Or(b.Name, "photo.jpg"))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = part.Write(content)
		}
		_ = form.Close()
		return &buffer, form.FormDataContentType()
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(encoded), "application/json"
}

// Photo returns a small JPEG.
func Photo() []byte { return encodePhoto() }

var encodePhoto = sync.OnceValue(func() []byte {
	picture := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for x := range 64 {
		for y := range 48 {
			picture.Set(x, y, color.RGBA{uint8(x * 4), uint8(y * 5), 120, 255})
		}
	}
	var buffer bytes.Buffer
	if err := jpeg.Encode(&buffer, picture, nil); err != nil {
		panic(fmt.Sprint("encode a photo: ", err)) // a buffer takes every write
	}
	return buffer.Bytes()
})

// Someone returns one of any number of further users, signed in; the same n is the same user.
func (s *Service) Someone(n int) *Client {
	s.t.Helper()
	name := fmt.Sprintf("someone_%d", n)
	if _, err := s.App.FindFirstRecordByData("users", "handle", name); err != nil {
		ada := s.User("ada")
		record := core.NewRecord(ada.Collection())
		record.SetEmail(name + "@example.com")
		record.Set("handle", name)
		record.SetRaw(core.FieldNamePassword, ada.GetRaw(core.FieldNamePassword)) // hashing takes long
		if err := s.App.Save(record); err != nil {
			s.t.Fatalf("sign %s up: %v", name, err)
		}
	}
	return s.As(name)
}
