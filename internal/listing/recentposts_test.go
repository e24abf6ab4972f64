package listing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/db/dbtest"
)

// TestRecentPostsFollowTheDatabase changes posts by chance, behind the back of what is held of them, and compares what is
// chosen with what the database has.
func TestRecentPostsFollowTheDatabase(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	app := dbtest.NewApp(t, core.BaseAppConfig{DBConnect: func(path string) (*dbx.DB, error) { return db.Open(path) }})
	exec := func(statement string, params db.Params) {
		if _, err := db.Exec(app, statement, params); err != nil {
			t.Fatal(statement, err)
		}
	}
	exec(`INSERT INTO users (id, tokenKey, handle, state, role) VALUES ('a', 'a', 'a', 'active', 'member'), ('b', 'b', 'b', 'active', 'member'), ('c', 'c', 'c', 'active', 'member')`, nil)
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
				err = db.QueryColumn(app, &got, `SELECT _p.id FROM `+listedSQL, params)
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
