package hooks_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/testenv"
)

// requestRace runs something between a request's rule and its transaction.
type requestRace struct {
	mu           sync.Mutex
	afterRule    func() // after a request has passed its rule
	afterHooks   func() // after the hooks of a create, for follows and saves
	afterFailure func() // after a create that failed
}

func (m *requestRace) runOnce(what *func()) {
	m.mu.Lock()
	then := *what
	*what = nil // what runs here sends requests too
	m.mu.Unlock()
	if then != nil {
		then()
	}
}

func (m *requestRace) bindHooks(app core.App, _ *hooks.Social) {
	asked := &hook.Handler[*core.RecordRequestEvent]{Priority: -1, Func: func(e *core.RecordRequestEvent) error {
		m.runOnce(&m.afterRule)
		return e.Next()
	}}
	app.OnRecordValidate("follows", "saves").BindFunc(func(e *core.RecordEvent) error {
		m.runOnce(&m.afterHooks)
		return e.Next()
	})
	app.OnRecordAfterCreateError().BindFunc(func(e *core.RecordErrorEvent) error {
		m.runOnce(&m.afterFailure)
		return e.Next()
	})
	app.OnRecordCreateRequest().Bind(asked)
	app.OnRecordUpdateRequest().Bind(asked)
	app.OnRecordDeleteRequest().Bind(asked)
}

// TestWhatARuleReadIsReadAgainInTheTransaction changes the answer of a rule after a request has passed it, for every
// collection in which a client creates. The request is refused as the rule would have refused it, and nothing is
// stored.
func TestWhatARuleReadIsReadAgainInTheTransaction(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	var m requestRace
	s := hookstest.New(t, m.bindHooks)
	ada, bob, carol := s.As("ada"), s.As("bob"), s.As("carol")
	private := func(post, _ string) { ada.Update("posts", post, jsonObject{"visibility": "private"}) }
	closed := func(post, _ string) { ada.Update("posts", post, jsonObject{"commentsOff": true}) }
	buried := func(_, comment string) { carol.Delete("comments", comment) }
	blocks := func(_, _ string) { ada.Block("bob") }
	suspended := func(_, _ string) { s.Admin().Update("users", bob.ID, jsonObject{"state": "suspended"}) }
	signedOut := func(_, _ string) { bob.Must(204, "POST", "/api/v1/logout-everywhere", nil) }
	var post, comment, story string
	covered := map[string]bool{"users": true} // whose create rule asks nothing
	type admissionCase struct {
		collection, what string
		body             func() any
		then             func(post, comment string)
	}
	cases := []admissionCase{
		{"likes", "of a post that is made private", func() any { return jsonObject{"post": post} }, private},
		{"saves", "of a post that is made private", func() any { return jsonObject{"post": post} }, private},
		{"mutes", "of a post that is made private", func() any { return jsonObject{"post": post} }, private},
		{"mutes", "of somebody who blocks", func() any { return jsonObject{"muted": ada.ID} }, blocks},
		{"reports", "of a post that is made private", func() any { return jsonObject{"post": post} }, private},
		{"reports", "of somebody who blocks", func() any { return jsonObject{"user": ada.ID} }, blocks},
		{"comments", "on a post that is made private", func() any { return jsonObject{"post": post, "text": "hello"} }, private},
		{"comments", "on a post that is closed", func() any { return jsonObject{"post": post, "text": "hello"} }, closed},
		{"comments", "in answer to one that is deleted", func() any { return jsonObject{"post": post, "parent": comment, "text": "hello"} }, buried},
		{"comment_likes", "of a comment that is deleted", func() any { return jsonObject{"comment": comment} }, buried},
		{"comment_likes", "on a post that is made private", func() any { return jsonObject{"comment": comment} }, private},
		{"follows", "of somebody who blocks", func() any { return jsonObject{"followee": ada.ID} }, blocks},
		{"blocks", "of somebody who blocks", func() any { return jsonObject{"blocked": ada.ID} }, blocks},
		{"story_views", "of somebody who blocks", func() any { return jsonObject{"story": story} }, blocks},
		{"posts", "of somebody who is suspended", func() any { return postUpload("") }, suspended},
		{"stories", "of somebody who is suspended", func() any {
			return &hookstest.Upload{Files: map[string][]byte{"photo": hookstest.Photo()}}
		}, suspended},
		{"devices", "of somebody who is suspended", func() any { return jsonObject{"kind": "fcm", "endpoint": "bobs-phone-is-an-android"} }, suspended},
		{"likes", "of somebody who is suspended", func() any { return jsonObject{"post": post} }, suspended},
		{"likes", "of somebody who is signed out", func() any { return jsonObject{"post": post} }, signedOut},
		{"comments", "of somebody who is signed out", func() any { return jsonObject{"post": post, "text": "hello"} }, signedOut},
		{"posts", "of somebody who is signed out", func() any { return postUpload("") }, signedOut},
	}
	for _, name := range collection.EdgeNames() {
		if !slices.ContainsFunc(cases, func(c admissionCase) bool { return c.collection == name }) {
			body := func() any { return clientRows[name](rowSubjects{ada.ID, post, comment, story}) }
			cases = append(cases, admissionCase{name, "of somebody who blocks", body, blocks})
		}
	}
	for _, c := range cases {
		covered[c.collection] = true
		t.Run(c.collection+" "+c.what, func(t *testing.T) {
			post, story = ada.Post("hello"), ada.Story()
			comment = carol.Comment(post, "", "hello")
			ada.Comment(post, comment, "hello") // deleted, it stays as a tombstone
			bob.Token = s.As("bob").Token       // a suspension ends tokens
			rows := s.Rows(c.collection, "1")
			refused := bob.Must(400, "POST", "/api/collections/likes/records", jsonObject{"post": "nosuchpost00000"})
			m.afterRule = func() { c.then(post, comment); rows = s.Rows(c.collection, "1") }
			answer := bob.Do("POST", "/api/collections/"+c.collection+"/records", c.body())
			if answer.Status != 400 || answer.Raw != refused.Raw {
				t.Errorf("the answer is %d %s, want %s", answer.Status, answer.Raw, refused.Raw)
			}
			if now := s.Rows(c.collection, "1"); now != rows {
				t.Errorf("%d rows were stored", now-rows)
			}
			if n := s.Rows("blocks", "blocker = {:a}", jsonObject{"a": ada.ID}); n > 0 {
				ada.Delete("blocks", ada.List("blocks", "")[0]["id"].(string))
			}
			s.Admin().Update("users", bob.ID, jsonObject{"state": "active"})
		})
	}
	collections, err := s.App.FindAllCollections()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range collections {
		if c.CreateRule != nil && !covered[c.Name] {
			t.Errorf("no case is about a create in %s", c.Name)
		}
	}
	t.Run("a follow of an account that is closed is a request", func(t *testing.T) {
		m.afterHooks = func() { ada.Update("users", ada.ID, jsonObject{"private": true}) }
		if state := s.As("bob").Create("follows", jsonObject{"followee": ada.ID}).Body["state"]; state != "pending" {
			t.Errorf("the follow is %v", state)
		}
	})
	t.Run("a change of what is deleted, and a second deletion", func(t *testing.T) {
		bob := s.As("bob")
		mine := bob.Comment(carol.Post("hello"), "", "hello")
		path := "/api/collections/comments/records/" + mine
		m.afterRule = func() { bob.Delete("comments", mine) }
		bob.Must(404, "PATCH", path, jsonObject{"text": "changed"})
		for _, collection := range []string{"blocks", "mutes"} {
			id := bob.Create(collection, jsonObject{map[string]string{"blocks": "blocked", "mutes": "muted"}[collection]: carol.ID}).ID()
			m.afterRule = func() { bob.Delete(collection, id) }
			bob.Must(404, "DELETE", "/api/collections/"+collection+"/records/"+id, nil)
		}
	})
	t.Run("the same edge is stored and taken back", func(t *testing.T) {
		bob := s.As("bob")
		path, save := "/api/collections/saves/records", jsonObject{"post": carol.Post("hello")}
		m.afterHooks = func() {
			id := bob.Create("saves", save).ID()
			m.afterFailure = func() { bob.Delete("saves", id) }
		}
		bob.Must(200, "POST", path, save)
		if m.afterFailure != nil {
			t.Error("the transaction did not meet the edge")
		}
	})
	for what, then := range map[string]func(post, comment string){"signed out": signedOut, "suspended": suspended} {
		t.Run("a change by somebody who is "+what, func(t *testing.T) {
			s.Admin().Update("users", bob.ID, jsonObject{"state": "active"})
			bob.Token = s.As("bob").Token
			mine := bob.Comment(carol.Post("hello"), "", "hello")
			m.afterRule = func() { then("", "") }
			bob.Must(404, "PATCH", "/api/collections/comments/records/"+mine, jsonObject{"text": "changed"})
			if text := s.Record("comments", mine).GetString("text"); text != "hello" {
				t.Errorf("the text is %q", text)
			}
		})
	}
}
