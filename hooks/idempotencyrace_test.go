package hooks_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/limit"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestOneOfManyAtOnceIsStored sends a create many times before the first is stored: all have looked for the key, and
// found nothing.
func TestOneOfManyAtOnceIsStored(t *testing.T) {
	t.Setenv(limit.EnvVariable, "comments=1/24h,posts=1/24h") // a repeat takes no unit
	const many = 12
	for _, name := range []string{"comments", "posts", "stories"} {
		for way, header := range map[string]string{"a key": "key", "an id": ""} {
			if name == "stories" && header == "" {
				continue // whose ids clients do not choose
			}
			t.Run(name+" with "+way, func(t *testing.T) {
				var arrived sync.WaitGroup
				arrived.Add(many)
				events := 0
				s := hookstest.New(t, func(app core.App, social *hooks.Social) {
					app.OnRecordCreateRequest(name).BindFunc(func(e *core.RecordRequestEvent) error {
						if e.Auth.GetString("handle") == "bob" {
							arrived.Done()
							arrived.Wait()
						}
						return e.Next()
					})
					app.OnRecordAfterCreateSuccess(name).BindFunc(func(e *core.RecordEvent) error {
						events++
						return e.Next()
					})
				})
				on := newSubjects(s.As("ada"))
				events = 0
				bob := s.As("bob")
				if header != "" {
					bob = bob.With(idempotencyHeader, header)
				}
				before, answers := s.Rows(name, "true"), make([]hookstest.Answer, many)
				var all sync.WaitGroup
				for i := range many {
					all.Go(func() {
						body := clientBody(name, on)
						switch b := body.(type) {
						case jsonObject:
							if header == "" {
								b["id"] = "chosenid0000001"
							}
						case *hookstest.Upload:
							if header == "" {
								b.Fields["id"] = "chosenid0000001"
							}
						}
						answers[i] = bob.Do("POST", recordsOf(name), body)
					})
				}
				all.Wait()
				replayed := 0
				for _, answer := range answers {
					if answer.Status != 200 || answer.Raw != answers[0].Raw {
						t.Errorf("it is answered %d %s, and %d %s", answers[0].Status, answers[0].Raw, answer.Status, answer.Raw)
					}
					if answer.Header.Get(replayedHeader) != "" {
						replayed++
					}
				}
				if n := s.Rows(name, "true") - before; n != 1 || replayed != many-1 || events != 1 {
					t.Errorf("%d are stored, %d events, %d of %d answers are replayed", n, events, replayed, many)
				}
				if name == "comments" {
					s.ExpectTray("ada", hookstest.Notification{Type: "comment", Actors: 1})
				}
			})
		}
	}
}

// TestItemsOfABatchHaveKeys sends a batch again.
func TestItemsOfABatchHaveKeys(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	unshown := 0
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnRecordEnrich("comments").BindFunc(func(e *core.RecordEnrichEvent) error {
			if e.Record.GetString("text") == "unshown" {
				if unshown++; unshown == 1 {
					return errors.New("an owner's hook cannot show it")
				}
			}
			return e.Next()
		})
	})
	bob := s.As("bob")
	post := s.As("ada").Post("hello")
	item := func(key, text string) jsonObject {
		return jsonObject{"method": "POST", "url": recordsOf("comments"), "headers": jsonObject{"idempotency-key": key}, "body": jsonObject{"post": post, "text": text}}
	}
	like := jsonObject{"method": "POST", "url": recordsOf("likes"), "body": jsonObject{"post": post}}
	send := func(items ...jsonObject) hookstest.Answer {
		return bob.Do("POST", "/api/batch", jsonObject{"requests": items})
	}
	first := send(item("one", "hello"), like, item("two", "hello"), item("one", "hello"))
	if again := send(item("one", "hello"), like, item("two", "hello"), item("one", "hello")); first.Status != 200 || again.Status != 200 || again.Raw != first.Raw {
		t.Errorf("the batch is answered %d %s, and %d %s", first.Status, first.Raw, again.Status, again.Raw)
	}
	if n := s.Rows("comments", "true"); n != 2 {
		t.Errorf("%d comments are stored", n)
	}
	expectReplayed(t, bob.With(idempotencyHeader, "two"), "comments", jsonObject{"post": post, "text": "hello"}, bob.With(idempotencyHeader, "two").Create("comments", jsonObject{"post": post, "text": "hello"}))

	for what, items := range map[string][]jsonObject{
		"another text":     {item("three", "hello"), item("one", "hello!")},
		"a later refusal":  {item("three", "hello"), item("four", "")},
		"an answer lost":   {item("three", "unshown"), item("four", "hello")},
		"a key that is no": {item("three", "hello"), item("a key", "hello")},
	} {
		if answer := send(items...); answer.Status != 400 {
			t.Errorf("%s: %d %s", what, answer.Status, answer.Raw)
		}
	}
	if n := s.Rows("comments", "true") + s.Rows("idempotency", "true"); n != 4 {
		t.Errorf("%d rows are stored, want two comments with their keys", n)
	}
	if answer := bob.With(idempotencyHeader, "key").Do("POST", "/api/batch", jsonObject{"requests": []jsonObject{like}}); answer.Status != 400 || !strings.Contains(answer.Raw, "each of its items") {
		t.Errorf("a key of a whole batch is answered %d %s", answer.Status, answer.Raw)
	}
	chosen := jsonObject{"method": "POST", "url": recordsOf("comments"), "body": jsonObject{"id": "bobscomment0001", "post": post, "text": "hello"}}
	if one, two := send(chosen), send(chosen); one.Status != 200 || two.Raw != one.Raw {
		t.Errorf("an item with an id is answered %d %s, and %d %s", one.Status, one.Raw, two.Status, two.Raw)
	}
}

// TestAKeyOutlivesAKill kills the program between the commit of a create and its answer, and sends it again.
func TestAKeyOutlivesAKill(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	post, token := s.As("ada").Post("hello"), s.As("bob").Token
	send := func(p *programProcess) (*http.Response, error) {
		request, err := http.NewRequest("POST", p.url+recordsOf("comments"), strings.NewReader(`{"post":"`+post+`","text":"hello"}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {token}, idempotencyHeader: {"key"}}
		return http.DefaultClient.Do(request)
	}
	p := startProgram(t, s, programDieEnv+"=comments")
	if answer, err := send(p); err == nil {
		t.Fatalf("it is answered %d", answer.StatusCode)
	}
	<-p.ended
	if n := s.Rows("comments", "true"); n != 1 {
		t.Fatalf("%d comments are stored, want the one without an answer", n)
	}
	answer, err := send(startProgram(t, s))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != 200 || answer.Header.Get(replayedHeader) != "true" {
		t.Errorf("the repeat is answered %d, %v", answer.StatusCode, answer.Header)
	}
	if n := s.Rows("comments", "true"); n != 1 {
		t.Errorf("%d comments are stored", n)
	}
	s.ExpectTray("ada", hookstest.Notification{Type: "comment", Actors: 1})
}

// dieAfterCommit kills the program as soon as a record of the collection is stored, before its answer.
func dieAfterCommit(app core.App, name string) {
	app.OnRecordAfterCreateSuccess(name).BindFunc(func(*core.RecordEvent) error {
		self, err := os.FindProcess(os.Getpid())
		if err != nil {
			return err
		}
		if err := self.Kill(); err != nil {
			return err
		}
		select {}
	})
}

// TestAKeyedCreateThatCannotReadIsDoneOnce lets each statement of a create fail in turn, and sends it again.
func TestAKeyedCreateThatCannotReadIsDoneOnce(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	bob, post := s.As("bob"), s.As("ada").Post("hello")
	for n := 1; ; n++ {
		with, body := bob.With(idempotencyHeader, fmt.Sprint("key-", n)), jsonObject{"post": post, "text": fmt.Sprint("hello ", n)}
		b := breakStatement(s.App, ofARequest, n)
		first := with.Do("POST", recordsOf("comments"), body)
		failed := b.heal(s.App)
		if first.Status != 200 && first.Status < 500 {
			t.Errorf("%d: %q fails, and the create is answered %d %s", n, failed, first.Status, first.Raw)
		}
		again := with.Do("POST", recordsOf("comments"), body)
		if again.Status != 200 || first.Status == 200 && again.ID() != first.ID() {
			t.Errorf("%d: %q fails, and the create is answered %s, and again %s", n, failed, first.Raw, again.Raw)
		}
		if rows := s.Rows("comments", "true"); rows != n {
			t.Fatalf("%d: %q fails, and %d comments are stored", n, failed, rows)
		}
		if failed == "" {
			break
		}
	}
}
