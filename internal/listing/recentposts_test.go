package listing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/db/dbtest"
)

// newRecentPostsApp returns an app with the people a, b and c, and what executes a statement in it.
func newRecentPostsApp(t *testing.T) (app core.App, exec func(statement string, params db.Params)) {
	app = dbtest.NewApp(t, core.BaseAppConfig{DBConnect: func(path string) (*dbx.DB, error) { return db.Open(path) }})
	exec = func(statement string, params db.Params) {
		t.Helper()
		if _, err := db.Exec(app, statement, params); err != nil {
			t.Error(statement, err)
		}
	}
	exec(`INSERT INTO users (id, tokenKey, handle, state, role) VALUES ('a', 'a', 'a', 'active', 'member'), ('b', 'b', 'b', 'active', 'member'), ('c', 'c', 'c', 'active', 'member')`, nil)
	return app, exec
}

const insertPost = `INSERT INTO posts (id, author, photos, visibility, created) VALUES ({:id}, {:author}, '[]', 'public', {:at})`

func postParams(id, author, at string) db.Params {
	return db.Params{"id": id, "author": author, "at": at}
}

// TestAPostThatCannotBeHeldCostsNoLoads has a post that no list can hold, made before the posts are loaded or after that: it
// chooses none, and reads nothing for each page until they are loaded anew.
func TestAPostThatCannotBeHeldCostsNoLoads(t *testing.T) {
	app, exec := newRecentPostsApp(t)
	const at = "2026-10-01 00:00:00.000Z"
	for name, post := range map[string]db.Params{
		"long id":         postParams(strings.Repeat("x", 17), "b", at),
		"long time":       postParams("p2", "b", at+" or so"),
		"quote in id":     postParams(`p"2`, "b", at),
		"slash in id":     postParams(`p\2`, "b", at),
		"quote in time":   postParams("p2", "b", `"`),
		"line in id":      postParams("p\n2", "b", at),
		"slash of author": postParams("p2", `b\`, at),
	} {
		for _, loadedBefore := range []bool{true, false} {
			exec(`DELETE FROM posts`, nil)
			exec(insertPost, postParams("p1", "b", at))
			recent := recentPosts{most: 10}
			choose := func() (chosen []recentPost, statements int64) {
				t.Helper()
				before := db.StatementCount()
				chosen, more, err := recent.choose(app, []string{"b"}, "", "", 5)
				if err != nil || len(chosen) == 0 && !more {
					t.Fatalf("%s: %d posts, more: %v, %v", name, len(chosen), more, err)
				}
				return chosen, db.StatementCount() - before
			}
			if loadedBefore {
				if chosen, statements := choose(); len(chosen) != 1 || statements != 2 {
					t.Fatalf("%s: %d posts of %d statements at first", name, len(chosen), statements)
				}
			}
			exec(insertPost, post)
			if chosen, _ := choose(); len(chosen) != 0 {
				t.Errorf("%s: %v", name, chosen)
			}
			for range 3 {
				if chosen, statements := choose(); len(chosen) != 0 || statements != 0 {
					t.Errorf("%s, loaded before: %v: %d posts of %d statements", name, loadedBefore, len(chosen), statements)
				}
			}
			exec(`DELETE FROM posts WHERE id = {:id}`, post)
			recent.held.loadedAt = time.Time{}
			if chosen, statements := choose(); len(chosen) != 1 || statements != 2 {
				t.Errorf("%s: %d posts of %d statements after a while", name, len(chosen), statements)
			}
		}
	}
}

// TestNoPageWaitsForTheLoadOfAnother has another page load the posts meanwhile: a page goes on with what is held, with what is
// new, and chooses nothing where nothing is held.
func TestNoPageWaitsForTheLoadOfAnother(t *testing.T) {
	app, exec := newRecentPostsApp(t)
	exec(insertPost, postParams("p1", "b", "2026-10-01 00:00:00.000Z"))
	recent := recentPosts{most: 10}
	expect := func(count int) {
		t.Helper()
		chosen, more, err := recent.choose(app, []string{"b"}, "", "", 5)
		if err != nil || len(chosen) != count || more != (count == 0) {
			t.Errorf("%v, more: %v, %v; want %d posts", chosen, more, err, count)
		}
	}
	recent.loading.Lock()
	expect(0)
	recent.loading.Unlock()
	expect(1)
	recent.held.loadedAt = time.Time{}
	recent.loading.Lock()
	exec(insertPost, postParams("p2", "b", "2026-10-01 00:00:01.000Z"))
	expect(2)
	recent.forget()
	expect(0)
	recent.loading.Unlock()
	expect(2)
}

// TestRecentPostsOfManyPagesAtOnce has pages chosen while posts are made, deleted and forgotten. Each page must have the posts
// that were made before it began and are not deleted: its own author's are few.
func TestRecentPostsOfManyPagesAtOnce(t *testing.T) {
	app, exec := newRecentPostsApp(t)
	recent := recentPosts{most: 30}
	var working sync.WaitGroup
	chosenCount := atomic.Int64{}
	for _, author := range []string{"a", "b", "c"} {
		working.Go(func() {
			for n := range 60 {
				id := fmt.Sprintf("%s%d", author, n)
				exec(insertPost, postParams(id, author, fmt.Sprintf("2026-10-01 00:%02d:00.000Z", n)))
				chosen, more, err := recent.choose(app, []string{author}, "", "", 1)
				if err != nil || len(chosen) == 0 && !more || len(chosen) == 1 && string(chosen[0].id()) != id {
					t.Errorf("after %s: %v, more: %v, %v", id, chosen, more, err)
				}
				chosenCount.Add(int64(len(chosen)))
				switch n % 10 {
				case 3:
					exec(`DELETE FROM posts WHERE id = {:id}`, db.Params{"id": id})
				case 6:
					exec(`UPDATE posts SET created = '2026-10-02 00:00:00.000Z' WHERE id = {:id}`, db.Params{"id": id})
					exec(`UPDATE posts SET created = {:at} WHERE id = {:id}`, postParams(id, author, fmt.Sprintf("2026-10-01 00:%02d:00.000Z", n)))
					recent.forget()
				}
			}
		})
	}
	working.Wait()
	if chosenCount.Load() == 0 {
		t.Error("nothing was chosen")
	}
}

// TestRecentPostsFollowTheDatabase changes posts by chance, behind the back of what is held of them, and compares what is
// chosen with what the database has.
func TestRecentPostsFollowTheDatabase(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	app, exec := newRecentPostsApp(t)
	made, chosenCount, endCount := 0, 0, 0
	add := func() {
		made++
		exec(`INSERT INTO posts (id, author, photos, created) VALUES ({:id}, {:author}, '[]', strftime('%Y-%m-%d %H:%M:%fZ', '2026-10-01', {:ago}))`,
			db.Params{"id": fmt.Sprintf("p%d", made*7919%1000), "author": string("abc"[random.IntN(3)]), "ago": fmt.Sprintf("-%d minutes", random.IntN(40))})
	}
	for _, most := range []int{0, 5, 12, 1000} {
		recent := recentPosts{most: most}
		for range 150 {
			switch random.IntN(8) {
			case 0, 1, 2:
				add()
			case 3:
				exec(`DELETE FROM posts WHERE rowid = (SELECT max(rowid) FROM posts)`, nil)
			case 4:
				exec(`DELETE FROM posts WHERE rowid = (SELECT max(rowid) FROM posts)`, nil)
				add() // in the same row
			case 5:
				exec(`DELETE FROM posts WHERE id IN (SELECT id FROM posts ORDER BY random() LIMIT 1)`, nil)
			case 6:
				for range random.IntN(9) {
					add()
				}
			case 7:
				if random.IntN(4) == 0 { // which gives the rows new numbers
					exec(`VACUUM`, nil)
				}
			}
			authors, params := []string{"b"}, db.Params{"at": "9", "last": "", "count": 1 + random.IntN(12)}
			at, id := "", ""
			if random.IntN(2) == 0 {
				authors = append(authors, "a")
			}
			if random.IntN(2) == 0 {
				at, id = fmt.Sprintf("2026-09-30 23:%02d:00.000Z", random.IntN(60)), fmt.Sprintf("p%d", random.IntN(1000))
				params["at"], params["last"] = at, id
			}
			chosen, more, err := recent.choose(app, authors, at, id, params["count"].(int))
			if err != nil {
				t.Fatal(err)
			}
			var want, got []string
			params["authors"], params["list"] = db.JSONList(authors), listPosts(chosen)
			err = db.QueryColumn(app, &want, `SELECT id FROM posts WHERE author IN (SELECT value FROM json_each({:authors})) AND `+feedCursor+` ORDER BY created DESC, id DESC LIMIT {:count}`, params)
			if err == nil {
				err = db.QueryColumn(app, &got, `SELECT _p.id FROM `+listedSQL+` WHERE `+isListedSQL, params)
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) || !more && len(got) < len(want) {
				t.Fatalf("seed %d: %d held, after %q %q: got %s (more: %v), want %s", seed, most, at, id, strings.Join(got, " "), more, strings.Join(want, " "))
			}
			chosenCount += len(got)
			if !more {
				endCount++
			}
		}
	}
	if chosenCount < 100 || endCount < 10 {
		t.Errorf("seed %d: %d posts were chosen, %d times all", seed, chosenCount, endCount)
	}
}
