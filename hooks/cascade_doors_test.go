package hooks_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/reconcile"
	"github.com/doubletap/doubletap/internal/retention"
	"github.com/doubletap/doubletap/internal/sweep"
	"github.com/doubletap/doubletap/internal/testenv"
)

// pointable returns the descriptors of the collections that an owner's relation may point at.
func pointable() (all []collection.Descriptor) {
	for _, d := range collection.All {
		if !d.IsView && !d.NoReferences {
			all = append(all, d)
		}
	}
	return all
}

// TestOwnersRecordsFollowRowsOfEveryCollection deletes a row of each collection as the service does by SQL: what an owner's relation
// means is done, whatever it is.
func TestOwnersRecordsFollowRowsOfEveryCollection(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	gone := map[string]int{}
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnRecordDelete().BindFunc(func(e *core.RecordEvent) error {
			gone[e.Record.Collection().Name]++
			return e.Next()
		})
	})
	for _, d := range pointable() {
		const id = "deletedbysql001"
		execSQLWith(t, s, `INSERT INTO `+d.Name+` (id) VALUES ({:id})`, map[string]any{"id": id})
		follow := addOwnersCollection(t, s, "follow_"+d.Name, d.Name, cascades)
		stay := addOwnersCollection(t, s, "stay_"+d.Name, d.Name, staysEmptied)
		need := addOwnersCollection(t, s, "need_"+d.Name, d.Name, func(r *core.RelationField) { r.Required = true })
		many := addOwnersCollection(t, s, "many_"+d.Name, d.Name, func(r *core.RelationField) { r.CascadeDelete, r.MaxSelect = true, 5 })
		for _, c := range []*core.Collection{follow, stay, need} {
			storeOwnersRows(t, s, c, id, 1)
		}
		storeOwnersRows(t, s, many, `["`+id+`"]`, 1)
		err := s.App.RunInTransaction(func(tx core.App) error {
			_, err := sweep.DeleteRows(tx, d.Name, `id = {:id}`, db.Params{"id": id})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		s.RunJobs()
		if s.Record(d.Name, id) != nil {
			t.Errorf("%s: the row is there", d.Name)
		}
		if n := s.Rows(follow.Name, "true") + s.Rows(many.Name, "true"); n != 0 || gone[follow.Name] != 1 || gone[many.Name] != 1 {
			t.Errorf("%s: %d records that go with it stay, hooks ran for %v", d.Name, n, gone)
		}
		if n := s.Rows(stay.Name, "of = ''"); n != 1 {
			t.Errorf("%s: a record that stays points at what is gone", d.Name)
		}
		if n := s.Rows("jobs", "kind = 'cascade' AND error LIKE {:named}", map[string]any{"named": "%required reference in record %" + need.Name + "%"}); n != 1 {
			t.Errorf("%s: nobody is told of the record that needs it", d.Name)
		}
		execSQL(t, s.App, `DELETE FROM jobs`)
	}
}

// deletionDoors are the ways in which the service deletes rows by SQL while it works. Each stores a row, and returns its table, its id and
// what deletes it. Those by age are added from agedRows.
var deletionDoors = map[string]func(t *testing.T, a *awayService) (table, id string, deleteRow func()){
	"a former password's device": func(_ *testing.T, a *awayService) (string, string, func()) {
		return "devices", a.addBrowser("bob"), func() { a.As("bob").Must(204, "POST", "/api/v1/logout-everywhere", nil) }
	},
	"a device of before the secret changed": func(t *testing.T, a *awayService) (string, string, func()) {
		return "devices", a.addBrowser("bob"), func() {
			a.Advance(time.Second)
			users := a.User("bob").Collection()
			users.AuthToken.Secret = strings.Repeat("another", 6)
			if err := a.App.Save(users); err != nil {
				t.Fatal(err)
			}
		}
	},
	"a device for which there is no room": func(_ *testing.T, a *awayService) (string, string, func()) {
		return "devices", a.addBrowser("bob"), func() {
			for i := range reconcile.MaxDevices {
				a.Advance(time.Second)
				a.As("bob").Create("devices", jsonObject{"kind": "apns", "endpoint": fmt.Sprintf("%064x", i)})
			}
		}
	},
	"a device that is gone": func(_ *testing.T, a *awayService) (string, string, func()) {
		endpoint, keys := a.browsers.Subscribe("former", "another key")
		id := a.As("ada").Create("devices", jsonObject{"kind": "webpush", "endpoint": strings.Replace(endpoint, "former", "nobody", 1), "keys": keys}).ID()
		return "devices", id, func() { a.As("bob").Like(a.As("ada").Post("hello")) }
	},
	"an event that is told again": func(_ *testing.T, a *awayService) (string, string, func()) {
		post := a.As("ada").Post("hello")
		like := a.As("bob").Like(post)
		a.As("bob").Delete("likes", like)
		a.Advance(25 * time.Hour)
		return "notification_events", a.firstID("notification_events"), func() { a.As("bob").Like(post) }
	},
	"a retraction that ends": func(_ *testing.T, a *awayService) (string, string, func()) {
		post := a.As("ada").Post("hello")
		like := a.As("bob").Like(post)
		a.As("bob").Delete("likes", like)
		a.Advance(25 * time.Hour)
		return "retractions", a.firstID("retractions"), func() { a.As("bob").Like(post) }
	},
	"what somebody did whose account is erased": func(_ *testing.T, a *awayService) (string, string, func()) {
		a.As("bob").Follow("ada")
		return "notification_events", a.firstID("notification_events"), func() { a.As("bob").Delete("users", a.As("bob").ID) }
	},
	"a notification that is taken back": func(_ *testing.T, a *awayService) (string, string, func()) {
		like := a.As("bob").Like(a.As("ada").Post("hello"))
		return "notifications", a.firstID("notifications"), func() { a.As("bob").Delete("likes", like) }
	},
	"a hashtag of a caption": func(_ *testing.T, a *awayService) (string, string, func()) {
		post := a.As("ada").Post("#sea")
		return "post_tags", a.firstID("post_tags"), func() { a.As("ada").Update("posts", post, jsonObject{"caption": "none"}) }
	},
	"a hashtag of a post": func(_ *testing.T, a *awayService) (string, string, func()) {
		post := a.As("ada").Post("#sea")
		return "post_tags", a.firstID("post_tags"), func() { a.As("ada").Delete("posts", post) }
	},
	"a hashtag that a post has twice": func(t *testing.T, a *awayService) (string, string, func()) {
		post := a.As("ada").Post("#fussball")
		execSQL(t, a.App, `INSERT INTO hashtags (id, name) VALUES ('fussballbefore1', 'fußball')`)
		execSQL(t, a.App, `INSERT INTO post_tags (id, tag, post) VALUES ('fussballtwice01', 'fussballbefore1', '`+post+`')`)
		return "post_tags", "fussballtwice01", func() {
			execSQL(t, a.App, `INSERT INTO jobs (id, kind, payload, state) VALUES ('fold', 'hashtags.fold', '{}', 'ready')`)
		}
	},
	"the like of a comment that is repaired": func(t *testing.T, a *awayService) (string, string, func()) {
		comment := a.As("ada").Comment(a.As("ada").Post("hello"), "", "hello")
		like := a.As("bob").Create("comment_likes", jsonObject{"comment": comment}).ID()
		return "comment_likes", like, func() { a.mend(t, "tombstone", comment) }
	},
	"a follow of oneself": func(t *testing.T, a *awayService) (string, string, func()) {
		execSQL(t, a.App, `INSERT INTO follows (id, follower, followee, state) VALUES ('selfselfself001', '`+a.As("bob").ID+`', '`+a.As("bob").ID+`', 'accepted')`)
		return "follows", "selfselfself001", func() { a.mend(t, "self of follows", "selfselfself001") }
	},
	"a notification without actors": func(t *testing.T, a *awayService) (string, string, func()) {
		a.As("bob").Follow("ada")
		id := a.firstID("notifications")
		return "notifications", id, func() {
			execSQL(t, a.App, `DELETE FROM notification_events`)
			a.mend(t, "actors", id)
		}
	},
	"a device of too many": func(t *testing.T, a *awayService) (string, string, func()) {
		execSQLWith(t, a.Service, countingCTE(reconcile.MaxDevices+1)+`INSERT INTO devices (id, user, kind, endpoint, lastSeen) SELECT printf('device%09d', i), {:bob}, 'fcm', i, printf('2026-01-%02d 00:00:00.000Z', i) FROM n`,
			map[string]any{"bob": a.As("bob").ID})
		return "devices", "device000000001", func() { a.mend(t, "device-number", a.As("bob").ID) }
	},
}

// firstID returns the id of a row of the table.
func (a *awayService) firstID(table string) (id string) {
	a.t.Helper()
	if found, err := db.QueryValue(a.App, &id, `SELECT id FROM `+table+` LIMIT 1`, nil); err != nil || !found {
		a.t.Fatalf("%s has no row: %v", table, err)
	}
	return id
}

// mend repairs a row for an invariant, with nothing else, as the invariants of relations would hide what it forgets.
func (a *awayService) mend(t *testing.T, label, id string) {
	t.Helper()
	all, err := reconcile.RowInvariants(a.App)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		if i.Label() == label {
			if err := a.App.RunInTransaction(func(tx core.App) error { return i.Mend(tx, []string{id}) }); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("there is no invariant %s", label)
}

// TestOwnersRecordsFollowThroughEveryDoor has an owner's record point at a row that the service deletes by SQL.
func TestOwnersRecordsFollowThroughEveryDoor(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	doors := maps.Clone(deletionDoors)
	for _, rule := range retention.Rules {
		if collection.Describe(rule.Table).NoReferences {
			continue
		}
		doors["too old: "+rule.Name] = func(t *testing.T, a *awayService) (string, string, func()) {
			storeAged(t, a.Service, agedRows[rule.Name].forgotten, "aged00000000old", rule.Days+1)
			return rule.Table, "aged00000000old", func() { runRetention(t, a.Service) }
		}
	}
	for name, door := range doors {
		t.Run(name, func(t *testing.T) {
			a := newAwayService(t)
			table, id, deleteRow := door(t, a)
			stamps := addOwnersCollection(t, a.Service, "stamps", table, cascades)
			storeOwnersRows(t, a.Service, stamps, id, 1)
			if a.Record(table, id) == nil {
				t.Fatal("there is no row to delete, so this test tests nothing")
			}
			deleteRow()
			a.RunJobs()
			if a.Record(table, id) != nil {
				t.Fatal("the row is there, so this test tests nothing")
			}
			if n := a.Rows("stamps", "true"); n != 0 {
				t.Error("the owner's record points at what is gone")
			}
		})
	}
}

// TestNothingPointsAtWhatComesAndGoes: a relation to rows that go with the service's own work is refused by name.
func TestNothingPointsAtWhatComesAndGoes(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	notes := core.NewBaseCollection("notes")
	if err := s.App.Save(notes); err != nil {
		t.Fatal(err)
	}
	for _, d := range collection.All {
		if !d.NoReferences {
			continue
		}
		to, err := s.App.FindCollectionByNameOrId(d.Name)
		if err != nil {
			t.Fatal(err)
		}
		field := jsonObject{"name": "of", "type": "relation", "collectionId": to.Id, "maxSelect": 1}
		for door, answer := range map[string]hookstest.Answer{
			"create": s.Admin().Do("POST", "/api/collections", jsonObject{"name": "pointers", "type": "base", "fields": []any{field}}),
			"update": s.Admin().Do("PATCH", "/api/collections/notes", jsonObject{"fields": []any{field}}),
			"ours":   s.Admin().Do("PATCH", "/api/collections/posts", jsonObject{"fields": append(fieldsOf(t, s, "posts"), field)}),
			"import": s.Admin().Do("PUT", "/api/collections/import", jsonObject{"collections": []any{jsonObject{"name": "pointers", "type": "base", "fields": []any{field}}}}),
		} {
			if answer.Status != 400 || !strings.Contains(answer.Raw, "Doubletap deletes the rows of "+d.Name) {
				t.Errorf("%s: %s: %d %s", d.Name, door, answer.Status, answer.Raw)
			}
		}
	}
}

// fieldsOf returns the fields of a collection as the dashboard sends them.
func fieldsOf(t *testing.T, s *hookstest.Service, name string) []any {
	t.Helper()
	fields, _ := s.Admin().Must(200, "GET", "/api/collections/"+name, nil).Body["fields"].([]any)
	if len(fields) == 0 {
		t.Fatalf("%s has no fields", name)
	}
	return fields
}

// TestAnOwnersFieldOfOursFollows has relations that an owner has added to collections of ours point at what is deleted.
func TestAnOwnersFieldOfOursFollows(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	posts, err := s.App.FindCollectionByNameOrId("posts")
	if err != nil {
		t.Fatal(err)
	}
	posts.Fields.Add(&core.RelationField{Name: "sequel", CollectionId: posts.Id, MaxSelect: 1}, &core.RelationField{Name: "within", CollectionId: posts.Id, MaxSelect: 1, CascadeDelete: true})
	if err := s.App.Save(posts); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{2, ownersRows} { // in the request, and by the job
		first := s.As("ada").Post("first")
		execSQLWith(t, s, countingCTE(n)+`INSERT INTO posts (id, author, photos, visibility, sequel, within) SELECT printf('%s%09d', k, i), {:ada}, '["x.jpg"]', 'public', iif(k = 'sequel', {:post}, ''), iif(k = 'within', {:post}, '')
			FROM n, (SELECT 'sequel' AS k UNION ALL SELECT 'within')`, map[string]any{"ada": s.As("ada").ID, "post": first})
		s.As("ada").Delete("posts", first)
		s.RunJobs()
		if kept, emptied, within := s.Rows("posts", "id LIKE 'sequel%'"), s.Rows("posts", "id LIKE 'sequel%' AND sequel = ''"), s.Rows("posts", "id LIKE 'within%'"); kept != n || emptied != n || within != 0 {
			t.Errorf("of %d posts %d stay, %d of them without the one that is gone, and %d of those that go with it", n, kept, emptied, within)
		}
		execSQL(t, s.App, `DELETE FROM posts`)
	}
}

// TestAnEdgeThatGetsItsKeyKeepsWhatPointsAtIt: the repair of an edge under another id moves an owner's records along.
func TestAnEdgeThatGetsItsKeyKeepsWhatPointsAtIt(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	a := newAwayService(t)
	post := a.As("ada").Post("hello")
	key := a.As("bob").Like(post)
	execSQL(t, a.App, `UPDATE likes SET id = 'importedlike001'`)
	storeOwnersRows(t, a.Service, addOwnersCollection(t, a.Service, "stamps", "likes", cascades), "importedlike001", ownersRows)
	storeOwnersRows(t, a.Service, addOwnersCollection(t, a.Service, "sheets", "likes", func(r *core.RelationField) { r.MaxSelect = 5 }), `["importedlike001"]`, ownersRows)
	a.mend(t, "key of likes", "importedlike001")
	if n, many := a.Rows("stamps", "of = '"+key+"'"), a.Rows("sheets", `of = '["`+key+`"]'`); n != ownersRows || many != ownersRows || a.Record("likes", key) == nil {
		t.Errorf("%d and %d of %d records point at the like %v", n, many, ownersRows, a.Record("likes", key))
	}
}

// TestFollowersOfAHashtagMoveInSteps merges two hashtags that many of an owner's records point at, some at both.
func TestFollowersOfAHashtagMoveInSteps(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	s.As("ada").Post("#fussball")
	execSQL(t, s.App, `INSERT INTO hashtags (id, name) VALUES ('fussballbefore1', 'fußball')`)
	var winner string
	if _, err := db.QueryValue(s.App, &winner, `SELECT id FROM hashtags WHERE name = 'fussball'`, nil); err != nil {
		t.Fatal(err)
	}
	stamps := addOwnersCollection(t, s, "stamps", "hashtags", cascades)
	stamps.Fields.Add(&core.TextField{Name: "who"})
	stamps.AddIndex("stamps_once", true, "who, of", "")
	if err := s.App.Save(stamps); err != nil {
		t.Fatal(err)
	}
	sheets := addOwnersCollection(t, s, "sheets", "hashtags", func(r *core.RelationField) { r.MaxSelect = 5 })
	execSQLWith(t, s, countingCTE(ownersRows)+`INSERT INTO stamps (id, who, of) SELECT printf('stamps%09d', i), i, 'fussballbefore1' FROM n`, nil)
	execSQLWith(t, s, countingCTE(ownersRows)+`INSERT INTO stamps (id, who, of) SELECT printf('double%09d', i), i, {:of} FROM n WHERE i % 3 = 0`, map[string]any{"of": winner})
	storeOwnersRows(t, s, sheets, `["fussballbefore1","`+winner+`"]`, ownersRows)
	w := recordWrites(s)
	execSQL(t, s.App, `INSERT INTO jobs (id, kind, payload, state) VALUES ('fold', 'hashtags.fold', '{}', 'ready')`)
	s.RunJobs()
	if most, n := w.takeLargest(); most > 4*100 || n < 2*ownersRows/(4*50) { // four batches of fifty, and what PocketBase writes
		t.Errorf("%d transactions, the longest of %d rows", n, most)
	}
	if left := s.Rows("hashtags", "name != 'fussball'") + s.Rows("jobs", "true"); left != 0 {
		t.Errorf("%d hashtags and jobs are left", left)
	}
	if one, many := s.Rows("stamps", "of = '"+winner+"'"), s.Rows("sheets", `of = '["`+winner+`"]'`); one != ownersRows || many != ownersRows || s.Rows("stamps", "true") != ownersRows {
		t.Errorf("%d and %d of %d follow, %d rows are left", one, many, ownersRows, s.Rows("stamps", "true"))
	}
}
