package cli

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

	"github.com/doubletap/doubletap/internal/load"
)

// ownerCount is how many people have posts that only the cases of notifications like.
const ownerCount = 4

// benchGroup is the people whom the benchmark makes on a server.
type benchGroup struct {
	options    BenchOptions
	adminToken string
	people     []*benchPerson
	photo      []byte
	likes      atomic.Int64
}

type benchPerson struct {
	load.Person
	posts []string
}

func newBenchGroup(ctx context.Context, o BenchOptions) (*benchGroup, error) {
	if o.People < ownerCount+21 || o.Posts < 5 {
		return nil, fmt.Errorf("it takes %d people at least, with five posts each", ownerCount+21)
	}
	g := &benchGroup{options: o}
	var session struct{ Token string }
	err := g.sendJSON(ctx, "POST", "/api/collections/_superusers/auth-with-password", "", map[string]any{"identity": o.Email, "password": o.Password}, &session)
	if err != nil {
		return nil, fmt.Errorf("sign in as %s: %w", o.Email, err)
	}
	g.adminToken = session.Token
	picture := image.NewRGBA(image.Rect(0, 0, 320, 320))
	for i := range 320 * 320 {
		picture.Set(i%320, i/320, color.RGBA{uint8(i), uint8(i / 320), uint8(i % 320), 255})
	}
	var photo bytes.Buffer
	err = jpeg.Encode(&photo, picture, nil)
	g.photo = photo.Bytes()
	return g, err
}

// createPeople makes the people, with 20 follows each, and their posts.
func (g *benchGroup) createPeople(ctx context.Context, report func(done, total int)) error {
	total := g.options.People
	for n := range total {
		if err := g.createPerson(ctx, n); err != nil {
			return fmt.Errorf("make person %d: %w", n+1, err)
		}
		report(n+1, 2*total)
	}
	for n, p := range g.people {
		for i := range 20 {
			follow := load.CreateRequest(p.Person, "follows", "followee", g.people[(n+i+1)%total].ID)
			if err := g.sendRequest(ctx, follow, nil); err != nil {
				return fmt.Errorf("follow: %w", err)
			}
		}
		posts := g.options.Posts
		if n >= total-ownerCount {
			posts *= 8 // everybody likes each of them once, one like after the other
		}
		for range posts {
			upload, err := load.Doubletap.UploadRequest(p.Person, g.photo, "caption", "a benchmark")
			if err != nil {
				return err
			}
			var post struct{ ID string }
			if err := g.sendRequest(ctx, upload, &post); err != nil {
				return fmt.Errorf("post: %w", err)
			}
			p.posts = append(p.posts, post.ID)
		}
		report(total+n+1, 2*total)
	}
	return nil
}

func (g *benchGroup) createPerson(ctx context.Context, n int) error {
	handle := "bench_" + strings.ToLower(security.RandomString(10))
	password := security.RandomString(20)
	var user struct{ ID string }
	err := g.sendJSON(ctx, "POST", "/api/collections/users/records", g.adminToken, map[string]any{
		"handle": handle, "name": fmt.Sprint("Bench ", n), "email": handle + "@example.invalid", "password": password, "passwordConfirm": password,
	}, &user)
	if err != nil {
		return err
	}
	p := &benchPerson{Person: load.Person{ID: user.ID}}
	g.people = append(g.people, p)
	var session struct{ Token string }
	err = g.sendJSON(ctx, "POST", "/api/collections/users/impersonate/"+user.ID, g.adminToken, map[string]any{"duration": 3600}, &session)
	p.Token = session.Token
	return err
}

// deletePeople deletes the people; the server erases what belongs to them. ctx may have ended: nobody stays there.
func (g *benchGroup) deletePeople(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	var all error
	for _, p := range g.people {
		all = errors.Join(all, g.sendJSON(ctx, "DELETE", "/api/collections/users/records/"+p.ID, g.adminToken, nil, nil))
	}
	return all
}

func (g *benchGroup) loadPersons(people []*benchPerson) []load.Person {
	all := make([]load.Person, len(people))
	for i, p := range people {
		all[i] = p.Person
	}
	return all
}

func (g *benchGroup) sendJSON(ctx context.Context, method, path, token string, body, answer any) error {
	r := load.Request{Method: method, Path: path, Token: token}
	if body != nil {
		r.Body, _ = json.Marshal(body) // a map of texts and numbers always encodes
	}
	return g.sendRequest(ctx, r, answer)
}

func (g *benchGroup) sendRequest(ctx context.Context, r load.Request, answer any) error {
	request, err := http.NewRequestWithContext(ctx, r.Method, g.options.URL+r.Path, bytes.NewReader(r.Body))
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
