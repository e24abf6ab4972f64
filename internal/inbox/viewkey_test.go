package inbox

import (
	"testing"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// TestWhatSomebodyExpandsIsShownToThemAlone has two people listen who are shown the same post, and who both expand it.
func TestWhatSomebodyExpandsIsShownToThemAlone(t *testing.T) {
	s := startService(t)
	s.inbox.EnrichmentKeys = func(_ *core.Record, users []string) (map[string]string, bool, error) {
		keys := map[string]string{}
		for _, user := range users {
			keys[user] = ""
		}
		return keys, true, nil
	}
	shown := 0 // by the only worker of the queue
	s.app.OnRecordEnrich("posts").BindFunc(func(e *core.RecordEnrichEvent) error {
		shown++
		return e.Next()
	})
	for _, name := range []string{"ada", "bob"} {
		s.subscribeAs(s.findUser(name), "posts/*", withQuery("posts/*", `{"expand":"author"}`))
	}
	s.saveRecord("posts", map[string]any{"author": "cyn", "visibility": "public"})
	s.waitUntilIdle()
	if shown != 3 {
		t.Errorf("the post is shown %d times, want once to both and expanded to each", shown)
	}
}

func TestWhoSignsOutMeanwhileIsSentNothing(t *testing.T) {
	s := startService(t)
	d := s.subscribeAs(s.findUser("ada"), "posts/*")
	s.app.OnRecordEnrich("posts").BindFunc(func(e *core.RecordEnrichEvent) error {
		d.Unset(apis.RealtimeClientAuthKey)
		return e.Next()
	})
	s.saveRecord("posts", map[string]any{"author": "cyn", "visibility": "public"})
	s.waitUntilIdle()
	select {
	case m := <-d.Channel():
		t.Errorf("sent was %s %s", m.Name, m.Data)
	default:
	}
}

func TestAFilterReadsNothingButItsRow(t *testing.T) {
	s := startService(t)
	s.saveRecord("posts", map[string]any{"author": "cyn", "visibility": "private", "caption": "secret"})
	for filter, want := range map[string]bool{
		`caption = 'hello'`:                     true,
		`caption = 'other'`:                     false,
		`@collection.posts.caption ?= 'secret'`: false,
		`@collection.posts.caption ?= 'hello'`:  false,
		`@request.auth.id != ''`:                false,
		`(`:                                     false,
	} {
		d := s.subscribeAs(s.findUser("ada"), withQuery("posts/*", `{"filter":"`+filter+`"}`))
		s.saveRecord("posts", map[string]any{"author": "cyn", "visibility": "public", "caption": "hello"})
		s.waitUntilIdle()
		if got := len(d.Channel()) > 0; got != want {
			t.Errorf("%s: sent %v", filter, got)
		}
		s.inbox.removeDevice(d)
	}
}
