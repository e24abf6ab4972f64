package hooks_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/guard"
	"github.com/doubletap/doubletap/internal/testenv"
)

// addNotes adds a collection of an owner's own.
func addNotes(t *testing.T, app core.App) {
	t.Helper()
	c := core.NewBaseCollection("notes")
	c.Fields.Add(&core.TextField{Name: "title"}, &core.BoolField{Name: "active"}, &core.NumberField{Name: "likesCount"},
		&core.SelectField{Name: "state", Values: []string{"open", "shut"}}, &core.JSONField{Name: "extra"})
	if err := app.Save(c); err != nil {
		t.Fatal(err)
	}
}

// resaveCast is the rows that new rows point at.
type resaveCast struct{ ada, bob, post, story, comment, tag, notification, webhook string }

// newRow returns a new record of a collection, with what its hooks and validators require.
func (c resaveCast) newRow(name string) map[string]any {
	file := func() *filesystem.File {
		f, _ := filesystem.NewFileFromBytes(hookstest.Photo(), "photo.jpg")
		return f
	}
	rows := map[string]map[string]any{
		"_superusers":         {"email": "second@example.com", "password": "correct horse"},
		"audit":               {},
		"blocks":              {"blocker": c.ada, "blocked": c.bob},
		"comment_likes":       {"comment": c.comment, "user": c.bob},
		"comments":            {"post": c.post, "author": c.ada, "text": "first"},
		"devices":             {"user": c.ada, "kind": "webpush", "endpoint": "https://push.example.com/1", "keys": map[string]any{"auth": "a", "p256dh": "b"}},
		"follows":             {"follower": c.bob, "followee": c.ada},
		"handles":             {"name": "taken"},
		"hashtags":            {"name": "sea"},
		"hidden_posts":        {"viewer": c.bob, "post": c.post},
		"account_sessions":    {"user": c.ada},
		"idempotency":         {"user": c.ada, "key": "key"},
		"jobs":                {"kind": "none", "state": "dead"},
		"likes":               {"post": c.post, "user": c.bob},
		"mutes":               {"muter": c.bob, "muted": c.ada},
		"notes":               {"title": "first"},
		"notification_events": {"notification": c.notification, "recipient": c.ada, "actor": c.bob, "type": "like", "subject": "x"},
		"notifications":       {"recipient": c.bob, "type": "system", "groupKey": "y"},
		"post_tags":           {"tag": c.tag, "post": c.post},
		"posts":               {"author": c.ada, "photos": []*filesystem.File{file()}, "caption": "first"},
		"reports":             {"reporter": c.bob, "post": c.post},
		"retractions":         {"recipient": c.ada, "notification": "x", "seq": 999},
		"saves":               {"user": c.bob, "post": c.post},
		"secrets":             {"name": "second"},
		"settings":            {"user": c.bob},
		"stories":             {"author": c.ada, "photo": file()},
		"story_views":         {"story": c.story, "viewer": c.bob},
		"users":               {"email": "second@example.com", "password": "correct horse", "handle": "second_one"},
		"webhook_deliveries":  {"webhook": c.webhook, "state": "failing", "event": "x", "type": "like.created"},
		"webhooks":            {"url": "https://example.com/hook", "events": []string{"like.created"}},
	}
	if row := clientRows[name]; rows[name] == nil && row != nil {
		rows[name] = row(rowSubjects{c.ada, c.post, c.comment, c.story})
		rows[name][collection.Describe(name).Owner] = c.bob
	}
	return rows[name]
}

// fixedFields are fields that a hook decides, and those that have no second value.
var fixedFields = map[string]string{
	"devices.kind": "goes with the endpoint", "hashtags.displayName": "is a way of writing the name",
	"settings.seenAt": "only moves on", "settings.quietFrom": "goes with the other", "settings.quietTo": "goes with the other", "notifications.seq": "given by each change", "users.handle": "has rules of its own, also about who had it before",
	"webhook_deliveries.event": "given once", "webhooks.secret": "has a form of its own",
	"_superusers.tokenKey": "PocketBase's", "users.tokenKey": "PocketBase's", "_superusers.verified": "PocketBase keeps it true",
	"webhooks.reason": "taken back when it is enabled", "webhooks.failingSince": "taken back when it is enabled",
}

// fieldValues returns two values that a field may have in turn.
func fieldValues(collection string, field core.Field) [2]any {
	switch collection + "." + field.GetName() {
	case "settings.timezone":
		return [2]any{"Europe/Berlin", "Asia/Tokyo"}
	case "settings.locale":
		return [2]any{"de", "en"}
	case "settings.notify":
		return [2]any{`{"like":{"list":false}}`, `{"like":{"list":true}}`}
	case "devices.endpoint", "webhooks.url":
		return [2]any{"https://example.com/1", "https://example.com/2"}
	case "devices.keys":
		return [2]any{`{"auth":"a","p256dh":"b"}`, `{"auth":"c","p256dh":"d"}`}
	case "posts.alts", "posts.media":
		return [2]any{`[]`, `["x"]`}
	case "webhooks.events":
		return [2]any{`["like.created"]`, `["like.deleted"]`}
	}
	switch f := field.(type) {
	case *core.TextField:
		return [2]any{"first", "second"}
	case *core.EmailField:
		return [2]any{"first@example.org", "second@example.org"}
	case *core.BoolField:
		return [2]any{true, false}
	case *core.NumberField:
		return [2]any{1, 2}
	case *core.DateField:
		return [2]any{"2030-01-01 00:00:00.000Z", "2031-01-01 00:00:00.000Z"}
	case *core.SelectField:
		return [2]any{f.Values[0], f.Values[1]}
	case *core.JSONField:
		return [2]any{`{"a":1}`, `{"a":2}`}
	case *core.GeoPointField:
		return [2]any{map[string]any{"lon": 1.0, "lat": 2.0}, map[string]any{"lon": 3.0, "lat": 4.0}}
	}
	return [2]any{}
}

// TestSavedTwiceLosesNothing saves one instance again and again, in every collection: what is stored is what the
// instance had last.
func TestSavedTwiceLosesNothing(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	addNotes(t, s.App)
	people := resaveCast{ada: s.As("ada").ID, bob: s.As("bob").ID, post: s.As("ada").Post("#tag"), story: s.As("ada").Story()}
	people.comment = s.As("ada").Comment(people.post, "", "hello")
	s.As("carol").Like(people.post)
	find := func(collection string) string {
		t.Helper()
		rows, err := s.App.FindAllRecords(collection)
		if err != nil || len(rows) == 0 {
			t.Fatalf("find one of %s: %v", collection, err)
		}
		return rows[0].Id
	}
	people.tag, people.notification = find("hashtags"), find("notifications")
	tag := s.Record("post_tags", find("post_tags"))
	webhooks, _ := s.App.FindCollectionByNameOrId("webhooks")
	webhook := core.NewRecord(webhooks)
	webhook.Load(people.newRow("webhooks"))
	for _, err := range []error{s.App.Save(webhook), s.App.Delete(tag)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	people.webhook = webhook.Id

	tried := 0
	for _, name := range append([]string{"notes"}, guard.GuardedCollections...) {
		if collection.Describe(name).IsView {
			continue
		}
		c, err := s.App.FindCollectionByNameOrId(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			if _, err := s.App.DB().NewQuery("DELETE FROM settings WHERE user = {:bob}").Bind(dbx.Params{"bob": people.bob}).Execute(); err != nil {
				t.Fatal(err) // they come with each notification of his
			}
			made := core.NewRecord(c)
			made.Load(people.newRow(name))
			if err := s.App.Save(made); err != nil {
				t.Fatalf("create: %v", err)
			}
			if err := s.App.Save(made); err != nil {
				t.Fatalf("save what was just made: %v", err)
			}
			read := func() *core.Record {
				record, err := s.App.FindRecordById(c, made.Id)
				if err != nil {
					t.Fatal(err)
				}
				return record
			}
			for _, origin := range []struct {
				name   string
				record func() *core.Record
			}{{"made", func() *core.Record { return made }}, {"read", read}, {"copied", func() *core.Record {
				record := read()
				record.SetIfFieldExists("read", true) // some field of some collections
				if err := s.App.Save(record); err != nil {
					t.Fatal(err)
				}
				return record.Clone()
			}}} {
				record := origin.record()
				for _, field := range c.Fields {
					two := fieldValues(name, field)
					path := name + "." + field.GetName()
					if two[0] == nil || fixedFields[path] != "" || slices.Contains(collection.Describe(name).Ends, field.GetName()) || field.GetName() == core.FieldNameId || !guard.ServerMaySet(name, field.GetName()) {
						continue
					}
					for turn := range 4 {
						record.Set(field.GetName(), two[turn%2])
						if err := s.App.Save(record); err != nil {
							t.Fatalf("%s: set %s to %v: %v", origin.name, path, two[turn%2], err)
						}
						if got := encodedField(read(), field); got != encodedValue(c, field, two[turn%2]) {
							t.Fatalf("%s: %s is stored as %s, set to %v", origin.name, path, got, two[turn%2])
						}
						tried++
					}
				}
			}
		})
	}
	if tried < 1000 {
		t.Errorf("only %d values were tried", tried)
	}
}

func encodedField(record *core.Record, field core.Field) string {
	text, _ := json.Marshal(record.Get(field.GetName()))
	return string(text)
}

func encodedValue(collection *core.Collection, field core.Field, value any) string {
	record := core.NewRecord(collection)
	record.Set(field.GetName(), value)
	return encodedField(record, field)
}

// TestSavedTwiceInATransaction does the same where another write is not committed yet, or never is.
func TestSavedTwiceInATransaction(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	post := s.Record("posts", s.As("ada").Post("first"))
	give := func(app core.App, caption string) error {
		post.Set("caption", caption)
		return app.Save(post)
	}
	for i, test := range []struct {
		captions []string
		fails    bool
		then     string
	}{
		{captions: []string{"#second", "first"}, then: "third"},
		{captions: []string{"#second", "first"}, fails: true, then: "#second"},
		{captions: []string{"#fourth"}, fails: true, then: "#fourth"},
		{captions: []string{"#fifth"}, then: "#fourth"},
		{captions: []string{"#sixth", "#seventh", "#eighth"}, fails: true, then: "#seventh"},
	} {
		failed := errors.New("failed on purpose")
		err := s.App.RunInTransaction(func(tx core.App) error {
			for _, caption := range test.captions {
				if err := give(tx, caption); err != nil {
					return err
				}
			}
			if test.fails {
				return failed
			}
			return nil
		})
		if test.fails != errors.Is(err, failed) || !test.fails && err != nil {
			t.Fatal(err)
		}
		if err := give(s.App, test.then); err != nil {
			t.Fatal(err)
		}
		if got := s.Record("posts", post.Id).GetString("caption"); got != test.then {
			t.Errorf("%d: stored %q, want %q", i, got, test.then)
		}
		tag, tagged := strings.CutPrefix(test.then, "#")
		if n := s.Rows("post_tags", "post = '"+post.Id+"'"); n != map[bool]int{true: 1}[tagged] {
			t.Errorf("%d: %d tags of %q", i, n, tag)
		}
	}
}

// TestSavedTwiceUndoesNobody lets somebody else change another field between two saves of one instance.
func TestSavedTwiceUndoesNobody(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.User("ada")
	for i, name := range []string{"first", "second", "first"} {
		ada.Set("name", name)
		if err := s.App.Save(ada); err != nil {
			t.Fatal(err)
		}
		other := s.User("ada")
		other.Set("bio", fmt.Sprint(i))
		other.SetPassword(fmt.Sprintf("another horse %d", i))
		if err := s.App.Save(other); err != nil {
			t.Fatal(err)
		}
		s.As("bob").Follow("ada")
		ada.Set("private", i == 1)
		if err := s.App.Save(ada); err != nil {
			t.Fatal(err)
		}
		now := s.User("ada")
		if now.GetString("name") != name || now.GetString("bio") != fmt.Sprint(i) || now.GetInt("followersCount") != 1 || now.GetBool("private") != (i == 1) {
			t.Errorf("%d: stored %v", i, now)
		}
		if !now.ValidatePassword(fmt.Sprintf("another horse %d", i)) {
			t.Errorf("%d: an edit undid a password change", i)
		}
	}
}

// TestOwnersCollectionsAreWrittenWhole checks PocketBase's own behaviour, on which owners may rely.
func TestOwnersCollectionsAreWrittenWhole(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	addNotes(t, s.App)
	c, _ := s.App.FindCollectionByNameOrId("notes")
	note := core.NewRecord(c)
	note.Set("likesCount", 7)
	if err := s.App.Save(note); err != nil {
		t.Fatal(err)
	}
	stale, other := s.Record("notes", note.Id), s.Record("notes", note.Id)
	other.Set("title", "theirs")
	stale.Set("active", true)
	for _, record := range []*core.Record{other, stale} {
		if err := s.App.Save(record); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Record("notes", note.Id); got.GetString("title") != "" || !got.GetBool("active") || got.GetInt("likesCount") != 7 {
		t.Errorf("stored %v", got)
	}
}

// TestACopyBringsNoCounters saves a copy of a row as a new one.
func TestACopyBringsNoCounters(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	comment := s.As("ada").Comment(post, "", "hello")
	s.As("bob").Create("comment_likes", map[string]any{"comment": comment})
	again := s.Record("comments", comment).Clone()
	again.Id = ""
	again.MarkAsNew()
	if err := s.App.Save(again); err != nil {
		t.Fatal(err)
	}
	if n := s.Record("comments", again.Id).GetInt("likesCount"); n != 0 {
		t.Errorf("a new comment has %d likes", n)
	}
}
