package hooks_test

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/testenv"
)

const (
	idempotencyHeader = "Idempotency-Key"
	replayedHeader    = "Idempotent-Replayed"
)

func recordsOf(name string) string { return "/api/collections/" + name + "/records" }

// clientBody returns what a client sends to create a row of a collection, with the photos that it needs.
func clientBody(name string, on rowSubjects) any {
	row := clientRows[name](on)
	field := collection.Describe(name).Photos
	if field == "" {
		return row
	}
	upload := &hookstest.Upload{Fields: map[string]string{}, Files: map[string][]byte{field: hookstest.Photo()}}
	for key, value := range row {
		upload.Fields[key], _ = value.(string)
	}
	return upload
}

// expectReplayed sends a create again and wants its first answer.
func expectReplayed(t *testing.T, c *hookstest.Client, name string, body any, first hookstest.Answer) {
	t.Helper()
	again := c.Do("POST", recordsOf(name), body)
	if again.Status != 200 || again.Raw != first.Raw || again.Header.Get(replayedHeader) != "true" {
		t.Errorf("sent again to %s: %d %s (%s), want the first answer %s", name, again.Status, again.Raw, again.Header.Get(replayedHeader), first.Raw)
	}
}

// TestEveryCreateCanBeSentAgain sends a create of each collection twice: what is no edge, and is not found to be there
// already, takes a key.
func TestEveryCreateCanBeSentAgain(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, people := s.As("ada"), 0
	for name := range clientRows {
		t.Run(name, func(t *testing.T) {
			people++
			by, on := s.Someone(people), newSubjects(ada)
			before := s.Rows(name, "true")
			with := by.With(idempotencyHeader, "the-key-of-"+name)
			first, again := with.Do("POST", recordsOf(name), clientBody(name, on)), with.Do("POST", recordsOf(name), clientBody(name, on))
			if first.Status != 200 || again.Status != 200 || again.ID() != first.ID() {
				t.Fatalf("it is answered %d %s, and %d %s", first.Status, first.Raw, again.Status, again.Raw)
			}
			if n := s.Rows(name, "true") - before; n != 1 {
				t.Errorf("%d rows are stored", n)
			}
			takes := collection.Describe(name).TakesKeys
			if takes && (again.Raw != first.Raw || first.Header.Get(replayedHeader) != "" || again.Header.Get(replayedHeader) != "true") {
				t.Errorf("it is answered %s, and again %s (%s)", first.Raw, again.Raw, again.Header.Get(replayedHeader))
			}
			if !takes && again.Header.Get(replayedHeader) != "" {
				t.Error("it takes no keys, and says that it replays")
			}
		})
	}
}

func TestAKeyIsForOneRequest(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	ada, bob := s.As("ada"), s.As("bob")
	post := ada.Post("hello")
	with := bob.With(idempotencyHeader, `!"key"~`+strings.Repeat("k", 248))
	body := jsonObject{"post": post, "text": "hello"}
	first := with.Create("comments", body)
	expectReplayed(t, with, "comments", `{ "text": "hello",   "post": "`+post+`" }`, first)

	photo := func(caption, name string, content []byte) *hookstest.Upload {
		return &hookstest.Upload{Fields: map[string]string{"caption": caption}, Files: map[string][]byte{"photos": content}, Name: name}
	}
	posting := bob.With(idempotencyHeader, "a-post")
	mine, asLong := slices.Concat(hookstest.Photo(), []byte("a")), slices.Concat(hookstest.Photo(), []byte("b"))
	posted := posting.Create("posts", photo("hello", "", mine))
	expectReplayed(t, posting, "posts", photo("hello", "renamed.jpg", mine), posted)

	for what, other := range map[string]struct {
		by   *hookstest.Client
		name string
		body any
	}{
		"another text":       {with, "comments", jsonObject{"post": post, "text": "hello!"}},
		"a field more":       {with, "comments", jsonObject{"post": post, "text": "hello", "parent": ""}},
		"another collection": {with, "posts", body},
		"another photo":      {posting, "posts", photo("hello", "", otherPhoto(t))},
		"a photo as long":    {posting, "posts", photo("hello", "", asLong)},
		"another caption":    {posting, "posts", photo("hello!", "", mine)},
		"no photo":           {posting, "posts", jsonObject{"caption": "hello"}},
		"a story":            {posting, "stories", clientBody("stories", rowSubjects{})},
	} {
		answer := other.by.Do("POST", recordsOf(other.name), other.body)
		if answer.Status != 422 || answer.Body["status"] != 422.0 || answer.Body["data"] == nil || answer.Header.Get(replayedHeader) != "" {
			t.Errorf("%s with the same key: %d %s, want 422", what, answer.Status, answer.Raw)
		}
	}
	if comments, posts := s.Rows("comments", "true"), s.Rows("posts", "true"); comments != 1 || posts != 2 || s.Rows("stories", "true") != 0 {
		t.Errorf("%d comments and %d posts are stored", comments, posts)
	}
	carol := s.As("carol").With(idempotencyHeader, `!"key"~`+strings.Repeat("k", 248))
	if hers := carol.Create("comments", body); hers.ID() == first.ID() || hers.Header.Get(replayedHeader) != "" {
		t.Error("somebody else's key is taken for one's own")
	}
}

func otherPhoto(t *testing.T) []byte {
	t.Helper()
	var buffer bytes.Buffer
	if err := png.Encode(&buffer, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func TestAKeyThatIsNone(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	bob := s.As("bob")
	body := jsonObject{"post": s.As("ada").Post("hello"), "text": "hello"}
	for what, values := range map[string][]string{
		"empty": {""}, "too long": {strings.Repeat("k", 256)}, "with a space": {"a key"}, "not ASCII": {"schlüssel"}, "two": {"one", "two"},
	} {
		if answer := bob.With(idempotencyHeader, values...).Do("POST", recordsOf("comments"), body); answer.Status != 400 || answer.Body["data"] == nil {
			t.Errorf("a key that is %s: %d %s, want 400", what, answer.Status, answer.Raw)
		}
	}
	if n := s.Rows("comments", "true") + s.Rows("idempotency", "true"); n != 0 {
		t.Errorf("%d rows are stored", n)
	}
	for name := range map[string]bool{"likes": true, "follows": true} { // which read no key
		if answer := bob.With(idempotencyHeader, "").Do("POST", recordsOf(name), clientRows[name](newSubjects(s.As("ada")))); answer.Status != 200 {
			t.Errorf("%s: %d %s", name, answer.Status, answer.Raw)
		}
	}
}

// TestWhatFailsStoresNoKey mends what was refused, and sends it again with its key.
func TestWhatFailsStoresNoKey(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	fails := true
	s := hookstest.New(t, func(_ core.App, social *hooks.Social) {
		social.OnComment().BindFunc(func(e *hooks.CommentEvent) error {
			if err := e.Next(); err != nil {
				return err
			}
			if fails && e.Comment.GetString("text") == "veto" {
				return errors.New("a hook of the owner's fails")
			}
			return nil
		})
	})
	bob := s.As("bob").With(idempotencyHeader, "key")
	post := s.As("ada").Post("hello")
	for text, status := range map[string]int{"": 400, "veto": 500} {
		bob.Must(status, "POST", recordsOf("comments"), jsonObject{"post": post, "text": text})
	}
	bob.Must(400, "POST", recordsOf("comments"), "{")
	if n := s.Rows("idempotency", "true") + s.Rows("comments", "true"); n != 0 {
		t.Fatalf("%d rows are stored", n)
	}
	fails = false
	body := jsonObject{"post": post, "text": "veto"}
	expectReplayed(t, bob, "comments", body, bob.Create("comments", body))
}

// TestARepeatIsAnsweredAsThingsAre changes what was stored, and who may see it, before the repeat.
func TestARepeatIsAnsweredAsThingsAre(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, bob := s.As("ada"), s.As("bob")
	send := func(post, key string) (*hookstest.Client, jsonObject, hookstest.Answer) {
		by, body := bob.With(idempotencyHeader, key), jsonObject{"post": post, "text": "hello"}
		return by, body, by.Create("comments", body)
	}
	missing := bob.Must(404, "GET", recordsOf("comments")+"/nocommentofthis", nil).Raw

	by, body, first := send(ada.Post("hello"), "edited")
	bob.Update("comments", first.ID(), jsonObject{"text": "better"})
	if again := by.Create("comments", body); again.ID() != first.ID() || again.Body["text"] != "better" {
		t.Errorf("the repeat is answered %s, want the comment as it is", again.Raw)
	}
	post := ada.Post("hello")
	by, body, first = send(post, "closed")
	ada.Update("posts", post, jsonObject{"commentsOff": true})
	expectReplayed(t, by, "comments", body, first)
	bob.Must(400, "POST", recordsOf("comments"), body)

	expand := by.Must(200, "POST", recordsOf("comments")+"?expand=author&fields=id,expand.author.handle", body)
	if len(expand.Body) != 2 || expand.ID() != first.ID() || !strings.Contains(expand.Raw, `"expand":{"author":{"handle":"bob"}}`) {
		t.Errorf("a repeat that expands is answered %s", expand.Raw)
	}
	for key, hide := range map[string]func(post string, comment string){
		"deleted":         func(_, comment string) { bob.Delete("comments", comment) },
		"post is deleted": func(post, _ string) { ada.Delete("posts", post) },
		"post is private": func(post, _ string) { ada.Update("posts", post, jsonObject{"visibility": "private"}) },
	} {
		post := ada.Post("hello")
		by, body, first := send(post, strings.ReplaceAll(key, " ", "-"))
		hide(post, first.ID())
		if again := by.Must(404, "POST", recordsOf("comments"), body); again.Raw != missing {
			t.Errorf("%s: the repeat is answered %s, want %s", key, again.Raw, missing)
		}
	}
	if n := s.Rows("comments", "author = {:bob}", jsonObject{"bob": bob.ID}); n != 3 { // edited, closed, private
		t.Errorf("bob has %d comments", n)
	}
}

// TestAChosenIDIsAKey sends creates again whose id the client has chosen.
func TestAChosenIDIsAKey(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, bob := s.As("ada"), s.As("bob")
	post := ada.Post("hello")
	comment := jsonObject{"id": "bobscomment0001", "post": post, "text": "hello"}
	first := bob.Create("comments", comment)
	expectReplayed(t, bob, "comments", comment, first)
	expectReplayed(t, bob, "posts", postUpload("bobspost0000001"), bob.Create("posts", postUpload("bobspost0000001")))
	bob.Create("posts", postUpload("bobscomment0001")) // another collection has ids of its own

	other := maps.Clone(comment)
	other["text"] = "hello!"
	bob.Must(422, "POST", recordsOf("comments"), other)
	for name, c := range map[string]*hookstest.Client{"carol": s.As("carol"), "bob with a key": bob.With(idempotencyHeader, "key")} {
		if answer := c.Do("POST", recordsOf("comments"), comment); answer.Status != 400 || !strings.Contains(answer.Raw, "validation_not_unique") {
			t.Errorf("%s sends the id too: %d %s", name, answer.Status, answer.Raw)
		}
	}
	malformed := bob.Must(400, "POST", recordsOf("comments"), jsonObject{"id": "MALFORMED000000", "post": post, "text": "hello"}).Raw
	bob.Delete("comments", first.ID())
	if gone := bob.Must(400, "POST", recordsOf("comments"), comment); gone.Raw != malformed {
		t.Errorf("the id of what is gone is answered %s, want %s", gone.Raw, malformed)
	}
	if gone := bob.Must(400, "POST", recordsOf("comments"), other); gone.Raw != malformed {
		t.Errorf("the id of what is gone is answered %s to another text, want %s", gone.Raw, malformed)
	}
}

// TestKeysAreForUsers has a guest, the superuser, changes and deletions with a key, all of which is as without one.
func TestKeysAreForUsers(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, bob := s.As("ada"), s.As("bob").With(idempotencyHeader, "key")
	post := ada.Post("hello")
	admin := s.Admin().With(idempotencyHeader, "key")
	body := jsonObject{"post": post, "author": ada.ID, "text": "hello"}
	if one, two := admin.Create("comments", body).ID(), admin.Create("comments", body).ID(); one == two {
		t.Error("the superuser's second create is taken for a repeat")
	}
	s.Guest().With(idempotencyHeader, "").Must(400, "POST", recordsOf("comments"), body)
	comment := s.As("bob").Comment(post, "", "hello")
	for _, text := range []string{"one", "two"} {
		if got := bob.Update("comments", comment, jsonObject{"text": text}).Body["text"]; got != text {
			t.Errorf("the text is %v, want %s", got, text)
		}
	}
	bob.Delete("comments", comment)
	bob.Must(404, "DELETE", recordsOf("comments")+"/"+comment, nil)
	bob.Like(post)
	s.As("bob").Comment(post, "", "hello")
	if n := s.Rows("idempotency", "true"); n != 0 {
		t.Errorf("%d keys are stored", n)
	}
}

func TestAKeyIsKeptForADay(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	bob, body := s.As("bob").With(idempotencyHeader, "key"), jsonObject{"post": s.As("ada").Post("hello"), "text": "hello"}
	first := bob.Create("comments", body)
	s.Advance(24*time.Hour - time.Minute)
	runRetention(t, s)
	bob.Token = s.As("bob").Token
	expectReplayed(t, bob, "comments", body, first)
	s.Advance(2 * time.Minute)
	runRetention(t, s)
	if again := bob.Create("comments", body); again.ID() == first.ID() {
		t.Error("the key is still known")
	}
	s.As("bob").Delete("users", bob.ID)
	s.RunJobs()
	if n := s.Rows("idempotency", "true"); n != 0 {
		t.Errorf("%d keys are left of an account that is gone", n)
	}
}

// TestAnOwnersCollectionTakesKeys lets one of two collections take keys.
func TestAnOwnersCollectionTakesKeys(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t, func(_ core.App, social *hooks.Social) { social.AcceptIdempotencyKeys("bookings") })
	everybody := "@request.auth.id != ''"
	for _, name := range []string{"bookings", "visits"} {
		c := core.NewBaseCollection(name)
		c.Fields.Add(&core.TextField{Name: "seat"})
		c.CreateRule, c.ViewRule = &everybody, &everybody
		if err := s.App.Save(c); err != nil {
			t.Fatal(err)
		}
	}
	bob := s.As("bob").With(idempotencyHeader, "key")
	booked := bob.Create("bookings", jsonObject{"seat": "A1"})
	expectReplayed(t, bob, "bookings", jsonObject{"seat": "A1"}, booked)
	bob.Must(422, "POST", recordsOf("bookings"), jsonObject{"seat": "A2"})
	if one, two := bob.Create("visits", jsonObject{"seat": "A1"}), bob.Create("visits", jsonObject{"seat": "A1"}); one.ID() == two.ID() {
		t.Error("a collection that takes no keys is told from a repeat")
	}
}

// TestARepeatHasTheBudgetOfACreate asks for more than a create may, on both paths, and for all that it may.
func TestARepeatHasTheBudgetOfACreate(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t, func(_ core.App, social *hooks.Social) { social.AcceptIdempotencyKeys("bookings") })
	everybody := "@request.auth.id != ''"
	users, err := s.App.FindCollectionByNameOrId("users")
	if err != nil {
		t.Fatal(err)
	}
	bookings := core.NewBaseCollection("bookings")
	bookings.Fields.Add(&core.RelationField{Name: "author", CollectionId: users.Id, MaxSelect: 1})
	bookings.CreateRule, bookings.ViewRule = &everybody, &everybody
	if err := s.App.Save(bookings); err != nil {
		t.Fatal(err)
	}
	bob, on := s.As("bob").With(idempotencyHeader, "key"), newSubjects(s.As("ada"))
	bodies := map[string]func() any{"bookings": func() any { return jsonObject{"author": bob.ID} }}
	for _, name := range []string{"posts", "comments", "stories"} {
		bodies[name] = func() any { return clientBody(name, on) }
	}
	for name, body := range bodies {
		by := bob.With(idempotencyHeader, "key-of-"+name)
		for _, tried := range []string{"a create", "a repeat"} {
			for _, expand := range []string{"author.comments_via_author", "author.posts_via_author.author.posts_via_author", "a,b,c,d,e,f,g,h,i,j,k"} {
				if answer := by.Do("POST", recordsOf(name)+"?expand="+expand, body()); !isOverBudget(answer) {
					t.Errorf("%s of %s with %s is answered %d %.200s", tried, name, expand, answer.Status, answer.Raw)
				}
			}
			answer := by.Must(200, "POST", recordsOf(name)+"?expand=author", body())
			if !strings.Contains(answer.Raw, `"handle":"bob"`) || (answer.Header.Get(replayedHeader) == "true") != (tried == "a repeat") {
				t.Errorf("%s of %s is answered %s", tried, name, answer.Raw)
			}
		}
	}
}

// TestARepeatIsAnsweredAsARead has a hook of the owner's look at the app that a create and its repeat are shown with,
// and read without an end for the repeat.
func TestARepeatIsAnsweredAsARead(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	endless := false
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnRecordEnrich("comments").BindFunc(func(e *core.RecordEnrichEvent) error {
			if endless {
				var row struct {
					N int `db:"n"`
				}
				err := e.App.RecordQuery("users").Select("(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n) AS n").Limit(1).One(&row)
				if err == nil {
					t.Error("it was read to an end that it does not have")
				}
			}
			return e.Next() // as PocketBase does with what it could not expand
		})
	})
	bob, body := s.As("bob").With(idempotencyHeader, "key"), jsonObject{"post": s.As("ada").Post("hello"), "text": "hello"}
	first := bob.Create("comments", body)
	endless = true
	if answer := bob.Do("POST", recordsOf("comments"), body); answer.Status != 503 || answer.Header.Get("Retry-After") == "" || answer.Header.Get(replayedHeader) != "" {
		t.Errorf("what cannot be read is answered %d %s", answer.Status, answer.Raw)
	}
	endless = false
	expectReplayed(t, bob, "comments", body, first)
}

// TestAnotherCollectionHasTheNameOfTheKeys has a folder that was adopted before there were keys.
func TestAnotherCollectionHasTheNameOfTheKeys(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	for _, statement := range []string{"DROP TABLE idempotency", "DELETE FROM _collections WHERE name = 'idempotency'", "DELETE FROM _migrations WHERE file = '1765001800_idempotency.go'"} {
		execSQL(t, s.App, statement)
	}
	if err := s.App.ReloadCachedCollections(); err != nil {
		t.Fatal(err)
	}
	if err := s.App.Save(core.NewBaseCollection("idempotency")); err != nil {
		t.Fatal(err)
	}
	if err := s.App.RunAllMigrations(); err == nil || !strings.Contains(err.Error(), "idempotency: the name is taken") || !strings.Contains(err.Error(), "another name in the dashboard") {
		t.Errorf("the step says %v", err)
	}
}

// TestPagesOfOtherOriginsReadOurHeaders has a browser's page of another origin.
func TestPagesOfOtherOriginsReadOurHeaders(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	bob, body := s.As("bob").With(idempotencyHeader, "key"), jsonObject{"post": s.As("ada").Post("hello"), "text": "hello"}
	for range 2 {
		exposed := bob.With("Origin", "https://elsewhere.example").Must(200, "POST", recordsOf("comments"), body).Header.Get("Access-Control-Expose-Headers")
		for _, name := range []string{"Retry-After", "RateLimit", "RateLimit-Policy", replayedHeader} {
			if !slices.Contains(strings.Split(exposed, ", "), name) {
				t.Errorf("%s is not exposed: %q", name, exposed)
			}
		}
	}
	if exposed := bob.Must(200, "POST", recordsOf("comments"), body).Header.Get("Access-Control-Expose-Headers"); exposed != "" {
		t.Errorf("a page of ours gets %q", exposed)
	}
}
