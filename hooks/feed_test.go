package hooks_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/feed"
	"github.com/doubletap/doubletap/internal/testenv"
)

func TestFeed(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
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
	t.Run("a mute takes posts out until it ends", func(t *testing.T) {
		s := hookstest.New(t)
		bob := s.As("bob")
		first, second := s.As("ada").Post("hello"), s.As("ada").Post("again")
		bob.Follow("ada")
		person := bob.Create("mutes", map[string]any{"muted": s.User("ada").Id, "until": time.Now().Add(time.Hour).UTC().Format("2006-01-02 15:04:05.000Z")}).ID()
		if n := len(bob.List("feed", "")); n != 0 {
			t.Errorf("%d posts of somebody who is muted", n)
		}
		execSQL(t, s.App, `UPDATE mutes SET until = '2026-01-01 00:00:00.000Z' WHERE id = '`+person+`'`)
		if n := len(bob.List("feed", "")); n != 2 {
			t.Errorf("%d posts after the mute has ended", n)
		}
		bob.Create("mutes", map[string]any{"post": first})
		if got := postIDsOf(bob.List("feed", "")); got != fmt.Sprint([]string{second}) {
			t.Errorf("the feed is %s after one post was muted", got)
		}
	})
	for door, hide := range map[string]func(bob *hookstest.Client, row string){
		"the row": func(bob *hookstest.Client, row string) {
			bob.Must(204, "DELETE", "/api/collections/feed/records/"+row, nil)
		},
		"a batch": func(bob *hookstest.Client, row string) {
			answer := bob.Must(200, "POST", "/api/batch", map[string]any{"requests": []map[string]any{{"method": "DELETE", "url": "/api/collections/feed/records/" + row}}})
			if !strings.Contains(answer.Raw, "204") {
				t.Errorf("the batch answers %s", answer.Raw)
			}
		},
	} {
		t.Run("what is hidden does not come back, by "+door, func(t *testing.T) {
			s := hookstest.New(t)
			bob, carol := s.As("bob"), s.As("carol")
			follow := bob.Follow("ada")
			carol.Follow("ada")
			post := s.As("ada").Post("hello")
			row := bob.List("feed", "")[0]["id"].(string)
			for _, other := range []*hookstest.Client{s.As("ada"), carol, s.Guest()} {
				other.Must(404, "DELETE", "/api/collections/feed/records/"+row, nil)
			}
			hide(bob, row)
			bob.Must(404, "DELETE", "/api/collections/feed/records/"+row, nil)
			bob.Must(404, "GET", "/api/collections/feed/records/"+row, nil)
			bob.Delete("follows", follow)
			bob.Follow("ada")
			s.As("ada").Update("posts", post, map[string]any{"visibility": "private"})
			s.As("ada").Update("posts", post, map[string]any{"visibility": "public"})
			if n := len(bob.List("feed", "")); n != 0 {
				t.Error("the post is there again")
			}
			if n, m := len(carol.List("feed", "")), len(s.As("ada").List("feed", "")); n != 1 || m != 1 {
				t.Errorf("others have %d and %d rows", n, m)
			}
			s.As("ada").Delete("posts", post)
			s.RunJobs()
			if n := s.Rows("hidden_posts", "1"); n != 0 {
				t.Errorf("%d rows about a post that is gone", n)
			}
		})
	}
	t.Run("what one may not see is no row to hide", func(t *testing.T) {
		s := hookstest.New(t)
		ada, bob := s.As("ada"), s.As("bob")
		bob.Follow("ada")
		private, hidden := ada.Post("1", "visibility", "private"), ada.Post("2")
		execSQL(t, s.App, `UPDATE posts SET hidden = 1 WHERE id = '`+hidden+`'`)
		missing := bob.Must(404, "DELETE", "/api/collections/feed/records/"+bob.ID+"nosuchpost00000", nil)
		for _, post := range []string{private, hidden} {
			if got := bob.Must(404, "DELETE", "/api/collections/feed/records/"+bob.ID+post, nil); got.Raw != missing.Raw {
				t.Errorf("got %s, want %s", got.Raw, missing.Raw)
			}
		}
	})
	t.Run("nobody writes a row, not even a superuser", func(t *testing.T) {
		s := hookstest.New(t)
		post := s.As("ada").Post("hello")
		row := s.As("ada").ID + post
		s.Admin().Must(400, "POST", "/api/collections/feed/records", map[string]any{"viewer": s.As("bob").ID, "post": post, "author": s.As("ada").ID})
		s.Admin().Must(400, "PATCH", "/api/collections/feed/records/"+row, map[string]any{"viewer": s.As("bob").ID})
		s.Admin().Must(200, "GET", "/api/collections/feed/records/"+row, nil)
		s.Admin().Must(200, "GET", "/api/collections/feed/records?sort=-@rowid", nil)
		fields := s.Admin().Must(200, "GET", "/api/collections/feed", nil).Body["fields"].([]any)
		s.Admin().Must(400, "PATCH", "/api/collections/feed", map[string]any{"fields": append(fields, map[string]any{"name": "note", "type": "text"})})
		s.Admin().Must(400, "PATCH", "/api/collections/feed", map[string]any{"indexes": []string{"CREATE INDEX idx_feed_mine ON feed (post)"}})
		s.Admin().Must(200, "PATCH", "/api/collections/feed", map[string]any{"listRule": `viewer = @request.auth.id && seesPost(@request.auth.id, post) = true && post != ""`})
		if n := len(s.As("ada").List("feed", "")); n != 1 {
			t.Errorf("%d rows by another rule", n)
		}
	})
	t.Run("a post costs the same however many follow its author", func(t *testing.T) {
		s := hookstest.New(t)
		ada := s.As("ada")
		ada.Post("the first, which makes more")
		written := func() int {
			before := writtenRowCount(t, s.App)
			ada.Post("hello")
			return writtenRowCount(t, s.App) - before
		}
		alone := written()
		addFollowers(t, s, "ada", 10_001)
		if got := written(); got != alone {
			t.Errorf("%d rows written with 10,001 followers, %d without", got, alone)
		}
		if n := len(s.As("crowd77").List("feed", "")); n != 3 {
			t.Errorf("a follower has %d rows", n)
		}
	})
	t.Run("who follows very many has a whole feed", func(t *testing.T) {
		s := hookstest.New(t)
		bob := s.As("bob")
		addFollowers(t, s, "ada", 1200)
		execSQL(t, s.App, `INSERT INTO follows (id, follower, followee, state, created, updated)
			SELECT 'b' || substr(id, 2), '`+bob.ID+`', id, 'accepted', '2020-01-01 00:00:00.000Z', '' FROM users WHERE handle LIKE 'crowd%'`)
		s.As("ada").Post("not hers, whom he does not follow")
		own := bob.Post("hello")
		photo := s.Record("posts", own).GetString("photos")
		// an old post of each followee, and newer ones of strangers
		execSQL(t, s.App, `INSERT INTO posts (id, author, photos, visibility, created, updated) SELECT 'p' || substr(id, 2), id, '["`+photo+`"]', 'public', printf('2025-01-%02d 00:00:00.000Z', rowid % 28 + 1), '' FROM users WHERE handle LIKE 'crowd%'`)
		bob = s.As("bob")
		seen, query := map[string]bool{}, ""
		for {
			rows := bob.List("feed", "page=1&sort=-at,-post&perPage=100&skipTotal=1"+query)
			for _, row := range rows {
				if seen[row["post"].(string)] {
					t.Fatalf("post %s comes twice", row["post"])
				}
				seen[row["post"].(string)] = true
			}
			if len(rows) < 100 {
				break
			}
			query = cursorAfter(rows[len(rows)-1])
		}
		if len(seen) != 1201 || !seen[own] {
			t.Errorf("%d posts, want 1201", len(seen))
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
			query = cursorAfter(rows[len(rows)-1])
			ada.Post("while he reads")
		}
		for id := range want {
			if !seen[id] {
				t.Errorf("post %s is missing", id)
			}
		}
	})
}

// TestARowOfTheFeedIsFoundWithoutComputingAll asks for the plan of a search by id, which PocketBase makes for whoever
// names one: for a file of a row, and for an upsert.
func TestARowOfTheFeedIsFoundWithoutComputingAll(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	s.As("bob").Follow("ada")
	id := s.As("bob").ID + post
	query := s.App.RecordQuery("feed").AndWhere(dbx.HashExp{"feed.id": id})
	if err := feed.SeekRow(id)(query); err != nil {
		t.Fatal(err)
	}
	var steps []struct {
		Detail string `db:"detail"`
	}
	built := query.Build()
	if err := s.App.DB().NewQuery("EXPLAIN QUERY PLAN " + built.SQL()).Bind(built.Params()).All(&steps); err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		if strings.HasPrefix(step.Detail, "SCAN p") || strings.HasPrefix(step.Detail, "SCAN f ") {
			t.Errorf("a search by id does %q", step.Detail)
		}
	}
	found, err := s.App.FindRecordById("feed", id, feed.SeekRow(id))
	if err != nil || found.GetString("post") != post {
		t.Errorf("found %v, %v", found, err)
	}
	if _, err := s.App.FindRecordById("feed", "short", feed.SeekRow("short")); !errors.Is(err, sql.ErrNoRows) {
		t.Errorf("an id of another length: %v", err)
	}
}

func TestNoGetWrites(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
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

// cursorAfter returns the filter of the page that follows a row of the feed, for a query.
func cursorAfter(last map[string]any) string {
	return "&filter=" + url.QueryEscape(fmt.Sprintf(`at <= "%s" && (at < "%s" || post < "%s")`, last["at"], last["at"], last["post"]))
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
