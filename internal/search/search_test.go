package search

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/db/dbtest"
	_ "github.com/doubletap/doubletap/migrations" // the collections
)

// searchWorld is a data folder with people, tags and posts that are written without hooks, and indexed when indexAll says so.
type searchWorld struct {
	*testing.T
	app core.App
}

func newSearchWorld(t *testing.T, people ...string) *searchWorld {
	t.Helper()
	w := &searchWorld{t, dbtest.NewApp(t, core.BaseAppConfig{DBConnect: func(path string) (*dbx.DB, error) { return db.Open(path) }})}
	for n, handle := range people {
		w.addPerson(handle, n, 0)
	}
	return w
}

func (w *searchWorld) exec(statement string, params db.Params) {
	w.Helper()
	if _, err := db.Exec(w.app, statement, params); err != nil {
		w.Fatal(err)
	}
}

func (w *searchWorld) addPerson(handle string, day, followers int) {
	w.Helper()
	w.exec(`INSERT INTO users (id, tokenKey, email, handle, state, role, followersCount, created) VALUES ({:id}, {:id}, {:id} || '@example.com', {:handle}, 'active', 'member', {:followers}, {:at})`,
		db.Params{"id": "u_" + handle, "handle": handle, "followers": followers, "at": dayOf(day)})
}

func (w *searchWorld) addPost(id, author, visibility, caption string, day int) {
	w.Helper()
	w.exec(`INSERT INTO posts (id, author, photos, visibility, caption, created) VALUES ({:id}, {:author}, '[]', {:visibility}, {:caption}, {:at})`,
		db.Params{"id": id, "author": "u_" + author, "visibility": visibility, "caption": caption, "at": dayOf(day)})
}

// addTag adds a hashtag and a post of hills that has it, as a tag shows only to who sees a post with it.
func (w *searchWorld) addTag(name, visibility string, day, posts int) {
	w.Helper()
	w.addPost("of_"+name, "hills", visibility, "", day)
	w.exec(`INSERT INTO hashtags (id, name, created) VALUES ({:id}, {:id}, {:at})`, db.Params{"id": name, "at": dayOf(day)})
	w.exec(`INSERT INTO post_tags (id, post, tag) VALUES ({:id}, 'of_' || {:id}, {:id})`, db.Params{"id": name})
	w.exec(`UPDATE hashtags SET postsCount = {:posts} WHERE id = {:id}`, db.Params{"id": name, "posts": posts})
}

func dayOf(n int) string {
	return fmt.Sprintf("20%02d-%02d-%02d 00:00:00.000Z", n/336, n/28%12+1, n%28+1)
}

// indexAll indexes every row that waits for it, and fails unless none waits then.
func (w *searchWorld) indexAll() {
	w.Helper()
	for _, kind := range Kinds {
		var ids []string
		if err := db.QueryColumn(w.app, &ids, "SELECT id FROM "+kind.Collection, nil); err != nil {
			w.Fatal(err)
		}
		if err := Index(w.app, kind, ids...); err != nil {
			w.Fatal(err)
		}
	}
	if waits, err := HasUnindexed(w.app); waits || err != nil {
		w.Fatalf("something waits to be indexed: %v, %v", waits, err)
	}
}

// find returns the ids of a page, and its Next.
func (w *searchWorld) find(caller string, kind Kind, q, cursor string, limit int) (ids []string, next string) {
	w.Helper()
	info := &core.RequestInfo{Context: core.RequestInfoContextDefault}
	if caller != "" {
		user, err := w.app.FindRecordById("users", "u_"+caller)
		if err != nil {
			w.Fatal(err)
		}
		info.Auth = user
	}
	page, err := FindPage(w.app, info, kind, q, cursor, limit)
	if err != nil {
		w.Fatal(err)
	}
	for _, record := range page.Records {
		ids = append(ids, record.Id)
	}
	return ids, page.Next
}

// expectPages fails unless the pages of a query, one after the other, are these, each of ids with blanks between them.
func (w *searchWorld) expectPages(caller string, kind Kind, q string, limit int, want ...string) {
	w.Helper()
	cursor, pages := "", []string{}
	for {
		ids, next := w.find(caller, kind, q, cursor, limit)
		pages = append(pages, strings.Join(ids, " "))
		if next == "" || len(pages) > len(want) {
			break
		}
		cursor = next
	}
	if !slices.Equal(pages, want) {
		w.Errorf("%s of %q for %q: pages %q, want %q", kind.Collection, q, caller, pages, want)
	}
}

func TestPostsComeNewestFirst(t *testing.T) {
	w := newSearchWorld(t, "ada", "bob", "carol")
	for n, visibility := range []string{"public", "private", "public", "followers", "public", "public"} {
		w.addPost(fmt.Sprint("p", n), "ada", visibility, "the sea", n)
	}
	w.addPost("other", "ada", "public", "the hills", 9)
	w.exec(`INSERT INTO follows (id, follower, followee, state) VALUES ('f', 'u_bob', 'u_ada', 'accepted')`, nil)
	if ids, _ := w.find("ada", Posts, "sea", "", 9); ids != nil {
		t.Errorf("posts that are not indexed are found: %v", ids)
	}
	w.indexAll()
	for _, test := range []struct {
		caller, q string
		limit     int
		pages     []string
	}{
		{"ada", "sea", 9, []string{"p5 p4 p3 p2 p1 p0"}},
		{"ada", "sea", 6, []string{"p5 p4 p3 p2 p1 p0"}}, // a page that is full may be the last
		{"ada", "sea", 4, []string{"p5 p4 p3 p2", "p1 p0"}},
		{"bob", "sea", 2, []string{"p5 p4", "p3 p2", "p0"}},
		{"carol", "sea", 3, []string{"p5 p4 p2", "p0"}},
		{"", "sea", 1, []string{"p5", "p4", "p2", "p0"}},
		{"", "the", 9, []string{"other p5 p4 p2 p0"}},
		{"", "sea hills", 9, []string{""}},
		{"", "mountain", 9, []string{""}},
		{"", "🎉", 9, []string{""}},
	} {
		w.expectPages(test.caller, Posts, test.q, test.limit, test.pages...)
	}
}

// TestNoPhraseIsFoundAcrossTwoTexts has the parts of a word in a caption and in a place. In Chinese a word is a phrase.
func TestNoPhraseIsFoundAcrossTwoTexts(t *testing.T) {
	w := newSearchWorld(t, "ada")
	w.addPost("whole", "ada", "public", "東京", 0)
	w.addPost("parts", "ada", "public", "東", 1)
	w.exec(`UPDATE posts SET place = '京' WHERE id = 'parts'`, nil)
	w.indexAll()
	w.expectPages("", Posts, "東京", 9, "whole")
	w.expectPages("", Posts, "東 京", 9, "parts whole")
}

func TestAPageIsWhereItWasWhateverComesAndGoes(t *testing.T) {
	w := newSearchWorld(t, "ada")
	for n := range 4 {
		w.addPost(fmt.Sprint("p", n), "ada", "public", "the sea", n)
	}
	w.indexAll()
	_, next := w.find("", Posts, "sea", "", 2)
	w.addPost("newer", "ada", "public", "the sea", 9)
	w.exec(`DELETE FROM posts WHERE id = 'p2'`, nil)
	w.indexAll()
	if ids, end := w.find("", Posts, "sea", next, 2); !slices.Equal(ids, []string{"p1", "p0"}) || end != "" {
		t.Errorf("the second page is %v, then %q", ids, end)
	}
	w.exec(`UPDATE posts SET caption = 'the hills' WHERE id = 'p1'`, nil)
	w.indexAll()
	w.expectPages("", Posts, "sea", 9, "newer p3 p0")
}

// TestARowThatChangesIsNotIndexedAsItWas changes a post between the moment at which its words are read and the one at
// which they are stored.
func TestARowThatChangesIsNotIndexedAsItWas(t *testing.T) {
	w := newSearchWorld(t, "ada")
	w.addPost("p", "ada", "public", "the hills", 0)
	row := unindexedRow{ID: "p", Values: `["the hills",""]`}
	if found, err := db.QueryValue(w.app, &row.N, `SELECT n FROM search_posts WHERE id = 'p'`, nil); err != nil || !found {
		t.Fatalf("no place in the index: %v, %v", found, err)
	}
	w.exec(`UPDATE posts SET caption = 'the sea' WHERE id = 'p'`, nil)
	if err := row.indexWords(w.app, Posts); err != nil {
		t.Fatal(err)
	}
	w.expectPages("", Posts, "hills", 9, "")
	w.indexAll()
	w.expectPages("", Posts, "hills", 9, "")
	w.expectPages("", Posts, "sea", 9, "p")
}

func TestOneQueryHasItsLimit(t *testing.T) {
	w := newSearchWorld(t, "ada", "bob")
	w.addPost("first", "ada", "public", "the sea", 0)
	w.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {:most})
		INSERT INTO posts (id, author, photos, visibility, caption, created) SELECT 'x' || i, 'u_ada', '[]', 'private', 'the sea', '2026-01-01 00:00:00.000Z' FROM n`, db.Params{"most": maxHits + chunkSize})
	w.indexAll()
	ids, next := w.find("bob", Posts, "sea", "", 2)
	if len(ids) != 0 || next == "" {
		t.Errorf("among more than %d posts of others' own, %v are found, then %q", maxHits, ids, next)
	}
	if ids, next := w.find("bob", Posts, "sea", next, 2); !slices.Equal(ids, []string{"first"}) || next != "" {
		t.Errorf("the next page has %v, then %q", ids, next)
	}
}

func TestPeopleComeByNameThenByHowWellTheyAreKnown(t *testing.T) {
	w := newSearchWorld(t)
	for n, person := range []struct {
		handle    string
		followers int
	}{{"sea_lion", 5}, {"seaside", 90}, {"sea", 0}, {"seagull", 5}, {"hills", 99}, {"bob", 0}} {
		w.addPerson(person.handle, n, person.followers)
	}
	w.addTag("seaweed", "public", 0, 2)
	w.addTag("sea", "public", 1, 1)
	w.addTag("seam", "public", 2, 3)
	w.addTag("seal", "private", 3, 9)
	w.indexAll()
	w.expectPages("bob", Users, "sea", 9, "u_sea u_seaside u_sea_lion u_seagull")
	w.expectPages("bob", Users, "@SEA", 2, "u_sea u_seaside", "u_seagull u_sea_lion") // the newest of the others first
	w.expectPages("bob", Users, "seas", 9, "u_seaside")
	w.expectPages("", Tags, "#sea", 9, "sea seam seaweed")
	w.expectPages("", Tags, "sea", 1, "sea", "seam", "seaweed")
	w.expectPages("hills", Tags, "sea", 9, "sea seal seam seaweed")

	w.exec(`INSERT INTO blocks (id, blocker, blocked) VALUES ('b1', 'u_bob', 'u_sea'), ('b2', 'u_seaside', 'u_bob')`, nil)
	w.expectPages("bob", Users, "sea", 9, "u_sea_lion u_seagull")
	w.expectPages("hills", Users, "sea", 9, "u_sea u_seaside u_sea_lion u_seagull")
}

func TestOnlyOwnCursorsAreRead(t *testing.T) {
	w := newSearchWorld(t)
	if page, err := FindPage(w.app, &core.RequestInfo{}, Posts, "sea", "-1", 9); !errors.Is(err, ErrCursor) {
		t.Errorf("a made-up cursor: %+v, error %v", page, err)
	}
}
