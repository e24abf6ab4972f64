package hooks_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// countingBody counts what the service reads of a body.
type countingBody struct {
	io.ReadCloser
	readBytes *atomic.Int64
}

func (c *countingBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.readBytes.Add(int64(n))
	return n, err
}

func (c *countingBody) Reread() { c.ReadCloser.(router.Rereader).Reread() }

// newBodyService starts a service that counts what it reads, with an owner's collection to which anybody may write.
func newBodyService(t *testing.T) (s *hookstest.Service, read *atomic.Int64) {
	read = new(atomic.Int64)
	s = hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnServe().BindFunc(func(e *core.ServeEvent) error {
			notes := core.NewBaseCollection("notes")
			notes.Fields.Add(&core.TextField{Name: "text", Max: 5 << 20}, &core.JSONField{Name: "tree", MaxSize: 5 << 20})
			notes.CreateRule = new("")
			if err := e.App.Save(notes); err != nil {
				return err
			}
			e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: -20000, Func: func(e *core.RequestEvent) error {
				e.Request.Body = &countingBody{e.Request.Body, read}
				return e.Next()
			}})
			return e.Next()
		})
	})
	return s, read
}

// silentBody is a body that sends nothing.
type silentBody struct{ ended chan struct{} }

func (s silentBody) Read([]byte) (int, error) { <-s.ended; return 0, io.EOF }

// endlessBody is a body that never ends.
type endlessBody struct{ begin io.Reader }

func (s endlessBody) Read(p []byte) (int, error) {
	if n, err := s.begin.Read(p); err == nil {
		return n, nil
	}
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// sendSized returns the answer to a request whose headers say that the body has size bytes, or whose body never ends
// if size is negative.
func sendSized(t *testing.T, s *hookstest.Service, c *hookstest.Client, method, path, kind string, size int64) hookstest.Answer {
	t.Helper()
	begin := map[string]string{"application/json": `{"text":"`, "multipart/form-data; boundary=x": "--x\r\nContent-Disposition: form-data; name=\"photos\"; filename=\"p.jpg\"\r\n\r\n"}[kind]
	body := io.Reader(endlessBody{strings.NewReader(begin)})
	if size >= 0 {
		ended := make(chan struct{})
		defer close(ended)
		body = silentBody{ended}
	}
	return sendBody(t, s, c, method, path, kind, size, body)
}

func sendBody(t *testing.T, s *hookstest.Service, c *hookstest.Client, method, path, kind string, size int64, body io.Reader) hookstest.Answer {
	t.Helper()
	request, err := http.NewRequest(method, s.URL+path, io.NopCloser(body))
	if err != nil {
		t.Fatal(err)
	}
	request.ContentLength = size
	request.Header.Set("Content-Type", kind)
	request.Header.Set("Authorization", c.Token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	a := hookstest.Answer{Status: response.StatusCode, Raw: string(text), Header: response.Header}
	if err := json.Unmarshal(text, &a.Body); err != nil || a.Body["data"] == nil || a.Body["message"] == "" {
		t.Errorf("%s %s is answered %d %s", method, path, a.Status, text)
	}
	return a
}

var bodyContentTypes = []string{"application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"}

// TestBodiesAreBounded sends every collection more than it can need, by every verb. What a new collection takes must
// be added here.
func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	const text, photo = 256 << 10, 50 << 20
	files := map[string]int64{"posts": 10*photo + 4<<20, "stories": photo + 4<<20, "users": photo + 4<<20} // all others take none
	jsons := map[string]int64{                                                                             // what their JSON may take on top of text
		"audit": 200_000, "devices": 4_000, "jobs": 1 << 20, "notifications": 0, "posts": 1 << 20, "settings": 1 << 20, "webhook_deliveries": 1<<20 + 100_000, "webhooks": 1 << 20, "secrets": 1 << 20, "handles": 0,
	}
	s, read := newBodyService(t)
	collections, err := s.App.FindAllCollections()
	if err != nil {
		t.Fatal(err)
	}
	admin := s.Admin()
	for _, c := range collections {
		if c.IsView() || c.Name == "notes" || strings.HasPrefix(c.Name, "_") && c.Name != "_superusers" {
			continue
		}
		path := "/api/collections/" + c.Name + "/records"
		for _, kind := range bodyContentTypes {
			most := text + jsons[c.Name]
			if strings.HasPrefix(kind, "multipart") {
				most += files[c.Name]
			}
			for _, verb := range [][2]string{{"POST", path}, {"PATCH", path + "/missing00000000"}, {"DELETE", path + "/missing00000000"}, {"GET", path}, {"GET", path + "/missing00000000"}} {
				if verb[0] != "POST" && kind != bodyContentTypes[0] {
					continue // one table for all
				}
				what := fmt.Sprint(verb[0], " ", verb[1], " ", kind)
				read.Store(0)
				if a := sendSized(t, s, admin, verb[0], verb[1], kind, most+1); a.Status != 413 || read.Load() != 0 {
					t.Errorf("%s, told that it is too large: %d after %d bytes", what, a.Status, read.Load())
				}
				if most > 2<<20 || verb[0] != "POST" { // the others are bounded by the same reader
					continue
				}
				if a := sendSized(t, s, admin, verb[0], verb[1], kind, -1); a.Status != 413 || read.Load() > most+1 {
					t.Errorf("%s, without an end: %d after %d bytes", what, a.Status, read.Load())
				}
			}
		}
	}
	for _, path := range []string{"/api/batch", "/api/realtime", "/api/v1/notifications/read", "/api/collections/users/auth-with-password", "/api/collections/users/auth-with-oauth2",
		"/api/oauth2-redirect", "/api/files/token", "/api/collections/users/auth-refresh", "/api/collections/users/request-password-reset", "/api/collections/_superusers/auth-with-password"} {
		read.Store(0)
		if a := sendSized(t, s, s.As("ada"), "POST", path, "application/json", 3<<20); a.Status != 413 || read.Load() != 0 {
			t.Errorf("%s: %d after %d bytes", path, a.Status, read.Load())
		}
		if slices.Contains([]string{"/api/collections/users/auth-with-oauth2", "/api/oauth2-redirect", "/api/files/token"}, path) { // off, or ignores its body
			continue
		}
		if a := sendSized(t, s, s.As("ada"), "POST", path, "application/json", -1); a.Status != 413 || read.Load() > 2<<20+1 {
			t.Errorf("%s without an end: %d after %d bytes", path, a.Status, read.Load())
		}
	}
	read.Store(0)
	if a := s.Guest().Do("POST", "/api/collections/notes/records", jsonObject{"text": strings.Repeat("x", 4<<20)}); a.Status != 200 {
		t.Errorf("an owner's collection takes what PocketBase lets it: %d", a.Status)
	}
	if a := sendSized(t, s, s.Guest(), "POST", "/api/collections/users/records", bodyContentTypes[2], 15<<20); a.Status != 413 {
		t.Errorf("a sign-up with an avatar of 15 MB: %d", a.Status)
	}
}

// TestFormTextIsBoundedWhileItIsRead sends as much text as the photos of a post may weigh: it is refused before it is
// in memory.
func TestFormTextIsBoundedWhileItIsRead(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s, read := newBodyService(t)
	const most = 2 << 20
	for name, begin := range map[string]string{
		"one field":            "--x\r\nContent-Disposition: form-data; name=\"caption\"\r\n\r\n",
		"one behind a photo":   "--x\r\nContent-Disposition: form-data; name=\"photos\"; filename=\"p.jpg\"\r\n\r\nphoto\r\n--x\r\nContent-Disposition: form-data; name=\"caption\"\r\n\r\n",
		"the JSON of a record": "--x\r\nContent-Disposition: form-data; name=\"@jsonPayload\"\r\n\r\n",
		"several fields":       strings.Repeat("--x\r\nContent-Disposition: form-data; name=\"caption\"\r\n\r\n"+strings.Repeat("x", most/8)+"\r\n", 7) + "--x\r\nContent-Disposition: form-data; name=\"place\"\r\n\r\n",
	} {
		for _, door := range [][2]string{{"POST", "/api/collections/posts/records"}, {"POST", "/api/batch"}} {
			read.Store(0)
			a := sendBody(t, s, s.As("ada"), door[0], door[1], bodyContentTypes[2], -1, endlessBody{strings.NewReader(begin)})
			if a.Status != 413 || read.Load() > most+1<<20 {
				t.Errorf("%s to %s: %d after %d bytes", name, door[1], a.Status, read.Load())
			}
		}
	}
	s.As("ada").Post(strings.Repeat("x", 2000))
}

// TestWhoMayNotWriteIsToldAtTheHeaders compares the answer before a body has come with the answer to a request whose
// body has come.
func TestWhoMayNotWriteIsToldAtTheHeaders(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s, read := newBodyService(t)
	collections, err := s.App.FindAllCollections()
	if err != nil {
		t.Fatal(err)
	}
	suspended := s.As("mallory")
	s.Admin().Update("users", suspended.ID, jsonObject{"state": "suspended"})
	told := 0
	for _, c := range collections {
		if c.IsView() || strings.HasPrefix(c.Name, "_") {
			continue
		}
		path := "/api/collections/" + c.Name + "/records"
		for who, client := range map[string]*hookstest.Client{"a guest": s.Guest(), "a bad token": {Token: "not.a.token"}, "somebody suspended": suspended} {
			for method, rule := range map[string]*string{"POST": c.CreateRule, "PATCH": c.UpdateRule} {
				if rule != nil && !strings.HasPrefix(*rule, `@request.auth.id != ""`) {
					continue // anybody may, or it depends
				}
				at := path
				if method == "PATCH" {
					at += "/missing00000000"
				}
				want := 400
				switch {
				case rule == nil:
					want = 403
				case method == "PATCH":
					want = 404
				}
				for _, kind := range []string{bodyContentTypes[0], bodyContentTypes[2]} {
					read.Store(0)
					a := sendSized(t, s, client, method, at, kind, 1<<20) // net/http waits for the rest of a smaller body itself
					if a.Status != want || read.Load() != 0 {
						t.Errorf("%s, %s %s %s: %d after %d bytes, want %d", who, method, at, kind, a.Status, read.Load(), want)
					}
					told++
				}
			}
		}
	}
	if told < 80 {
		t.Errorf("only %d were told", told)
	}
	for _, kind := range []string{bodyContentTypes[0], bodyContentTypes[2]} {
		read.Store(0)
		if a := sendSized(t, s, s.Guest(), "POST", "/api/batch", kind, 1<<20); a.Status != 400 || read.Load() != 0 {
			t.Errorf("a guest's batch of %s: %d after %d bytes", kind, a.Status, read.Load())
		}
	}
	if a, b := s.Guest().Do("POST", "/api/collections/saves/records", jsonObject{"post": "missing00000000"}), s.As("ada").Do("POST", "/api/collections/saves/records", jsonObject{"post": "missing00000000"}); a.Raw != b.Raw {
		t.Errorf("a guest can tell why: %s %s", a.Raw, b.Raw)
	}
}

func TestJSONIsBoundedInDepth(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s, read := newBodyService(t)
	ada := s.As("ada")
	deep := strings.Repeat("[", 100_000)
	for name, send := range map[string]func() hookstest.Answer{
		"a record": func() hookstest.Answer { return ada.Do("POST", "/api/collections/likes/records", `{"post":`+deep) },
		"a change": func() hookstest.Answer {
			return ada.Do("PATCH", "/api/collections/users/records/"+ada.ID, `{"name":`+deep)
		},
		"a batch": func() hookstest.Answer { return ada.Do("POST", "/api/batch", `{"requests":`+deep) },
		"a sign-in": func() hookstest.Answer {
			return ada.Do("POST", "/api/collections/users/auth-with-password", `{"x":"]]\"","identity":`+deep[:50_000])
		},
		"a stream": func() hookstest.Answer { return ada.Do("POST", "/api/realtime", `{"subscriptions":`+deep) },
		"a form": func() hookstest.Answer {
			return ada.Do("PATCH", "/api/collections/users/records/"+ada.ID, &hookstest.Upload{Fields: map[string]string{"@jsonPayload": deep}})
		},
		"a batch form": func() hookstest.Answer {
			return ada.Do("POST", "/api/batch", &hookstest.Upload{Fields: map[string]string{"@jsonPayload": `{"requests":` + deep}})
		},
	} {
		read.Store(0)
		a := send()
		if a.Status != 400 || a.Body["message"] != "The body is nested too deeply." {
			t.Errorf("%s: %d %s", name, a.Status, a.Raw)
		}
	}
	if a := ada.Do("PATCH", "/api/collections/users/records/"+ada.ID, `{"name":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[ {\"`+strings.Repeat(" ", 300)+`"}`); a.Status != 400 || strings.Contains(a.Raw, "nested") {
		t.Errorf("brackets in a text, which is too long for a name: %d %s", a.Status, a.Raw)
	}
	if a := s.Guest().Do("POST", "/api/collections/notes/records", `{"tree":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+strings.Repeat(" ", 300)+`}`); a.Status != 200 {
		t.Errorf("an owner's collection: %d %s", a.Status, a.Raw)
	}
}
