package hooks_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/feed"
)

func TestFeed(t *testing.T) {
	t.Run("a post reaches its author and the followers", func(t *testing.T) {
		s := hookstest.New(t)
		s.As("bob").Follow("ada")
		ada := s.As("ada")
		public, followers, private := ada.Post("1"), ada.Post("2", "visibility", "followers"), ada.Post("3", "visibility", "private")
		if got := postIDsOf(s.As("ada").List("feed", "sort=at")); got != fmt.Sprint([]string{public, followers, private}) {
			t.Errorf("ada's feed is %s", got)
		}
		if got := postIDsOf(s.As("bob").List("feed", "sort=at")); got != fmt.Sprint([]string{public, followers}) {
			t.Errorf("bob's feed is %s", got)
		}
		if n := len(s.As("carol").List("feed", "")); n != 0 {
			t.Errorf("carol's feed has %d rows", n)
		}
	})
	t.Run("visibility is checked again when it is read", func(t *testing.T) {
		s := hookstest.New(t)
		s.As("bob").Follow("ada")
		post := s.As("ada").Post("hello")
		s.As("ada").Update("posts", post, map[string]any{"visibility": "private"})
		if n := len(s.As("bob").List("feed", "")); n != 0 {
			t.Error("bob still sees a post that is private now")
		}
		s.As("ada").Update("posts", post, map[string]any{"visibility": "followers"})
		if n := len(s.As("bob").List("feed", "")); n != 1 {
			t.Error("bob does not see the post that is his again")
		}
	})
	t.Run("a private post that opens reaches the followers", func(t *testing.T) {
		s := hookstest.New(t)
		s.As("bob").Follow("ada")
		post := s.As("ada").Post("hello @carol", "visibility", "private")
		s.As("ada").Update("posts", post, map[string]any{"visibility": "public"})
		if n := len(s.As("bob").List("feed", "")); n != 1 {
			t.Error("bob's feed lacks the post")
		}
		s.ExpectTray("carol", hookstest.Notification{Type: "mention", Actors: 1})
	})
	t.Run("a mute that has ended takes nothing out", func(t *testing.T) {
		s := hookstest.New(t)
		bob := s.As("bob")
		s.As("ada").Post("hello")
		follow := bob.Follow("ada")
		bob.Create("mutes", map[string]any{"muted": s.User("ada").Id, "until": time.Now().Add(time.Hour).UTC().Format("2006-01-02 15:04:05.000Z")})
		s.Advance(2 * time.Hour)
		bob = s.As("bob")
		bob.Delete("follows", follow)
		bob.Follow("ada")
		if err := feed.RemoveAuthor(s.App, bob.ID, s.User("ada").Id); err != nil { // as a job of before that comes late does
			t.Fatal(err)
		}
		if n := len(bob.List("feed", "")); n != 1 {
			t.Errorf("bob, who follows ada anew, has %d rows", n)
		}
	})
	t.Run("what is hidden does not come back", func(t *testing.T) {
		s := hookstest.New(t)
		bob := s.As("bob")
		follow := bob.Follow("ada")
		s.As("ada").Post("hello")
		bob.Delete("feed", bob.List("feed", "")[0]["id"].(string))
		if n := len(bob.List("feed", "")); n != 0 {
			t.Error("the row is still there")
		}
		if n := s.Rows("feed", "gone"); n != 1 {
			t.Error("the row is not kept as gone")
		}
		bob.Must(404, "DELETE", "/api/collections/feed/records/"+s.As("ada").List("feed", "")[0]["id"].(string), nil)
		_ = follow
	})
	t.Run("further followers are reached by jobs", func(t *testing.T) {
		s := hookstest.New(t)
		addFollowers(t, s, "ada", 1700)
		post := s.As("ada").Post("hello")
		if n := s.Rows("feed", "1"); n != 401 {
			t.Errorf("%d rows in the post's transaction, want its author's and a step's 400", n)
		}
		s.RunJobs()
		if n := s.Rows("feed", "post = '"+post+"'"); n != 1701 {
			t.Errorf("%d rows after the jobs, want 1701", n)
		}
		if n := s.Rows("jobs", "1"); n != 0 {
			t.Errorf("%d jobs are left", n)
		}
	})
	t.Run("a celebrity is not fanned out but topped up, and a GET writes nothing itself", func(t *testing.T) {
		s := newServiceOnPath(t, "fast")
		s.As("bob").Follow("ada")
		s.As("bob").Post("my own, which is older")
		addFollowers(t, s, "ada", 10_000)
		if !s.User("ada").GetBool("celebrity") {
			t.Fatal("ada is no celebrity")
		}
		post := s.As("ada").Post("to all of you")
		if n := s.Rows("feed", "post = '"+post+"'"); n != 1 {
			t.Errorf("%d rows, want the author's own", n)
		}
		for range 100 { // the worker writes within 50 ms, or at its next check
			if got := postIDsOf(s.As("bob").List("feed", "page=1&sort=-at,-post&perPage=1&skipTotal=1")); got == fmt.Sprint([]string{post}) {
				if answeredCount(t, s, "read", "fast") == 0 {
					t.Error("the page was not read on the fast path, which asks for a top-up too")
				}
				return
			}
		}
		t.Error("bob's feed was not topped up")
	})
	t.Run("the mark of a celebrity goes below nine thousand", func(t *testing.T) {
		s := hookstest.New(t)
		addFollowers(t, s, "ada", 10_001)
		execSQL(t, s.App, "DELETE FROM follows WHERE id IN (SELECT id FROM follows LIMIT 900)")
		if !s.User("ada").GetBool("celebrity") {
			t.Error("the mark went too early")
		}
		execSQL(t, s.App, "DELETE FROM follows WHERE id IN (SELECT id FROM follows LIMIT 200)")
		if s.User("ada").GetBool("celebrity") {
			t.Error("the mark stayed")
		}
	})
	t.Run("pages have no gap and no double while posts arrive", func(t *testing.T) {
		s := hookstest.New(t)
		s.As("bob").Follow("ada")
		ada, bob := s.As("ada"), s.As("bob")
		want := map[string]bool{}
		for i := range 12 {
			want[ada.Post(fmt.Sprint(i))] = true
		}
		seen, query := map[string]bool{}, ""
		for {
			rows := bob.List("feed", "sort=-at,-post&perPage=5&skipTotal=1"+query)
			for _, row := range rows {
				id := row["post"].(string)
				if seen[id] {
					t.Fatalf("post %s comes twice", id)
				}
				seen[id] = true
			}
			if len(rows) < 5 {
				break
			}
			last := rows[len(rows)-1]
			query = "&filter=" + url.QueryEscape(fmt.Sprintf(`at <= "%s" && (at < "%s" || post < "%s")`, last["at"], last["at"], last["post"]))
			ada.Post("while he reads")
		}
		for id := range want {
			if !seen[id] {
				t.Errorf("post %s is missing", id)
			}
		}
	})
	t.Run("a feed keeps its newest eight hundred rows", func(t *testing.T) {
		s := hookstest.New(t)
		post := s.As("ada").Post("hello")
		execSQL(t, s.App, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
			INSERT INTO posts (id, author, photos, visibility, created) SELECT printf('%015d', i), author, photos, 'public', '2020-01-01 00:00:00.000Z' FROM n, posts WHERE id = '`+post+`'`)
		execSQL(t, s.App, `INSERT INTO feed (id, viewer, post, author, at) SELECT id, author, id, author, created FROM posts WHERE id != '`+post+`'`)
		for _, j := range s.App.Cron().Jobs() {
			if j.Id() == "feed.trim" {
				j.Run()
				j.Run()
			}
		}
		if n := s.Rows("jobs", "kind = 'feed.trim'"); n != 1 {
			t.Errorf("%d jobs, want 1 however often the cron fires", n)
		}
		s.RunJobs()
		if n := s.Rows("feed", "1"); n != 800 {
			t.Errorf("%d rows, want 800", n)
		}
		if n := s.Rows("feed", "post = '"+post+"'"); n != 1 {
			t.Error("the newest row is gone")
		}
	})
}

func TestNoGetWrites(t *testing.T) {
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	s.As("bob").Follow("ada")
	s.As("bob").Like(post)
	before := writtenRowCount(t, s.App)
	for _, c := range []*hookstest.Client{s.As("ada"), s.As("bob"), s.Guest(), s.Admin()} {
		for _, collection := range []string{"users", "posts", "likes", "comments", "follows", "notifications", "settings", "feed", "hashtags", "post_tags", "saves", "reports"} {
			c.Do("GET", "/api/collections/"+collection+"/records?expand=author,post.author,user", nil)
		}
		c.Do("GET", "/api/collections/posts/records/"+post, nil)
		c.Do("GET", "/", nil)
		c.Do("GET", "/api/health", nil)
	}
	if after := writtenRowCount(t, s.App); after != before {
		t.Errorf("the database was written: %d, was %d", after, before)
	}
}

// writtenRowCount returns how many rows the one connection that writes has written.
func writtenRowCount(t *testing.T, app core.App) int {
	t.Helper()
	var n int
	if err := app.NonconcurrentDB().NewQuery("SELECT total_changes()").Row(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func postIDsOf(rows []map[string]any) string {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row["post"].(string)
	}
	return fmt.Sprint(ids)
}

// addFollowers adds n followers of somebody by SQL.
func addFollowers(t *testing.T, s *hookstest.Service, name string, n int) {
	t.Helper()
	execSQL(t, s.App, fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO users (id, email, handle, state, role, password, tokenKey) SELECT printf('crowd%%010d', i), printf('crowd%%d@example.com', i), printf('crowd%%d', i), 'active', 'member', '', printf('key%%d', i) FROM n`, n))
	execSQL(t, s.App, `INSERT INTO follows (id, follower, followee, state, created, updated)
		SELECT substr(lower(hex(randomblob(8))), 1, 15), id, '`+s.User(name).Id+`', 'accepted', '2020-01-01 00:00:00.000Z', '' FROM users WHERE handle LIKE 'crowd%'`)
}

func execSQL(t *testing.T, app core.App, statement string) {
	t.Helper()
	if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
		t.Fatalf("%v: %s", err, statement)
	}
}
