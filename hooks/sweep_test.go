package hooks_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/reconcile"
	"github.com/doubletap/doubletap/internal/testenv"
)

const (
	seededRows    = 2000 // rows of each relation
	minHookedRows = 300  // rows that go one by one, with their hooks
	maxStepRows   = 1600 // rows that one transaction may change: a step's 400, and what triggers change of each
)

// writeRecorder records how many rows each transaction changes, until it is asked.
type writeRecorder struct {
	mu   sync.Mutex
	rows []int64
}

func recordWrites(s *hookstest.Service) *writeRecorder {
	w := &writeRecorder{}
	limits := db.WriterLimits(s.App)
	limits.OnCommit = func(rows int64) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.rows = append(w.rows, rows)
	}
	db.LimitWriter(s.App, limits)
	return w
}

// takeLargest returns how many rows the largest transaction since the last call changed, and how many transactions
// changed more than ten.
func (w *writeRecorder) takeLargest() (most int64, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, rows := range w.rows {
		most = max(most, rows)
		if rows > 10 {
			n++
		}
	}
	w.rows = nil
	return most, n
}

func execSQLWith(t testing.TB, s *hookstest.Service, statement string, params map[string]any) {
	t.Helper()
	if _, err := db.Exec(s.App, statement, params); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

const longAgo = "2026-01-02 03:04:05.678Z"

// storePeople stores n people. Their ids are "crowd" and ten digits.
func storePeople(t testing.TB, s *hookstest.Service, n int) {
	t.Helper()
	execSQLWith(t, s, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < `+fmt.Sprint(n)+`)
		INSERT INTO users (id, handle, name, email, state, role, tokenKey, password, created, updated)
		SELECT printf('crowd%010d', i), printf('crowd%d', i), '', printf('crowd%d@example.com', i), 'active', 'member', printf('%050d', i), 'x', {:at}, {:at} FROM n`, map[string]any{"at": longAgo})
	execSQLWith(t, s, `INSERT INTO settings (id, user, digest, notify, seq, created, updated) SELECT id, id, 'off', '{}', 0, {:at}, {:at} FROM users WHERE id LIKE 'crowd%'`, map[string]any{"at": longAgo})
}

// relateRows stores n rows of a collection whose relation points at id. Their other relations point at people of the
// crowd.
func relateRows(t *testing.T, s *hookstest.Service, from *core.Collection, relation *core.RelationField, id string, n int) {
	t.Helper()
	columns, values := []string{}, []string{}
	for _, field := range from.Fields {
		value := "''"
		switch f := field.(type) {
		case *core.RelationField:
			target, err := s.App.FindCachedCollectionByNameOrId(f.CollectionId)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case f.Name == relation.Name && f.IsMultiple():
				value = "json_array({:id})"
			case f.Name == relation.Name:
				value = "{:id}"
			case f.IsMultiple():
				value = "'[]'"
			case from.Name == "notifications" && f.Name == "recipient":
				value = "{:dave}"
			case f.Required && target.Name == "users", from.Name == "mutes" && relation.Name == "muter" && f.Name == "muted":
				value = "printf('crowd%010d', i)"
			case f.Required:
				value = "printf('other%010d', i)" // of nothing
			}
		case *core.AutodateField:
			value = "'" + longAgo + "'"
		case *core.NumberField:
			value = "0"
			if f.Name == "seq" {
				value = "i"
			}
		case *core.BoolField:
			value = "0"
		case *core.SelectField:
			value = "'" + f.Values[0] + "'"
		case *core.JSONField:
			value = "NULL"
		case *core.FileField:
			value = "'[]'"
			if !f.IsMultiple() {
				value = "'a.jpg'"
			}
		case *core.TextField:
			switch {
			case f.PrimaryKey:
				value = "{:prefix} || printf('%09d', i)"
			case f.Required, f.Name == "groupKey", f.Name == "subject", f.Name == "event":
				value = "printf('text%010d', i)"
			}
		}
		columns, values = append(columns, field.GetName()), append(values, value)
	}
	var collections int
	if err := s.App.DB().NewQuery("SELECT count(*) FROM " + from.Name).Row(&collections); err != nil {
		t.Fatal(err)
	}
	prefix := fmt.Sprintf("%.4s%02d", from.Name+"xxxx", collections%97)
	execSQLWith(t, s, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {:n})
		INSERT OR IGNORE INTO `+from.Name+` (`+strings.Join(columns, ", ")+`) SELECT `+strings.Join(values, ", ")+` FROM n`,
		map[string]any{"id": id, "n": n, "dave": s.User("dave").Id, "prefix": prefix})
}

// relationsTo returns all our relations to a collection, as they are in the database.
func relationsTo(t *testing.T, s *hookstest.Service, to string) map[*core.Collection][]*core.RelationField {
	t.Helper()
	target, err := s.App.FindCachedCollectionByNameOrId(to)
	if err != nil {
		t.Fatal(err)
	}
	references, err := s.App.FindCachedCollectionReferences(target)
	if err != nil {
		t.Fatal(err)
	}
	ours := map[*core.Collection][]*core.RelationField{}
	for from, fields := range references {
		for _, field := range fields {
			if relation, ok := field.(*core.RelationField); ok && collection.IsOurs(from.Name) && !collection.Describe(from.Name).IsView {
				ours[from] = append(ours[from], relation)
			}
		}
	}
	return ours
}

// oneByOne are the relations whose rows go as records, with their hooks.
var oneByOne = []string{"posts.author", "comments.author", "stories.author"}

// pointingRows returns how many rows point at a record, by relation.
func pointingRows(t *testing.T, s *hookstest.Service, to, id string) map[string]int {
	t.Helper()
	left := map[string]int{}
	for from, fields := range relationsTo(t, s, to) {
		for _, f := range fields {
			condition := f.Name + " = {:id}"
			if f.IsMultiple() {
				condition = "EXISTS (SELECT 1 FROM json_each(" + from.Name + "." + f.Name + ") WHERE value = {:id})"
			}
			if n := s.Rows(from.Name, condition, map[string]any{"id": id}); n > 0 {
				left[from.Name+"."+f.Name] = n
			}
		}
	}
	return left
}

// TestDeletionsAreShortTransactions deletes a record of each collection while thousands of rows point at it by each
// relation that exists. Rows of a relation that nobody has thought of would go as PocketBase does it, all in one
// transaction.
func TestDeletionsAreShortTransactions(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	probe := hookstest.New(t)
	for _, to := range collection.Names() {
		if len(relationsTo(t, probe, to)) == 0 {
			continue
		}
		t.Run(to, func(t *testing.T) {
			s := hookstest.New(t)
			storePeople(t, s, seededRows)
			id := createSubject(t, s, to)
			execSQLWith(t, s, `UPDATE settings SET seq = 100000 WHERE user = {:dave}`, map[string]any{"dave": s.User("dave").Id})
			want := map[string]int{}
			for from, fields := range relationsTo(t, s, to) {
				for _, field := range fields {
					name, n := from.Name+"."+field.Name, seededRows
					switch {
					case slices.Contains(oneByOne, name):
						n = minHookedRows
					case from.Name == "devices":
						n = 20 // as many as a person may have; they end with the sessions, in the request
					case from.Name == "account_sessions":
						n = 100 // likewise
					}
					if field.IsMultiple() || name == "comments.parent" {
						continue // who is named has events, which take them out; a comment that is answered stays, see below
					}
					relateRows(t, s, from, field, id, n)
					if from.Name == "settings" {
						n = 1
					}
					want[name] = n
				}
			}
			if got := pointingRows(t, s, to, id); !hasAtLeast(got, want) {
				t.Fatalf("seeded %v, want %v", got, want)
			}
			w := recordWrites(s)
			s.Admin().Delete(to, id)
			if most, _ := w.takeLargest(); most > maxStepRows {
				t.Errorf("the request's transaction changed %d rows", most)
			}
			if to != "users" && s.Record(to, id) != nil {
				t.Error("it is there after the request")
			}
			s.RunJobs()
			most, n := w.takeLargest()
			if most > maxStepRows {
				t.Errorf("one step changed %d rows", most)
			}
			sum := 0
			for _, rows := range want {
				sum += rows
			}
			if n < sum/maxStepRows {
				t.Errorf("%d rows took %d transactions", sum, n)
			}
			if left := pointingRows(t, s, to, id); len(left) != 0 || s.Record(to, id) != nil {
				t.Errorf("left: %v", left)
			}
			if n := s.Rows("jobs", "true"); n != 0 {
				t.Errorf("%d jobs are left", n)
			}
		})
	}
}

func TestATombstoneLosesItsLikesInShortTransactions(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	storePeople(t, s, seededRows)
	comment := createSubject(t, s, "comments")
	s.As("carol").Comment(s.Record("comments", comment).GetString("post"), comment, "indeed")
	likes, err := s.App.FindCachedCollectionByNameOrId("comment_likes")
	if err != nil {
		t.Fatal(err)
	}
	relateRows(t, s, likes, likes.Fields.GetByName("comment").(*core.RelationField), comment, seededRows)
	w := recordWrites(s)
	s.As("bob").Delete("comments", comment)
	if shown := s.As("carol").List("comment_likes", "filter=comment='"+comment+"'"); len(shown) > 0 {
		t.Errorf("its likes are shown: %v", shown[0])
	}
	s.RunJobs()
	if most, n := w.takeLargest(); most > maxStepRows || n < seededRows/maxStepRows {
		t.Errorf("%d transactions, the longest of %d rows", n, most)
	}
	if got := s.Record("comments", comment); got == nil || !got.GetBool("deleted") || got.GetInt("likesCount") != 0 || got.GetInt("repliesCount") != 1 {
		t.Errorf("the tombstone is %v", got)
	}
	if left := pointingRows(t, s, "comments", comment); !maps.Equal(left, map[string]int{"comments.parent": 1}) {
		t.Errorf("left: %v", left)
	}
}

func hasAtLeast(got, want map[string]int) bool {
	for name, n := range want {
		if got[name] < n {
			return false
		}
	}
	return len(want) > 0
}

// createSubject creates a record to delete and returns its id.
func createSubject(t *testing.T, s *hookstest.Service, collection string) string {
	t.Helper()
	post := s.As("ada").Post("hello #sea")
	s.As("bob").Like(post)
	switch collection {
	case "users":
		return s.As("ada").ID
	case "posts":
		return post
	case "comments":
		return s.As("bob").Comment(post, "", "wow")
	case "stories":
		return s.As("ada").Story()
	case "hashtags":
		record, err := s.App.FindFirstRecordByData("hashtags", "name", "sea")
		if err != nil {
			t.Fatal(err)
		}
		return record.Id
	case "notifications":
		return s.As("ada").List("notifications", "")[0]["id"].(string)
	case "webhooks":
		return s.Admin().Create("webhooks", map[string]any{"url": "https://example.com/hook", "disabled": true}).ID()
	}
	t.Fatalf("make a record of %s that can be deleted", collection)
	return ""
}

// createLikedPost creates a post of ada's with thousands of rows, as the product would have stored them.
func createLikedPost(t *testing.T, s *hookstest.Service) string {
	t.Helper()
	storePeople(t, s, seededRows)
	post := s.As("ada").Post("hello #sea")
	for _, name := range []string{"likes", "saves", "mutes", "comments"} {
		from, err := s.App.FindCachedCollectionByNameOrId(name)
		if err != nil {
			t.Fatal(err)
		}
		relateRows(t, s, from, from.Fields.GetByName("post").(*core.RelationField), post, seededRows)
	}
	execSQLWith(t, s, `UPDATE comments SET text = 'wow', author = 'crowd' || substr(id, 6)`, nil)
	execSQLWith(t, s, `UPDATE comments SET author = printf('crowd%010d', rowid) WHERE rowid <= `+fmt.Sprint(seededRows), nil)
	return post
}

func TestADeletedPostIsHiddenAtOnceAtEveryDoor(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	for door, remove := range map[string]func(s *hookstest.Service, post string){
		"its author":  func(s *hookstest.Service, post string) { s.As("ada").Delete("posts", post) },
		"a superuser": func(s *hookstest.Service, post string) { s.Admin().Delete("posts", post) },
		"a batch": func(s *hookstest.Service, post string) {
			s.As("ada").Must(200, "POST", "/api/batch", map[string]any{"requests": []map[string]any{{"method": "DELETE", "url": "/api/collections/posts/records/" + post}}})
		},
		"Go code": func(s *hookstest.Service, post string) {
			if err := s.App.Delete(s.Record("posts", post)); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(door, func(t *testing.T) {
			s := hookstest.New(t)
			post := createLikedPost(t, s)
			s.As("bob").Like(post)
			s.RunJobs()
			w := recordWrites(s)
			remove(s, post)
			if most, _ := w.takeLargest(); most > maxStepRows {
				t.Errorf("its transaction changed %d rows", most)
			}
			if n := s.Rows("likes", "true"); n < seededRows/2 {
				t.Fatalf("%d likes are left before the job, so this test tests nothing", n)
			}
			for _, c := range []*hookstest.Client{s.As("ada"), s.As("carol"), s.Guest()} {
				c.Must(404, "GET", "/api/collections/posts/records/"+post, nil)
				for _, edges := range []string{"likes", "comments", "saves"} {
					if shown := c.List(edges, "filter=post='"+post+"'"); len(shown) > 0 {
						t.Errorf("%s sees %v", c.Name, shown[0])
					}
				}
			}
			s.Guest().Must(404, "GET", "/p/"+post, nil)
			missing := s.As("carol").Do("POST", "/api/collections/likes/records", map[string]any{"post": "nosuchpost00001"})
			if again := s.As("carol").Do("POST", "/api/collections/likes/records", map[string]any{"post": post}); again.Raw != missing.Raw {
				t.Errorf("a like of it is answered %s, of no post %s", again.Raw, missing.Raw)
			}
			if n := s.User("ada").GetInt("postsCount"); n != 0 {
				t.Errorf("ada has %d posts", n)
			}
			if n := s.Rows("hashtags", "postsCount != 0"); n != 0 {
				t.Error("its hashtag counts it")
			}
			err := reconcile.RunHourly(t.Context(), s.App, func(r *reconcile.Result) {
				for note := range strings.SplitSeq(r.Detail(), "; ") {
					if !strings.HasPrefix(note, "key of ") && !strings.HasPrefix(note, "found of ") { // rows made by SQL have neither key nor index
						t.Errorf("reconciled meanwhile: %s", note)
					}
				}
			})
			if err != nil {
				t.Error(err)
			}
			s.RunJobs()
			if left := pointingRows(t, s, "posts", post); len(left) != 0 {
				t.Errorf("left: %v", left)
			}
			execSQLWith(t, s, `CREATE TABLE unblocked (a, b)`, nil)
			checkInvariants(t, s)
		})
	}
}

func TestWhatIsLeftOfADeletionGoesAfterARestart(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	dir := t.TempDir()
	var post string
	t.Run("before", func(t *testing.T) {
		s := hookstest.Open(t, dir)
		for _, name := range hookstest.Cast {
			s.Guest().Create("users", map[string]any{"handle": name, "email": name + "@example.com", "password": hookstest.Password, "passwordConfirm": hookstest.Password})
		}
		post = createLikedPost(t, s)
		s.As("ada").Delete("posts", post)
	})
	s := hookstest.Open(t, dir)
	if left := pointingRows(t, s, "posts", post); left["likes.post"] == 0 || left["comments.post"] == 0 {
		t.Fatalf("left before: %v", left)
	}
	s.RunJobs()
	if left := pointingRows(t, s, "posts", post); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestStepsEndWithTheService(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	db.SetPace(s.App, db.Pace{Time: time.Second, Rows: 1, Rest: 1_000_000_000}) // a rest that is never over
	stopping := make(chan struct{})
	steps := 0
	err := db.Steps(db.WithStopping(t.Context(), stopping), s.App, func(core.App, int) (bool, error) {
		if steps++; steps == 1 {
			close(stopping)
		}
		return false, nil
	}, nil)
	if steps != 1 || !errors.Is(err, db.ErrStopping) {
		t.Errorf("%d steps, and then %v", steps, err)
	}
}

func TestAnOwnersRelationsCascadeAsPocketBaseDoesIt(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	deleted := map[string]int{}
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnRecordDelete("stamps").BindFunc(func(e *core.RecordEvent) error {
			deleted[e.Record.Id]++
			return e.Next()
		})
	})
	posts, err := s.App.FindCollectionByNameOrId("posts")
	if err != nil {
		t.Fatal(err)
	}
	stamps := core.NewBaseCollection("stamps")
	stamps.Fields.Add(&core.RelationField{Name: "post", CollectionId: posts.Id, CascadeDelete: true, MaxSelect: 1})
	cards := core.NewBaseCollection("cards")
	cards.Fields.Add(&core.RelationField{Name: "post", CollectionId: posts.Id, MaxSelect: 1})
	for _, c := range []*core.Collection{stamps, cards} {
		if err := s.App.Save(c); err != nil {
			t.Fatal(err)
		}
	}
	post := s.As("ada").Post("hello")
	stamp := s.Admin().Create("stamps", map[string]any{"post": post}).ID()
	card := s.Admin().Create("cards", map[string]any{"post": post}).ID()
	s.As("ada").Delete("posts", post)
	if !maps.Equal(deleted, map[string]int{stamp: 1}) || s.Record("stamps", stamp) != nil {
		t.Errorf("hooks ran for %v", deleted)
	}
	if got := s.Record("cards", card); got == nil || got.GetString("post") != "" {
		t.Errorf("the card is %v", got)
	}
}

// The time of a step bounds only large changes. A small change is done together with its cause, since the person
// looks for it at once, however busy the machine is.
func TestWhatIsSmallIsDoneWithItsCauseHoweverLateItIs(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	db.SetPace(s.App, db.Pace{Time: -time.Hour, Rows: 400})
	ada, bob, carol := s.As("ada"), s.As("bob"), s.As("carol")
	works := func(what string) {
		t.Helper()
		var left []string
		if err := s.App.DB().NewQuery(`SELECT kind FROM jobs WHERE kind GLOB '*.gone'`).Column(&left); err != nil {
			t.Fatal(err)
		}
		if len(left) > 0 {
			t.Errorf("%s leaves %v", what, left)
		}
	}
	feed := func(c *hookstest.Client) int { return len(c.List("feed", "")) }
	for _, c := range []*hookstest.Client{bob, carol} {
		c.Follow("ada")
	}
	first, second := ada.Post("first"), ada.Post("second")
	if feed(bob) != 2 || feed(carol) != 2 {
		t.Errorf("bob's feed has %d posts and carol's %d, want 2", feed(bob), feed(carol))
	}
	works("a post")
	bob.Like(first)
	bob.Comment(first, "", "hello")
	bob.Comment(second, "", "hello")
	ada.Block("bob")
	if n := feed(bob); n != 0 {
		t.Errorf("who is blocked has %d posts in the feed", n)
	}
	if n := s.Rows("notifications", "recipient = {:r}", map[string]any{"r": ada.ID}); n != 1 { // carol's and bob's follows are one
		t.Errorf("who has blocked has %d notifications, want carol's", n)
	}
	works("a block")
	ada.Delete("posts", second)
	if n := feed(carol); n != 1 {
		t.Errorf("%d posts are in the feed after one was deleted, want 1", n)
	}
	works("a deletion")
}
