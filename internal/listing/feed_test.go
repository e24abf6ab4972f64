package listing

import (
	"encoding/json/v2"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/search"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/db/dbtest"
	"github.com/doubletap/doubletap/internal/visibility"
)

// feedWorld is a small world in which everything that decides about a feed happens by chance.
type feedWorld struct {
	*testing.T
	app    core.App
	random *rand.Rand
	people []*core.Record
	reader *Reader
	plan   *pagePlan
	pages  map[string][]string // what the general path answered
}

func newFeedWorld(t *testing.T, seed uint64) *feedWorld {
	w := &feedWorld{T: t, app: dbtest.NewApp(t, core.BaseAppConfig{DBConnect: func(path string) (*dbx.DB, error) { return db.Open(path) }}), random: rand.New(rand.NewPCG(seed, 0))}
	const people, posts = 9, 150
	id := func(kind string, n int) string { return fmt.Sprintf("%s%d", kind, n) }
	for n := range people {
		w.exec(`INSERT INTO users (id, tokenKey, handle, state, role, private) VALUES ({:id}, {:id}, {:id}, {:state}, 'member', {:private})`,
			db.Params{"id": id("user", n), "state": w.choose("active", "active", "active", "active", "suspended"), "private": w.random.IntN(3) == 0})
	}
	days := 0
	for n := range posts {
		if w.random.IntN(2) == 0 { // else of the same moment as the one before
			days += w.random.IntN(3)
		}
		w.exec(`INSERT INTO posts (id, author, photos, visibility, hidden, created) VALUES ({:id}, {:author}, '[]', {:visibility}, {:hidden}, strftime('%Y-%m-%d %H:%M:%fZ', '2026-10-01', {:ago}))`,
			db.Params{"id": id("post", w.random.IntN(1000)*1000+n), "author": id("user", w.random.IntN(people)), "visibility": w.choose("public", "public", "followers", "private"),
				"hidden": w.random.IntN(8) == 0, "ago": fmt.Sprintf("-%d days", days)})
	}
	var all []string
	if err := db.QueryColumn(w.app, &all, `SELECT id FROM posts`, nil); err != nil {
		t.Fatal(err)
	}
	until := func() string { return w.choose("", "2000-01-01 00:00:00.000Z", "2099-01-01 00:00:00.000Z") }
	for a := range people {
		for b := range people {
			ends := db.Params{"a": id("user", a), "b": id("user", b)}
			if a == b {
				continue
			}
			if w.random.IntN(3) > 0 {
				w.exec(`INSERT INTO follows (id, follower, followee, state) VALUES ({:a} || {:b}, {:a}, {:b}, {:state})`, withParam(ends, "state", w.choose("accepted", "accepted", "accepted", "pending")))
			}
			if w.random.IntN(12) == 0 {
				w.exec(`INSERT INTO blocks (id, blocker, blocked) VALUES ({:a} || {:b}, {:a}, {:b})`, ends)
			}
			if w.random.IntN(6) == 0 {
				w.exec(`INSERT INTO mutes (id, muter, muted, until) VALUES ({:a} || {:b}, {:a}, {:b}, {:until})`, withParam(ends, "until", until()))
			}
		}
		for _, post := range all {
			pair := db.Params{"a": id("user", a), "p": post}
			switch w.random.IntN(12) {
			case 0:
				w.exec(`INSERT INTO mutes (id, muter, post, until) VALUES ({:a} || {:p}, {:a}, {:p}, {:until})`, withParam(pair, "until", until()))
			case 1:
				w.exec(`INSERT INTO hidden_posts (id, viewer, post) VALUES ({:a} || {:p}, {:a}, {:p})`, pair)
			}
		}
	}
	if err := w.app.RecordQuery("users").All(&w.people); err != nil {
		t.Fatal(err)
	}
	w.reader, w.pages = NewReader(w.app), map[string][]string{}
	var err error
	if w.plan, err = w.reader.findPlan(Request{Collection: "feed", Sort: "-at,-post"}); err != nil || w.plan == nil {
		t.Fatal(w.plan, err)
	}
	return w
}

func (w *feedWorld) choose(from ...string) string { return from[w.random.IntN(len(from))] }

func (w *feedWorld) exec(statement string, params db.Params) {
	w.Helper()
	if _, err := db.Exec(w.app, statement, params); err != nil {
		w.Fatal(err)
	}
}

func withParam(params db.Params, name string, value any) db.Params {
	params[name] = value
	return params
}

// generalPage returns the rows that PocketBase reads from the view by the collection's rule.
func (w *feedWorld) generalPage(person *core.Record, r Request) (rows []string) {
	w.Helper()
	feed, err := w.app.FindCachedCollectionByNameOrId("feed")
	if err != nil {
		w.Fatal(err)
	}
	resolver := core.NewRecordFieldResolver(w.app, feed, &core.RequestInfo{Context: core.RequestInfoContextDefault, Auth: person}, true)
	rule, err := search.FilterData(*feed.ListRule).BuildExpr(resolver)
	if err != nil {
		w.Fatal(err)
	}
	q := w.app.RecordQuery(feed).AndWhere(rule).OrderBy("feed.at DESC", "feed.post DESC").Limit(int64(r.PerPage))
	if r.At != "" {
		q.AndWhere(dbx.NewExp("feed.at <= {:at} AND (feed.at < {:at} OR feed.post < {:last})", dbx.Params{"at": r.At, "last": r.LastID}))
	}
	if err := resolver.UpdateQuery(q); err != nil {
		w.Fatal(err)
	}
	var found []*core.Record
	if err := q.All(&found); err != nil {
		w.Fatal(err)
	}
	for _, row := range found {
		text, err := json.Marshal(row.PublicExport(), json.Deterministic(true))
		if err != nil {
			w.Fatal(err)
		}
		rows = append(rows, string(text))
	}
	return rows
}

// fastPage returns the rows that the plan reads.
func (w *feedWorld) fastPage(p *pagePlan, person *core.Record, r Request) (rows []string) {
	w.Helper()
	out, err := w.reader.appendFeed(nil, p, person, r, w.reader.pageParams(person, r))
	if err != nil {
		w.Fatal(err)
	}
	page, reason := finishAnswer(out, r, -1)
	if reason != "" {
		return nil
	}
	var answer struct {
		Items []map[string]any `json:"items"`
	}
	if err := json.Unmarshal(page, &answer); err != nil {
		w.Fatal(err)
	}
	for _, item := range answer.Items {
		text, err := json.Marshal(item, json.Deterministic(true))
		if err != nil {
			w.Fatal(err)
		}
		rows = append(rows, string(text))
	}
	return rows
}

// firstDifference reads pages of everybody's feed by both ways, and says where they differ, "" if nowhere.
func (w *feedWorld) firstDifference(p *pagePlan) string {
	w.Helper()
	for _, person := range w.people {
		for _, way := range []struct{ many, held int }{{1000, 1000}, {1000, 40}, {1000, 0}, {0, 0}, {3, 1000}} { // which decide how a page is read
			w.reader = NewReader(w.app)
			w.reader.manyFollowees, w.reader.recent.most = way.many, way.held
			for _, perPage := range []int{1, 4, 100} {
				r := Request{Collection: "feed", Sort: "-at,-post", PerPage: perPage}
				for pageNumber := range 6 {
					key := fmt.Sprint(person.Id, perPage, r.At, r.LastID)
					if _, known := w.pages[key]; !known {
						w.pages[key] = w.generalPage(person, r)
					}
					got, want := w.fastPage(p, person, r), w.pages[key]
					if !slices.Equal(got, want) {
						return fmt.Sprintf("%s, %+v, page %d of %d after %s %s:\ngot  %v\nwant %v", person.Id, way, pageNumber, perPage, r.At, r.LastID, got, want)
					}
					if len(want) == 0 {
						break
					}
					var last struct{ At, Post string }
					if err := json.Unmarshal([]byte(want[len(want)-1]), &last, json.MatchCaseInsensitiveNames(true)); err != nil {
						w.Fatal(err)
					}
					r.At, r.LastID = last.At, last.Post
				}
			}
		}
	}
	return ""
}

// TestAFeedIsWhatTheViewSays compares what both ways of reading a feed find. Then it leaves out one predicate after the
// other: each must make a difference, or the comparison would not notice when it is lost.
func TestAFeedIsWhatTheViewSays(t *testing.T) {
	seed := rand.Uint64()
	w := newFeedWorld(t, seed)
	if difference := w.firstDifference(w.plan); difference != "" {
		t.Fatalf("seed %d: %s", seed, difference)
	}
	rows := 0
	for _, page := range w.pages {
		rows += len(page)
	}
	if rows < 100 {
		t.Errorf("seed %d: only %d rows were compared", seed, rows)
	}
	worlds := []*feedWorld{w} // further ones for what chance did not make matter in the first
	for _, predicate := range []struct{ text, instead string }{
		{" AND state = 'accepted'", ""},
		{" AND " + feedCursor, ""},
		{"created < {:at} OR ", ""},
		{" OR id < {:last}", ""},
		{" AND followee = _c.author", ""},
		{" AND " + feedConditions()[0], ""},
		{" AND " + feedConditions()[1], ""},
		{" AND " + feedConditions()[2], ""},
		{visibility.ShippedPostSQL, "1"},
		{" AND " + notEndedSQL, ""},
		{"NOT [[_p.hidden]] AND ", ""},
		{"[[_u.state]] = 'active' AND ", ""},
		{"[[_b.blocker]] = [[_u.id]]", "[[_b.blocker]] = ''"},
		{"[[_b.blocker]] = {:me}", "[[_b.blocker]] = ''"},
		{"_c.author = {:me} OR ", ""},
	} {
		changed := *w.plan.feed
		differs := false
		for _, statement := range []*string{&changed.followees, &changed.listed, &changed.newest[0], &changed.newest[1], &changed.merged[0], &changed.merged[1]} {
			before := *statement
			*statement = strings.ReplaceAll(before, predicate.text, predicate.instead)
			differs = differs || *statement != before
		}
		if !differs {
			t.Errorf("no statement has %s", predicate.text)
			continue
		}
		for n := 0; worlds[n].firstDifference(&pagePlan{row: w.plan.row, feed: &changed}) == ""; n++ {
			if n == 4 {
				t.Errorf("seed %d: nothing changes without %s", seed, predicate.text)
				break
			}
			if n+1 == len(worlds) {
				worlds = append(worlds, newFeedWorld(t, seed+uint64(n)+1))
			}
		}
	}
}

// TestAPageTakesAsManyStepsAsThereAreFolloweesAndRows counts what SQLite does for a page: no more where those whom somebody
// follows have not posted for years, or have posted very much, or where others have.
func TestAPageTakesAsManyStepsAsThereAreFolloweesAndRows(t *testing.T) {
	const followees, perPage = 50, 20
	for name, c := range map[string]struct {
		ofEach, between string // posts of each followee; how long one is after the other
		others          int    // posts of strangers, all of them newer
	}{
		"young":            {"20", "hours", 0},
		"old":              {"200", "hours", 0},
		"silent for years": {"20", "days", 3000},
	} {
		app := dbtest.NewApp(t, core.BaseAppConfig{DBConnect: func(path string) (*dbx.DB, error) { return db.Open(path) }})
		for _, statement := range []string{
			`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= 51) INSERT INTO users (id, tokenKey, handle, state, role) SELECT 'user' || i, 'key' || i, 'user' || i, 'active', 'member' FROM n`,
			`INSERT INTO follows (id, follower, followee, state) SELECT id, 'user1', id, 'accepted' FROM users WHERE id NOT IN ('user1', 'user52')`,
			`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50 * ` + c.ofEach + `) INSERT INTO posts (id, author, photos, visibility, created)
				SELECT 'post' || (10000 + i), 'user' || (i % 50 + 2), '[]', 'public', strftime('%Y-%m-%d %H:%M:%fZ', '2026-01-01', '-' || i || ' ` + c.between + `') FROM n`,
			fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= %d) INSERT INTO posts (id, author, photos, visibility, created)
				SELECT 'other' || (10000 + i), 'user52', '[]', 'public', strftime('%%Y-%%m-%%d %%H:%%M:%%fZ', '2026-06-01', '-' || i || ' minutes') FROM n WHERE i < %[1]d`, c.others),
		} {
			if _, err := db.Exec(app, statement, nil); err != nil {
				t.Fatal(err)
			}
		}
		app.ConcurrentDB().(*dbx.DB).DB().SetMaxOpenConns(1) // whose steps are counted
		person, err := app.FindRecordById("users", "user1")
		if err != nil {
			t.Fatal(err)
		}
		for held, most := range map[int]int{recentPostCount: 275 * perPage, 100: 275*perPage + 50*followees} { // where they are in memory, and where not
			reader := NewReader(app)
			reader.recent.most = held
			r := Request{Collection: "feed", Sort: "-at,-post", PerPage: perPage, Expand: "post.author"}
			for page := range 3 {
				read := func() {
					answer, reason, err := reader.AppendPage(nil, person, r)
					if err != nil || reason != "" || strings.Count(string(answer), `"collectionName":"feed"`) != perPage {
						t.Fatalf("%s: %v %v %s", name, err, reason, answer)
					}
				}
				read() // which loads the newest posts
				steps, statements := stepCount(t, app), db.StatementCount()
				read()
				if steps = stepCount(t, app) - steps; steps > most {
					t.Errorf("%s, %d held, page %d: %d steps, want at most %d", name, held, page, steps, most)
				}
				if n := db.StatementCount() - statements; n > 3 {
					t.Errorf("%s, %d held, page %d: %d statements", name, held, page, n)
				}
				r.At, r.LastID = fmt.Sprintf("2025-12-%d 00:00:00.000Z", 30-10*page), "~"
			}
		}
	}
}

// TestAPostThatWasGivenAwayIsInNoFeedOfBefore changes the author and the time of posts behind the hooks' back: no page has a
// post of a stranger, or one at its former place, and the page is full.
func TestAPostThatWasGivenAwayIsInNoFeedOfBefore(t *testing.T) {
	app, exec := newRecentPostsApp(t)
	exec(`INSERT INTO follows (id, follower, followee, state) VALUES ('ab', 'a', 'b', 'accepted')`, nil)
	for n := range 9 {
		exec(insertPost, postParams(fmt.Sprint("p", n), "b", fmt.Sprintf("2026-10-01 00:00:0%d.000Z", n)))
	}
	person, err := app.FindRecordById("users", "a")
	if err != nil {
		t.Fatal(err)
	}
	reader := NewReader(app)
	for _, step := range []struct{ change, want string }{
		{`SELECT 1`, "p8 p7 p6 p5"},
		{`UPDATE posts SET author = 'c' WHERE id = 'p7'`, "p8 p6 p5 p4"},
		{`UPDATE posts SET author = 'nobody' WHERE id = 'p4'`, "p8 p6 p5 p3"},
		{`UPDATE posts SET created = '2026-01-01 00:00:00.000Z' WHERE id = 'p6'`, "p8 p5 p3 p2"},
		{`UPDATE posts SET author = 'b' WHERE id = 'p7'; UPDATE posts SET author = 'c' WHERE id = 'p2'`, "p8 p7 p5 p3"},
	} {
		exec(step.change, nil)
		for range 2 { // after which the posts were forgotten, and are held again
			answer, reason, err := reader.AppendPage(nil, person, Request{Collection: "feed", Sort: "-at,-post", PerPage: 4})
			if err != nil || reason != "" {
				t.Fatal(err, reason)
			}
			var page struct {
				Items []struct {
					Post string `json:"post"`
				} `json:"items"`
			}
			if err := json.Unmarshal(answer, &page); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, item := range page.Items {
				got = append(got, item.Post)
			}
			if strings.Join(got, " ") != step.want {
				t.Errorf("%s: got %v, want %s", step.change, got, step.want)
			}
		}
	}
}

// TestAFeedIsReadByWhoIsFollowedAndNotByAStoredCount has somebody whose stored count says nothing of whom they follow.
func TestAFeedIsReadByWhoIsFollowedAndNotByAStoredCount(t *testing.T) {
	app, exec := newRecentPostsApp(t)
	exec(insertPost, postParams("p1", "b", "2026-10-01 00:00:00.000Z"))
	person, err := app.FindRecordById("users", "a")
	if err != nil {
		t.Fatal(err)
	}
	reader := NewReader(app)
	reader.manyFollowees = 2
	request := Request{Collection: "feed", Sort: "-at,-post", PerPage: 1}
	plan, err := reader.findPlan(request)
	if err != nil {
		t.Fatal(err)
	}
	only := func(newest bool) *pagePlan { // the other plan is a statement that fails
		feed := *plan.feed
		if newest {
			feed.listed, feed.merged[0] = "no statement", "no statement"
		} else {
			feed.newest[0] = "no statement"
		}
		return &pagePlan{row: plan.row, feed: &feed}
	}
	for followees, stored := range map[int]int{1: 5000, 3: 0} {
		exec(`DELETE FROM follows`, nil)
		exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {:n})
			INSERT INTO follows (id, follower, followee, state) SELECT 'f' || i, 'a', CASE i WHEN 1 THEN 'b' ELSE 'x' || i END, 'accepted' FROM n`, db.Params{"n": followees})
		person.SetRaw("followingCount", stored)
		out, err := reader.appendFeed(nil, only(followees >= reader.manyFollowees), person, request, reader.pageParams(person, request))
		if err != nil || !strings.Contains(string(out), `"p1"`) {
			t.Errorf("%d followees, %d stored: %s %v", followees, stored, out, err)
		}
	}
}

// TestATotalThatIsTooSlowIsNotTriedForEachPage has a total that never ends: the next pages of the same are left to the general
// path at once, and others are not.
func TestATotalThatIsTooSlowIsNotTriedForEachPage(t *testing.T) {
	app, exec := newRecentPostsApp(t)
	exec(insertPost, postParams("p1", "a", "2026-10-01 00:00:00.000Z"))
	person, err := app.FindRecordById("users", "a")
	if err != nil {
		t.Fatal(err)
	}
	reader := NewReader(app)
	request := Request{Collection: "feed", Sort: "-at,-post", PerPage: 1, Total: true}
	plan, err := reader.findPlan(request)
	if err != nil {
		t.Fatal(err)
	}
	total := plan.totalSQL[0]
	plan.totalSQL[0] = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n`
	reader.totalTimeout = time.Millisecond
	if _, reason, err := reader.AppendPage(nil, person, request); reason != SlowTotal || err != nil {
		t.Fatalf("got %q, %v", reason, err)
	}
	before := db.StatementCount()
	if _, reason, err := reader.AppendPage(nil, person, request); reason != SlowTotal || err != nil || db.StatementCount() != before {
		t.Errorf("got %q, %v and %d statements at once again", reason, err, db.StatementCount()-before)
	}
	plan.totalSQL[0], reader.totalTimeout = total, totalTimeout
	expect := func(what string) {
		t.Helper()
		if answer, reason, err := reader.AppendPage(nil, person, request); reason != "" || err != nil {
			t.Errorf("%s: got %s, %q, %v", what, answer, reason, err)
		}
	}
	request.Total = false
	expect("without a total")
	request.Total = true
	for counted := range reader.slow.until {
		reader.slow.until[counted] = time.Now()
	}
	expect("a minute later")
}

// stepCount returns how many steps SQLite has taken for the statements of the connection that reads.
func stepCount(t *testing.T, app core.App) int {
	t.Helper()
	steps, err := db.StepCount(t.Context(), app.ConcurrentDB().(*dbx.DB).DB())
	if err != nil {
		t.Fatal(err)
	}
	return steps
}
