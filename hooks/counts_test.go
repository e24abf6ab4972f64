package hooks_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/cli"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestCountsTellNothingThatAGuestMayNotSee compares users.postsCount and hashtags.postsCount with what a guest is
// shown over HTTP, after each change that opens or closes something.
func TestCountsTellNothingThatAGuestMayNotSee(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	execSQL(t, s.App, "CREATE TABLE unblocked (a TEXT, b TEXT)") // a table that the invariants need
	ada, bob := s.As("ada"), s.As("bob")
	open := ada.Post("one #sea #sun")
	ada.Post("two #sea", "visibility", "followers")
	ada.Post("three #sea #secret", "visibility", "private")
	bobs := bob.Post("four #sea")
	guest, admin := s.Guest(), s.Admin()

	check := func(what string, adas, bobs int, tags map[string]int) {
		t.Helper()
		for name, want := range map[string]int{"ada": adas, "bob": bobs} {
			user := s.User(name)
			seen := len(guest.List("posts", "perPage=100&filter="+escapeQuery("author='"+user.Id+"'")))
			if got := user.GetInt("postsCount"); got != want || got != seen {
				t.Errorf("%s: %s has %d posts, want %d; a guest sees %d", what, name, got, want, seen)
			}
		}
		for _, tag := range []string{"sea", "sun", "secret"} {
			hashtag, err := s.App.FindFirstRecordByData("hashtags", "name", tag)
			if err != nil {
				t.Fatal(err)
			}
			seen := len(guest.List("post_tags", "perPage=100&filter="+escapeQuery("tag='"+hashtag.Id+"'")))
			if got := hashtag.GetInt("postsCount"); got != tags[tag] || got != seen {
				t.Errorf("%s: #%s has %d posts, want %d; a guest sees %d", what, tag, got, tags[tag], seen)
			}
		}
		checkInvariants(t, s)
	}
	post := func(c *hookstest.Client, id string, field string, value any) {
		c.Update("posts", id, map[string]any{field: value})
	}

	check("posted", 1, 1, map[string]int{"sea": 2, "sun": 1})
	post(ada, open, "visibility", "followers")
	check("narrowed", 0, 1, map[string]int{"sea": 1})
	post(ada, open, "visibility", "public")
	check("widened", 1, 1, map[string]int{"sea": 2, "sun": 1})
	post(admin, open, "hidden", true)
	check("hidden by a moderator", 0, 1, map[string]int{"sea": 1})
	post(admin, open, "hidden", false)
	check("shown again", 1, 1, map[string]int{"sea": 2, "sun": 1})
	post(ada, open, "caption", "one #sun")
	check("another caption", 1, 1, map[string]int{"sea": 1, "sun": 1})
	post(ada, open, "caption", "one #sea #sun")
	ada.Update("users", ada.ID, map[string]any{"private": true})
	check("a private account", 0, 1, map[string]int{"sea": 1})
	ada.Post("while private #sea #sun")
	check("posted by a private account", 0, 1, map[string]int{"sea": 1})
	ada.Update("users", ada.ID, map[string]any{"private": false})
	check("public again", 2, 1, map[string]int{"sea": 3, "sun": 2})
	admin.Update("users", ada.ID, map[string]any{"state": "suspended"})
	check("suspended", 0, 1, map[string]int{"sea": 1})
	admin.Update("users", ada.ID, map[string]any{"state": "active", "private": true})
	check("active and private", 0, 1, map[string]int{"sea": 1})
	execSQL(t, s.App, "UPDATE users SET private = 0")
	check("opened by SQL", 2, 1, map[string]int{"sea": 3, "sun": 2})
	execSQL(t, s.App, "UPDATE posts SET author = '"+bob.ID+"' WHERE id = '"+open+"'")
	check("given to bob by SQL", 1, 2, map[string]int{"sea": 3, "sun": 2})
	bob.Delete("posts", bobs)
	check("deleted", 1, 1, map[string]int{"sea": 2, "sun": 2})
	bob.Delete("users", bob.ID)
	check("closed", 1, 0, map[string]int{"sea": 1, "sun": 1})
	s.RunJobs()
	for c, fields := range map[*hookstest.Client]map[string]any{s.As("ada"): {"publicPosts": 9, "postsCount": 9}, admin: {"publicPosts": 9, "postsCount": 9}} {
		c.Update("users", ada.ID, fields)
	}
	if got := s.User("ada"); got.GetInt("postsCount") != 1 || got.GetInt("publicPosts") != 1 {
		t.Error("somebody sets the counts")
	}
	if a := s.Guest().Must(200, "GET", "/api/collections/users/records/"+ada.ID, nil); strings.Contains(a.Raw, "publicPosts") {
		t.Errorf("how many posts a private account has is shown: %s", a.Raw)
	}
}

// TestABigAccountIsClosedInSteps closes an account with more posts than a trigger counts. Its own count is exact at
// once, those of hashtags follow in steps, and every step keeps the sum of the counts.
func TestABigAccountIsClosedInSteps(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	const posts = 120
	execSQL(t, s.App, fmt.Sprintf(`INSERT INTO posts (id, author, photos, caption, visibility, created, updated) WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		SELECT 'bigpost' || printf('%%08d', i), '%s', '["x.jpg"]', '#sea', 'public', '2026-01-01 00:00:00.000Z', '2026-01-01 00:00:00.000Z' FROM n`, posts, ada.ID))
	execSQL(t, s.App, "INSERT INTO hashtags (id, name) VALUES ('seaseaseaseasea', 'sea')")
	execSQL(t, s.App, "INSERT INTO post_tags (id, tag, post) SELECT 'tag' || substr(id, 4), 'seaseaseaseasea', id FROM posts")
	counts := func(what string, own, tag int) {
		t.Helper()
		hashtag := s.Record("hashtags", "seaseaseaseasea")
		if got := s.User("ada").GetInt("postsCount"); got != own || hashtag.GetInt("postsCount") != tag {
			t.Errorf("%s: ada has %d posts and #sea %d, want %d and %d", what, got, hashtag.GetInt("postsCount"), own, tag)
		}
		if n := s.Rows("hashtags h", "postsCount != (SELECT count(*) FROM post_tags WHERE tag = h.id AND counted)"); n != 0 {
			t.Errorf("%s: the sum is not that of what is counted", what)
		}
	}
	examine := func(what string) {
		t.Helper()
		for _, f := range doctorFindings(t, s.App) {
			if f.Check == "counters" && f.State != cli.StateOK {
				t.Errorf("%s: doctor says %s", what, f.Detail)
			}
		}
	}
	counts("posted", posts, posts)
	ada.Update("users", ada.ID, map[string]any{"private": true})
	counts("private, before the job", 0, posts)
	examine("before the job")
	if n := s.Rows("jobs", "kind = 'hashtags.count'"); n != 1 {
		t.Errorf("%d jobs count", n)
	}
	// the account is opened again while a job of the former change waits
	ada.Update("users", ada.ID, map[string]any{"private": false})
	s.RunJobs()
	counts("opened again", posts, posts)
	ada.Update("users", ada.ID, map[string]any{"private": true})
	s.RunJobs()
	counts("private", 0, 0)
	examine("after the job")
	// SQL adds no job: the check finds the difference and repairs it
	execSQL(t, s.App, "UPDATE users SET private = 0")
	counts("opened by SQL", posts, 0)
	if done := doctorRepairs(t, s.App); done["counters"] == 0 {
		t.Errorf("repair did %v", done)
	}
	counts("repaired", posts, posts)
	s.Admin().Update("users", ada.ID, map[string]any{"state": "suspended"})
	s.RunJobs()
	counts("suspended", 0, 0)
	examine("suspended")
}
