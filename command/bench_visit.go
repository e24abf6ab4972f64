package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/pocketbase/pocketbase/tools/security"

	"doubletap/bench/load"
)

// ownerCount are the people whose posts only the cases of notifications like.
const ownerCount = 4

// benchGroup is the benchmark's people on a server.
type benchGroup struct {
	options    BenchOptions
	adminToken string // token
	people     []*benchPerson
	photo      []byte
	likes      atomic.Int64
}

type benchPerson struct {
	load.Person
	posts []string
}

func newBenchGroup(ctx context.Context, t BenchOptions) (*benchGroup, error) {
	if t.People < ownerCount+21 || t.Posts < 5 {
		return nil, fmt.Errorf("it takes %d people at least, with five posts each", ownerCount+21)
	}
	v := &benchGroup{options: t}
	var session struct{ Token string }
	err := v.sendJSON(ctx, "POST", "/api/collections/_superusers/auth-with-password", "", map[string]any{"identity": t.Email, "password": t.Password}, &session)
	if err != nil {
		return nil, fmt.Errorf("sign in as %s: %w", t.Email, err)
	}
	v.adminToken = session.Token
	picture := image.NewRGBA(image.Rect(0, 0, 320, 320))
	for i := range 320 * 320 {
		picture.Set(i%320, i/320, color.RGBA{uint8(i), uint8(i / 320), uint8(i % 320), 255})
	}
	var photo bytes.Buffer
	err = jpeg.Encode(&photo, picture, nil)
	v.photo = photo.Bytes()
	return v, err
}

// createPeople makes the people, who follow twenty others each, and their posts.
func (v *benchGroup) createPeople(ctx context.Context, report func(done, total int)) error {
	total := v.options.People
	for n := range total {
		if err := v.createPerson(ctx, n); err != nil {
			return fmt.Errorf("make person %d: %w", n+1, err)
		}
		report(n+1, 2*total)
	}
	for n, p := range v.people {
		for i := range 20 {
			follow := load.CreateRequest(p.Person, "follows", "followee", v.people[(n+i+1)%total].ID)
			if err := v.sendRequest(ctx, follow, nil); err != nil {
				return fmt.Errorf("follow: %w", err)
			}
		}
		posts := v.options.Posts
		if n >= total-ownerCount {
			posts *= 8 // each is liked once by everybody, one like after the other
		}
		for range posts {
			upload, err := load.Doubletap.UploadRequest(p.Person, v.photo, "caption", "a benchmark")
			if err != nil {
				return err
			}
			var post struct{ ID string }
			if err := v.sendRequest(ctx, upload, &post); err != nil {
				return fmt.Errorf("post: %w", err)
			}
			p.posts = append(p.posts, post.ID)
		}
		report(total+n+1, 2*total)
	}
	return nil
}

func (v *benchGroup) createPerson(ctx context.Context, n int) error {
	handle := "bench_" + strings.ToLower(security.RandomString(10))
	password := security.RandomString(20)
	var user struct{ ID string }
	err := v.sendJSON(ctx, "POST", "/api/collections/users/records", v.adminToken, map[string]any{
		"handle": handle, "name": fmt.Sprint("Bench ", n), "email": handle + "@example.invalid", "password": password, "passwordConfirm": password,
	}, &user)
	if err != nil {
		return err
	}
	p := &benchPerson{Person: load.Person{ID: user.ID}}
	v.people = append(v.people, p)
	var session struct{ Token string }
	err = v.sendJSON(ctx, "POST", "/api/collections/users/impersonate/"+user.ID, v.adminToken, map[string]any{"duration": 3600}, &session)
	p.Token = session.Token
	return err
}

// deletePeople deletes the people; the server erases what was theirs.
func (v *benchGroup) deletePeople() error {
	var all error
	for _, p := range v.people {
		all = errors.Join(all, v.sendJSON(context.Background(), "DELETE", "/api/collections/users/records/"+p.ID, v.adminToken, nil, nil))
	}
	return all
}

func (v *benchGroup) loadPersons(of []*benchPerson) []load.Person {
	all := make([]load.Person, len(of))
	for i, p := range of {
		all[i] = p.Person
	}
	return all
}

func (v *benchGroup) sendJSON(ctx context.Context, method, path, token string, body, answer any) error {
	r := load.Request{Method: method, Path: path, Token: token}
	if body != nil {
		r.Body, _ = json.Marshal(body) // a map of texts and numbers always encodes
	}
	return v.sendRequest(ctx, r, answer)
}

func (v *benchGroup) sendRequest(ctx context.Context, r load.Request, answer any) error {
	request, err := http.NewRequestWithContext(ctx, r.Method, v.options.URL+r.Path, bytes.NewReader(r.Body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if r.Type != "" {
		request.Header.Set("Content-Type", r.Type)
	}
	request.Header.Set("Authorization", r.Token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s", r.Method, r.Path, strings.TrimSpace(string(text)))
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}
