package hooks_test

import (
	"errors"
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
	"github.com/doubletap/doubletap/internal/job"
	"github.com/doubletap/doubletap/internal/reconcile"
	"github.com/doubletap/doubletap/internal/testenv"
)

// addOwnersCollection adds a collection of an owner's with a relation to another collection. Who may see that may see its records.
func addOwnersCollection(t *testing.T, s *hookstest.Service, name, to string, change func(*core.RelationField)) *core.Collection {
	t.Helper()
	target, err := s.App.FindCollectionByNameOrId(to)
	if err != nil {
		t.Fatal(err)
	}
	relation := &core.RelationField{Name: "of", CollectionId: target.Id, MaxSelect: 1}
	change(relation)
	c := core.NewBaseCollection(name)
	c.Fields.Add(relation)
	if rule := `of.created != ""`; target.Fields.GetByName("created") != nil {
		c.ListRule, c.ViewRule = &rule, &rule
	}
	if err := s.App.Save(c); err != nil {
		t.Fatal(err)
	}
	return c
}

func cascades(r *core.RelationField) { r.CascadeDelete = true }

func staysEmptied(*core.RelationField) {}

// storeOwnersRows stores n rows of such a collection that point at a record. Their ids are a prefix and nine digits.
func storeOwnersRows(t *testing.T, s *hookstest.Service, c *core.Collection, of string, n int) {
	t.Helper()
	execSQLWith(t, s, countingCTE(n)+`INSERT INTO `+c.Name+` (id, of) SELECT printf('%.6s%09d', {:name}, i), {:of} FROM n`, map[string]any{"name": c.Name + "xxxxxx", "of": of})
}

const (
	ownersRows     = 300 // of each of an owner's collections that point at what is deleted
	maxCascadeRows = 100 // that one transaction may change: ten records, what PocketBase writes for them, and a like's rows
)

// deletionLog counts the calls of an owner's hook for deleted and for changed records of a collection.
type deletionLog struct {
	mu    sync.Mutex
	calls map[string]int // by collection
	veto  map[string]bool
	then  func(calls int) // outside of any transaction
}

func (d *deletionLog) bind(app core.App, _ *hooks.Social) {
	note := func(e *core.RecordEvent) error {
		d.mu.Lock()
		kept := d.veto[e.Record.Id]
		if d.calls == nil {
			d.calls = map[string]int{}
		}
		d.calls[e.Record.Collection().Name]++
		d.mu.Unlock()
		if kept {
			return errors.New("the museum keeps it")
		}
		return e.Next()
	}
	app.OnRecordDelete("stamps", "marks", "sheets").BindFunc(note)
	app.OnRecordUpdate("cards").BindFunc(note)
	app.OnRecordAfterDeleteSuccess("stamps").BindFunc(func(e *core.RecordEvent) error {
		d.mu.Lock()
		n, then := d.calls["stamps"], d.then
		d.mu.Unlock()
		if then != nil {
			then(n)
		}
		return e.Next()
	})
}

// TestOwnersRecordsGoInSteps deletes a record of ours at which hundreds of an owner's point, one of which has hundreds of its own: it
// is gone at once, theirs go with their hooks in short transactions, and others write between these.
func TestOwnersRecordsGoInSteps(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	for _, to := range []string{"posts", "comments", "stories", "users", "notifications", "hashtags"} {
		t.Run(to, func(t *testing.T) {
			log := &deletionLog{}
			s := hookstest.New(t, log.bind)
			id := createSubject(t, s, to)
			stamps := addOwnersCollection(t, s, "stamps", to, cascades)
			sheets := addOwnersCollection(t, s, "sheets", to, func(r *core.RelationField) { r.CascadeDelete, r.MaxSelect = true, 5 })
			cards := addOwnersCollection(t, s, "cards", to, staysEmptied)
			marks := addOwnersCollection(t, s, "marks", "stamps", cascades)
			storeOwnersRows(t, s, stamps, id, ownersRows)
			storeOwnersRows(t, s, sheets, `["`+id+`"]`, ownersRows)
			storeOwnersRows(t, s, cards, id, ownersRows)
			storeOwnersRows(t, s, marks, "stamps000000100", ownersRows)
			other := s.As("bob").Post("another")
			liked := 0
			log.then = func(calls int) {
				if likers := []string{"carol", "dave"}; liked < 2 && calls >= 20+180*liked { // the job has more to do
					s.As(likers[liked]).Like(other)
					liked++
				}
			}
			w := recordWrites(s)
			s.Admin().Delete(to, id)
			if most, _ := w.takeLargest(); most > maxCascadeRows {
				t.Errorf("the request's transaction changed %d rows", most)
			}
			if to != "users" {
				if s.Record(to, id) != nil {
					t.Error("it is there after the request")
				}
				if shown := s.Guest().List("stamps", "expand=of"); len(shown) > 0 {
					t.Errorf("a stranger sees %v", shown[0])
				}
			}
			if n := s.Rows("stamps", "true"); n != ownersRows {
				t.Fatalf("%d are left before the job, so this test tests nothing", n)
			}
			s.RunJobs()
			n := len(w.rows)
			if most, _ := w.takeLargest(); most > maxCascadeRows || n < 4*ownersRows/10 {
				t.Errorf("%d transactions, the longest of %d rows", n, most)
			}
			if want := map[string]int{"stamps": ownersRows, "sheets": ownersRows, "marks": ownersRows, "cards": ownersRows}; !maps.Equal(log.calls, want) {
				t.Errorf("hooks ran for %v, want %v", log.calls, want)
			}
			if n := s.Rows("stamps", "true") + s.Rows("sheets", "true") + s.Rows("marks", "true") + s.Rows("cards", "of != ''"); n != 0 || s.Rows("cards", "true") != ownersRows {
				t.Errorf("%d rows still point at what is gone, %d cards are left", n, s.Rows("cards", "true"))
			}
			if n := s.Rows("jobs", "true"); n != 0 || liked != 2 || s.Record(to, id) != nil {
				t.Errorf("%d jobs are left, %d likes came meanwhile, the record is %v", n, liked, s.Record(to, id))
			}
		})
	}
}

// TestAnOwnersHookThatKeepsARecord has one of many records, and a record of one of them, refused by an owner's hook after the post is
// gone: the others go, the job names both, tries again, is dead in the end, and once the owner has another mind, they go too.
func TestAnOwnersHookThatKeepsARecord(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	log := &deletionLog{veto: map[string]bool{"stamps000000007": true, "marksx000000003": true}}
	s := hookstest.New(t, log.bind)
	post := s.As("ada").Post("hello")
	stamps := addOwnersCollection(t, s, "stamps", "posts", cascades)
	marks := addOwnersCollection(t, s, "marks", "stamps", cascades)
	storeOwnersRows(t, s, stamps, post, ownersRows)
	storeOwnersRows(t, s, marks, "stamps000000100", ownersRows)
	s.As("ada").Delete("posts", post)
	s.RunJobs()
	left := func() []string {
		var ids []string
		if err := db.QueryColumn(s.App, &ids, `SELECT id FROM stamps UNION ALL SELECT id FROM marks`, nil); err != nil {
			t.Fatal(err)
		}
		return ids
	}
	want := []string{"stamps000000007", "stamps000000100", "marksx000000003"} // a stamp stays with its mark
	if got := left(); !slices.Equal(got, want) {
		t.Errorf("left are %v, want %v", got, want)
	}
	var said string
	if _, err := db.QueryValue(s.App, &said, `SELECT error FROM jobs WHERE kind = 'cascade' AND state = 'ready'`, nil); err != nil {
		t.Fatal(err)
	}
	for _, id := range append(want, "the museum keeps it") {
		if !strings.Contains(said, id) {
			t.Errorf("the job does not say %s: %q", id, said)
		}
	}
	if err := reconcile.RunHourly(t.Context(), s.App, func(*reconcile.Result) {}); err != nil {
		t.Error(err)
	}
	if got := left(); !slices.Equal(got, want) {
		t.Errorf("after a reconciliation left are %v, want %v", got, want)
	}
	for range 105 {
		s.Advance(time.Hour)
		s.RunJobs()
	}
	if n := s.Rows("jobs", "kind = 'cascade' AND state = 'dead'"); n != 1 {
		t.Errorf("%d jobs are dead", n)
	}
	log.mu.Lock()
	log.veto = nil
	log.mu.Unlock()
	if n, err := job.RetryDead(s.App, job.Filter{}, 1); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	s.RunJobs()
	if got := left(); len(got) != 0 {
		t.Errorf("left are %v", got)
	}
}

// TestAFewOfAnOwnersRecordsGoWithTheirPost has few records point at a post: then an owner's hook still keeps the post, as in PocketBase.
func TestAFewOfAnOwnersRecordsGoWithTheirPost(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	log := &deletionLog{veto: map[string]bool{"marksx000000003": true}}
	s := hookstest.New(t, log.bind)
	post := s.As("ada").Post("hello")
	storeOwnersRows(t, s, addOwnersCollection(t, s, "stamps", "posts", cascades), post, 4)
	storeOwnersRows(t, s, addOwnersCollection(t, s, "marks", "stamps", cascades), "stamps000000002", 4)
	if a := s.As("ada").Do("DELETE", "/api/collections/posts/records/"+post, nil); a.Status < 400 {
		t.Errorf("answered %d", a.Status)
	}
	if n := s.Rows("stamps", "true") + s.Rows("marks", "true") + s.Rows("posts", "true"); n != 9 {
		t.Errorf("%d rows are left of 9", n)
	}
	log.veto = nil
	s.As("ada").Delete("posts", post)
	if n := s.Rows("stamps", "true") + s.Rows("marks", "true") + s.Rows("jobs", "kind = 'cascade'"); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

// TestManyRecordsAreRequired refuses a deletion before anything of it is done if a required relation points at one of many records that
// would go with it.
func TestManyRecordsAreRequired(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	comment := s.As("bob").Comment(post, "", "hello")
	stamps := addOwnersCollection(t, s, "stamps", "posts", cascades)
	storeOwnersRows(t, s, stamps, post, ownersRows)
	for to, id := range map[string]string{"stamps": "stamps000000100", "comments": comment} {
		needed := addOwnersCollection(t, s, "needed_"+to, to, func(r *core.RelationField) { r.Required = true })
		storeOwnersRows(t, s, needed, id, 1)
		if a := s.As("ada").Do("DELETE", "/api/collections/posts/records/"+post, nil); a.Status != 400 || strings.TrimSpace(a.Raw) != partOfRequired {
			t.Errorf("%s: %d %s", to, a.Status, a.Raw)
		}
		if n := s.Rows("stamps", "true") + s.Rows("jobs", "kind = 'cascade'"); n != ownersRows || s.Record("posts", post) == nil {
			t.Errorf("%s: something was begun", to)
		}
		execSQLWith(t, s, `DELETE FROM `+needed.Name, nil)
	}
	other := s.As("ada").Post("nothing else points at it")
	execSQLWith(t, s, `INSERT INTO needed_comments (id, of) VALUES ('needed000000001', {:comment})`, map[string]any{"comment": s.As("bob").Comment(other, "", "hello")})
	s.As("ada").Must(400, "DELETE", "/api/collections/posts/records/"+other, nil)
	s.As("ada").Delete("posts", post)
}

// TestOwnersRecordsOfWhatGoesWithAPost has an owner's record point at each row that goes with a post or an account, by SQL or as a
// record: it goes too, with its hook.
func TestOwnersRecordsOfWhatGoesWithAPost(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	for _, door := range []string{"posts", "users"} {
		t.Run(door, func(t *testing.T) {
			gone := map[string]int{}
			s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
				app.OnRecordDelete().BindFunc(func(e *core.RecordEvent) error {
					gone[e.Record.Collection().Name]++
					return e.Next()
				})
			})
			post, story := s.As("ada").Post("hello #sea"), s.As("ada").Story()
			bob := s.As("bob")
			bob.Like(post)
			bob.Create("saves", map[string]any{"post": post})
			bob.Create("mutes", map[string]any{"post": post})
			bob.Create("story_views", map[string]any{"story": story})
			s.As("ada").Create("comment_likes", map[string]any{"comment": bob.Comment(post, "", "hello")})
			bob.Follow("ada")
			s.RunJobs()
			owners := map[string]string{} // by what they point at
			for _, to := range collection.Names() {
				var id string
				found, err := db.QueryValue(s.App, &id, `SELECT id FROM `+to+` LIMIT 1`, nil)
				if err != nil {
					t.Fatal(err)
				}
				if found && to != "users" && to != "feed" && !collection.Describe(to).NoReferences {
					storeOwnersRows(t, s, addOwnersCollection(t, s, "my_"+to, to, cascades), id, 1)
					owners[to] = id
				}
			}
			id := map[string]string{"posts": post, "users": s.As("ada").ID}[door]
			s.As("ada").Delete(door, id)
			s.RunJobs()
			seen := 0
			for to, id := range owners {
				switch pointing, there := s.Rows("my_"+to, "true"), s.Rows(to, "id = {:id}", map[string]any{"id": id}); {
				case pointing != there:
					t.Errorf("%s: %d rows point at %d", to, pointing, there)
				case there == 0:
					if seen++; gone["my_"+to] != 1 {
						t.Errorf("%s: the hook ran %d times", to, gone["my_"+to])
					}
				}
			}
			if seen < 8 {
				t.Errorf("%d of %v went", seen, owners)
			}
		})
	}
}

// TestACircleOfAnOwnersRecordsGoes has an owner's records point at each other in circles, one of each circle at a post.
func TestACircleOfAnOwnersRecordsGoes(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	stamps := addOwnersCollection(t, s, "stamps", "posts", cascades)
	stamps.Fields.Add(&core.RelationField{Name: "next", CollectionId: stamps.Id, MaxSelect: 1, CascadeDelete: true})
	if err := s.App.Save(stamps); err != nil {
		t.Fatal(err)
	}
	storeOwnersRows(t, s, stamps, post, ownersRows)
	execSQLWith(t, s, `UPDATE stamps SET next = printf('stamps%09d', CASE rowid % 20 WHEN 0 THEN rowid - 19 ELSE rowid + 1 END), of = CASE rowid % 20 WHEN 1 THEN of ELSE '' END`, nil)
	s.As("ada").Delete("posts", post)
	w := recordWrites(s)
	s.RunJobs()
	if most, _ := w.takeLargest(); most > 2*20*10 { // ten circles, and what PocketBase writes
		t.Errorf("one step changed %d rows", most)
	}
	if n := s.Rows("stamps", "true") + s.Rows("jobs", "true"); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

// TestOwnersRecordsGoAfterAKill kills the program in the middle of the work, and starts it again.
func TestOwnersRecordsGoAfterAKill(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	const many = 1500
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	storeOwnersRows(t, s, addOwnersCollection(t, s, "stamps", "posts", cascades), post, many)
	s.As("ada").Delete("posts", post)
	left := func() int {
		<-time.After(time.Millisecond) // leaves the processor to the program
		return s.Rows("stamps", "true") + s.Rows("jobs", "kind = 'cascade'")
	}
	p := startProgram(t, s)
	for left() > many {
	}
	if err := p.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	if n := left(); n < 2 {
		t.Fatal("it was done before it was killed, so this test tests nothing")
	}
	execSQLWith(t, s, `UPDATE jobs SET runAt = '' WHERE state = 'running'`, nil) // as if its lease had run out
	startProgram(t, s)
	for left() > 0 {
	}
}

// TestAnEdgeStoredAnewKeepsWhatPointsAtIt saves, unsaves and saves again before the job of the deletion runs: edges come
// back under the same id.
func TestAnEdgeStoredAnewKeepsWhatPointsAtIt(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	bob := s.As("bob")
	post := s.As("ada").Post("hello")
	save := bob.Create("saves", map[string]any{"post": post}).Body["id"].(string)
	items := addOwnersCollection(t, s, "items", "saves", cascades)
	storeOwnersRows(t, s, items, save, ownersRows)
	setStepRows(s, maxCascadeRows)
	bob.Delete("saves", save)
	if again := bob.Create("saves", map[string]any{"post": post}).Body["id"]; again != save {
		t.Fatalf("the save is %v, was %v", again, save)
	}
	s.RunJobs()
	if n := s.Rows("items", "true"); n == 0 {
		t.Error("what points at the new save is gone")
	}
	bob.Delete("saves", save)
	s.RunJobs()
	if n := s.Rows("items", "true"); n != 0 {
		t.Errorf("%d rows point at a save that is gone", n)
	}
}
