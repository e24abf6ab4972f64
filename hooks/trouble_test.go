package hooks_test

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"os"
	command "os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

func TestFullDisk(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	const people = 60                               // more than fit into the pages that are there
	const words = "#tag @carol @dave @eve @mallory" // notifying of it needs space before the thing itself does
	for what, try := range map[string]func(s *hookstest.Service, post string, n int) hookstest.Answer{
		"like": func(s *hookstest.Service, post string, n int) hookstest.Answer {
			return s.Someone(n).Do("POST", "/api/collections/likes/records", map[string]any{"post": post})
		},
		"comment": func(s *hookstest.Service, post string, n int) hookstest.Answer {
			return s.Someone(n).Do("POST", "/api/collections/comments/records", map[string]any{"post": post, "text": words})
		},
		"post": func(s *hookstest.Service, _ string, n int) hookstest.Answer {
			return s.Someone(n).Do("POST", "/api/collections/posts/records",
				&hookstest.Upload{Fields: map[string]string{"caption": words}, Files: map[string][]byte{"photos": hookstest.Photo()}})
		},
	} {
		t.Run("refuses a "+what+" whole and for the time being", func(t *testing.T) {
			s := hookstest.New(t)
			post := s.As("ada").Post("hello")
			s.As("bob").Follow("ada")
			for n := range people {
				s.Someone(n)
			}
			free := fillDisk(t, s)

			n, before, a := 0, storedCounts(t, s), try(s, post, 0)
			for a.Status == 200 && n+1 < people {
				n, before = n+1, storedCounts(t, s)
				a = try(s, post, n)
			}
			if a.Status != 503 || a.Header.Get("Retry-After") == "" {
				t.Fatalf("%s %d is answered %d %s, Retry-After %q", what, n, a.Status, a.Raw, a.Header.Get("Retry-After"))
			}
			if data, ok := a.Body["data"].(map[string]any); !ok || len(data) != 0 || a.Body["status"] != 503.0 || a.Body["message"] == "" || len(a.Body) != 3 {
				t.Errorf("the answer has not the shape of PocketBase's errors: %s", a.Raw)
			}
			if strings.Contains(a.Raw, "disk") {
				t.Errorf("the answer tells the cause: %s", a.Raw)
			}
			if after := storedCounts(t, s); !maps.Equal(before, after) {
				t.Errorf("something was stored\nbefore %v\nafter  %v", before, after)
			}

			bob := s.As("bob")
			for _, path := range []string{"posts/records/" + post, "posts/records", "feed/records?expand=post.author&sort=-at,-post", "comments/records", "users/records/" + bob.ID} {
				bob.Must(200, "GET", "/api/collections/"+path, nil)
			}
			s.As("ada").Must(200, "GET", "/api/collections/notifications/records", nil)
			s.Guest().Must(200, "GET", "/api/collections/posts/records/"+post, nil)

			free()
			if a := try(s, post, n); a.Status != 200 {
				t.Fatalf("the same %s with space again is answered %d %s", what, a.Status, a.Raw)
			}
			if what == "like" {
				likes := s.Rows("likes", "1")
				if a := try(s, post, n); a.Status != 200 || s.Rows("likes", "1") != likes || likes != n+1 {
					t.Errorf("the like again is answered %d, with %d likes of %d people", a.Status, s.Rows("likes", "1"), n+1)
				}
				s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: n + 1}, hookstest.Notification{Type: "follow", Actors: 1})
			}
			expectExactCounts(t, s)
		})
	}
}

func TestNotificationThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, bob := s.As("ada"), s.As("bob")
	post := ada.Post("hello")
	execSQL(t, s.App, "CREATE TRIGGER broken BEFORE INSERT ON notification_events BEGIN SELECT RAISE(ABORT, 'broken'); END")
	before := storedCounts(t, s)
	for collection, body := range map[string]any{
		"likes":    map[string]any{"post": post},
		"comments": map[string]any{"post": post, "text": "hello @carol"},
		"follows":  map[string]any{"followee": ada.ID},
		"posts":    &hookstest.Upload{Fields: map[string]string{"caption": "#tag @ada"}, Files: map[string][]byte{"photos": hookstest.Photo()}},
	} {
		a := bob.Do("POST", "/api/collections/"+collection+"/records", body)
		if a.Status != 500 || a.Raw != `{"data":{},"message":"Something went wrong while processing your request.","status":500}` {
			t.Errorf("%s: bob is answered %d %s, want a bland 500", collection, a.Status, a.Raw)
		}
		if after := storedCounts(t, s); !maps.Equal(before, after) {
			t.Errorf("%s: something was stored\nbefore %v\nafter  %v", collection, before, after)
		}
	}
	expectNothingStored(t, s, post)
	execSQL(t, s.App, "DROP TRIGGER broken")
	like := bob.Like(post)
	s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1})

	execSQL(t, s.App, "CREATE TRIGGER broken BEFORE UPDATE ON notification_events BEGIN SELECT RAISE(ABORT, 'broken'); END")
	if a := bob.Do("DELETE", "/api/collections/likes/records/"+like, nil); a.Status != 500 || a.Raw != `{"data":{},"message":"Something went wrong while processing your request.","status":500}` {
		t.Errorf("bob is answered %d %s as the like is taken back, want a bland 500", a.Status, a.Raw)
	}
	if n := s.Rows("likes", "1"); n != 1 {
		t.Errorf("there are %d likes, want the one that could not be taken back", n)
	}
	execSQL(t, s.App, "DROP TRIGGER broken")
	bob.Delete("likes", like)
	s.ExpectTray("ada")
	expectExactCounts(t, s)
}

func TestPostThatGoesWhilePeopleAct(t *testing.T) {
	t.Parallel()
	acts := map[string]map[string]any{"likes": {}, "comments": {"text": "hello @carol"}}

	t.Run("leaves nothing of what they did", func(t *testing.T) {
		s := hookstest.New(t)
		ada := s.As("ada")
		others := []*hookstest.Client{s.As("bob"), s.As("carol"), s.As("dave")}
		kept := ada.Post("kept")
		others[0].Like(kept)
		for range 20 {
			post := ada.Post("hello #tag")
			var all sync.WaitGroup
			start := make(chan struct{})
			for _, c := range others {
				for collection, fields := range acts {
					body := maps.Clone(fields)
					body["post"] = post
					all.Go(func() {
						<-start
						switch a := c.Do("POST", "/api/collections/"+collection+"/records", body); a.Status {
						case 200, 400, 404: // in time, too late for the rule, too late for the transaction
						default:
							t.Errorf("%s: %s is answered %d %s", collection, c.Name, a.Status, a.Raw)
						}
					})
				}
			}
			all.Go(func() {
				<-start
				if a := ada.Do("DELETE", "/api/collections/posts/records/"+post, nil); a.Status != 204 {
					t.Errorf("ada is answered %d %s", a.Status, a.Raw)
				}
			})
			close(start)
			all.Wait()
		}
		if n := s.Rows("posts", "1"); n != 1 {
			t.Errorf("%d posts, want the one that ada kept", n)
		}
		s.RunJobs()
		expectExactCounts(t, s)
		s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1})
		s.ExpectTray("carol")
	})

	for collection, fields := range acts {
		t.Run("between the look and the write refuses "+collection, func(t *testing.T) {
			s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
				app.OnRecordCreateExecute(collection).Bind(&hook.Handler[*core.RecordEvent]{Priority: -1, Func: func(e *core.RecordEvent) error {
					post, err := e.App.FindRecordById("posts", e.Record.GetString("post"))
					if err != nil {
						return err
					}
					if err := e.App.Delete(post); err != nil {
						return err
					}
					return e.Next()
				}})
			})
			body := maps.Clone(fields)
			body["post"] = s.As("ada").Post("hello")
			if a := s.As("bob").Do("POST", "/api/collections/"+collection+"/records", body); a.Status != 400 {
				t.Errorf("bob is answered %d %s", a.Status, a.Raw)
			}
			expectExactCounts(t, s)
			s.ExpectTray("ada")
		})
	}
}

// servingEnv is the variable that makes this test binary a Doubletap instead.
const servingEnv = "DOUBLETAP_TEST_SERVING"

func TestDataFolderHasOneService(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	if os.Getenv(servingEnv) != "" {
		os.Args = []string{"doubletap", "serve", "--http=127.0.0.1:0"}
		app := pocketbase.NewWithConfig(hooks.Config())
		hooks.Bind(app)
		if err := app.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}

	dir := t.TempDir()
	service := func() *command.Cmd {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		t.Cleanup(cancel)
		c := command.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$")
		c.Env = append(os.Environ(), servingEnv+"=1", "DOUBLETAP_DIR="+dir)
		return c
	}
	start := func() *command.Cmd {
		t.Helper()
		c := service()
		output, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(output); lines.Scan(); {
			if strings.Contains(lines.Text(), "Doubletap is at") {
				return c
			}
		}
		t.Fatalf("the service ended: %v", c.Wait())
		return nil
	}

	one := start()
	if output, err := service().CombinedOutput(); err == nil || !strings.Contains(string(output), "another process serves the data folder "+dir) {
		t.Errorf("a second service ends with %v and %s", err, output)
	}
	if err := os.Remove(filepath.Join(dir, "serve.lock")); err != nil { // as somebody might who takes it for a leftover
		t.Fatal(err)
	}
	if output, err := service().CombinedOutput(); err == nil || !strings.Contains(string(output), "another process serves the data folder "+dir) {
		t.Errorf("without the lock's file a second service ends with %v and %s", err, output)
	}
	_ = one.Process.Kill()
	_ = one.Wait() // killed
	three := start()
	_ = three.Process.Kill()
	_ = three.Wait() // killed
}

// fillDisk allows the database no more pages than it has, as a full disk does, until free is called.
func fillDisk(t *testing.T, s *hookstest.Service) (free func()) {
	t.Helper()
	var pages int // max_page_count belongs to a connection, and there is one that writes
	if err := s.App.NonconcurrentDB().NewQuery("PRAGMA page_count").Row(&pages); err != nil {
		t.Fatal(err)
	}
	execSQL(t, s.App, fmt.Sprint("PRAGMA max_page_count = ", pages))
	return func() { execSQL(t, s.App, "PRAGMA max_page_count = 4294967294") }
}

// storedCounts returns how much there is of everything that an act leaves: rows, counts and files.
func storedCounts(t *testing.T, s *hookstest.Service) map[string]int {
	t.Helper()
	all := map[string]int{}
	for _, what := range []string{
		"count(*) FROM likes", "count(*) FROM saves", "count(*) FROM comments", "count(*) FROM posts", "count(*) FROM follows",
		"sum(likesCount) FROM posts", "sum(commentsCount) FROM posts", "sum(postsCount) FROM users", "sum(followersCount) FROM users",
		"count(*) FROM notifications", "sum(actorsCount) FROM notifications", "count(*) FROM notification_events", "sum(seq) FROM settings",
		"count(*) FROM retractions", "count(*) FROM feed", "count(*) FROM hidden_posts", "count(*) FROM hashtags", "count(*) FROM post_tags", "count(*) FROM jobs",
	} {
		value, table, _ := strings.Cut(what, " FROM ")
		var n int
		if err := s.App.DB().NewQuery("SELECT coalesce(" + value + ", 0) FROM " + table).Row(&n); err != nil {
			t.Fatal(err)
		}
		all[what] = n
	}
	fsys, err := s.App.NewFilesystem()
	if err != nil {
		t.Fatal(err)
	}
	defer fsys.Close()
	files, err := fsys.List("")
	if err != nil {
		t.Fatal(err)
	}
	all["files"] = len(files)
	return all
}

// expectExactCounts fails if a count differs from the number of rows, or a row belongs to a post that is gone.
func expectExactCounts(t *testing.T, s *hookstest.Service) {
	t.Helper()
	for _, wrong := range []struct{ table, condition string }{
		{"posts", "likesCount != (SELECT count(*) FROM likes WHERE post = posts.id)"},
		{"posts", "commentsCount != (SELECT count(*) FROM comments WHERE post = posts.id)"},
		{"users", "postsCount != (SELECT count(*) FROM posts WHERE author = users.id AND visibility = 'public' AND NOT hidden AND users.state = 'active' AND NOT users.private)"},
		{"hashtags", "postsCount != (SELECT count(*) FROM post_tags WHERE tag = hashtags.id AND counted)"},
		{"notifications", "actorsCount != (SELECT count(DISTINCT actor) FROM notification_events WHERE notification = notifications.id AND active)"},
		{"likes", "post NOT IN (SELECT id FROM posts)"},
		{"saves", "post NOT IN (SELECT id FROM posts)"},
		{"comments", "post NOT IN (SELECT id FROM posts)"},
		{"post_tags", "post NOT IN (SELECT id FROM posts)"},
		{"feed", "post NOT IN (SELECT id FROM posts)"},
		{"notifications", "post != '' AND post NOT IN (SELECT id FROM posts)"},
		{"notification_events", "type IN ('like', 'comment', 'mention') AND subject NOT IN (SELECT id FROM posts)"},
	} {
		if n := s.Rows(wrong.table, wrong.condition); n != 0 {
			t.Errorf("%d rows of %s are wrong: %s", n, wrong.table, wrong.condition)
		}
	}
}

// TestADatabaseThatTakesNoWriteIsNoMistakeOfTheClient asks for every kind of write while the database may only be read, as when the
// system has mounted its disk so after an error: nothing is refused for good, since clients give up what is.
func TestADatabaseThatTakesNoWriteIsNoMistakeOfTheClient(t *testing.T) {
	testenv.SkipSequential(t)
	t.Setenv("DOUBLETAP_LIMITS", "on")
	s := hookstest.New(t)
	s.Admin().Must(200, "PATCH", "/api/collections/users", map[string]any{"otp": map[string]any{"enabled": true, "duration": 900, "length": 8}})
	ada, bob := s.As("ada"), s.As("bob")
	post := ada.Post("hello")
	like, comment, follow := bob.Like(post), bob.Comment(post, "", "hello"), bob.Follow("ada")
	settings := bob.List("settings", "")[0]["id"].(string)
	row := ada.List("notifications", "")[0]["id"].(string)
	hidden := bob.List("feed", "")[0]["id"].(string)
	const records = "/api/collections/"
	type write struct {
		by           *hookstest.Client
		method, path string
		body         any
	}
	writes := []write{
		{s.Guest(), "POST", records + "users/records", map[string]any{"handle": "newcomer", "email": "new@example.com", "password": hookstest.Password, "passwordConfirm": hookstest.Password}},
		{s.Guest(), "POST", records + "users/request-otp", map[string]any{"email": "ada@example.com"}},
		{s.Guest(), "POST", records + "users/request-otp", map[string]any{"email": "nobody@example.com"}},
		{s.As("carol"), "POST", records + "likes/records", map[string]any{"post": post}},
		{bob, "DELETE", records + "likes/records/" + like, nil},
		{bob, "POST", records + "comments/records", map[string]any{"post": post, "text": "hello @ada"}},
		{bob, "PATCH", records + "comments/records/" + comment, map[string]any{"text": "changed"}},
		{bob, "DELETE", records + "comments/records/" + comment, nil},
		{s.As("carol"), "POST", records + "follows/records", map[string]any{"followee": ada.ID}},
		{bob, "PATCH", records + "follows/records/" + follow, map[string]any{"notify": true}},
		{bob, "DELETE", records + "follows/records/" + follow, nil},
		{bob, "POST", records + "posts/records", &hookstest.Upload{Files: map[string][]byte{"photos": hookstest.Photo()}}},
		{ada, "PATCH", records + "posts/records/" + post, map[string]any{"caption": "changed"}},
		{ada, "DELETE", records + "posts/records/" + post, nil},
		{bob, "PATCH", records + "settings/records/" + settings, map[string]any{"locale": "de"}},
		{bob, "PATCH", records + "users/records/" + bob.ID, map[string]any{"name": "changed"}},
		{bob, "PATCH", records + "users/records/" + bob.ID, &hookstest.Upload{Files: map[string][]byte{"avatar": hookstest.Photo()}}},
		{bob, "DELETE", records + "users/records/" + bob.ID, map[string]any{"password": hookstest.Password}},
		{ada, "PATCH", records + "notifications/records/" + row, map[string]any{"read": true}},
		{ada, "DELETE", records + "notifications/records/" + row, nil},
		{bob, "DELETE", records + "feed/records/" + hidden, nil},
		{bob, "POST", records + "saves/records", map[string]any{"post": post}},
		{bob, "POST", records + "blocks/records", map[string]any{"blocked": s.As("dave").ID}},
		{bob, "POST", records + "mutes/records", map[string]any{"muted": s.As("dave").ID}},
		{bob, "POST", records + "reports/records", map[string]any{"post": post, "reason": "spam"}},
		{bob, "POST", records + "devices/records", map[string]any{"kind": "apns", "endpoint": apnsToken("bob")}},
		{bob, "POST", records + "stories/records", &hookstest.Upload{Fields: map[string]string{"visibility": "public"}, Files: map[string][]byte{"photo": hookstest.Photo()}}},
		{bob, "POST", "/api/batch", map[string]any{"requests": []any{map[string]any{"method": "POST", "url": "/api/collections/saves/records", "body": map[string]any{"post": post}}}}},
		{ada, "POST", "/api/v1/notifications/read", map[string]any{"before": "2030-01-01 00:00:00.000Z"}},
		{ada, "POST", "/api/v1/logout-everywhere", nil},
	}
	setReadOnly := func(on int) {
		t.Helper()
		if _, err := s.App.NonconcurrentDB().NewQuery(fmt.Sprintf("PRAGMA query_only = %d", on)).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	before := storedCounts(t, s)
	setReadOnly(1)
	for _, w := range writes {
		if a := w.by.Do(w.method, w.path, w.body); a.Status != 503 || a.Header.Get("Retry-After") == "" {
			t.Errorf("%s %s %s: %d %s", w.by.Name, w.method, w.path, a.Status, a.Raw)
		}
	}
	setReadOnly(0)
	if after := storedCounts(t, s); !maps.Equal(before, after) {
		t.Errorf("something was stored\nbefore %v\nafter  %v", before, after)
	}
	for _, i := range []int{0, 3, 5, 11} {
		writes[i].by.Must(200, writes[i].method, writes[i].path, writes[i].body)
	}
}
