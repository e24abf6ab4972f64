package hooks_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

func signUpUser(c *hookstest.Client, handle string, fields map[string]any) hookstest.Answer {
	body := map[string]any{"email": "new." + handle + "@example.com", "password": hookstest.Password, "passwordConfirm": hookstest.Password, "handle": handle}
	for name, value := range fields {
		body[name] = value
	}
	return c.Do("POST", "/api/collections/users/records", body)
}

func TestSignUp(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	t.Run("gives an active member with settings, whatever was asked", func(t *testing.T) {
		s := hookstest.New(t)
		a := signUpUser(s.Guest(), "Zoe", map[string]any{"state": "suspended", "role": "moderator", "followersCount": 99, "verified": false})
		if a.Status != 200 {
			t.Fatal(a.Raw)
		}
		zoe := s.Record("users", a.ID())
		if zoe.GetString("state") != "active" || zoe.GetString("role") != "member" || zoe.GetInt("followersCount") != 0 || zoe.GetString("handle") != "zoe" {
			t.Errorf("zoe is %v", zoe.PublicExport())
		}
		if n := s.Rows("settings", "user = '"+zoe.Id+"'"); n != 1 {
			t.Errorf("%d settings rows, want 1", n)
		}
	})
	t.Run("refuses handles that are taken, reserved or malformed", func(t *testing.T) {
		s := hookstest.New(t)
		for _, handle := range []string{"ada", "ADA", "admin", "a", "has space", "dot.", ".dot", "a..b", "ünïcode", strings.Repeat("x", 31)} {
			a := signUpUser(s.Guest(), handle, map[string]any{"email": "x@example.com"})
			data, _ := a.Body["data"].(map[string]any)
			if a.Status != 400 || data["handle"] == nil {
				t.Errorf("handle %q: %d %s", handle, a.Status, a.Raw)
			}
		}
		if n := s.Rows("users", "1"); n != len(hookstest.Cast) {
			t.Errorf("%d users, want the cast", n)
		}
		if n := s.Rows("settings", "1"); n != len(hookstest.Cast) {
			t.Errorf("%d settings, want the cast's", n)
		}
	})
	t.Run("gives a handle to whom comes without", func(t *testing.T) {
		s := hookstest.New(t)
		a := signUpUser(s.Guest(), "", map[string]any{"email": "x@example.com", "name": "Zoë Müller"})
		if got := a.Body["handle"]; got != "zoe_muller" {
			t.Errorf("handle is %v", got)
		}
		b := signUpUser(s.Guest(), "", map[string]any{"email": "y@example.com"})
		if got, _ := b.Body["handle"].(string); !strings.HasPrefix(got, "user_") {
			t.Errorf("handle is %v", got)
		}
	})
}

func TestLogIn(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	logIn := func(identity string) int {
		return s.Guest().Do("POST", "/api/collections/users/auth-with-password", map[string]any{"identity": identity, "password": hookstest.Password}).Status
	}
	for identity, want := range map[string]int{"ada": 200, "ADA": 200, "ada@example.com": 200, "nobody": 400} {
		if got := logIn(identity); got != want {
			t.Errorf("log in as %s: %d, want %d", identity, got, want)
		}
	}
	ada, bob := s.As("ada"), s.As("bob")
	post := ada.Post("hello")
	s.Admin().Update("users", ada.ID, map[string]any{"state": "suspended"})
	if got := logIn("ada"); got != 403 {
		t.Errorf("a suspended user logs in: %d, want 403", got)
	}
	ada.Must(401, "POST", "/api/collections/users/auth-refresh", nil)
	ada.Must(400, "POST", "/api/collections/posts/records", &hookstest.Upload{Files: map[string][]byte{"photos": hookstest.Photo()}})
	bob.Must(404, "GET", "/api/collections/users/records/"+ada.ID, nil)
	bob.Must(404, "GET", "/api/collections/posts/records/"+post, nil)
	s.Admin().Update("users", ada.ID, map[string]any{"state": "active"})
	bob.Must(200, "GET", "/api/collections/posts/records/"+post, nil)
}

func TestProfile(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	ada.Update("users", ada.ID, map[string]any{"handle": "Ada_L", "bio": "x", "state": "suspended", "role": "moderator", "postsCount": 7, "followersCount+": 3})
	got := s.Record("users", ada.ID)
	if got.GetString("handle") != "ada_l" || got.GetString("state") != "active" || got.GetString("role") != "member" || got.GetInt("postsCount") != 0 || got.GetInt("followersCount") != 0 {
		t.Errorf("ada is %v", got.PublicExport())
	}
	ada.Must(400, "PATCH", "/api/collections/users/records/"+ada.ID, map[string]any{"handle": "bob"})
	ada.Must(400, "PATCH", "/api/collections/users/records/"+ada.ID, map[string]any{"handle": "support"})
	s.As("bob").Must(404, "PATCH", "/api/collections/users/records/"+ada.ID, map[string]any{"bio": "y"})
	s.Admin().Update("users", ada.ID, map[string]any{"postsCount": 7, "role": "moderator"})
	if got := s.Record("users", ada.ID); got.GetInt("postsCount") != 0 || got.GetString("role") != "moderator" {
		t.Error("a superuser sets roles, not counters")
	}
}

func TestErasure(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, bob, carol := s.As("ada"), s.As("bob"), s.As("carol")
	adas, bobs := ada.Post("ada's"), bob.Post("bob's #tag @carol")
	bob.Follow("ada")
	carol.Follow("bob")
	bob.Like(adas)
	carol.Like(adas)
	carol.Like(bobs)
	root := bob.Comment(adas, "", "root")
	carol.Comment(adas, root, "reply")
	bob.Comment(adas, "", "alone")
	bob.Create("comment_likes", map[string]any{"comment": root})
	bob.Create("saves", map[string]any{"post": adas})
	bob.Create("mutes", map[string]any{"muted": s.User("eve").Id})
	bob.Block("mallory")
	bob.Delete("feed", bob.ID+bobs)
	report := bob.Create("reports", map[string]any{"post": adas, "reason": "spam"}).ID()
	stream := bob.Listen("notifications/*")

	carol.Must(404, "DELETE", "/api/collections/users/records/"+bob.ID, nil)
	bob.Delete("users", bob.ID)
	bob.Must(401, "POST", "/api/collections/users/auth-refresh", nil)
	stream.AwaitEnd()
	carol.Must(404, "GET", "/api/collections/users/records/"+bob.ID, nil)
	carol.Must(404, "GET", "/api/collections/posts/records/"+bobs, nil)
	s.RunJobs()

	if s.Record("users", bob.ID) != nil || s.Record("posts", bobs) != nil {
		t.Fatal("bob is still there")
	}
	for _, table := range []struct{ name, condition string }{
		{"likes", "user = {:u}"}, {"follows", "follower = {:u} OR followee = {:u}"}, {"saves", "user = {:u}"}, {"blocks", "blocker = {:u}"},
		{"mutes", "muter = {:u}"}, {"comment_likes", "user = {:u}"}, {"comments", "author = {:u}"}, {"feed", "viewer = {:u} OR author = {:u}"}, {"hidden_posts", "viewer = {:u}"},
		{"notifications", "recipient = {:u} OR actors LIKE '%' || {:u} || '%'"}, {"notification_events", "recipient = {:u} OR actor = {:u}"}, {"settings", "user = {:u}"}, {"jobs", "1"},
	} {
		if n := s.Rows(table.name, table.condition, map[string]any{"u": bob.ID}); n != 0 {
			t.Errorf("%d rows of bob are left in %s", n, table.name)
		}
	}
	post := s.Record("posts", adas)
	if post.GetInt("likesCount") != 1 || post.GetInt("commentsCount") != 2 {
		t.Errorf("ada's post has %d likes and %d comments, want 1 and 2", post.GetInt("likesCount"), post.GetInt("commentsCount"))
	}
	if stone := s.Record("comments", root); stone == nil || !stone.GetBool("deleted") {
		t.Error("no tombstone where carol answered")
	}
	if s.User("ada").GetInt("followersCount") != 0 || s.User("carol").GetInt("followingCount") != 0 {
		t.Error("the follow counts are wrong")
	}
	if r := s.Record("reports", report); r == nil || r.GetString("reporter") != "" {
		t.Error("the report did not stay without its reporter")
	}
	s.ExpectTray("ada", hookstest.Notification{Type: "comment", Actors: 1}, hookstest.Notification{Type: "like", Actors: 1})
	s.ExpectTray("carol")
	if a := signUpUser(s.Guest(), "bob", nil); a.Status != 400 {
		t.Errorf("bob's handle can be taken: %d", a.Status)
	}
}

func TestErasureByGoCodeIsWhole(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	s.As("bob").Like(post)
	s.As("bob").Comment(post, "", "x")
	if err := s.App.Delete(s.User("bob")); err != nil {
		t.Fatal(err)
	}
	s.ExpectTray("ada")
	if p := s.Record("posts", post); p.GetInt("likesCount") != 0 || p.GetInt("commentsCount") != 0 {
		t.Error("the counts are wrong")
	}
	s.RunJobs()
}

func TestPostRemoved(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	post := ada.Post("hello #tag @carol")
	s.As("bob").Follow("ada")
	s.As("bob").Like(post)
	s.As("bob").Create("saves", map[string]any{"post": post})
	root := s.As("bob").Comment(post, "", "root")
	s.As("carol").Comment(post, root, "reply")
	ada.Create("comment_likes", map[string]any{"comment": root})
	photos := s.Record("posts", post)
	s.As("bob").Must(404, "DELETE", "/api/collections/posts/records/"+post, nil)
	ada.Delete("posts", post)
	for _, collection := range []string{"posts", "likes", "comments", "comment_likes", "saves", "post_tags", "feed", "notification_events"} {
		if collection == "notification_events" {
			if n := s.Rows(collection, "type != 'follow'"); n != 0 {
				t.Errorf("%d events are left", n)
			}
			continue
		}
		if n := s.Rows(collection, "1"); n != 0 {
			t.Errorf("%d rows are left in %s", n, collection)
		}
	}
	s.ExpectTray("ada", hookstest.Notification{Type: "follow", Actors: 1})
	s.ExpectTray("bob")
	s.ExpectTray("carol")
	if n := s.User("ada").GetInt("postsCount"); n != 0 {
		t.Errorf("postsCount is %d", n)
	}
	fsys, err := s.App.NewFilesystem()
	if err != nil {
		t.Fatal(err)
	}
	defer fsys.Close()
	left := func() int {
		files, _ := fsys.List(photos.BaseFilesPath())
		return len(files)
	}
	for began := time.Now(); left() != 0; { // PocketBase deletes them after its answer
		if time.Since(began) > 10*time.Second {
			t.Fatalf("%d files are left", left())
		}
	}
}

func TestOnlyWhatChangesIsWritten(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	post := ada.Post("hello")
	for _, collection := range []string{"posts", "users", "_superusers"} {
		id := map[string]string{"posts": post, "users": ada.ID, "_superusers": s.Admin().ID}[collection]
		stale, err := s.App.FindRecordById(collection, id)
		if err != nil {
			t.Fatal(err)
		}
		fresh, _ := s.App.FindRecordById(collection, id)
		field := "place"
		if stale.Collection().IsAuth() {
			field = core.FieldNamePassword
			fresh.SetPassword("another password")
		} else {
			fresh.Set(field, "here")
		}
		if err := s.App.Save(fresh); err != nil {
			t.Fatal(err)
		}
		stale.Set("caption", "edited")
		stale.SetEmailVisibility(true)
		if err := s.App.Save(stale); err != nil {
			t.Fatal(err)
		}
		got, _ := s.App.FindRecordById(collection, id)
		if stale.Collection().IsAuth() {
			if !got.ValidatePassword("another password") {
				t.Errorf("%s: an edit undid a password change", collection)
			}
		} else if got.GetString(field) != "here" {
			t.Errorf("%s: an edit undid another", collection)
		}
	}
}
